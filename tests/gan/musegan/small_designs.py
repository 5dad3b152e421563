"""Small networks of MuseGAN's designs, their settings, and phrases for them."""

from __future__ import annotations

import torch
from torch import Tensor

from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.latents import Latents
from gan.networks.designs import NETWORKS
from gan.settings import DESIGNS, ModelSettings, TrainSettings
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics

BAND = RollSpec((Track("Drums", is_drum=True), Track("Piano"), Track("Bass")), bars=2, num_pitches=30, lowest_pitch=41)

FIVE = RollSpec((Track("Drums", is_drum=True), *(Track(name) for name in ("Piano", "Guitar", "Bass", "Strings"))))

MUSEGAN = tuple(design for design in DESIGNS if design != "albumgan")

TRAIN = TrainSettings(
    steps=6,
    batch_size=4,
    discriminator_steps=2,
    loss="wasserstein",
    learning_rate=2e-3,
    decay_share=0.0,
    beta1=0.5,
    beta2=0.9,
    gamma=10.0,
    penalty_steps=1,
    ema_decay=0.0,
    batches_per_step=1,
    pretrain_share=0.0,
    policy_weight=0.0,
    generator_speed=1.0,
    weight_decay=0.0,
    report_steps=2,
)


def small(design: str, **others: object) -> ModelSettings:
    return ModelSettings.of({"design": design, "latent_size": 4, "filters": 2, **others})


def rolls(spec: RollSpec = BAND, count: int = 12) -> Tensor:
    """Beats, and lines of notes two steps long."""
    made = torch.zeros((count, *spec.shape), dtype=torch.bool)
    for index in range(count):
        for track in range(spec.num_tracks):
            pitch = (5 * track + index) % spec.num_pitches
            made[index, ONSET, track, :, ::4, pitch] = True
            if not spec.tracks[track].is_drum:
                made[index, HOLD, track, :, 1::4, pitch] = True
    return made


def networks(settings: ModelSettings, spec: RollSpec = BAND) -> tuple[PhraseGenerator, PhraseDiscriminator]:
    statistics = DataStatistics.of([rolls(spec)], spec)
    torch.manual_seed(0)
    make_generator, make_discriminator = NETWORKS[settings.design]
    return make_generator(spec, statistics, settings), make_discriminator(spec, statistics, settings)


def latents_of(generator: PhraseGenerator, count: int, seed: int = 1) -> Latents:
    return generator.sample_latents(count, torch.Generator().manual_seed(seed))

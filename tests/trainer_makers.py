"""A small trainer on phrases made in code, for all tests that train."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from gan.conditions import conditions_of, no_labels
from gan.context import Conditioning
from gan.rolls import to_streams
from gan.settings import AlbumGANSettings, TrainSettings
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics
from gan.training.batches import PhrasePair, batches_from
from gan.training.trainer import Trainer

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Lead"), Track("Bass")), bars=2, num_pitches=30, lowest_pitch=41)
MODEL = AlbumGANSettings(
    latent_size=4, trunk_width=24, trunk_blocks=1, track_width=12, step_width=12, beat_width=24, decoder_width=16
)
TRAIN = TrainSettings(
    steps=12, batch_size=4, batches_per_step=2, pretrain_share=0.25, policy_weight=0.3, report_steps=1, penalty_steps=2
)
SCALE = (0, 2, 4, 5, 7, 9, 11, 12)


def scale_rolls(count: int = 24) -> Tensor:
    """Lines along a scale over a bass and a beat, bool `[count, *SPEC.shape]`."""
    made = torch.zeros((count, *SPEC.shape), dtype=torch.bool)
    for index in range(count):
        made[index, ONSET, 0, :, ::4, 3] = True
        for beat in range(4):
            made[index, ONSET, 1, :, 4 * beat, SCALE[(index + beat) % 8]] = True
            made[index, HOLD, 1, :, 4 * beat + 1 : 4 * beat + 4, SCALE[(index + beat) % 8]] = True
        made[index, ONSET, 2, :, 0, SCALE[index % 8]] = True
        made[index, HOLD, 2, :, 1:, SCALE[index % 8]] = True
    return made


def scale_streams(count: int = 24) -> Tensor:
    """The same phrases as streams of all pitches, `[count, time, tracks, 2, pitches]`."""
    return to_streams(scale_rolls(count), (0,) * SPEC.num_tracks, SPEC.num_pitches)


def make_trainer(seed: int = 3, **changes: Any) -> Trainer:
    """A trainer of the small model, with these settings other than `TRAIN`."""
    return Trainer(SPEC, DataStatistics.of([scale_rolls()], SPEC), MODEL, replace(TRAIN, **changes), seed)


def train(trainer: Trainer, steps: int | None = None) -> list[dict[str, Any]]:
    """Train on the scales to the end, or for so many steps; the log without what time took."""
    batches = batches_from(scale_rolls(), SPEC, trainer.settings.phrases_per_step, seed=0, start_step=trainer.step)
    lines = [report.to_dict() for report in trainer.run(itertools.islice(batches, steps))]
    for line in lines:
        del line["seconds"]
    return lines


def weights_of(trainer: Trainer) -> dict[str, Tensor]:
    """All weights of the generator, its average and the discriminator."""
    state = trainer.state_dict()
    parts = ("generator", "average", "discriminator")
    return {f"{part} {name}": value for part in parts for name, value in state[part].items()}


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    """A state as it comes back from disk."""
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)  # type: ignore[no-any-return]


def assert_equal_weights(first: Trainer, second: Trainer) -> None:
    """Equal to the bit."""
    ours, theirs = weights_of(first), weights_of(second)
    different = [name for name in ours if not torch.equal(ours[name], theirs[name])]
    assert not different


def phrase_pair(trainer: Trainer) -> PhrasePair:
    """Sixteen real and as many generated phrases for their conditions, nothing given; the same latents each time."""
    generator: Any = trainer.generator
    rolls = scale_rolls(16)
    conditions = conditions_of(rolls, no_labels(16, SPEC), SPEC)
    latents = generator.sample_latents(16, torch.Generator().manual_seed(0)).with_conditions(conditions)
    mask = torch.zeros(16, SPEC.num_tracks, SPEC.bars, dtype=torch.bool)
    return PhrasePair(generator.encode(rolls), generator(latents), Conditioning(conditions, mask), SPEC)

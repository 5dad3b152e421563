"""MuseGAN's designs: what each reads and makes, how they are trained, and that they stay what was published."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from gan.latents import Latents
from gan.musegan.binary import BinaryDiscriminator, BinaryGenerator
from gan.musegan.multitrack import JammingDiscriminator
from gan.networks.checkpoint import load_discriminator, load_generator
from gan.networks.designs import NETWORKS
from gan.settings import DESIGNS, BinaryMuseGANSettings, ModelSettings, MuseGANSettings
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics
from gan.training.batches import batches_from
from gan.training.trainer import Trainer
from tests.gan.musegan.small_designs import BAND, FIVE, MUSEGAN, TRAIN, latents_of, networks, rolls, small

READS = {
    "jamming": {"z_track", "z_track_time"},
    "composer": {"z", "z_time"},
    "hybrid": {"z", "z_time", "z_track", "z_track_time"},
    "binary": {"z", "z_time"},
    "tutorial": {"z", "z_time"},
}


def make_trainer(settings: ModelSettings, **others: object) -> Trainer:
    return Trainer(BAND, DataStatistics.of([rolls()], BAND), settings, replace(TRAIN, **others), seed=3)


def run(trainer: Trainer, steps: int | None = None) -> list[dict[str, object]]:
    batches = batches_from(rolls(), BAND, trainer.settings.phrases_per_step, 0, start_step=trainer.step)
    lines = [report.to_dict() for report in trainer.run(itertools.islice(batches, steps))]
    for line in lines:
        del line["seconds"]
    return lines


def weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_every_design_and_loss_of_the_settings_is_there() -> None:
    from gan.training.losses import LOSSES

    assert set(NETWORKS) == set(DESIGNS)
    assert set(LOSSES) == set(LOSSES)


SPECS = (
    BAND,
    RollSpec((Track("Lead"),), bars=1, beats_per_bar=3, steps_per_beat=3, num_pitches=12),
    RollSpec(tuple(Track(name) for name in "ABCD"), bars=4, steps_per_beat=12, num_pitches=84),
    RollSpec(tuple(Track(name) for name in "AB"), bars=3, steps_per_beat=24, num_pitches=40),
    RollSpec(tuple(Track(name) for name in "AB"), bars=2, beats_per_bar=2, steps_per_beat=6, is_compound=True),
)


@pytest.mark.parametrize("design", MUSEGAN)
@pytest.mark.parametrize("spec", SPECS)
def test_phrases_of_any_shape_are_made_and_scored(design: str, spec: RollSpec) -> None:
    generator, discriminator = networks(small(design), spec)
    made = generator(latents_of(generator, 3), torch.Generator().manual_seed(2))
    assert made.shape == (3, spec.num_tracks, spec.bars, spec.steps_per_bar, spec.num_pitches)
    assert generator.encode(rolls(spec, 3)).shape == made.shape
    assert generator.onsets(made).shape == (3, spec.num_steps, spec.num_tracks, spec.num_pitches)
    assert discriminator(made).shape == ((3, spec.num_tracks) if design == "jamming" else (3,))
    sampled = generator.sample(latents_of(generator, 3))
    assert sampled.shape == (3, *spec.shape)
    assert sampled.dtype == torch.bool
    assert not (sampled[:, ONSET] & sampled[:, HOLD]).any()
    assert discriminator.score(sampled).shape == (3,)


@pytest.mark.parametrize("design", MUSEGAN)
def test_each_design_reads_its_own_latents_and_all_weights_learn(design: str) -> None:
    generator, discriminator = networks(small(design, **({"pretrain_steps": 0} if design == "binary" else {})))
    values = {
        name: value.requires_grad_(name != "conditions") for name, value in latents_of(generator, 6).to_dict().items()
    }
    discriminator(generator(Latents.from_dict(values))).sum().backward()
    assert {name for name, value in values.items() if value.grad is not None and value.grad.any()} == READS[design]
    learning = dict(generator.named_parameters())
    silent = [name for name, weight in learning.items() if weight.grad is None and not name.startswith("refiners")]
    assert not silent


def test_a_jamming_discriminator_hears_its_own_track_alone() -> None:
    generator, discriminator = networks(small("jamming"))
    assert isinstance(discriminator, JammingDiscriminator)
    phrases = generator.encode(rolls(count=2)).requires_grad_(True)
    for track in range(BAND.num_tracks):
        (gradient,) = torch.autograd.grad(discriminator(phrases)[:, track].sum(), phrases)
        assert gradient[:, track].any()
        others = [other for other in range(BAND.num_tracks) if other != track]
        assert not gradient[:, others].any()


def test_a_rest_keeps_repeated_notes_apart() -> None:
    real = torch.zeros((1, *BAND.shape), dtype=torch.bool)
    real[0, ONSET, :, 0, [0, 4, 8], 7] = True
    real[0, HOLD, 1:, 0, [1, 2, 3, 5, 9], 7] = True  # the first note runs into the second, the second does not
    generator, _ = networks(small("tutorial"))
    sounding = generator.encode(real)[0, :, 0, :, 7]
    assert sounding[1].nonzero().flatten().tolist() == [0, 1, 2, 4, 5, 8, 9]
    assert sounding[0].nonzero().flatten().tolist() == [0, 4, 8]
    assert torch.equal(
        generator.onsets(generator.encode(real)).bool()[0, :, 1, 7].nonzero().flatten(), torch.tensor([0, 4, 8])
    )


@pytest.mark.parametrize("design", MUSEGAN)
def test_real_rolls_come_back_as_they_were(design: str) -> None:
    generator, _ = networks(small(design))
    real = rolls()
    begins = generator.onsets(generator.encode(real)).bool()
    assert torch.equal(begins.transpose(1, 2), real[:, ONSET].flatten(2, 3))


@pytest.mark.parametrize(
    "settings",
    [
        *(small(design) for design in MUSEGAN),
        small("binary", pretrain_steps=0),
        small("binary", pretrain_steps=0, neurons="stochastic"),
    ],
)
def test_a_phrase_does_not_depend_on_its_neighbours(settings: ModelSettings) -> None:
    generator, _ = networks(settings)
    generator.begin_step(0)
    latents = latents_of(generator, 5)
    for _ in range(3):  # batch norm has seen something
        generator(latents_of(generator, 8), torch.Generator().manual_seed(1))
    together = generator.sample(latents)
    alone = torch.cat([generator.sample(latents[index : index + 1]) for index in range(5)])
    assert torch.equal(together, alone)
    assert torch.equal(generator.sample(latents), together)
    assert generator.training, "sampling leaves the mode as it was"


@pytest.mark.parametrize("neurons", ["deterministic", "stochastic"])
def test_the_second_stage_leaves_the_generator_alone_and_is_binary(neurons: str) -> None:
    trainer = make_trainer(small("binary", neurons=neurons, pretrain_steps=3))
    generator = trainer.generator
    assert isinstance(generator, BinaryGenerator)
    before = weights(generator.refiners)
    run(trainer, steps=3)
    assert not trainer.final_phase
    after = weights(generator.refiners)
    assert all(torch.equal(before[name], value) for name, value in after.items()), "the refiner waits"
    first = weights(generator.first)
    run(trainer)
    assert trainer.step == 6
    assert trainer.final_phase
    assert all(torch.equal(first[name], value) for name, value in weights(generator.first).items())
    refined = weights(generator.refiners)
    assert any(not torch.equal(after[name], value) for name, value in refined.items())
    made = generator(latents_of(generator, 4), torch.Generator().manual_seed(0))
    assert set(made.unique().tolist()) <= {0.0, 1.0}
    kept = load_generator(trainer.state_dict())
    assert torch.equal(kept.sample(trainer.fixed_latents), trainer.average.sample(trainer.fixed_latents))


def test_the_slope_of_neurons_grows_every_epoch_of_the_paper() -> None:
    generator, _ = networks(small("binary", pretrain_steps=10))
    assert isinstance(generator, BinaryGenerator)
    steepness = []
    for step in (0, 10, 10 + 430, 10 + 900):
        generator.begin_step(step)
        steepness.append(generator.slope.item())
    assert steepness == pytest.approx([1.0, 1.0, 1.1, 1.21])


def test_the_binary_discriminator_sees_chroma_by_octaves_and_changes_in_time() -> None:
    _, discriminator = networks(small("binary"))
    assert isinstance(discriminator, BinaryDiscriminator)
    phrases = torch.zeros(1, 3, 2, 16, 36)
    phrases[0, 1, 0, 1:3, [0, 12, 24]] = 1.0
    assert discriminator.fold(phrases)[0, 1, 0, 0].tolist() == [6.0] + 11 * [0.0]
    changes = discriminator.changes(phrases)[0, 1, 0, :, 0]
    assert changes[:4].tolist() == [0.0, 3.0, 0.0, -3.0]


@pytest.mark.parametrize("design", MUSEGAN)
def test_a_resumed_run_of_a_musegan_design_equals_an_uninterrupted_one(design: str) -> None:
    settings = small(design, pretrain_steps=2) if design == "binary" else small(design)
    whole, part = make_trainer(settings), make_trainer(settings)
    lines = run(whole)
    first = run(part, steps=3)
    resumed = make_trainer(settings)
    resumed.load_state_dict(part.state_dict())
    assert first + run(resumed) == lines
    for side in ("generator", "average", "discriminator"):
        ours, theirs = weights(getattr(whole, side)), weights(getattr(resumed, side))
        assert not [name for name, value in ours.items() if not torch.equal(value, theirs[name])]
    assert lines[-1]["gradient_penalty"] != 0
    assert not [line for line in lines if any("has won" in str(warning) for warning in [line["warnings"]])]


@pytest.mark.parametrize("design", MUSEGAN)
def test_without_averaging_samples_come_from_the_generator_itself(design: str) -> None:
    settings = small(design, pretrain_steps=1) if design == "binary" else small(design)
    trainer = make_trainer(settings)
    run(trainer, steps=3)
    ours, theirs = weights(trainer.generator), weights(trainer.average)
    assert not [name for name, value in ours.items() if not torch.equal(value, theirs[name])]
    state = trainer.state_dict()
    wanted = trainer.average.sample(trainer.fixed_latents)
    assert torch.equal(load_generator(state).sample(trainer.fixed_latents), wanted)
    assert torch.equal(load_discriminator(state).score(wanted), trainer.discriminator.score(wanted))


def test_each_discriminator_step_has_real_phrases_and_latents_of_its_own() -> None:
    trainer = make_trainer(small("tutorial"), discriminator_steps=3)
    seen: list[tuple[Tensor, Tensor]] = []
    plain = trainer.loss.discriminator

    def spy(discriminator, real, fake, *others):
        seen.append((real, fake))
        return plain(discriminator, real, fake, *others)

    trainer.loss.discriminator = spy
    run(trainer, steps=2)
    assert len(seen) == 6
    assert all(len(real) == len(fake) == 4 for real, fake in seen)
    assert torch.equal(
        torch.cat([real for real, _ in seen[:3]]).sort(0)[0], trainer.generator.encode(rolls()).sort(0)[0]
    )
    assert not any(torch.equal(seen[0][1], fake) for _, fake in seen[1:])


def count(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(
    ("settings", "generator", "discriminator"),
    [
        (MuseGANSettings(), 6.82, 1.31),
        (MuseGANSettings(design="jamming", latent_size=64), 7.47, 6.50),
        (MuseGANSettings(design="composer", latent_size=64), 1.50, 1.31),
        (BinaryMuseGANSettings(latent_size=64, filters=32), 1.14, 1.67),
        (MuseGANSettings(design="tutorial", latent_size=64, filters=16), 0.32, 0.21),
    ],
)
def test_published_filters_make_networks_of_these_sizes(
    settings: ModelSettings, generator: float, discriminator: float
) -> None:
    made = networks(settings, FIVE)
    assert [count(network) / 1e6 for network in made] == pytest.approx([generator, discriminator], abs=0.006)


def test_the_notebooks_network_has_the_notebooks_size_with_its_pitches() -> None:
    spec = RollSpec(FIVE.tracks, num_pitches=72)
    made = networks(MuseGANSettings(design="tutorial", latent_size=64, filters=16), spec)
    assert [round(count(network) / 1e6, 2) for network in made] == [0.31, 0.2]

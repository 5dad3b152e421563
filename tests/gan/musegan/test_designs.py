"""MuseGAN's designs: what each reads and makes, how they are trained, and that they stay what was published."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.latents import Latents
from gan.musegan.binary import BinaryDiscriminator, BinaryGenerator
from gan.musegan.layers import octave_growth, split_steps
from gan.musegan.multitrack import JammingDiscriminator
from gan.musegan.neurons import binary
from gan.musegan.rolls import run_onsets
from gan.networks.checkpoint import load_discriminator, load_generator
from gan.networks.designs import NETWORKS
from gan.rolls import batches_from
from gan.settings import DESIGNS, ModelSettings, TrainSettings, check_together
from gan.spec import HOLD, ONSET, RollSpec, Track
from gan.statistics import DataStatistics
from gan.training.losses import (
    Wasserstein,
    between,
    gradient_penalty,
    wasserstein_discriminator_loss,
    wasserstein_generator_loss,
)
from gan.training.trainer import Trainer

BAND = RollSpec((Track("Drums", is_drum=True), Track("Piano"), Track("Bass")), bars=2, num_pitches=30, lowest_pitch=41)
FIVE = RollSpec((Track("Drums", is_drum=True), *(Track(name) for name in ("Piano", "Guitar", "Bass", "Strings"))))
MUSEGAN = tuple(design for design in DESIGNS if design != "albumgan")
READS = {
    "jamming": {"z_track", "z_track_time"},
    "composer": {"z", "z_time"},
    "hybrid": {"z", "z_time", "z_track", "z_track_time"},
    "binary": {"z", "z_time"},
    "tutorial": {"z", "z_time"},
}
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
    noise_steps=0,
    attribute_loss=0.0,
    matching_loss=0.0,
    noise_floor=0.0,
    shared_gradient=False,
    report_steps=2,
)


def small(design: str, **others: object) -> ModelSettings:
    return ModelSettings(design=design, latent_size=4, filters=2, **others)


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


def trainer(settings: ModelSettings, **others: object) -> Trainer:
    return Trainer(BAND, DataStatistics.of([rolls()], BAND), settings, replace(TRAIN, **others), seed=3)


def run(subject: Trainer, steps: int | None = None) -> list[dict[str, object]]:
    batches = batches_from(rolls(), BAND, subject.settings.phrases_per_step, 0, start_step=subject.step)
    lines = [report.to_dict() for report in subject.run(itertools.islice(batches, steps))]
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
)


@pytest.mark.parametrize("design", MUSEGAN)
@pytest.mark.parametrize("spec", SPECS)
def test_phrases_of_any_shape_are_made_and_scored(design: str, spec: RollSpec) -> None:
    generator, discriminator = networks(small(design), spec)
    made = generator(latents_of(generator, 3), 0.0, torch.Generator().manual_seed(2))
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
        (slope,) = torch.autograd.grad(discriminator(phrases)[:, track].sum(), phrases)
        assert slope[:, track].any()
        others = [other for other in range(BAND.num_tracks) if other != track]
        assert not slope[:, others].any()


def test_runs_of_steps_are_notes_across_bars_and_each_drum_step_is_a_hit() -> None:
    heard = torch.zeros((1, 3, 2, 16, 30), dtype=torch.bool)
    heard[0, :, 0, 14:, 7] = True
    heard[0, :, 1, :2, 7] = True  # the same run goes on after the bar line
    heard[0, :, 1, 5, 7] = True
    begins = run_onsets(heard, BAND).flatten(2, 3)[0, :, :, 7]
    assert begins[1].nonzero().flatten().tolist() == [14, 21]
    assert begins[0].nonzero().flatten().tolist() == [14, 15, 16, 17, 21]


def test_a_rest_keeps_repeated_notes_apart() -> None:
    real = torch.zeros((1, *BAND.shape), dtype=torch.bool)
    real[0, ONSET, :, 0, [0, 4, 8], 7] = True
    real[0, HOLD, 1:, 0, [1, 2, 3, 5, 9], 7] = True  # the first note runs into the second, the second does not
    generator, _ = networks(small("tutorial"))
    heard = generator.encode(real)[0, :, 0, :, 7]
    assert heard[1].nonzero().flatten().tolist() == [0, 1, 2, 4, 5, 8, 9]
    assert heard[0].nonzero().flatten().tolist() == [0, 4, 8]
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
        generator(latents_of(generator, 8), 0.0, torch.Generator().manual_seed(1))
    together = generator.sample(latents)
    alone = torch.cat([generator.sample(latents[index : index + 1]) for index in range(5)])
    assert torch.equal(together, alone)
    assert torch.equal(generator.sample(latents), together)
    assert generator.training, "sampling leaves the mode as it was"


def test_wasserstein_losses_of_known_logits() -> None:
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.5, -0.5])
    assert wasserstein_discriminator_loss(real, fake).item() == -2.0
    assert wasserstein_generator_loss(fake).item() == 0.0
    pairs = torch.tensor([[1.0, 0.0], [3.0, 2.0]])
    assert wasserstein_discriminator_loss(pairs, torch.zeros(2, 2)).item() == -3.0, "discriminators add up"
    assert wasserstein_generator_loss(pairs).item() == -3.0


def test_slope_penalty_of_a_linear_discriminator() -> None:
    inputs = torch.randn(5, 2, requires_grad=True)
    slope = torch.tensor([3.0, 4.0])
    assert gradient_penalty(inputs @ slope, inputs).item() == pytest.approx(16.0)  # (5 - 1) squared
    two = torch.stack([inputs @ slope, 2 * inputs[:, 0]], dim=1)
    assert gradient_penalty(two, inputs).item() == pytest.approx(16.0 + 1.0)
    game = Wasserstein(gamma=10.0, every=1)
    real, fake = torch.randn(5, 2), torch.randn(5, 2)
    verdict = game.judge(lambda x: x @ slope, real, fake, True, torch.Generator().manual_seed(0))
    assert verdict.loss.item() == pytest.approx(((fake - real) @ slope).mean().item(), rel=1e-5)
    assert verdict.penalty is not None
    assert verdict.penalty.item() == pytest.approx(160.0)
    assert verdict.figures["gradient_penalty"] == pytest.approx(16.0)


def test_interpolates_lie_between_real_and_generated_phrases() -> None:
    real, fake = torch.zeros(4, 3, 2), torch.ones(4, 3, 2)
    middle = between(real, fake, torch.Generator().manual_seed(0))
    assert ((middle > 0) & (middle < 1)).all()
    assert torch.equal(middle, middle[:, :1, :1].expand_as(middle)), "one place on the line for each phrase"
    assert len(middle[:, 0, 0].unique()) == 4


def test_binary_neurons_are_binary_with_the_gradient_of_a_sigmoid() -> None:
    x = torch.tensor([-2.0, -0.1, 0.1, 2.0], requires_grad=True)
    slope = torch.tensor(3.0)
    out = binary(x, slope)
    assert out.tolist() == [0, 0, 1, 1]
    out.sum().backward()
    soft = torch.sigmoid(3 * x.detach())
    assert x.grad is not None
    assert torch.allclose(x.grad, 3 * soft * (1 - soft))
    many = torch.full((20_000,), 0.5)
    drawn = binary(many, torch.tensor(1.0), torch.rand(20_000, generator=torch.Generator().manual_seed(0)))
    assert set(drawn.tolist()) == {0.0, 1.0}
    assert drawn.mean().item() == pytest.approx(torch.sigmoid(torch.tensor(0.5)).item(), abs=0.02)


@pytest.mark.parametrize("neurons", ["deterministic", "stochastic"])
def test_the_second_stage_leaves_the_generator_alone_and_is_binary(neurons: str) -> None:
    subject = trainer(small("binary", neurons=neurons, pretrain_steps=3))
    generator = subject.generator
    assert isinstance(generator, BinaryGenerator)
    before = weights(generator.refiners)
    run(subject, steps=3)
    assert not subject.final_phase
    after = weights(generator.refiners)
    assert all(torch.equal(before[name], value) for name, value in after.items()), "the refiner waits"
    first = weights(generator.first)
    run(subject)
    assert subject.step == 6
    assert subject.final_phase
    assert all(torch.equal(first[name], value) for name, value in weights(generator.first).items())
    refined = weights(generator.refiners)
    assert any(not torch.equal(after[name], value) for name, value in refined.items())
    made = generator(latents_of(generator, 4), 0.0, torch.Generator().manual_seed(0))
    assert set(made.unique().tolist()) <= {0.0, 1.0}
    kept = load_generator(subject.state_dict())
    assert torch.equal(kept.sample(subject.fixed_latents), subject.average.sample(subject.fixed_latents))


def test_the_slope_of_neurons_grows_every_epoch_of_the_paper() -> None:
    generator, _ = networks(small("binary", pretrain_steps=10))
    assert isinstance(generator, BinaryGenerator)
    slopes = []
    for step in (0, 10, 10 + 430, 10 + 900):
        generator.begin_step(step)
        slopes.append(generator.slope.item())
    assert slopes == pytest.approx([1.0, 1.0, 1.1, 1.21])


def test_the_binary_discriminator_hears_chroma_by_octaves_and_changes_in_time() -> None:
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
    whole, part = trainer(settings), trainer(settings)
    lines = run(whole)
    first = run(part, steps=3)
    resumed = trainer(settings)
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
    subject = trainer(settings)
    run(subject, steps=3)
    ours, theirs = weights(subject.generator), weights(subject.average)
    assert not [name for name, value in ours.items() if not torch.equal(value, theirs[name])]
    state = subject.state_dict()
    wanted = subject.average.sample(subject.fixed_latents)
    assert torch.equal(load_generator(state).sample(subject.fixed_latents), wanted)
    assert torch.equal(load_discriminator(state).score(wanted), subject.discriminator.score(wanted))


def test_each_discriminator_step_has_real_phrases_and_latents_of_its_own() -> None:
    subject = trainer(small("tutorial"), discriminator_steps=3)
    seen: list[tuple[Tensor, Tensor]] = []
    judge = subject.loss.judge

    def spy(discriminator, real, fake, *others):
        seen.append((real, fake))
        return judge(discriminator, real, fake, *others)

    subject.loss.judge = spy
    run(subject, steps=2)
    assert len(seen) == 6
    assert all(len(real) == len(fake) == 4 for real, fake in seen)
    assert torch.equal(
        torch.cat([real for real, _ in seen[:3]]).sort(0)[0], subject.generator.encode(rolls()).sort(0)[0]
    )
    assert not any(torch.equal(seen[0][1], fake) for _, fake in seen[1:])


def count(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize(
    ("settings", "generator", "discriminator"),
    [
        (ModelSettings(design="hybrid"), 6.82, 1.31),
        (ModelSettings(design="jamming", latent_size=64), 7.47, 6.50),
        (ModelSettings(design="composer", latent_size=64), 1.50, 1.31),
        (ModelSettings(design="binary", latent_size=64, filters=32), 1.14, 1.67),
        (ModelSettings(design="tutorial", latent_size=64, filters=16), 0.32, 0.21),
    ],
)
def test_published_filters_make_networks_of_these_sizes(
    settings: ModelSettings, generator: float, discriminator: float
) -> None:
    made = networks(settings, FIVE)
    assert [count(network) / 1e6 for network in made] == pytest.approx([generator, discriminator], abs=0.006)


def test_the_notebooks_network_has_the_notebooks_size_with_its_pitches() -> None:
    spec = RollSpec(FIVE.tracks, num_pitches=72)
    made = networks(ModelSettings(design="tutorial", latent_size=64, filters=16), spec)
    assert [round(count(network) / 1e6, 2) for network in made] == [0.31, 0.2]


def test_96_steps_and_7_octaves_are_split_as_published() -> None:
    assert split_steps(48, 5) == [2, 2, 2, 2, 3]
    assert split_steps(8, 5) == [2, 2, 2, 1, 1]
    assert split_steps(1, 5) == [1, 1, 1, 1, 1]
    assert sorted(split_steps(2**7, 5)) == [2, 2, 2, 4, 4]
    assert octave_growth(7) == (3, 3)


@pytest.mark.parametrize(
    ("model", "train", "message"),
    [
        (ModelSettings(design="rock"), TRAIN, "model.design must be one of albumgan, jamming"),
        (small("hybrid", trunk_width=64), TRAIN, "model.trunk_width does nothing with model.design=hybrid"),
        (small("hybrid", neurons="stochastic"), TRAIN, "model.neurons does nothing with model.design=hybrid"),
        (ModelSettings(filters=8), TrainSettings(), "model.filters does nothing with model.design=albumgan"),
        (small("binary", neurons="fuzzy"), TRAIN, "model.neurons must be one of deterministic, stochastic, not fuzzy"),
        (small("hybrid"), TrainSettings(), "train.attribute_loss does nothing with model.design=hybrid.*train=musegan"),
        (small("hybrid"), replace(TRAIN, max_transposition=2), "train.max_transposition does nothing"),
        (
            small("hybrid"),
            replace(TRAIN, loss="hinge"),
            "train.loss must be one of relativistic, wasserstein, not hinge",
        ),
        (small("hybrid"), replace(TRAIN, discriminator_steps=0), "train.discriminator_steps must be at least 1"),
    ],
)
def test_a_setting_without_effect_is_named(model: ModelSettings, train: TrainSettings, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_together(model, train)

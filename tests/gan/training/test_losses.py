"""Losses and penalties against values and gradients worked out by hand: a flipped sign fails."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from gan.chords import QUALITIES
from gan.conditions import DENSITY, SHORT, ConditionLayout, no_conditions
from gan.rolls import STREAM_ONSET, STREAM_SOUNDING, stream_pitch_classes
from gan.spec import RollSpec, Track
from gan.training.losses import (
    Relativistic,
    Wasserstein,
    attribute_loss,
    chord_loss,
    gradient_penalty,
    interpolate_phrases,
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    squared_gradient_norms,
    wasserstein_discriminator_loss,
    wasserstein_generator_loss,
)

SLOPE = torch.tensor([3.0, 4.0])
"""Of a linear discriminator: the gradient of each score has length 5."""


def linear(*batches: Tensor, slope: Tensor = SLOPE) -> Tensor:
    return torch.cat(batches) @ slope


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_relativistic_losses_of_known_logits() -> None:
    real = torch.tensor([2.0, 0.0], requires_grad=True)
    fake = torch.tensor([1.0, 3.0], requires_grad=True)
    lead = [1.0, -3.0]  # D(x) - D(y)
    loss = relativistic_discriminator_loss(real, fake)
    assert loss.item() == pytest.approx(sum(math.log(1 + math.exp(-gap)) for gap in lead) / 2)
    shares = [1 / (1 + math.exp(gap)) / 2 for gap in lead]
    gradients = torch.autograd.grad(loss, (real, fake))
    assert gradients[0].tolist() == pytest.approx([-share for share in shares]), "real phrases are to score higher"
    assert gradients[1].tolist() == pytest.approx(shares), "generated ones lower"
    loss = relativistic_generator_loss(real, fake)
    assert loss.item() == pytest.approx(sum(math.log(1 + math.exp(gap)) for gap in lead) / 2)
    (gradient,) = torch.autograd.grad(loss, fake)
    assert gradient.tolist() == pytest.approx([share - 1 / 2 for share in shares]), (
        "the generator's are to score higher"
    )


def test_r1_and_r2_of_a_linear_discriminator_are_its_squared_slope() -> None:
    slope = SLOPE.clone().requires_grad_()
    real, fake = torch.randn(5, 2, generator=draws()), torch.randn(5, 2, generator=draws(1))
    loss = Relativistic(gamma=10.0, penalty_steps=3)
    output = loss.discriminator(lambda *batches: linear(*batches, slope=slope), real, fake, True, draws())
    assert [output.figures["r1"], output.figures["r2"]] == pytest.approx([25.0, 25.0])
    assert output.penalty is not None
    assert output.penalty.item() == pytest.approx(3 * 10 / 2 * (25 + 25))
    (gradient,) = torch.autograd.grad(output.penalty, slope)
    assert gradient.tolist() == pytest.approx([3 * 10 * 2 * 3.0, 3 * 10 * 2 * 4.0]), "the steeper, the worse"
    assert output.loss.item() == pytest.approx(relativistic_discriminator_loss(real @ SLOPE, fake @ SLOPE).item())
    assert loss.discriminator(linear, real, fake, False, draws()).penalty is None


def test_each_phrase_has_a_gradient_norm_of_its_own() -> None:
    phrases = torch.tensor([[1.0], [3.0]], requires_grad=True)
    (norms,) = squared_gradient_norms((phrases**2).sum(1), phrases)
    assert norms.tolist() == pytest.approx([2**2, 6**2])


def test_wasserstein_losses_of_known_logits() -> None:
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.5, -0.5])
    assert wasserstein_discriminator_loss(real, fake).item() == -2.0
    assert wasserstein_generator_loss(fake + 1).item() == -1.0
    pairs = torch.tensor([[1.0, 0.0], [3.0, 2.0]])
    assert wasserstein_discriminator_loss(pairs, torch.zeros(2, 2)).item() == -3.0, "discriminators add up"
    assert wasserstein_generator_loss(pairs).item() == -3.0


def test_gradient_penalty_of_a_linear_discriminator() -> None:
    inputs = torch.randn(5, 2, generator=draws()).requires_grad_()
    assert gradient_penalty(inputs @ SLOPE, inputs).item() == pytest.approx(16.0)  # (5 - 1) squared
    two = torch.stack([inputs @ SLOPE, 2 * inputs[:, 0]], dim=1)
    assert gradient_penalty(two, inputs).item() == pytest.approx(16.0 + 1.0)
    slope = SLOPE.clone().requires_grad_()
    real, fake = torch.randn(5, 2, generator=draws(1)), torch.randn(5, 2, generator=draws(2))
    output = Wasserstein(gamma=10.0, penalty_steps=2).discriminator(
        lambda *batches: linear(*batches, slope=slope), real, fake, True, draws()
    )
    assert output.loss.item() == pytest.approx(((fake - real) @ SLOPE).mean().item(), rel=1e-5)
    assert output.figures["gradient_penalty"] == pytest.approx(16.0)
    assert output.penalty is not None
    assert output.penalty.item() == pytest.approx(2 * 160.0)
    (gradient,) = torch.autograd.grad(output.penalty, slope)
    assert gradient.tolist() == pytest.approx([2 * 10 * 2 * 4 * 0.6, 2 * 10 * 2 * 4 * 0.8]), "lengths go towards 1"


@pytest.mark.parametrize("kind", [Relativistic, Wasserstein])
def test_the_generator_of_either_loss_is_to_raise_the_scores_of_its_phrases(kind: type) -> None:
    real, fake = torch.randn(5, 2, generator=draws()), torch.randn(5, 2, generator=draws(1)).requires_grad_()
    (gradient,) = torch.autograd.grad(kind(1.0, 1).generator(linear, real, fake), fake)
    assert (gradient @ SLOPE < 0).all()


def test_interpolated_phrases_lie_between_real_and_generated_ones() -> None:
    real, fake = torch.zeros(4, 3, 2), torch.ones(4, 3, 2)
    middle = interpolate_phrases(real, fake, draws())
    assert ((middle > 0) & (middle < 1)).all()
    assert torch.equal(middle, middle[:, :1, :1].expand_as(middle)), "one place on the line for each phrase"
    assert len(middle[:, 0, 0].unique()) == 4


SPEC = RollSpec((Track("Lead"),), bars=1, num_pitches=4)
LAYOUT = ConditionLayout.of(SPEC)


def short_notes(*steps: int) -> Tensor:
    """A bar of notes of one step."""
    streams = torch.zeros(1, 16, 1, 2, 4)
    streams[0, list(steps), 0, :, 2] = 1
    return streams


def asked_for(*places: slice) -> Tensor:
    conditions = no_conditions(1, SPEC)
    for place in places:
        conditions[:, place] = 1.0
    return conditions


def test_attribute_loss_of_known_counts() -> None:
    real, fake = short_notes(0, 4, 8, 12), short_notes(0, 8)
    off = (math.log(1 + 4) - math.log(1 + 2)) ** 2
    density, short = LAYOUT.attribute(DENSITY), LAYOUT.attribute(SHORT)
    assert attribute_loss(fake, real, asked_for(), SPEC).item() == 0.0, "nothing was asked for"
    assert attribute_loss(real, real, asked_for(density, short, LAYOUT.rhythm), SPEC).item() == 0.0
    assert attribute_loss(fake, real, asked_for(density), SPEC).item() == pytest.approx(2 * off), (
        "notes, steps of sound"
    )
    assert attribute_loss(fake, real, asked_for(short), SPEC).item() == pytest.approx(off)
    assert attribute_loss(fake, real, asked_for(LAYOUT.rhythm), SPEC).item() == pytest.approx(20 * 4 * (1 / 4) ** 2)
    assert attribute_loss(real.roll(1, 1), real, asked_for(density), SPEC).item() == 0.0
    assert attribute_loss(real.roll(1, 1), real, asked_for(LAYOUT.rhythm), SPEC).item() == pytest.approx(20 * 8 / 16)


def test_attribute_loss_wants_the_notes_that_are_missing() -> None:
    real, density = short_notes(0, 4, 8, 12), asked_for(LAYOUT.attribute(DENSITY))
    for fake, sign in ((short_notes(0, 8), -1), (short_notes(0, 2, 4, 6, 8, 10), 1)):
        fake.requires_grad_()
        (gradient,) = torch.autograd.grad(attribute_loss(fake, real, density, SPEC), fake)
        for stream in (STREAM_ONSET, STREAM_SOUNDING):
            assert (gradient[:, :, :, stream] * sign > 0).all()


BAND = RollSpec((Track("Drums", is_drum=True), Track("Piano")), bars=1, num_pitches=24, lowest_pitch=48)
CLASSES = stream_pitch_classes(BAND, (0, 0), 24)


def sounding(first_half: Sequence[int], second_half: Sequence[int]) -> Tensor:
    """A bar in which the piano holds these pitches above a low C, and drums are hit throughout."""
    streams = torch.zeros(1, 16, 2, 2, 24)
    streams[:, :, 0, :, 1] = 1
    streams[0, :8, 1, STREAM_SOUNDING, list(first_half)] = 1
    streams[0, 8:, 1, STREAM_SOUNDING, list(second_half)] = 1
    return streams


def chords_of(*chords: tuple[int, int, int]) -> Tensor:
    conditions = no_conditions(1, BAND)
    conditions[:, ConditionLayout.of(BAND).chords] = torch.tensor(chords).flatten().float()
    return conditions


def test_chord_loss_counts_sound_beside_the_chords_where_they_are_known() -> None:
    c_major, a_minor = (0, 4, 7, 12), (9, 12, 16)
    real, in_wrong_half = sounding(c_major, a_minor), sounding(a_minor, c_major)
    both = chords_of((0, QUALITIES.index("maj"), 0), (9, QUALITIES.index("min"), 9))
    assert chord_loss(real, real, both, CLASSES, BAND).item() == 0.0
    assert chord_loss(in_wrong_half, real, both, CLASSES, BAND).item() > 0.05, "they have two notes in common"
    assert chord_loss(in_wrong_half, real, no_conditions(1, BAND), CLASSES, BAND).item() == 0.0
    half_off = sounding((0, 1, 12, 13), ())
    expected = (2 / 4 - 2 / 4) ** 2 + (0 - 2 / 4) ** 2  # as much root, but no third and no fifth
    assert chord_loss(half_off, real, both, CLASSES, BAND).item() == pytest.approx(expected)


def test_chord_loss_wants_chord_tones_and_less_of_all_else() -> None:
    fake = sounding((0, 4, 1, 6), (9, 12, 11)).requires_grad_()
    real = sounding((0, 4, 7), (9, 12, 16))
    conditions = chords_of((0, QUALITIES.index("maj"), 0), (9, QUALITIES.index("min"), 9))
    (gradient,) = torch.autograd.grad(chord_loss(fake, real, conditions, CLASSES, BAND), fake)
    of_piano = gradient[0, :, 1, STREAM_SOUNDING]
    assert (of_piano[:8, [4, 7]] < 0).all() and (of_piano[8:, [12, 16]] < 0).all()
    assert (of_piano[:8, [1, 6]] > 0).all() and (of_piano[8:, [11]] > 0).all()
    assert not gradient[:, :, 0].any(), "drums have no chord"

"""Losses and penalties against values and gradients worked out by hand: a flipped sign fails."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gan.training.losses import (
    Relativistic,
    Wasserstein,
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

"""The losses against values worked out by hand, and against their signs."""

import math

import pytest
import torch

from gan.losses import discriminator_loss, generator_loss, squared_slopes


def test_losses_equal_hand_computed_values():
    real, fake = torch.tensor([2.0, 0.0]), torch.tensor([1.0, 3.0])
    lead = [1.0, -3.0]  # D(real) - D(fake)
    wanted = sum(math.log(1 + math.exp(-gap)) for gap in lead) / 2
    assert discriminator_loss(real, fake).item() == pytest.approx(wanted, abs=1e-6)
    assert generator_loss(real, fake).item() == pytest.approx(sum(math.log(1 + math.exp(gap)) for gap in lead) / 2)


def test_discriminator_loss_pulls_real_up_and_fake_down():
    real, fake = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    discriminator_loss(real, fake).backward()
    assert (real.grad < 0).all(), "going down the loss must raise the score of real phrases"
    assert (fake.grad > 0).all()


def test_generator_loss_pulls_fake_up():
    fake = torch.zeros(4, requires_grad=True)
    generator_loss(torch.zeros(4), fake).backward()
    assert (fake.grad < 0).all()


def test_penalty_of_a_linear_critic_is_its_squared_slope():
    slope = torch.tensor([3.0, 4.0], requires_grad=True)
    phrases = torch.randn(5, 2, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    penalty = squared_slopes(phrases @ slope, phrases).mean()
    assert penalty.item() == pytest.approx(25.0)
    penalty.backward()
    assert slope.grad.tolist() == pytest.approx([6.0, 8.0])  # it can be learnt from


def test_each_phrase_has_a_slope_of_its_own():
    phrases = torch.tensor([[1.0], [3.0]], requires_grad=True)
    assert squared_slopes((phrases**2).sum(1), phrases).tolist() == pytest.approx([2**2, 6**2])

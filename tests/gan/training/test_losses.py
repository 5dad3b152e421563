"""The losses against values worked out by hand, and against their signs."""

import math

import pytest
import torch

from gan.training.losses import Relativistic, discriminator_loss, generator_loss, squared_gradient_norms


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
    (slopes,) = squared_gradient_norms(phrases @ slope, phrases)
    penalty = slopes.mean()
    assert penalty.item() == pytest.approx(25.0)
    penalty.backward()
    assert slope.grad.tolist() == pytest.approx([6.0, 8.0])  # it can be learnt from


def test_each_phrase_has_a_slope_of_its_own():
    phrases = torch.tensor([[1.0], [3.0]], requires_grad=True)
    (slopes,) = squared_gradient_norms((phrases**2).sum(1), phrases)
    assert slopes.tolist() == pytest.approx([2**2, 6**2])


def test_one_verdict_teaches_both_sides():
    """The gradient of one side's loss at each generated phrase, turned round, is that of the other side's."""
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(5, 3, generator=random), torch.randn(5, 3, generator=random).requires_grad_()
    weight = torch.randn(3, generator=random)

    def judge(*batches):
        return torch.cat([(one.tanh() @ weight) * 4 for one in batches])

    verdict = Relativistic(gamma=1.0, every=1).judge(judge, real, fake, False, random)
    (slopes,) = torch.autograd.grad(verdict.loss, fake)
    turned = slopes * Relativistic.other_way_round(verdict).unsqueeze(1)
    (wanted,) = torch.autograd.grad(generator_loss(judge(real), judge(fake)), fake)
    assert torch.allclose(turned, wanted, rtol=1e-4)

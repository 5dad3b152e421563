"""The generator's gradient out of the discriminator's pass is that of the plain step."""

from __future__ import annotations

import pytest
import torch

from gan.training.losses import Relativistic, relativistic_generator_loss
from gan.training.shared_gradient import SharedGradientStep, to_generator_gradient
from gan.training.trainer import Trainer
from tests.trainer_makers import make_trainer, train, weights_of


def test_the_discriminators_gradient_at_each_phrase_becomes_the_generators() -> None:
    random = torch.Generator().manual_seed(0)
    real, fake = torch.randn(5, 3, generator=random), torch.randn(5, 3, generator=random).requires_grad_()
    weight = torch.randn(3, generator=random)

    def score(*batches: torch.Tensor) -> torch.Tensor:
        return torch.cat([(one.tanh() @ weight) * 4 for one in batches])

    output = Relativistic(gamma=1.0, penalty_steps=1).discriminator(score, real, fake, False, random)
    (gradient,) = torch.autograd.grad(output.loss, fake)
    (wanted,) = torch.autograd.grad(relativistic_generator_loss(score(real), score(fake)), fake)
    torch.testing.assert_close(to_generator_gradient(gradient, output), wanted, rtol=1e-4, atol=1e-6)


def trained(shared_gradient: bool) -> tuple[Trainer, list[dict[str, float]]]:
    """Six steps of gradient descent: Adam makes whole steps of gradients that are nothing but rounding."""
    trainer = make_trainer(shared_gradient=shared_gradient, max_transposition=2, precision="float32")
    for side, network in (("generator", trainer.generator), ("discriminator", trainer.discriminator)):
        trainer.optimizers[side] = torch.optim.SGD(network.parameters())
    return trainer, train(trainer, steps=6)


def test_steps_with_and_without_the_shared_gradient_are_equal_but_for_rounding() -> None:
    shared, shared_lines = trained(True)
    plain, plain_lines = trained(False)
    assert isinstance(shared.adversarial, SharedGradientStep)
    assert not isinstance(plain.adversarial, SharedGradientStep)
    start = weights_of(make_trainer())
    for name, value in weights_of(shared).items():
        torch.testing.assert_close(weights_of(plain)[name], value, rtol=1e-5, atol=1e-5)
    assert any(not torch.equal(value, start[name]) for name, value in weights_of(shared).items())
    assert {"r1", "matching_accuracy"} <= {name for line in shared_lines for name in line}, "penalties and all"
    for one, other in zip(shared_lines, plain_lines, strict=True):
        numbers = {name: value for name, value in one.items() if isinstance(value, float)}
        assert {name: other[name] for name in numbers} == pytest.approx(numbers, rel=1e-3, abs=1e-5)

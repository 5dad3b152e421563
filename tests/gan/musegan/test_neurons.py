"""Binary neurons."""

from __future__ import annotations

import pytest
import torch

from gan.musegan.neurons import binary


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

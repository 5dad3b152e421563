"""Binary neurons: 0 or 1 forwards, a slope backwards (Dong and Yang, arXiv 1804.09399)."""

from __future__ import annotations

import torch
from torch import Tensor

SLOPE_GROWTH, SLOPE_STEPS = 1.1, 430
"""The slope grows by the first every epoch; the paper's epoch has 13,746 phrases in batches of 32."""


def annealed_slope(step: int) -> float:
    """Slope annealing (Chung et al., arXiv 1609.01704): the slope after so many steps of the refiner."""
    return SLOPE_GROWTH ** max(0, step // SLOPE_STEPS)


def binary(activations: Tensor, slope: Tensor, draws: Tensor | None = None) -> Tensor:
    """0 or 1 by `p = sigmoid(slope * activations)`, with the gradient of `p`: sigmoid-adjusted straight-through.

    Parameters
    ----------
    activations
        Any shape.
    slope
        A number; the larger, the closer `p` is to a step (slope annealing, Chung et al., arXiv 1609.01704).
    draws
        Uniform numbers in the shape of `activations`: stochastic neurons, which are 1 with probability `p`. Without
        them deterministic ones, which are 1 where `p` is above one half.
    """
    soft = torch.sigmoid(slope * activations)
    hard = (soft > (0.5 if draws is None else draws)).to(soft.dtype)
    return hard + (soft - soft.detach())

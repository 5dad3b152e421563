"""Layers over time steps `[batch, time, channels]`: everything is a matrix product, which CPUs do best."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pad

NEGATIVE_SLOPE = 0.2


def activate(x: Tensor) -> Tensor:
    """Leaky ReLU."""
    return leaky_relu(x, NEGATIVE_SLOPE)


def linear(inputs: int, outputs: int, gain: float = 1.0) -> nn.Linear:
    """A linear layer that starts with variance-preserving weights (He et al. 2015) times `gain`, and no bias."""
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=gain * math.sqrt(2 / (1 + NEGATIVE_SLOPE**2) / inputs))
    nn.init.zeros_(layer.bias)
    return layer


class TrackLinear(nn.Module):
    """One linear layer a track, in one batched product: `[..., tracks, inputs]` to `[..., tracks, outputs]`."""

    def __init__(self, tracks: int, inputs: int, outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        std = gain * math.sqrt(2 / (1 + NEGATIVE_SLOPE**2) / inputs)
        self.weight = nn.Parameter(torch.randn(tracks, inputs, outputs) * std)
        self.bias = nn.Parameter(torch.zeros(tracks, 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """`[..., tracks, inputs]` to `[..., tracks, outputs]`."""
        rows = x.flatten(0, -3).transpose(0, 1)  # [tracks, rows, inputs]
        out = torch.baddbmm(self.bias, rows, self.weight).transpose(0, 1)
        return out.reshape(*x.shape[:-1], out.shape[-1])


def shifted(x: Tensor, steps: int) -> Tensor:
    """`x` `[batch, time, ...]` moved later by `steps` (earlier when negative); zeros come in."""
    if abs(steps) >= x.shape[1]:
        return torch.zeros_like(x)
    rest = [0, 0] * (x.dim() - 2)
    if steps > 0:
        return pad(x[:, :-steps], [*rest, steps, 0])
    return pad(x[:, -steps:], [*rest, 0, -steps])


class TimeBlock(nn.Module):
    """Residual block that looks `reach` steps back and ahead: a dilated convolution as one matrix product.

    The last layer starts small, so that the block starts as the identity (Fixup, arXiv 1901.09321): no normalisation.
    """

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.reach = reach
        self.mix = linear(3 * width, width)
        self.out = linear(width, width, gain=0.1)

    def forward(self, x: Tensor) -> Tensor:
        """`[batch, time, width]` to the same."""
        ready = activate(x)
        near = torch.cat([shifted(ready, self.reach), ready, shifted(ready, -self.reach)], dim=2)
        out: Tensor = x + self.out(activate(self.mix(near)))
        return out

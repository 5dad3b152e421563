"""The layers of MuseGAN: convolutions over `[batch, channels, bars, steps, pitches]`, transposed ones to generate."""

from __future__ import annotations

import math

from torch import nn

SLOPE = 0.2
"""Of the leaky ReLU (`lrelu` in the authors' code)."""
WEIGHT_STD = 0.02
"""Weights start as a normal distribution of this width, cut off at twice of it (the authors' code)."""

Size = tuple[int, int, int]
"""Along bars, steps and pitches."""


def initialise(network: nn.Module) -> None:
    """Set the first weights of all convolutions and linear layers."""
    for layer in network.modules():
        if isinstance(layer, (nn.Conv3d, nn.ConvTranspose3d, nn.Linear)):
            nn.init.trunc_normal_(layer.weight, std=WEIGHT_STD, a=-2 * WEIGHT_STD, b=2 * WEIGHT_STD)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def grow(inputs: int, outputs: int, kernel: Size, stride: Size) -> nn.Sequential:
    """A transposed convolution, batch norm (decay 0.9, epsilon 1e-5) and ReLU: a layer of the generators."""
    return nn.Sequential(
        nn.ConvTranspose3d(inputs, outputs, kernel, stride), nn.BatchNorm3d(outputs), nn.ReLU(inplace=True)
    )


def shrink(inputs: int, outputs: int, kernel: Size, stride: Size) -> nn.Sequential:
    """A convolution and leaky ReLU without normalisation, as the gradient penalty wants it ("Model Settings")."""
    return nn.Sequential(nn.Conv3d(inputs, outputs, kernel, stride), nn.LeakyReLU(SLOPE))


def split_steps(steps: int, layers: int) -> list[int]:
    """How much each of `layers` layers lengthens time, so that all together make `steps` of one step.

    Prime factors, the smallest first, as 48 = 2 2 2 2 3; 1 where there are fewer than layers.
    """
    factors, rest = [], steps
    for prime in range(2, steps + 1):
        while rest % prime == 0:
            factors.append(prime)
            rest //= prime
    while len(factors) > layers:
        factors = sorted([factors[0] * factors[1], *factors[2:]])
    return factors + [1] * (layers - len(factors))


def octave_growth(octaves: int) -> tuple[int, int]:
    """Kernels of two layers along pitch that make `octaves` places of one; the second has stride 2. (3, 3) makes 7."""
    first = max(1, octaves // 2)
    return first, octaves - 2 * (first - 1)


def shared_factor(steps_per_beat: int) -> int:
    """The part of a beat's steps that shared layers make, at most 4 (of 24 steps the tracks' own layers make 6)."""
    return math.gcd(steps_per_beat, 4)

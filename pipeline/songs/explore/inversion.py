"""GAN inversion: the latents whose phrase is nearest to a given one, by gradient descent from several starts."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from gan.latents import Latents
from gan.networks.generator import Generator

NUM_DRAWN = 128
"""Phrases drawn at random; the nearest are where the search starts."""
NUM_STARTS = 6
NUM_STEPS = 120
LEARNING_RATE = 0.2
"""Of Adam; smaller ones end higher."""
MAX_LENGTH = 1.15
"""The latents' length stays below this many times that of usual ones, where the generator knows its way."""
BLUR_TIME, BLUR_PITCH = (0.25, 0.5, 1.0, 0.5, 0.25), (0.3, 1.0, 0.3)
"""A note a little too late or beside the right pitch counts as partly right, or there would be no way downhill."""


def roll_distance(one: Tensor, other: Tensor) -> Tensor:
    """Distance of phrases, `[batch]`: 0 for the same notes, 1 where nothing lies near anything of the other.

    Squared differences of blurred streams beside the squares of both. Streams `[batch or 1, time, tracks, 2,
    pitch_range]`.
    """
    first, second = _blurred(one), _blurred(other)
    squared = (first - second).square().sum(1)
    return squared / (first.square().sum(1) + second.square().sum(1)).clamp(min=1e-6)


def _blurred(streams: Tensor) -> Tensor:
    """Streams smeared over neighbouring steps and pitches, `[batch, numbers]`."""
    kernel = streams.new_tensor(BLUR_TIME).unsqueeze(1) * streams.new_tensor(BLUR_PITCH)
    planes = streams.permute(0, 2, 3, 1, 4)  # [batch, tracks, 2, time, pitch_range]
    smeared = conv2d(planes.flatten(0, 2).unsqueeze(1), kernel.view(1, 1, *kernel.shape), padding="same")
    return smeared.view(len(streams), -1)


def invert(generator: Generator, phrase: Tensor, conditions: Tensor, random: torch.Generator) -> Latents:
    """The latents `[1]` whose phrase is nearest to a given one.

    Gradients go through the hard decisions as in training (straight-through), by Adam from several starts at once;
    the nearest phrase on any of the ways is kept.

    Parameters
    ----------
    generator
        Its device is used.
    phrase
        Bool `[*spec.shape]`.
    conditions
        `[ConditionLayout.size]`, such as those measured of the phrase; they stay as they are.
    random
        A CPU generator, for the starts.
    """
    drawn = generator.sample_latents(NUM_DRAWN, random)
    target = generator.encode(phrase.unsqueeze(0).to(drawn.z.device))
    drawn = drawn.with_conditions(conditions.to(drawn.z.device).expand(NUM_DRAWN, -1))
    with torch.no_grad():
        nearest = roll_distance(generator(drawn), target).argsort()[:NUM_STARTS]
    found = drawn[nearest]
    moving = {name: value.requires_grad_() for name, value in found.to_dict().items() if name != "conditions"}
    best, kept = torch.full((NUM_STARTS,), torch.inf, device=target.device), found.to_dict()
    optimizer = torch.optim.Adam(moving.values(), lr=LEARNING_RATE)
    for _ in range(NUM_STEPS + 1):
        distance = roll_distance(generator(Latents(**moving, conditions=found.conditions)), target)
        better = distance.detach() < best
        best = torch.where(better, distance.detach(), best)
        kept = {
            name: torch.where(better.view(-1, *[1] * (value.dim() - 1)), value.detach(), kept[name].detach())
            for name, value in (moving | {"conditions": found.conditions}).items()
        }
        gradients = torch.autograd.grad(distance.sum(), list(moving.values()))
        for value, gradient in zip(moving.values(), gradients, strict=True):
            value.grad = gradient
        optimizer.step()
        with torch.no_grad():
            for value in moving.values():
                value.mul_((MAX_LENGTH * math.sqrt(value.shape[-1]) / value.norm(dim=-1, keepdim=True)).clamp(max=1))
    index = int(best.argmin())
    return Latents.from_dict(kept)[index : index + 1]

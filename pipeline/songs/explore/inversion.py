"""GAN inversion: the latents whose phrase is nearest to a given one."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from gan.latents import Latents
from gan.networks.generator import Generator

NUM_ROUNDS = 200
EDGE = 1e-6
"""Uniform numbers nearer to 0 and 1 are taken as these."""
MARGIN = 0.1
"""Of the way between its bounds, how far a number is moved into them."""
SMALLEST = 1e-3
"""Directions in which latents count less than this, beside the most, are left alone."""
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


def invert(generator: Generator, phrase: Tensor, conditions: Tensor) -> Latents:
    """The latents `[1]` whose phrase is nearest to a given one.

    Each decision of the phrase wants its normal number between two bounds, and each number is a known linear function
    of the latents. From the middles on, numbers are moved in turn to the nearest that latents can give (least squares)
    and into their bounds (projections onto convex sets).

    Parameters
    ----------
    generator
        Its device is used.
    phrase
        Bool `[*spec.shape]`.
    conditions
        `[ConditionLayout.size]`, such as those measured of the phrase.
    """
    projection: Tensor = generator.decoder.projection
    device, size = projection.device, generator.settings.latent_size
    asked = conditions.to(device).unsqueeze(0)
    with torch.no_grad():
        streams = generator.encode(phrase.unsqueeze(0).to(device))
        bounds = generator.bounds(streams, asked)
        low, high = (torch.special.ndtri(one.double().clamp(EDGE, 1 - EDGE)).flatten() for one in bounds)
        binding = (bounds[0].flatten() > EDGE) | (bounds[1].flatten() < 1 - EDGE)
        low, high, map_ = low[binding], high[binding], _linear_map(generator)[binding].double()
        inverse = torch.linalg.pinv(map_, rtol=SMALLEST)
        wanted = (low + high) / 2
        for _ in range(NUM_ROUNDS):
            latents = inverse @ wanted
            margin = MARGIN * (high - low)
            wanted = torch.minimum(torch.maximum(map_ @ latents, low + margin), high - margin)
    shared, own = latents.float().split([2 * size, len(latents) - 2 * size])
    own = own.view(generator.spec.num_tracks, 2 * size)
    return Latents(
        z=shared[None, :size],
        z_time=shared[None, size:],
        z_track=own[None, :, :size],
        z_track_time=own[None, :, size:],
        conditions=asked,
    )


def _linear_map(generator: Generator) -> Tensor:
    """Normal numbers of decisions of latents (z, z_time, then each track's): `[time * tracks * noises, latents]`."""
    decoder, spec = generator.decoder, generator.spec
    size, tracks = generator.settings.latent_size, spec.num_tracks
    projection: Tensor = decoder.projection
    rows = projection.view(tracks, spec.num_steps, decoder.num_noises, 4 * size).transpose(0, 1)
    whole = rows.new_zeros(spec.num_steps, tracks, decoder.num_noises, 2 * size * (1 + tracks))
    whole[..., : 2 * size] = rows[..., : 2 * size]
    for track in range(tracks):
        place = 2 * size * (1 + track)
        whole[:, track, :, place : place + 2 * size] = rows[:, track, :, 2 * size :]
    return whole.flatten(0, 2)

"""Sampling without branches on values: it makes what the decoder makes, to the cell."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gan.conditions import DENSITY
from gan.context import Conditioning, StreamContext
from gan.latents import Latents
from gan.networks.generator import Generator
from gan.networks.onnx_step import DiscriminatorScore, SamplerInputs, SamplerStep, StepInputs
from gan.training.augmentation import draw_masks
from tests.gan import short_trio
from tests.gan.trio import lively, music, networks, sample_latents

COUNT = 12


@pytest.fixture(scope="module")
def generator() -> Generator:
    return lively(networks()[0])


def latents_of(generator: Generator, seed: int = 1) -> Latents:
    """Some with densities that are open."""
    latents = generator.sample_latents(COUNT, torch.Generator().manual_seed(seed))
    conditions = latents.conditions.clone()
    conditions[::3, generator.layout.attribute(DENSITY)] = torch.nan
    return replace(latents, conditions=conditions)


def streams_by_steps(
    generator: Generator,
    latents: Latents,
    context: StreamContext,
    condition_strength: float = 1.0,
    temperature: float = 1.0,
    chord_strength: float = 1.0,
) -> Tensor:
    """What the step makes, called once for each."""
    before, step = SamplerInputs(generator), SamplerStep(generator.decoder)
    factors = torch.full((generator.spec.num_tracks,), temperature)
    state, inputs, density, warmth = before(
        *(latents.to_dict().values()),
        context.streams,
        context.mask.float(),
        factors,
        torch.tensor(condition_strength),
        torch.tensor(chord_strength),
    )
    made = []
    for number in range(generator.spec.num_steps):
        state, streams = step(state, StepInputs(*(one[number] for one in inputs)), density, warmth)
        made.append(streams)
    return torch.stack(made, 1)


def context_of(generator: Generator, seed: int | None) -> StreamContext:
    """Bars and tracks by chance, of music whose notes ring over bar lines; without a seed nothing."""
    streams = generator.encode(music(COUNT, seed or 0))
    mask = draw_masks(COUNT, generator.spec, torch.Generator().manual_seed(seed or 0))
    return StreamContext(streams, mask & (seed is not None))


@pytest.mark.parametrize("seed", [None, 3, 4])
@torch.no_grad()
def test_steps_one_by_one_make_what_the_decoder_makes(generator: Generator, seed: int | None) -> None:
    latents, context = latents_of(generator), context_of(generator, seed)
    assert torch.equal(streams_by_steps(generator, latents, context), generator.streams(latents, context))


@pytest.mark.parametrize("strengths", [(1.0, 0.0, 1.0), (0.7, 1.5, 3.0), (0.0, 1.0, 0.0)])
@torch.no_grad()
def test_temperature_and_strengths_are_numbers_that_may_change(
    generator: Generator, strengths: tuple[float, float, float]
) -> None:
    latents, context = latents_of(generator, 5), context_of(generator, 6)
    condition_strength, temperature, chord_strength = strengths
    expected = generator.streams(latents, context, condition_strength, temperature, chord_strength=chord_strength)
    assert torch.equal(streams_by_steps(generator, latents, context, *strengths), expected)


@torch.no_grad()
def test_bars_of_two_beats_are_decided_alike() -> None:
    generator = short_trio.make_generator()
    latents = sample_latents(generator, 8)
    streams, mask = generator.encode(short_trio.music(8)), short_trio.mask_of((1, 0), (2, 1), count=8)
    context = StreamContext(streams, mask)
    assert torch.equal(streams_by_steps(generator, latents, context), generator.streams(latents, context))


@torch.no_grad()
def test_the_score_is_the_discriminators_times_its_sharpness() -> None:
    generator, discriminator = networks()
    discriminator.moments.copy_(torch.tensor([2.0, 0.5]))
    context = context_of(generator, 8)
    score = DiscriminatorScore(discriminator)(context.streams, context.mask.float())
    conditions = latents_of(generator).conditions
    logits = discriminator(context.streams, conditioning=Conditioning(conditions, context.mask))
    torch.testing.assert_close(score, 4.0 * logits)

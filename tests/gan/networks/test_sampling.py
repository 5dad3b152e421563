"""Sampling: threads that share a batch change none of its phrases."""

from collections.abc import Iterator

import pytest
import torch

from gan.context import Context
from gan.networks.generator import MIN_ROWS, Generator
from gan.settings import ModelSettings
from gan.spec import HOLD, RollSpec, Track
from gan.statistics import DataStatistics
from gan.training.augmentation import draw_masks

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Piano"), Track("Bass")), bars=2, num_pitches=24, lowest_pitch=41)
COUNT = 2 * MIN_ROWS + 5


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def music(count: int) -> torch.Tensor:
    rolls = torch.rand((count, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.1
    rolls[:, HOLD] = False
    return rolls


def make_generator() -> Generator:
    torch.manual_seed(0)
    sizes = ModelSettings(latent_size=4, trunk_width=16, trunk_blocks=1, track_width=8, context_width=8)
    generator = Generator(SPEC, DataStatistics.of([music(12)], SPEC), sizes).eval()
    for head in generator.heads:
        for name, weight in head.named_parameters():
            weight.data *= 10 if name.endswith("weight") else 0.3  # what has learnt nothing is silent
    return generator


@pytest.mark.parametrize("condition_strength", [1.0, 0.5])
@pytest.mark.parametrize(
    "context", [None, Context(music(COUNT), draw_masks(COUNT, SPEC, torch.Generator().manual_seed(1)))]
)
def test_threads_make_the_phrases_that_one_makes(
    two_threads: None, context: Context | None, condition_strength: float
) -> None:
    generator = make_generator()
    latents = generator.sample_latents(COUNT, torch.Generator().manual_seed(2))
    shared = generator.sample(latents, context, condition_strength)
    torch.set_num_threads(1)
    alone = generator.sample(latents, context, condition_strength)
    assert alone.flatten(1).any(1).all() and len(alone.flatten(1).unique(dim=0)) == COUNT
    assert torch.equal(shared, alone)


def test_what_is_left_to_chance_does_not_depend_on_threads(two_threads: None) -> None:
    generator = make_generator()
    latents = generator.sample_latents(COUNT, torch.Generator().manual_seed(2))
    made = []
    for width in (2, 1):
        torch.set_num_threads(width)
        chance = torch.Generator().manual_seed(3)
        made.append(generator.sample(latents, temperature=[1, 1, 1], generator=chance))
    assert torch.equal(*made)

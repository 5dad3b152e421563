"""GAN inversion: a phrase that the generator made is found again, and distance leads away from it."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from gan.conditions import ConditionLayout
from gan.latents import Latents
from gan.networks.generator import Generator
from pipeline.songs.explore.inversion import invert, roll_distance
from pipeline.songs.trained_model import load_trained_model
from tests.song_makers import configured, write_checkpoint


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    """For four voices."""
    config = configured("+stage=generate")
    path = write_checkpoint(tmp_path_factory.mktemp("inversion"), config)
    found = load_trained_model(config, path).generator
    assert isinstance(found, Generator)
    return found


def test_the_distance_is_0_for_the_same_and_1_for_notes_far_apart() -> None:
    first, second, near = torch.zeros(3, 1, 64, 2, 2, 20)
    first[:, 3, 0, :, 5] = second[:, 40, 1, :, 9] = near[:, 4, 0, :, 5] = 1
    assert roll_distance(first, first).item() == 0
    assert roll_distance(first, second).item() == pytest.approx(1)
    assert 0 < roll_distance(first, near).item() < 1


def test_a_phrase_that_the_generator_made_is_found_again(generator: Generator) -> None:
    random = torch.Generator().manual_seed(1)
    secret = generator.sample_latents(1, random)
    phrase = generator.sample(secret)[0]
    target = generator.encode(phrase[None])
    found = invert(generator, phrase, secret.conditions[0])
    others = generator.sample_latents(32, random).with_conditions(secret.conditions.expand(32, -1))
    apart = roll_distance(generator.streams(found), target).item()
    assert apart < 0.5 * roll_distance(generator.streams(others), target).min().item()
    assert torch.equal(found.conditions, secret.conditions)


def test_distance_leads_away_from_the_phrase(generator: Generator) -> None:
    random = torch.Generator().manual_seed(3)
    start = generator.sample_latents(1, random)
    fresh = generator.sample_latents(16, random)
    here: Latents = start.repeat(16)
    with torch.no_grad():
        phrase = generator(start)
        layout = ConditionLayout.of(generator.spec)
        apart = [
            roll_distance(generator(here.interpolate(fresh, share, layout)), phrase).mean().item()
            for share in (0, 0.25, 0.5, 1)
        ]
    assert all(first < second for first, second in pairwise(apart)), apart

"""GAN inversion: a phrase that the generator made is found again, and distance leads away from it."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from gan.conditions import ConditionLayout
from gan.latents import Latents
from gan.networks.generator import Generator
from pipeline.songs.explore import inversion
from pipeline.songs.explore.inversion import invert, roll_distance
from pipeline.songs.trained_model import load_trained_model
from tests.song_makers import configured, write_checkpoint


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    """A generator whose phrases differ widely with the latents."""
    config = configured("+stage=generate")
    path = write_checkpoint(tmp_path_factory.mktemp("lively"), config)
    generator = load_trained_model(config, path).generator
    assert isinstance(generator, Generator)
    with torch.no_grad():
        for head in generator.heads:
            for name, weight in head.named_parameters():
                weight.mul_(0.1 if name == "metre" else 20.0 if name.endswith("weight") else 1.0)
    return generator


def test_the_distance_is_0_for_the_same_and_1_for_notes_far_apart() -> None:
    first, second, near = torch.zeros(3, 1, 64, 2, 2, 20)
    first[:, 3, 0, :, 5] = second[:, 40, 1, :, 9] = near[:, 4, 0, :, 5] = 1
    assert roll_distance(first, first).item() == 0
    assert roll_distance(first, second).item() == pytest.approx(1)
    assert 0 < roll_distance(first, near).item() < 1


def test_a_phrase_that_the_generator_made_is_found_again(lively: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inversion, "NUM_STEPS", 60)
    monkeypatch.setattr(inversion, "NUM_DRAWN", 16)
    random = torch.Generator().manual_seed(1)
    secret = lively.sample_latents(1, random)
    phrase = lively.sample(secret)[0]
    target = lively.encode(phrase[None])
    found = invert(lively, phrase, secret.conditions[0], torch.Generator().manual_seed(2))
    with torch.no_grad():
        others = roll_distance(lively(lively.sample_latents(64, random)), target)
        apart = roll_distance(lively(found), target).item()
    assert apart < others.min().item() and apart < 0.75 * others.mean().item()


def test_distance_leads_away_from_the_phrase(lively: Generator) -> None:
    random = torch.Generator().manual_seed(3)
    start = lively.sample_latents(1, random)
    fresh = lively.sample_latents(48, random)
    here: Latents = start.repeat(48)
    with torch.no_grad():
        phrase = lively(start)
        layout = ConditionLayout.of(lively.spec)
        apart = [
            roll_distance(lively(here.interpolate(fresh, share, layout)), phrase).mean().item()
            for share in (0, 0.25, 0.5, 1)
        ]
    assert all(first < second for first, second in pairwise(apart)), apart

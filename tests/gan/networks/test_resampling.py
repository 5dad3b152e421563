"""Importance resampling: of several phrases one is kept, as often as the discriminator finds it likely."""

from __future__ import annotations

import pytest
import torch

from gan.context import Context
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.resampling import resample, sample_resampled
from gan.spec import ONSET
from tests.gan.short_trio import BASS, PIANO, SPEC, mask_of, music
from tests.gan.trio import lively, networks, sample_latents


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made_networks() -> tuple[Generator, Discriminator]:
    generator, discriminator = networks(SPEC, music())
    return lively(generator), discriminator


def test_candidates_are_drawn_in_proportion_to_their_density_ratio() -> None:
    logits = torch.tensor([[0.0, 2.0]]).expand(20_000, -1)
    for sharpness in (0.0, 0.5, 1.0):
        share = torch.sigmoid(torch.tensor(2 * sharpness)).item()
        assert resample(sharpness * logits, draws()).float().mean().item() == pytest.approx(share, abs=0.015)


def test_what_is_kept_was_made_by_the_latents_that_come_with_it() -> None:
    generator, discriminator = made_networks()
    latents, context = sample_latents(generator), Context(music(6), mask_of((BASS, 0)))
    rolls, kept = sample_resampled(generator, discriminator, latents, 3, draws(), context)
    assert torch.equal(generator.sample(kept, context), rolls)
    assert torch.equal(kept.conditions.nan_to_num(-1), latents.conditions.nan_to_num(-1))
    assert torch.equal(rolls[:, :, BASS, 0], context.rolls[:, :, BASS, 0])
    assert not torch.equal(kept.z, latents.z), "some are of other latents"
    again, _ = sample_resampled(generator, discriminator, latents, 3, draws(), context)
    assert torch.equal(again, rolls)


def test_of_one_candidate_there_is_no_choice() -> None:
    generator, discriminator = made_networks()
    latents = sample_latents(generator)
    rolls, kept = sample_resampled(generator, discriminator, latents, 1, draws())
    assert torch.equal(rolls, generator.sample(latents)) and torch.equal(kept.z, latents.z)


def test_tracks_that_are_not_known_are_silent_in_what_is_kept() -> None:
    generator, discriminator = made_networks()
    known = torch.ones(6, SPEC.num_tracks, dtype=torch.bool)
    known[3:, PIANO] = False
    latents = generator.leave_open(sample_latents(generator), known)
    rolls, kept = sample_resampled(generator, discriminator, latents, 3, draws(), known=known)
    plays = rolls.any(1).flatten(2).any(2)
    assert plays[:3].all() and not plays[3:, PIANO].any() and plays[3:, BASS].all()
    assert torch.equal(generator.sample(kept, known=known), rolls)


def test_a_sharp_discriminator_has_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that likes many notes."""
    generator, discriminator = made_networks()
    monkeypatch.setattr(discriminator, "score", lambda rolls, _: rolls[:, ONSET].sum((1, 2, 3, 4)).float())
    latents, notes = sample_latents(generator, 12), []
    for sharpness in (0.0, 10.0):
        monkeypatch.setattr(Discriminator, "sharpness", sharpness)
        rolls, _ = sample_resampled(generator, discriminator, latents, 4, draws())
        notes.append(rolls[:, ONSET].sum((1, 2, 3, 4)).float().mean().item())
    assert notes[1] > notes[0] + 2


def test_where_a_later_bar_is_given_what_leads_there_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eight candidates; a discriminator that knows nothing has no say."""
    generator, discriminator = made_networks()
    monkeypatch.setattr(Discriminator, "sharpness", 0.0)
    latents, context = sample_latents(generator, 24), Context(music(24), mask_of((PIANO, 1), (BASS, 1), count=24))
    means = []
    for candidates in (1, 8):
        rolls, kept = sample_resampled(generator, discriminator, latents, candidates, draws(), context)
        means.append(generator.join_log_probs(rolls, kept.conditions, context.mask).mean().item())
    assert means[1] > means[0] + 0.5

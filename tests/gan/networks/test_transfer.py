"""Transfer of weights: what both networks know is computed alike, what one of them does not know changes nothing."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from torch import Tensor, nn

from gan.conditions import STYLE, ConditionLayout, no_conditions, no_labels
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.heads import DrumHead
from gan.networks.transfer import RARER, transfer
from gan.spec import ONSET, RollSpec, Track
from gan.statistics import DataStatistics
from tests.gan.short_trio import BASS, DRUMS, PIANO, SPEC, music
from tests.gan.trio import SMALL

DUO = dataclasses.replace(SPEC, tracks=SPEC.tracks[:BASS])


def networks(spec: RollSpec, rolls: Tensor, seed: int, styles: int = 0) -> tuple[Generator, Discriminator]:
    """Networks with loud weights, and biases, as if they had learnt something."""
    labels = no_labels(len(rolls), spec)
    if styles:
        labels[:, STYLE] = torch.arange(len(rolls)) % styles
    statistics = DataStatistics.of([rolls], spec, labels)
    torch.manual_seed(seed)
    made = Generator(spec, statistics, SMALL), Discriminator(spec, statistics, SMALL)
    for network in made:
        for weight in network.parameters():
            nn.init.normal_(weight, std=0.2)
    return made


def log_probs(
    generator: Generator, rolls: Tensor, known: Tensor | None = None, conditions: Tensor | None = None
) -> Tensor:
    """Of each track over the phrase, `[phrases, tracks]`."""
    spec, count = generator.spec, len(rolls)
    if conditions is None:
        conditions = no_conditions(count, spec)
    mask = torch.zeros(count, spec.num_tracks, spec.bars, dtype=torch.bool)
    with torch.no_grad():
        x = generator.features(conditions, None)
        return generator.log_probs(generator.encode(rolls), x, conditions, mask, known).sum(1)


def scores(discriminator: Discriminator, rolls: Tensor) -> Tensor:
    return discriminator.score(rolls)


def without_bass(rolls: Tensor) -> Tensor:
    return rolls[:, :, :BASS]


def silent_bass(rolls: Tensor) -> Tensor:
    silent = rolls.clone()
    silent[:, :, BASS] = False
    return silent


KNOWN = torch.ones(8, SPEC.num_tracks, dtype=torch.bool)
KNOWN[:, BASS] = False


def test_a_band_without_one_of_its_tracks_computes_what_it_did_with_that_track_unknown() -> None:
    trio, duo = networks(SPEC, music(), 0), networks(DUO, without_bass(music()), 1)
    transfer(trio, duo)
    rolls = music(seed=3)
    expected = log_probs(trio[0], silent_bass(rolls), KNOWN)[:, :BASS]
    assert torch.allclose(log_probs(duo[0], without_bass(rolls)), expected, atol=1e-4)
    assert torch.allclose(scores(duo[1], without_bass(rolls)), scores(trio[1], silent_bass(rolls)), atol=1e-4)


def test_a_track_that_the_source_does_not_know_changes_nothing_while_it_is_silent() -> None:
    duo, trio = networks(DUO, without_bass(music()), 0), networks(SPEC, music(), 1)
    transfer(duo, trio)
    rolls = music(seed=3)
    found = log_probs(trio[0], silent_bass(rolls), KNOWN)
    assert torch.allclose(found[:, :BASS], log_probs(duo[0], without_bass(rolls)), atol=1e-4)
    assert (log_probs(trio[0], rolls)[:, BASS] < 0).all(), "the bass has weights of its own"
    assert torch.allclose(scores(trio[1], silent_bass(rolls)), scores(duo[1], without_bass(rolls)), atol=1e-4)


def test_tracks_are_found_by_name_and_notes_by_pitch() -> None:
    """The order of the tracks, the lowest pitch of the rolls and the range of the data do not matter."""
    moved = RollSpec(
        (Track("Piano"), Track("Drums", is_drum=True)), 2, 2, num_pitches=20, lowest_pitch=SPEC.lowest_pitch - 3
    )
    rolls = torch.zeros((8, *moved.shape), dtype=torch.bool)
    rolls[..., 3:15] = without_bass(music())[:, :, [PIANO, DRUMS]]
    duo, other = networks(DUO, without_bass(music()), 0), networks(moved, rolls, 1)
    transfer(duo, other)
    expected = log_probs(duo[0], without_bass(music()))
    assert torch.allclose(log_probs(other[0], rolls), expected[:, [PIANO, DRUMS]], atol=1e-4)
    assert torch.allclose(scores(other[1], rolls), scores(duo[1], without_bass(music())), atol=1e-4)


def test_a_narrower_range_leaves_fewer_choices_and_the_same_order_of_them() -> None:
    wide, narrow = music(), music()[:2]
    source, target = networks(SPEC, wide, 0), networks(SPEC, narrow, 1)
    assert target[0].pitch_range < source[0].pitch_range
    transfer(source, target)
    assert (log_probs(target[0], narrow) >= log_probs(source[0], narrow) - 1e-4).all()


def test_styles_of_another_set_say_nothing_yet() -> None:
    source, target = networks(SPEC, music(), 0, styles=2), networks(SPEC, music(), 1, styles=3)
    transfer(source, target)
    conditions = no_conditions(8, SPEC)
    conditions[:, STYLE] = 1
    assert torch.equal(log_probs(target[0], music(), conditions=conditions), log_probs(target[0], music()))
    assert not torch.equal(log_probs(source[0], music(), conditions=conditions), log_probs(source[0], music()))


def test_conditions_are_scaled_as_the_source_learnt_them() -> None:
    """Sixteen notes a bar mean as much to the target, whose own music has twice as many."""
    busy = music()
    busy[:, 0] |= busy[:, 0].roll(1, 3)
    source, target = networks(SPEC, music(), 0), networks(SPEC, busy, 1)
    layout, conditions = ConditionLayout.of(SPEC), no_conditions(8, SPEC)
    conditions[:, layout.attributes] = 16.0
    before = source[0].conditions(conditions)
    assert not torch.equal(target[0].conditions(conditions), before)
    transfer(source, target)
    assert torch.equal(target[0].conditions(conditions), before)


def test_unknown_drum_patterns_begin_like_the_nearest_that_strikes_and_are_rarer_together() -> None:
    """A cymbal with the kick, one alone, and another: where the drums rest, none of them begins to sound."""
    with_cymbal = music()
    with_cymbal[:, ONSET, DRUMS, 0, 0, 11] = True
    with_cymbal[:, ONSET, DRUMS, 0, 1, 11] = True
    with_cymbal[:, ONSET, DRUMS, 0, 3, 10] = True
    source, target = networks(SPEC, music(), 0), networks(SPEC, with_cymbal, 1)
    transfer(source, target)
    old, found = source[0].decoder.heads[DRUMS], target[0].decoder.heads[DRUMS]
    assert isinstance(old, DrumHead)
    assert isinstance(found, DrumHead)
    known = {tuple(row) for row in old.patterns.tolist()}
    fresh = [place for place, row in enumerate(found.patterns.tolist()) if any(row[10:])]
    assert len(found.patterns) == len(known) + 3 == len(known) + len(fresh)
    strikes = old.patterns.any(1)
    nearest = [
        next(place for place in range(len(known)) if torch.equal(found.pattern.weight[one], old.pattern.weight[place]))
        for one in fresh
    ]
    assert strikes[nearest].all() and not strikes.all()
    hidden = torch.zeros(1, old.pattern.in_features)
    before, after = old.pattern(hidden).exp()[0], found.pattern(hidden).exp()[0]
    assert after[fresh].sum().item() == pytest.approx(math.exp(-RARER) * before[sorted(set(nearest))].sum().item())


def test_what_does_not_fit_is_said() -> None:
    source = networks(SPEC, music(), 0)
    wide = dataclasses.replace(SMALL, trunk_width=24)
    statistics = DataStatistics.of([music()], SPEC)
    wider = Generator(SPEC, statistics, wide), Discriminator(SPEC, statistics, wide)
    with pytest.raises(ValueError, match=r"it has model\.trunk_width=16, this run 24"):
        transfer(source, wider)
    strings = dataclasses.replace(SPEC, tracks=(Track("Strings"),))
    with pytest.raises(ValueError, match=r"none of its tracks \(Drums, Piano, Bass\) is one of this run \(Strings\)"):
        transfer(source, networks(strings, music()[:, :, 1:2], 0))
    longer = dataclasses.replace(SPEC, bars=4)
    with pytest.raises(ValueError, match="its phrases have bars=2, those of this run 4"):
        transfer(source, networks(longer, torch.cat([music(), music()], 3), 0))

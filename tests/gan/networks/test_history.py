"""What was played before a step: the same whether phrases are known at once or come step by step."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gan.networks.decoder import pitch_classes
from gan.networks.history import NUM_RECENT, History
from gan.rolls import STREAM_ONSET, STREAM_SOUNDING, to_streams
from tests.gan.trio import SPEC, music

DRUMS, PIANO, BASS = range(3)
ORDER = (0, 2, 1)
STEPS, BAR = SPEC.num_steps, SPEC.steps_per_bar


def streams(seed: int = 0, count: int = 4) -> Tensor:
    """`[time, batch, tracks, 2, pitches]`, with bars that return and bars that do not."""
    rolls = music(count, seed)
    rolls[1:2, :, :, 2] = rolls[1:2].roll(3, dims=4)[:, :, :, 2]
    rolls[2:3, :, 1] = False
    return to_streams(rolls, (0, 0, 0), SPEC.num_pitches).transpose(0, 1)


def history(count: int, given: Tensor | None = None, known: Tensor | None = None) -> History:
    given = torch.zeros(STEPS, count, SPEC.num_tracks, dtype=torch.bool) if given is None else given
    density = torch.tensor([4.0, torch.nan, 0.0]).expand(count, -1)
    return History(count, SPEC, pitch_classes(SPEC, (0, 0, 0), SPEC.num_pitches), given, density, known)


@pytest.mark.parametrize("some_given", [False, True])
def test_what_is_known_at_once_is_known_as_if_it_came_step_by_step(some_given: bool) -> None:
    phrases = streams()
    given = torch.zeros(STEPS, 4, SPEC.num_tracks, dtype=torch.bool)
    if some_given:
        given[BAR : 2 * BAR, :2, BASS] = True
        given[:, 3, PIANO] = True
    heard = torch.ones(4, SPEC.num_tracks, dtype=torch.bool)
    heard[2, PIANO] = False
    whole, growing = history(4, given, heard), history(4, given, heard)
    whole.fill(phrases)
    growing.give(phrases)
    known = {
        "before": whole.before(0, STEPS),
        "shared": whole.shared(0, STEPS),
        "drums": (whole.drums(DRUMS, 0, STEPS),),
        **{f"beside {place}": whole.beside(ORDER[:place], 0, STEPS) for place in range(3)},
    }
    for step in range(STEPS):
        growing.open(step)
        now = {"before": growing.before(step, step + 1), "shared": growing.shared(step, step + 1)}
        now |= {"drums": (growing.drums(DRUMS, step, step + 1),)}
        for place, track in enumerate(ORDER):
            now[f"beside {place}"] = tuple(one.clone() for one in growing.beside(ORDER[:place], step, step + 1))
            notes = phrases[step, :, track]
            growing.put(track, step, notes[:, STREAM_ONSET], notes[:, STREAM_SOUNDING])
        growing.close(step)
        for name, features in now.items():
            for mine, theirs in zip(features, known[name], strict=True):
                torch.testing.assert_close(mine[0], theirs[step], msg=lambda text, name=name: f"{name}: {text}")


def test_the_last_chord_is_remembered_over_rests() -> None:
    phrases = streams(count=1)
    known = history(1)
    known.fill(phrases)
    _, own = known.before(0, STEPS)
    last = own[:, 0, PIANO, 1]
    assert not last[0].any(), "nothing was played before the first"
    assert torch.equal(last[1], phrases[0, 0, PIANO, STREAM_ONSET])
    assert torch.equal(last[8], phrases[0, 0, PIANO, STREAM_ONSET]), "though the chord ended a step ago"
    assert torch.equal(own[BAR + 3, 0, PIANO, 3], phrases[3, 0, PIANO, STREAM_ONSET]), "a bar ago"


def test_recent_onsets_are_seen_at_their_distance() -> None:
    phrases = torch.zeros_like(streams(count=1))
    phrases[5, 0, BASS, :, 2] = 1
    known = history(1)
    known.fill(phrases)
    shared, _ = known.shared(0, STEPS)
    places = shared[:, 0, SPEC.num_tracks * SPEC.num_pitches :][:, : SPEC.num_tracks * NUM_RECENT]
    windows = places.unflatten(1, (SPEC.num_tracks, NUM_RECENT))[:, BASS]
    assert windows[5].sum() == 0 and windows[5 + NUM_RECENT + 1].sum() == 0
    assert [windows[step].nonzero().item() for step in (6, 7, 21)] == [15, 14, 0]


def test_a_requested_density_is_counted_down() -> None:
    phrases = streams(count=1)
    known = history(1)
    known.fill(phrases)
    missing, behind, silent = known._progress(known.lead, known.lead + STEPS).unbind(3)
    assert missing[0, 0, DRUMS].item() == pytest.approx(torch.log1p(torch.tensor(4.0)).item()), "four notes a bar"
    assert missing[STEPS - 1, 0, DRUMS] == 0, "the last is done"
    assert behind[4, 0, DRUMS] == 0 and behind[1, 0, DRUMS] < 0, "each hit is early until the next is due"
    assert not missing[:, 0, PIANO].any(), "where nothing is requested nothing is missing"
    assert silent[:, 0].tolist() == [[0.0, 0.0, 1.0]] * STEPS

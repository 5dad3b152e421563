"""Performance: the metre, the form and the lead show in velocities, and nobody is as punctual as a machine."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pipeline.songs.performance import PLAIN_VELOCITY, humanize, metre_velocity, ritardando
from pipeline.songs.song import Section
from tests.song_makers import BAND, JIG, song_of


def sections_of(bars: int) -> tuple[Section, ...]:
    return (Section("verse", "verse", 0, bars // 2), Section("chorus", "chorus", bars // 2, bars - bars // 2))


def test_humanize_zero_is_a_machine() -> None:
    song = song_of()
    velocities, timing = humanize(song.notes, BAND, sections_of(2), 1, 120, 0.0, 0)
    assert set(velocities.tolist()) == {PLAIN_VELOCITY} and not timing.any()
    assert ritardando(120, 8, BAND, 0) == ((0, 120),)


def test_downbeats_choruses_and_the_lead_are_louder() -> None:
    hats = [(1, 60, step, 1) for step in range(16 * 8)] + [(2, 40, step, 1) for step in range(16 * 8)]
    song = song_of(hats, bars=8)
    velocities, timing = humanize(song.notes, BAND, sections_of(8), 1, 120, 1.0, 0)
    place, track = song.notes["onset"] % 16, song.notes["track"]
    assert velocities[place == 0].mean() > velocities[place == 8].mean() > velocities[place % 4 == 2].mean()
    assert velocities[place % 4 == 2].mean() > velocities[place % 2 == 1].mean()
    assert velocities[song.notes["onset"] >= 64].mean() > velocities[song.notes["onset"] < 64].mean() + 5
    assert velocities[track == 1].mean() > velocities[track == 2].mean() + 5
    assert timing.any() and np.abs(timing).max() < 60, "never half a step away"
    assert abs(timing.mean()) < 5


def test_a_jig_is_accented_by_dotted_beats_and_their_thirds() -> None:
    first, second, thirds, rest = (metre_velocity(np.array(steps), JIG) for steps in ([0], [6], [2, 4, 8, 10], [3, 5]))
    assert first.min() > second.max() > thirds.max() and thirds.min() > rest.max()
    assert len(set(thirds.tolist())) == 1


def test_songs_slow_down_at_the_end() -> None:
    tempi = ritardando(100, 9, BAND, 0.5)
    assert tempi[0] == (0, 100)
    assert [step for step, _ in tempi[1:]] == [16 * 7 + 4, 16 * 7 + 8, 16 * 7 + 12, 16 * 8]
    assert all(later[1] < earlier[1] for earlier, later in pairwise(tempi))
    assert tempi[-1][1] == pytest.approx(87.5)

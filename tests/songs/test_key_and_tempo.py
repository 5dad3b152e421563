"""Tempo and key of a song: the data's tempi, and keys in which the instruments lie well."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gan.spec import RollSpec, Track
from pipeline.scores.keys import Key
from pipeline.scores.notes import make_notes
from pipeline.songs.key_and_tempo import choose_shift, comfortable_ranges, draw_tempo, ritardando
from tests.song_makers import BAND

C_MAJOR = Key(0, False)
QUARTET = RollSpec(tuple(Track(name) for name in ("Soprano", "Alto", "Tenor", "Bass")), bars=1)


def test_the_key_requested_is_reached_where_the_instruments_lie_best() -> None:
    chord = make_notes([0, 1, 2, 3], [72, 64, 60, 48], 0, 16)
    sounding = np.zeros((4, 84))
    for voice, pitch in enumerate((72, 64, 60, 50)):
        sounding[voice, pitch - 24 - 4 : pitch - 24 + 5] = 1
    ranges = comfortable_ranges(sounding, (0, 0, 0, 0), QUARTET)
    random = np.random.default_rng(0)
    assert choose_shift(chord, C_MAJOR, Key(2, False), ranges, QUARTET, random) == 2
    assert choose_shift(chord, C_MAJOR, Key(11, False), ranges, QUARTET, random) == -1
    drawn = [choose_shift(chord, C_MAJOR, None, ranges, QUARTET, random) for _ in range(60)]
    assert len(set(drawn)) > 3 and np.mean(np.abs(drawn)) < 4


def test_narrow_instruments_keep_to_their_range() -> None:
    sounding = np.ones((1, 84))
    spec = RollSpec((Track("Flute"),))
    assert comfortable_ranges(sounding, (73,), spec) == [(60, 91)]


def test_tempi_follow_the_data() -> None:
    random = np.random.default_rng(0)
    near = [draw_tempo(84, {}, random) for _ in range(50)]
    assert 73 < min(near) < 84 < max(near) < 95
    spread = [draw_tempo(None, {"0": 60, "0.5": 100, "1": 140}, random) for _ in range(50)]
    assert 60 <= min(spread) < 90 and 110 < max(spread) <= 140


def test_songs_slow_down_at_the_end() -> None:
    assert ritardando(120, 8, BAND, 0) == ((0, 120),)
    tempi = ritardando(100, 9, BAND, 1.0)
    assert tempi[0] == (0, 100)
    assert [step for step, _ in tempi[1:]] == [16 * 7 + 4, 16 * 7 + 8, 16 * 7 + 12, 16 * 8]
    assert all(later[1] < earlier[1] for earlier, later in pairwise(tempi))
    assert tempi[-1][1] == pytest.approx(87.5)

"""Sets of phrases are thinned out evenly."""

from __future__ import annotations

from tests.evaluation.tunes import tunes


def test_phrases_are_spread_evenly() -> None:
    phrases = tunes(5, 1).spread(3)
    assert phrases.songs.tolist() == [0, 2, 4]
    assert phrases.num_songs == 3

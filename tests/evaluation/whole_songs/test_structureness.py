"""Structureness: what returns explains a song, what does not explains nothing."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.evaluation.whole_songs.structureness import fitness_scape, structureness


def alike(form: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    letters = np.array(list(form))
    return (letters[:, None] == letters).astype(np.float64)


def test_a_song_without_repetition_has_no_structure() -> None:
    assert fitness_scape(alike("abcdefgh")).tolist() == [0, 0, 0, 0]


def test_the_fittest_segment_is_as_long_as_what_returns() -> None:
    best = fitness_scape(alike("abcdabcd"))
    assert best.argmax() + 1 == 4, "abcd comes back"
    assert best[3] == pytest.approx(0.5), "half of the path's score and half of the song, without the segment itself"
    assert fitness_scape(alike("abcdabcdabcdabcd"))[3] == pytest.approx(0.75)


def test_a_bar_of_difference_spoils_a_long_segment_more_than_short_ones() -> None:
    best = fitness_scape(alike("abcdabxd"))
    assert best[3] < best[1]


def test_ranges_are_in_seconds() -> None:
    found = structureness(alike("abcdabcd"), bar_seconds=2.0)
    assert found["short"] == pytest.approx(fitness_scape(alike("abcdabcd"))[1:4].max()), "4, 6 and 8 s"
    assert np.isnan(found["long"]), "half the song is 8 s"

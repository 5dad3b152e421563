"""Provenance: which bars of which tracks were made, drawn and given."""

from __future__ import annotations

import numpy as np

from pipeline.songs.provenance import Origin, all_of, origin_letters, stretches_of
from tests.origin_makers import with_origin

MADE, DRAWN, GIVEN = Origin


def test_cells_change_where_tracks_and_bars_cross_and_the_song_before_stays() -> None:
    before = all_of(MADE, 3, 6)
    after = with_origin(with_origin(before, DRAWN, [0, 2], slice(2, 4)), GIVEN, 1, [5])
    assert origin_letters(after) == ["mmddmm", "mmmmmg", "mmddmm"]
    assert origin_letters(before) == ["mmmmmm"] * 3


def test_bars_of_one_origin_are_one_stretch() -> None:
    row = np.array([0, 0, 1, 1, 2], np.uint8)
    assert stretches_of(row) == [(MADE, 0, 2), (DRAWN, 2, 4), (GIVEN, 4, 5)]
    assert stretches_of([GIVEN]) == [(GIVEN, 0, 1)]
    assert stretches_of(row[:0]) == []

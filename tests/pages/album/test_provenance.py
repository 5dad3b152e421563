"""What the album page tells of songs that are not all the generator's."""

from __future__ import annotations

from pipeline.pages.album.provenance import PageProvenance, bars_in_words, provenance_of
from pipeline.songs.provenance import Origin, Origins, all_of
from tests.origin_makers import with_origin
from tests.song_makers import song_of

DRAWN, GIVEN = Origin.DRAWN, Origin.GIVEN
MADE = all_of(Origin.MADE, 3, 2)


def told(origins: Origins | None, is_kept: bool = False) -> PageProvenance | None:
    return provenance_of(song_of(origins=origins), is_kept)


def test_bars_are_named_as_people_count_them() -> None:
    assert bars_in_words([(8, 12)]) == "bars 9 to 12"
    assert bars_in_words([(0, 1)]) == "bar 1"
    assert bars_in_words([(0, 1), (3, 4)]) == "bars 1 and 4"
    assert bars_in_words([(0, 2), (3, 4), (8, 12)]) == "bars 1 to 2, 4 and 9 to 12"


def test_a_song_of_the_generator_alone_is_told_only_when_it_was_kept() -> None:
    assert told(None) is None and told(MADE) is None
    kept = told(None, is_kept=True)
    assert kept is not None and kept.text == "kept in the studio; all bars made by the generator" and not kept.cells


def test_each_track_says_which_of_its_bars_were_drawn_and_given() -> None:
    found = told(with_origin(with_origin(MADE, DRAWN, 2, 1), GIVEN, 0, slice(0, 2)), is_kept=True)
    assert found is not None and found.sentences == [
        "kept in the studio",
        "Bass, bar 2: drawn by hand",
        "Drums, all bars: from a file that was given",
        "all other bars made by the generator",
    ]
    everything = told(all_of(GIVEN, 3, 2))
    assert everything is not None and everything.sentences == ["all bars of all tracks: from a file that was given"]


def test_the_strip_has_every_bar_once_and_what_was_drawn_fills_its_row() -> None:
    found = told(with_origin(with_origin(MADE, DRAWN, 2, 1), GIVEN, 0, slice(0, 2)))
    assert found is not None and (found.tracks, found.bars) == (3, 2)
    cells = [(cell.track, cell.first_bar, cell.num_bars) for cell in found.cells]
    assert cells == [(0, 0, 2), (1, 0, 2), (2, 0, 1), (2, 1, 1)]
    given, made, _, drawn = (cell.height for cell in found.cells)
    assert drawn > given > made
    assert all(cell.top >= 0 and cell.top + cell.height <= 1 for cell in found.cells)

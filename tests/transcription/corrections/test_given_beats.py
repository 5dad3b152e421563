"""Beats from elsewhere: how their files are read, and the grid that comes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UnusableError
from pipeline.transcription.corrections.given_beats import BarHints, GivenBeats, grid_of_beats, read_given_beats
from tests.sound_makers import rock, timed_hits, timed_notes

FREE = BarHints(None, 4, True, False)


def read(folder: Path, text: str) -> GivenBeats:
    path = folder / "beats.txt"
    path.write_text(text, encoding="utf-8")
    return read_given_beats(path)


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("0.5\n1.0\n1.5\n2.0\n", None),
        ("0.5\t4\n1.0\t1\n1.5\t2\n2.0\t3\n", [4, 1, 2, 3]),
        ("\ufefftime,position\n\n0.5,4\n1.0,1\n1.5,2\n2.0,3", [4, 1, 2, 3]),
        ("# by hand\n0.5 ; 4\n1.0 ; 1  # chorus\n1.5 ; 2\n2.0 ; 3\n", [4, 1, 2, 3]),
        ("5.0e-01 4.0e+00\n1.0e+00 1.0e+00\n1.5e+00 2.0e+00\n2.0e+00 3.0e+00\n", [4, 1, 2, 3]),
        ("0.5,120.5 bpm\n1.0,120.5 bpm\n1.5,120.5 bpm\n2.0,120.5 bpm\n", None),
    ],
)
def test_lists_of_beats_are_read_as_trackers_write_them(tmp_path: Path, text: str, positions: list[int] | None) -> None:
    found = read(tmp_path, text)
    assert found.seconds.tolist() == [0.5, 1.0, 1.5, 2.0]
    assert (None if found.positions is None else found.positions.tolist()) == positions


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0.5\n1.0\n0.9\n2.0\n", r"beats\.txt: line 3 comes no later than the beat before it \(1 s\)"),
        ("0.5\n1.0\n1.5\n", r"beats\.txt has 3 beats: it takes at least 4"),
        ("0.5\nverse\n1.0\n1.5\n2.0\n", r"beats\.txt: line 2 begins with no number of seconds"),
        ("0.5 1\n1.0\n1.5 3\n2.0 4\n", r"beats\.txt: some of its beats have a position"),
        ("0.5 2\n1.0 3\n1.5 2\n2.0 3\n", r"beats\.txt: no beat has position 1"),
        ("", r"beats\.txt can't be used \(broken file: it is empty\)"),
        ("nan\ninf\n", r"beats\.txt has 0 beats"),
    ],
)
def test_what_is_no_list_of_beats_is_told_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UnusableError, match=sentence):
        read(tmp_path, text)


def test_positions_say_where_bars_begin_and_how_long_they_are() -> None:
    seconds = 1.0 + 0.5 * np.arange(12)
    given = GivenBeats("a.txt", seconds, np.array([3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2]))
    beats, remarks = grid_of_beats(given, timed_notes((0.2, 6.0, 60, 90)), timed_hits(), 8.0, FREE)
    assert beats.beats_per_bar == 3
    assert beats.seconds[0] == pytest.approx(0.0)  # the bar line before the first sound, extended evenly
    assert beats.seconds[-1] >= 8.0 and np.diff(beats.seconds) == pytest.approx(0.5)
    assert remarks == ["its bars have 3 beats and not 4: data.metre=3/4 takes such music"]


def test_downbeats_told_from_other_beats_by_ones_and_twos_make_bars() -> None:
    given = GivenBeats("a.txt", 0.5 * np.arange(16), np.array([1, 2, 2, 2] * 4))
    beats, remarks = grid_of_beats(given, timed_notes((0.0, 6.0, 60, 90)), timed_hits(), 8.0, FREE)
    assert (beats.beats_per_bar, remarks) == (4, [])


def test_a_bar_of_another_length_is_counted_through_and_told() -> None:
    positions = np.array([1, 2, 3, 4] * 3 + [1, 2] + [1, 2, 3, 4])
    given = GivenBeats("a.txt", 0.5 * np.arange(18), positions)
    beats, remarks = grid_of_beats(given, timed_notes((0.0, 6.0, 60, 90)), timed_hits(), 9.0, FREE)
    assert beats.seconds[0] == 0 and beats.beats_per_bar == 4
    assert remarks == ["bars of other lengths are counted through (1 of its bar lines)"]


def test_without_positions_the_downbeat_is_found_on_the_beats_or_taken_as_given() -> None:
    hits = timed_hits(*((start, int(pitch)) for start, _, pitch, _, _ in rock(8).tolist()))
    chords = [
        (0.25 + 2 * bar, 2.2 + 2 * bar, pitch + 5 * (bar % 2), 100) for bar in range(8) for pitch in (36, 60, 64, 67)
    ]
    given = GivenBeats("a.txt", 0.25 + 0.5 * np.arange(3, 32), None)
    found, _ = grid_of_beats(given, timed_notes(*chords), hits, 16.0, FREE)
    assert found.seconds[0] == pytest.approx(0.25)
    told, _ = grid_of_beats(given, timed_notes(*chords), hits, 16.0, BarHints(0.77, 4, True, False))
    assert (0.75 - told.seconds[0]) % 2 == pytest.approx(0)


def test_beats_of_another_recording_are_refused() -> None:
    given = GivenBeats("a.txt", 500.0 * np.arange(1, 20), None)
    with pytest.raises(UnusableError, match=r"a\.txt goes from 500 to 9500 s, and the recording ends at 8 s"):
        grid_of_beats(given, timed_notes((0.0, 6.0, 60, 90)), timed_hits(), 8.0, FREE)

"""Excerpts: some bars of a song as a song of their own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.rendering.excerpt import excerpt
from pipeline.scores.chords.symbols import read_progression
from tests.song_makers import BAND, random_planes, song_of


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10**6), cut=st.integers(1, 3))
def test_two_excerpts_hold_every_note_of_the_song_once(seed: int, cut: int) -> None:
    song = song_of(random_planes(BAND, 4, 0.02, seed), humanized=1.0, seed=seed)
    first, second = excerpt(song, 0, cut), excerpt(song, cut, 4)
    onsets = [first.notes["onset"], second.notes["onset"] + cut * BAND.steps_per_bar]
    ends = [notes["onset"] + notes["length"] for notes in (first.notes, second.notes)]
    found = np.stack(
        [
            np.concatenate(onsets),
            np.concatenate([first.notes["pitch"], second.notes["pitch"]]),
            np.concatenate([first.velocities, second.velocities]),
        ]
    )
    asked = np.stack([song.notes["onset"], song.notes["pitch"], song.velocities])
    assert sorted(found.T.tolist()) == sorted(asked.T.tolist())
    assert all(end.max(initial=0) <= part.num_steps for end, part in zip(ends, (first, second), strict=True))


def test_tempi_sections_and_chords_are_those_of_the_bars() -> None:
    chords = read_progression("C Am | F G | Dm Dm | E E")
    notes = [(1, 60, step, 4) for step in range(0, 64, 4)]
    song = song_of(notes, bars=4, tempo_map=((0, 120.0), (24, 90.0), (40, 60.0)), composed_chords=chords)
    part = excerpt(song, 2, 4)
    assert part.tempo_map == ((0, 90.0), (8, 60.0))
    assert [(one.name, one.first_bar, one.num_bars) for one in part.sections] == [("chorus", 0, 2)]
    assert part.chord_changes() == [(0, "Dm"), (16, "E")]
    assert np.isclose(part.seconds, song.seconds - song.seconds_at(32))


def test_who_made_the_bars_is_known_of_them() -> None:
    origins = np.array([[0, 1], [0, 0], [2, 0]], np.uint8)
    part = excerpt(song_of(origins=origins), 1, 2)
    assert part.origins is not None and part.origins.tolist() == [[1], [0], [0]]


def test_a_note_that_begins_before_the_bars_is_left_out_and_one_that_goes_on_is_cut() -> None:
    part = excerpt(song_of([(1, 60, 12, 8), (1, 62, 28, 8)], bars=4), 1, 2)
    assert part.notes[["pitch", "onset", "length"]].tolist() == [(62, 12, 4)]


@pytest.mark.parametrize("bars", [(-1, 1), (1, 1), (0, 3)])
def test_bars_that_the_song_does_not_have_are_refused(bars: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="none of a song of 2 bars"):
        excerpt(song_of(), *bars)

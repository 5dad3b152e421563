"""Chord recognition: block and broken chords, inversions, rests, written symbols."""

from __future__ import annotations

import numpy as np

from gan.chords import NO_CHORD, QUALITY
from gan.spec import RollSpec, Track
from pipeline.scores.chords.recognition import half_bar_starts, recognise_chords, written_chords
from pipeline.scores.chords.symbols import ChordRows, print_progression, read_chord
from pipeline.scores.notes import Notes, make_notes

SPEC = RollSpec((Track("Drums", True), Track("Piano"), Track("Bass")))
DRUMS, PIANO, BASS = range(3)


def played(chords: dict[int, tuple[int, tuple[int, ...]]], length: int) -> list[tuple[int, int, int, int]]:
    """Chords at steps, each a bass and pitches above it, as (track, pitch, onset, length)."""
    return [
        row
        for onset, (bass, pitches) in chords.items()
        for row in ((BASS, bass, onset, length), *((PIANO, pitch, onset, length) for pitch in pitches))
    ]


def recognised(rows: list[tuple[int, int, int, int]], bars: int, spec: RollSpec = SPEC) -> str:
    notes: Notes = make_notes(*zip(*rows, strict=True))
    chords: ChordRows = recognise_chords(notes, bars, spec)
    assert chords.shape == (2 * bars, 3) and chords.dtype == np.int8
    return print_progression(chords)


def test_block_chords_are_recognised_with_their_basses() -> None:
    chords = {0: (45, (57, 60, 64)), 16: (41, (60, 65, 69)), 32: (40, (60, 64, 67)), 48: (43, (59, 62, 65, 67))}
    assert recognised(played(chords, 16), 4) == "Am | F | C/E | G7"


def test_a_chord_may_change_within_a_bar() -> None:
    chords = {0: (48, (60, 64, 67)), 8: (43, (59, 62, 67)), 16: (48, (60, 64, 67))}
    assert recognised(played(chords, 8), 2).startswith("C G | C")


def test_broken_chords_under_a_tune_with_passing_notes_are_one_chord() -> None:
    broken = [(PIANO, pitch, 2 * index, 2) for index, pitch in enumerate((60, 64, 67, 64) * 4)]
    tune = [(PIANO, pitch, 4 * index, 4) for index, pitch in enumerate((72, 74, 76, 77, 79, 77, 76, 74))]
    assert recognised([*broken, *tune, (BASS, 48, 0, 32)], 2) == "C | C"


def test_drums_and_silence_have_no_chord() -> None:
    assert recognised([(DRUMS, 36, 0, 1), *played({16: (48, (60, 64, 67))}, 16)], 2) == "N.C. | C"


def test_a_waltz_changes_on_its_third_beat() -> None:
    spec = RollSpec(SPEC.tracks, beats_per_bar=3)
    assert half_bar_starts(2, spec).tolist() == [0, 8, 12, 20]
    chords = {0: (48, (60, 64, 67)), 8: (43, (59, 62, 67))}
    rows = [(track, pitch, onset, 8 if onset == 0 else 4) for track, pitch, onset, _ in played(chords, 1)]
    assert recognised(rows, 1, spec) == "C G"


def test_written_chords_hold_until_the_next_but_not_for_ever() -> None:
    symbols = [(2.0, read_chord("F")), (5.5, read_chord("G7")), (8.0, None), (30.0, read_chord("C"))]
    chords = written_chords(symbols, np.arange(0, 34, 2.0), longest=16.0)
    assert print_progression(chords[2:4]) == "F G7"
    assert chords[:, QUALITY].tolist() == [-1, 0, 0, 2, *[NO_CHORD] * 8, -1, -1, -1, 0]


def test_a_song_of_no_bars_has_no_chords() -> None:
    assert recognise_chords(make_notes([], [], [], []), 0, SPEC).shape == (0, 3)

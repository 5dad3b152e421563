"""Chord symbols: as people type them, as they are printed, and whole progressions."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from gan.chords import QUALITIES
from pipeline.scores.chords.symbols import (
    Chord,
    changes_of,
    chord_of_row,
    print_progression,
    read_chord,
    read_progression,
    transpose_rows,
)


@pytest.mark.parametrize(
    ("text", "chord"),
    [
        ("Am7", Chord(9, "min7", 9)),
        ("C/E", Chord(0, "maj", 4)),
        ("Bb", Chord(10, "maj", 10)),
        ("B♭", Chord(10, "maj", 10)),
        ("F#", Chord(6, "maj", 6)),
        ("Fis", Chord(6, "maj", 6)),
        ("H", Chord(11, "maj", 11)),
        ("Es", Chord(3, "maj", 3)),
        ("Esus4", Chord(4, "sus4", 4)),
        ("G7(b9)", Chord(7, "7", 7)),
        ("CM7", Chord(0, "maj7", 0)),
        ("Cm7", Chord(0, "min7", 0)),
        ("Cm7b5", Chord(0, "m7b5", 0)),
        ("C6/9", Chord(0, "maj", 0)),
        ("Bbmaj7/D", Chord(10, "maj7", 2)),
        ("Cdim7", Chord(0, "dim", 0)),
        ("C+", Chord(0, "aug", 0)),
    ],
)
def test_chords_are_read_as_musicians_write_them(text: str, chord: Chord) -> None:
    assert read_chord(text) == chord


def test_what_is_no_chord_is_said_in_one_sentence() -> None:
    for text in ("Xm", "Amm", "C/", "Gs", "verse"):
        with pytest.raises(ValueError, match="is no chord; chords are written like Am"):
            read_chord(text)
    assert read_chord("N.C.") is None


def test_a_printed_chord_is_read_back() -> None:
    for root, quality, bass in product(range(12), QUALITIES, range(12)):
        chord = Chord(root, quality, bass)
        assert read_chord(str(chord)) == chord
        assert chord_of_row(np.array(chord.row)) == chord


def test_a_bass_is_spelled_as_a_note_of_its_chord() -> None:
    assert [str(Chord(*one)) for one in ((9, "maj", 1), (8, "maj", 0), (2, "7", 6))] == ["A/C#", "Ab/C", "D7/F#"]


def test_chords_last_a_bar_or_share_it_between_bar_lines() -> None:
    assert print_progression(read_progression("Am F C G")) == "Am | F | C | G"
    assert len(read_progression("Am F C G")) == 8
    assert print_progression(read_progression("| Am F | C G | % |")) == "Am F | C G | C G"
    for text, problem in (("Am F C | G", "3 chords in one bar"), ("Am || C", "nothing stands"), (" ", "no chords")):
        with pytest.raises(ValueError, match=problem):
            read_progression(text)


def test_a_progression_moves_with_its_key_and_rests_stay() -> None:
    moved = transpose_rows(read_progression("Am N.C. C/E G7"), 3)
    assert print_progression(moved) == "Cm | N.C. | Eb/G | Bb7"
    assert [(half_bar, str(chord)) for half_bar, chord in changes_of(moved)] == [
        (0, "Cm"),
        (2, "None"),
        (4, "Eb/G"),
        (6, "Bb7"),
    ]

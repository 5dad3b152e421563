"""Scores of what tells a band apart: the tune, chords, tracks that are known, notes that are sure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.scores.chords.symbols import read_progression
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.instruments.network import FAMILIES
from pipeline.transcription.instruments.parts import HeardPart
from pipeline.transcription.training.bands.band_evaluation import band_scores
from pipeline.transcription.training.bands.instrument_examples import CHORD, HIT, NOTE, LabelledSong
from pipeline.transcription.transcriber import Transcription, on_beats
from tests.sound_makers import timed_hits, timed_notes

SECONDS = 8.0
TUNE = [(float(second), second + 1.0, 72 + second % 3) for second in range(8)]
LATE = 0.5


def played(chords: str = "C Am F G") -> Transcription:
    """A tune of strings over one held piano note, at 120 bpm, two seconds a chord."""
    tune = timed_notes(*((start, end, pitch, 90) for start, end, pitch in TUNE))
    held = timed_notes((0.0, SECONDS, 60, 90))
    parts = [HeardPart("Lead", 73, tune, np.linspace(1, 0.5, 8)), HeardPart("Piano", 0, held, np.ones(1))]
    found = on_beats(parts, timed_hits((0.0, 36)), Beats(0.5 * np.arange(17), 4), SECONDS)
    return replace(found, chords=read_progression(chords), chord_confidence=np.ones(8))


def truth() -> LabelledSong:
    """The same music, half a second earlier on its own clock."""
    notes = np.zeros(9, NOTE)
    for row, (start, end, pitch) in zip(notes, [*TUNE, (0.0, SECONDS, 60)], strict=True):
        row["start"], row["end"], row["pitch"] = start - LATE, end - LATE, pitch
    notes["family"] = [FAMILIES.index("Strings")] * 8 + [FAMILIES.index("Piano")]
    notes["is_lead"] = [True] * 8 + [False]
    rows = [(2.0 * n - LATE, 2.0 * (n + 1) - LATE, *row) for n, row in enumerate([(0, 0, 0), (9, 1, 9), (5, 0, 5)])]
    return LabelledSong(notes, np.zeros(0, HIT), np.array([*rows, (5.5, 7.5, -1, -1, -1)], CHORD))


def test_what_is_right_is_perfect() -> None:
    found = band_scores(played(), truth(), LATE)
    assert {name: found[name] for name in ("lead pitch", "lead chroma", "chords", "known frames", "known notes")} == {
        "lead pitch": 1, "lead chroma": 1, "chords": 1, "known frames": 1, "known notes": 1,
    }  # fmt: skip
    assert found["sure right"] == 1
    assert found["sure share"] == pytest.approx(5 / 9)  # four of eight, and the piano


def test_octaves_are_right_in_chroma_alone() -> None:
    heard = played()
    high = heard.timed_notes[1].copy()
    high["pitch"] += 12
    found = band_scores(replace(heard, timed_notes=(heard.timed_notes[0], high, heard.timed_notes[2])), truth(), LATE)
    assert (found["lead pitch"], found["lead chroma"]) == (0, 1)
    assert found["known frames"] == pytest.approx(0.5)


def test_chords_count_by_time_root_and_third() -> None:
    found = band_scores(played("C7 A F G"), truth(), LATE)
    assert found["chords"] == pytest.approx(2 / 3)  # C7 has the third of C, A has not that of Am


def test_tracks_that_are_not_known_are_not_compared() -> None:
    found = band_scores(replace(played(), known=("Piano",)), truth(), LATE)
    assert found["known frames"] == 1
    assert found["known notes"] == pytest.approx(1 / 9)

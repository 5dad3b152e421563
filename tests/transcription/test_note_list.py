"""The list of notes says how surely each was heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.csv import read_rows
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.instruments.parts import HeardPart
from pipeline.transcription.note_list import NoteRow, write_note_list
from pipeline.transcription.transcriber import on_beats
from tests.sound_makers import timed_hits, timed_notes


def test_notes_are_listed_with_their_probability(tmp_path: Path) -> None:
    notes = timed_notes((0.5, 1.0, 60, 90), (1.0, 1.5, 64, 70))
    heard = [HeardPart("Piano", 0, notes, np.array([0.9, 0.3]))]
    found = on_beats(heard, timed_hits((0.75, 36)), Beats(0.5 * np.arange(9), 4), 4.0)
    write_note_list(tmp_path / "notes.csv", found)
    assert read_rows(tmp_path / "notes.csv", NoteRow, "transcribe") == [
        NoteRow("Piano", 0.5, 1.0, 60, 90, 0.9, "yes"),
        NoteRow("Drums", 0.75, 0.75, 36, 100, None, ""),
        NoteRow("Piano", 1.0, 1.5, 64, 70, 0.3, "no"),
    ]

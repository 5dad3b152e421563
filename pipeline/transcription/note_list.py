"""List of a transcription's notes, `notes.csv`: who plays what, when in the recording, and how surely it was heard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.csv import write_rows
from pipeline.transcription.instruments.parts import SURE
from pipeline.transcription.transcriber import Transcription


@dataclass(frozen=True)
class NoteRow:
    """A note: its track, seconds in the recording, MIDI pitch, velocity, how likely it is right, whether that is sure.

    Drum hits have no probability and last no time.
    """

    track: str
    start_seconds: float
    end_seconds: float
    pitch: int
    velocity: int
    probability: float | None
    sure: str


def write_note_list(path: Path, transcription: Transcription) -> None:
    """Write all notes as a table (CSV), in the order of their starts; `sure` is `yes` or `no`, nothing of drums."""
    rows = []
    right = transcription.right or tuple(np.ones(len(notes)) for notes in transcription.timed_notes)
    for part, notes, own in zip(transcription.parts, transcription.timed_notes, right, strict=True):
        for note, probability in zip(notes, own.tolist(), strict=True):
            end = note["start"] if part.is_drum else note["end"]
            rows.append(
                NoteRow(
                    part.name,
                    round(float(note["start"]), 3),
                    round(float(end), 3),
                    int(note["pitch"]),
                    int(note["velocity"]),
                    None if part.is_drum else round(probability, 2),
                    "" if part.is_drum else "yes" if probability >= SURE else "no",
                )
            )
    write_rows(path, sorted(rows, key=lambda row: (row.start_seconds, row.track, row.pitch)), NoteRow)

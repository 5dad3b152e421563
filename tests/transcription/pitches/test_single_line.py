"""One note at a time out of the notes of a stem."""

from __future__ import annotations

from pipeline.transcription.pitches.single_line import lowest_line, surest_line
from tests.sound_makers import timed_notes


def test_the_lowest_notes_of_a_bass_are_its_line() -> None:
    notes = timed_notes((0.0, 1.1, 40, 60), (0.0, 1.0, 52, 90), (1.0, 2.0, 43, 80), (1.2, 1.5, 67, 90))
    line = lowest_line(notes)
    assert line[["start", "end", "pitch"]].tolist() == [(0.0, 1.0, 40), (1.0, 2.0, 43)]


def test_the_surest_notes_of_a_voice_are_its_line() -> None:
    notes = timed_notes(
        (0.0, 1.0, 67, 100), (0.0, 1.0, 79, 40), (0.9, 2.0, 69, 100), (1.0, 1.2, 93, 50), (2.1, 3.0, 71, 90)
    )
    line = surest_line(notes)
    assert line[["start", "end", "pitch"]].tolist() == [(0.0, 0.9, 67), (0.9, 2.0, 69), (2.1, 3.0, 71)]


def test_no_notes_have_no_line() -> None:
    assert len(lowest_line(timed_notes())) == len(surest_line(timed_notes())) == 0

"""The bass line of a transcription."""

from __future__ import annotations

from pipeline.transcription.bass import bass_line
from tests.sound_makers import timed_notes


def test_the_lowest_line_is_the_bass() -> None:
    found = timed_notes((0, 1, 36, 90), (0, 1, 48, 80), (0, 1, 64, 80), (1, 2, 43, 90), (2, 3, 70, 80))
    assert bass_line(found).tolist() == [True, False, False, True, False]

"""Bass line extraction: which of the transcribed notes are the bass."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.pitches import Pitches

BASS_PROGRAM = 33
"""General MIDI program, from 0: an electric bass."""

HIGHEST_BASS = 52
"""E3: a bass line stays below."""
LEAST_LOWEST = 0.5
"""A bass note is the lowest that sounds for this share of its time at least."""


def bass_line(pitches: Pitches) -> NDArray[np.bool_]:
    """Skyline from below, bool `[notes]`: notes below E3 that are the lowest to sound for most of their time."""
    is_bass = np.zeros(len(pitches), bool)
    low = np.flatnonzero(pitches["pitch"] <= HIGHEST_BASS)
    for index in low:
        note = pitches[index]
        below = pitches[low][
            (pitches[low]["pitch"] < note["pitch"])
            & (pitches[low]["start"] < note["end"])
            & (pitches[low]["end"] > note["start"])
        ]
        covered = _covered(below, float(note["start"]), float(note["end"]))
        is_bass[index] = covered <= (1 - LEAST_LOWEST) * (note["end"] - note["start"])
    return is_bass


def _covered(notes: Pitches, start: float, end: float) -> float:
    """Seconds from `start` to `end` in which any of the notes, sorted by start, sounds."""
    seconds, reached = 0.0, start
    for note in notes:
        begin, stop = max(float(note["start"]), reached), min(float(note["end"]), end)
        if stop > begin:
            seconds += stop - begin
            reached = stop
    return seconds

"""Transcribed music for track sets that ask for voices: which of the notes that sound together is whose.

A transcription knows families of instruments. Track sets by register or by name ask for lines; they are made here.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from pipeline.scores.score import Events, Part, Score
from pipeline.settings.music import TracksSettings

TOGETHER = 0.2
"""Quarter notes: what begins nearer than this begins together."""
CROSSING = 12.0
"""Semitones of leap that a line makes rather than cross another that sounds."""


def fit_to_tracks(score: Score, tracks: TracksSettings) -> Score:
    """A transcription with the parts that a track set asks for.

    By program it stays as it is. By register its pitched notes become as many lines as there are pitched tracks. By
    name its highest line is the first pitched track, and all other notes are the last.
    """
    pitched = [track.name for track in tracks.tracks if not track.is_drum]
    own = [part for part in score.parts if not part.is_drum and len(part.events)]
    if tracks.assign == "program" or not own or len(pitched) < 2:
        return score
    events = np.concatenate([part.events for part in own])
    if tracks.assign == "register":
        lines = lines_of(events, len(pitched))
    else:
        high = highest_line(events)
        lines, pitched = [events[high], events[~high]], [pitched[0], pitched[-1]]
    parts = [Part(name, 0, False, line) for name, line in zip(pitched, lines, strict=True)]
    return replace(score, parts=(*parts, *(part for part in score.parts if part.is_drum)))


def highest_line(events: Events) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which notes are higher than all that sound when they begin, bool `[notes]`."""
    onset, end, pitch = events["onset"], events["onset"] + events["duration"], events["pitch"]
    return np.array(
        [
            not np.any((onset < start + TOGETHER) & (end > start + TOGETHER) & (pitch > own))
            for start, own in zip(onset.tolist(), pitch.tolist(), strict=True)
        ],
        bool,
    )


def lines_of(events: Events, count: int) -> list[Events]:
    """Notes as `count` lines that leap as little as they can, the highest first; each has one note at a time.

    Where more notes sound together than there are lines, the longest are kept.
    """
    events = events[np.argsort(events["onset"], kind="stable")]
    last = np.quantile(events["pitch"], (np.arange(count)[::-1] + 0.5) / count)
    ends = np.full(count, -np.inf)
    lines: list[list[int]] = [[] for _ in range(count)]
    first = 0
    while first < len(events):
        start = float(events["onset"][first])
        past = first + int(np.searchsorted(events["onset"][first:], start + TOGETHER))
        group = sorted(range(first, past), key=lambda one: -float(events["duration"][one]))[:count]
        group.sort(key=lambda one: -int(events["pitch"][one]))
        for line, index in zip(_places(events["pitch"][group], last, ends > start + TOGETHER), group, strict=True):
            if lines[line]:
                before = lines[line][-1]
                room = events["onset"][index] - events["onset"][before]
                events["duration"][before] = min(events["duration"][before], room)
            lines[line].append(index)
            last[line] = events["pitch"][index]
            ends[line] = events["onset"][index] + events["duration"][index]
        first = past
    return [events[np.array(line, int)] for line in lines]


def _places(
    pitches: np.ndarray[tuple[int], np.dtype[np.int16]],
    last: np.ndarray[tuple[int], np.dtype[np.float64]],
    held: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> tuple[int, ...]:
    """The lines, the highest first, that notes with these falling pitches go to, lines that sound only at need."""
    free = np.flatnonzero(~held).tolist()
    lines = free if len(free) >= len(pitches) else range(len(last))

    def cost(places: tuple[int, ...]) -> float:
        leaps = float(sum(abs(float(pitch) - last[place]) for pitch, place in zip(pitches, places, strict=True)))
        crossed = sum(
            bool(held[other] and other not in places and (last[other] - float(pitch)) * (place - other) < 0)
            for pitch, place in zip(pitches, places, strict=True)
            for other in range(len(last))
        )
        return leaps + CROSSING * crossed

    return min(combinations(lines, len(pitches)), key=cost)

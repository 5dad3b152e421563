"""Monophonic lines out of notes that sound at once: the lowest of a bass, the most certain of a voice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAME_SECONDS = 0.01
LEAST_LOWEST = 0.5
"""A note of the lowest line is the lowest to sound for this share of its time at least."""
LEAP_SECONDS = 0.01
"""What a leap costs for each semitone beyond an octave, in seconds of a note that is certain."""
LARGEST_FREE_LEAP = 12
SHORTEST_SECONDS = 0.05
"""What is left of a note that the next one cuts is dropped where it is shorter."""


def lowest_line(notes: NDArray[np.void]) -> NDArray[np.void]:
    """Skyline from below: the notes that are the lowest to sound for most of their time, one after the other.

    `notes` have `start`, `end`, `pitch` and `velocity`, sorted by start.
    """
    return one_after_another(notes[is_lowest(notes)])


def is_lowest(notes: NDArray[np.void]) -> NDArray[np.bool_]:
    """Which notes `lowest_line` takes, bool `[notes]`."""
    if not len(notes):
        return np.zeros(0, np.bool_)
    starts = np.rint(notes["start"] / FRAME_SECONDS).astype(int)
    ends = np.maximum(np.rint(notes["end"] / FRAME_SECONDS).astype(int), starts + 1)
    lowest = np.full(int(ends.max()), 128)
    for start, end, pitch in zip(starts, ends, notes["pitch"], strict=True):
        lowest[start:end] = np.minimum(lowest[start:end], pitch)
    shares = [
        np.mean(lowest[start:end] == pitch) for start, end, pitch in zip(starts, ends, notes["pitch"], strict=True)
    ]
    taken = np.flatnonzero(np.array(shares) >= LEAST_LOWEST)
    found = np.zeros(len(notes), np.bool_)
    found[taken[_is_long(_cut(notes[taken]))]] = True
    return found


def surest_line(notes: NDArray[np.void]) -> NDArray[np.void]:
    """Weighted interval scheduling: the line of notes, one after the other, that sounds longest and most certainly.

    A note weighs its seconds times its velocity, which is how sure the network is of it; less what it cuts off from
    the note before, and less the leap there where it is wider than an octave. `notes` as in `lowest_line`.
    """
    if not len(notes):
        return notes
    sure = notes["velocity"] / 127
    starts, ends, pitches = notes["start"], notes["end"], notes["pitch"].astype(int)
    best = sure * (ends - starts)
    before = np.full(len(notes), -1)
    for index in range(1, len(notes)):
        cut = np.maximum(ends[:index] - starts[index], 0) * sure[:index]
        leap = LEAP_SECONDS * np.maximum(np.abs(pitches[:index] - pitches[index]) - LARGEST_FREE_LEAP, 0)
        gain = best[:index] - cut - leap
        gain[starts[:index] > starts[index] - SHORTEST_SECONDS] = -np.inf
        if gain.max() > 0:
            before[index] = gain.argmax()
            best[index] += gain.max()
    index, line = int(best.argmax()), []
    while index >= 0:
        line.append(index)
        index = int(before[index])
    return one_after_another(notes[np.array(line[::-1])])


def one_after_another(notes: NDArray[np.void]) -> NDArray[np.void]:
    """Notes sorted by start, each cut where the next begins; of what is left the shortest are dropped."""
    cut = _cut(notes)
    return cut[_is_long(cut)]


def _cut(notes: NDArray[np.void]) -> NDArray[np.void]:
    """Notes sorted by start, each cut where the next begins."""
    cut = notes.copy()
    cut["end"][:-1] = np.minimum(cut["end"][:-1], cut["start"][1:])
    return cut


def _is_long(notes: NDArray[np.void]) -> NDArray[np.bool_]:
    return np.asarray(notes["end"] - notes["start"] >= SHORTEST_SECONDS - 1e-9)

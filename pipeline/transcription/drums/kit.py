"""The drums that are told apart, and what a found hit is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HIT = np.dtype([("start", np.float64), ("pitch", np.int16), ("velocity", np.int16)])
"""A drum hit: seconds from the beginning of the recording, General MIDI percussion key, velocity 1 to 127."""

KICK, SNARE, CLOSED_HAT, OPEN_HAT, CRASH, RIDE, LOW_TOM, HIGH_TOM = 36, 38, 42, 46, 49, 51, 45, 50

DRUMS = (KICK, SNARE, CLOSED_HAT, OPEN_HAT, CRASH, RIDE, LOW_TOM, HIGH_TOM)
"""The General MIDI keys that found hits have, in the order of the network's outputs."""

NAMES = ("kick", "snare", "closed hi-hat", "open hi-hat", "crash", "ride", "low tom", "high tom")
"""What each of `DRUMS` is called."""

SAME_DRUM = {
    **dict.fromkeys((35, 36), KICK),
    **dict.fromkeys((37, 38, 39, 40), SNARE),
    **dict.fromkeys((22, 42, 44), CLOSED_HAT),
    **dict.fromkeys((26, 46), OPEN_HAT),
    **dict.fromkeys((49, 52, 55, 57), CRASH),
    **dict.fromkeys((51, 53, 59), RIDE),
    **dict.fromkeys((41, 43, 45, 47, 58), LOW_TOM),
    **dict.fromkeys((48, 50), HIGH_TOM),
}
"""Which of `DRUMS` stands for a percussion key; side stick and clap count as snare.

Keys 22, 26 and 58 are the hat's edge, closed and open, and a tom's rim on Roland's electronic drums. Keys that are
missing here (tambourine, bongos, shakers and so on) are no part of a drum kit.
"""


def make_hits(start: NDArray[np.float64], pitch: NDArray[np.int64], velocity: NDArray[np.float64]) -> NDArray[np.void]:
    """Hits from three arrays of one length, sorted by start, then by pitch; velocities are rounded into 1 to 127."""
    hits = np.zeros(len(start), HIT)
    hits["start"], hits["pitch"] = start, pitch
    hits["velocity"] = np.clip(np.round(velocity), 1, 127)
    return np.sort(hits, order=("start", "pitch"))


NEAR = 4
"""Frames (40 ms) to either side among which a hit has the greatest chance."""

TOLERANCE_SECONDS = 0.05
"""A found hit is right when one was played within this time."""


def find_peaks(chances: NDArray[np.float32], threshold: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frames of the peaks at or above a threshold, and their places between frames, both in frames.

    Parameters
    ----------
    chances
        Of a hit in each frame, `[frames]`.
    threshold
        The least chance that counts.
    """
    from scipy.ndimage import maximum_filter1d

    if not len(chances):
        return np.zeros(0, np.int64), np.zeros(0)
    highest = maximum_filter1d(chances, 2 * NEAR + 1, mode="constant")
    peaks = np.flatnonzero((chances == highest) & (chances >= threshold))
    peaks = peaks[np.diff(peaks, prepend=-NEAR - 1) > NEAR]  # a plateau is one peak
    padded = np.pad(chances.astype(np.float64), 1)
    before, here, after = padded[peaks], padded[peaks + 1], padded[peaks + 2]
    bend = 2 * here - before - after
    return peaks, peaks + np.where(bend > 0, (after - before) / (2 * np.maximum(bend, 1e-9)), 0).clip(-0.5, 0.5)


def count_matches(found: NDArray[np.float64], played: NDArray[np.float64]) -> int:
    """How many found times have a played one of their own within `TOLERANCE_SECONDS`; both are sorted, in seconds."""
    matches = first = 0
    for when in found:
        while first < len(played) and played[first] < when - TOLERANCE_SECONDS:
            first += 1
        if first < len(played) and played[first] <= when + TOLERANCE_SECONDS:
            matches, first = matches + 1, first + 1
    return matches


def f1(matches: int, found: int, played: int) -> float:
    """Harmonic mean of precision and recall; NaN where nothing was played and nothing found."""
    return 2 * matches / (found + played) if found + played else float("nan")

"""Hits out of a chance for each frame, and how well they agree with the hits that were played."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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

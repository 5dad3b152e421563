"""Structureness indicators (Wu and Yang 2020, arXiv 2008.01307): how much of a song its best repeated part explains.

Their indicator is the highest value of the fitness scape plot (Müller, Jiang and Grosche 2013) among segments of a
range of lengths. The fitness of a segment is the harmonic mean of how alike its repetitions are and how much of the
song they cover, both without the segment itself. Here the self-similarity matrix is that of the bars of the notes
instead of frames of synthesised sound, segments are whole bars, and repetitions are as long as the segment (paths are
diagonals: bars have no tempo to warp). What is less alike than `THRESHOLD` costs `PENALTY`, as in their toolbox, which
thresholds relatively; an absolute threshold lets a song without any repetition have none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.5
"""Likeness of bars that counts as repetition: the rest is scaled to 0 to 1 above it."""
PENALTY = -2.0
RANGES = {"short": (3.0, 8.0), "middle": (8.0, 15.0), "long": (15.0, np.inf)}
"""Lengths of segments in seconds, by name: above the first, up to the second."""


def structureness(alike: NDArray[np.floating[Any]], bar_seconds: float) -> dict[str, float]:
    """The indicator of each of `RANGES`, 0 (nothing returns) to 1.

    Parameters
    ----------
    alike
        Self-similarity matrix of the song's bars, `[bars, bars]`, 0 to 1.
    bar_seconds
        Length of a bar. NaN for a range that no segment of half the song or less falls in.
    """
    best = fitness_scape(alike)
    seconds = bar_seconds * np.arange(1, len(best) + 1)
    found = {}
    for name, (low, high) in RANGES.items():
        inside = best[(seconds > low) & (seconds <= high)]
        found[name] = float(inside.max()) if len(inside) else float("nan")
    return found


def fitness_scape(alike: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """The best fitness among segments of each length in bars, from 1 up to half the song: `[bars // 2]`."""
    bars = len(alike)
    score = np.where(alike >= THRESHOLD, (alike - THRESHOLD) / (1 - THRESHOLD), PENALTY).astype(np.float64)
    np.fill_diagonal(score, 1.0)
    diagonals = np.zeros((bars + 1, bars + 1))  # sums of `length` entries down the diagonal from each place
    best = np.zeros(bars // 2)
    for length in range(1, bars // 2 + 1):
        diagonals = diagonals[:-1, :-1] + score[length - 1 :, length - 1 :]
        best[length - 1] = _fitness(diagonals, length, bars).max()
    return best


def _fitness(paths: NDArray[np.float64], length: int, bars: int) -> NDArray[np.float64]:
    """Fitness of each segment of a length, `[starts]`; `paths` are scores of a segment's likeness to each other place.

    The repetitions are those, not overlapping, whose scores have the highest sum (dynamic programming over their ends).
    """
    count = len(paths)
    sums, numbers = np.zeros((bars + 1, count)), np.zeros((bars + 1, count))
    for end in range(1, bars + 1):
        sums[end], numbers[end] = sums[end - 1], numbers[end - 1]
        if end >= length:
            taken = sums[end - length] + paths[:, end - length]
            better = taken > sums[end]
            sums[end] = np.where(better, taken, sums[end])
            numbers[end] = np.where(better, numbers[end - length] + 1, numbers[end])
    covered = numbers[bars] * length
    alike = np.maximum(sums[bars] - length, 0) / np.maximum(covered, 1)
    coverage = np.maximum(covered - length, 0) / bars
    fitness: NDArray[np.float64] = 2 * alike * coverage / np.maximum(alike + coverage, 1e-9)
    return fitness

"""Cross-similarity of a song and a sample that is transposed and played faster or slower: which of that fits best.

For each transposition the similarity of all pairs of frames is one product of matrices; sums along its lines of each
slope, over windows of some seconds, say how well the sample fits there at each speed. No tempo is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dataset.sample_identification.features import BINS_PER_SEMITONE, Matrix
from pipeline.scores.midi.events import compiled

HIGHEST_SEMITONES = 12
"""Transpositions up and down are tried so far."""
SPEEDS = (0.6, 1.68)
"""How many times as fast the sample may play, at least and at most."""
COARSE_OCTAVE, FINE_OCTAVE = 28, 140
"""Speeds in an octave that are tried for the transposition, and for the speed itself."""
COARSE_BLOCK, COARSE_BLOCKS = 11, 4
"""Frames (of two) of a block, and blocks of a window, by which transpositions are found: 4.4 s, each 1.1 s."""
FINE_BLOCK, FINE_BLOCKS = 22, 5
OUTSTANDING = 0.99
"""What a window's scores exceed this share of all its scores by says something of the transposition."""


@dataclass(frozen=True)
class Transposition:
    """A transposition in thirds of a semitone, and how much speaks for it."""

    bins: int
    evidence: float


def speeds(steps_per_octave: int) -> NDArray[np.float64]:
    """Evenly spaced speeds (in octaves) between the limits; 1 is among them."""
    low, high = (np.log2(one) * steps_per_octave for one in SPEEDS)
    return np.asarray(2 ** (np.arange(np.ceil(low), np.floor(high) + 1) / steps_per_octave), np.float64)


def cross_similarity(song: Matrix, sample: Matrix, bins: int) -> Matrix:
    """Similarity `[song frames, sample frames]` with the sample moved up by `bins`."""
    count = song.shape[1]
    shared = count - abs(bins)
    product = song[:, max(bins, 0) :][:, :shared] @ sample[:, max(-bins, 0) :][:, :shared].T
    scaled: Matrix = product * np.float32(count / shared)
    return scaled


def likely_transpositions(song: Matrix, sample: Matrix, count: int) -> list[Transposition]:
    """The transpositions that fit best in most windows of the song, most likely first, two bins apart at least."""
    song, sample = song[::2], sample[::2]
    bins = np.arange(-HIGHEST_SEMITONES * BINS_PER_SEMITONE, HIGHEST_SEMITONES * BINS_PER_SEMITONE + 1)
    tried = speeds(COARSE_OCTAVE)
    scores = np.stack(
        [
            window_scores(cross_similarity(song, sample, one), tried, COARSE_BLOCK, COARSE_BLOCKS)
            for one in bins.tolist()
        ]
    )
    usual = np.quantile(scores, OUTSTANDING, axis=(0, 1), keepdims=True)
    evidence = np.maximum(scores - usual, 0).sum(axis=2).max(axis=1)
    found: list[Transposition] = []
    while len(found) < count and evidence.max() > 0:
        best = int(evidence.argmax())
        found.append(Transposition(int(bins[best]), float(evidence[best])))
        evidence[max(best - 2, 0) : best + 3] = 0
    return found


def likely_speed(song: Matrix, sample: Matrix, bins: int) -> float:
    """How many times as fast as by itself the sample plays in the song, by their onsets."""
    tried = speeds(FINE_OCTAVE)
    scores = window_scores(cross_similarity(song, sample, bins), tried, FINE_BLOCK, FINE_BLOCKS)
    evidence = np.maximum(scores - np.median(scores, axis=0), 0).sum(axis=1)
    return float(tried[evidence.argmax()])


def window_scores(similarity: Matrix, tried: NDArray[np.float64], block: int, blocks: int) -> Matrix:
    """For each speed and each window of the song the best mean along a line of that slope, `[speeds, windows]`."""
    num_blocks = max(len(similarity) // block, 1)
    windows = max(num_blocks - blocks + 1, 1)
    scores = np.zeros((len(tried), windows), np.float32)
    rows = similarity if len(similarity) >= block else np.pad(similarity, ((0, block - len(similarity)), (0, 0)))
    compiled(_best_lines)(np.ascontiguousarray(rows), tried, block, blocks, num_blocks, scores)
    return scores / np.float32(block * blocks)


def _best_lines(
    rows: Matrix, tried: NDArray[np.float64], block: int, blocks: int, num_blocks: int, scores: Matrix
) -> None:
    """Fill `scores` with the largest sum along lines in each window; `numba` compiles this."""
    width = rows.shape[1]
    sums = np.zeros((num_blocks, width), np.float32)
    line = np.zeros(width, np.float32)
    for number in range(len(tried)):
        speed = tried[number]
        for one in range(num_blocks):
            total = sums[one]
            total[:] = 0
            for frame in range(block):
                ahead = round(speed * frame)
                row = rows[one * block + frame]
                for at in range(width - ahead):
                    total[at] += row[at + ahead]
        span = min(round(speed * block * blocks), width - 1)
        for window in range(scores.shape[1]):
            line[:] = 0
            for one in range(min(blocks, num_blocks)):
                ahead = round(speed * one * block)
                total = sums[window + one]
                for at in range(width - ahead):
                    line[at] += total[at + ahead]
            scores[number, window] = line[: width - span].max()

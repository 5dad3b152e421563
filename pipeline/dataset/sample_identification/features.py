"""Features of sound for matching: a whitened constant-Q spectrum of what is held, and its onsets (spectral flux).

Bins are a third of a semitone wide, so that a transposition moves them by whole bins, and lie where neither bass nor
cymbals do. Medians along time take drums away (Fitzgerald 2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ

Matrix = NDArray[np.float32]

RATE_HZ = 16000
"""The sound is resampled to this rate first."""
FRAME_SECONDS = 0.05
BINS_PER_SEMITONE, OCTAVES, LOWEST_HZ = 3, 5, 220.0
NUM_BINS = 12 * BINS_PER_SEMITONE * OCTAVES
HELD_WINDOW, HELD_MEDIAN = 8192, 9
"""Samples of a spectrum, and frames of the median, of what is held."""
ONSET_WINDOW, ONSET_MEDIAN, ONSET_FRAMES = 4096, 3, 2
"""The same of onsets, and over how many frames they rise."""
FLOOR = 1e-5
"""Of the power of loud frames."""
QUIET = 0.3
"""Frames whose norm is below this share of the median count less."""
BLOCK = 256
"""Frames that are transformed at once."""


@dataclass(frozen=True, eq=False)
class MatchingFeatures:
    """What a recording is matched by: `held` and `onsets`, float32 `[frames, NUM_BINS]`, of unit norm mostly."""

    held: Matrix
    onsets: Matrix

    def __len__(self) -> int:
        return len(self.held)


def matching_features(samples: NDArray[np.float32]) -> MatchingFeatures:
    """Features of sound, float32 `[samples]` at `SAMPLE_RATE_HZ`; some 0.3 s for a minute and a half."""
    import soxr

    sound = soxr.resample(samples, SAMPLE_RATE_HZ, RATE_HZ).astype(np.float32)
    held = _unit_norm(_whitened(_band_power(sound, HELD_WINDOW), HELD_MEDIAN), QUIET)
    levels = _unit_norm(_whitened(_band_power(sound, ONSET_WINDOW), ONSET_MEDIAN), QUIET)
    rise = np.zeros_like(levels)
    rise[ONSET_FRAMES:] = np.maximum(levels[ONSET_FRAMES:] - levels[:-ONSET_FRAMES], 0)
    count = min(len(held), len(rise))
    return MatchingFeatures(held[:count], _unit_norm(rise, 1.0)[:count])


def _band_power(sound: Matrix, window: int) -> Matrix:
    """Power in bins a third of a semitone wide, `[frames, NUM_BINS]`: the spectrum integrated between their edges."""
    octaves = (np.arange(NUM_BINS + 1) - 0.5) / (12 * BINS_PER_SEMITONE)
    edges = LOWEST_HZ * 2**octaves * window / RATE_HZ + 0.5
    below = edges.astype(int)
    share = edges - below
    rows = []
    for power in _spectra(sound, window):
        total = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, axis=1, dtype=np.float64)], axis=1)
        at_edges = total[:, below] * (1 - share) + total[:, below + 1] * share
        rows.append(np.diff(at_edges, axis=1) / np.diff(edges))
    return np.concatenate(rows).astype(np.float32)


def _spectra(sound: Matrix, window: int) -> Iterator[Matrix]:
    """Blocks of power spectra, `[frames, window / 2 + 1]`."""
    from scipy.fft import rfft

    padded = np.pad(sound, (window // 2, window // 2))
    hop = round(FRAME_SECONDS * RATE_HZ)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    taper = np.hanning(window).astype(np.float32)
    for begin in range(0, len(frames), BLOCK):
        yield np.square(np.abs(rfft(frames[begin : begin + BLOCK] * taper, axis=1)))


def _whitened(power: Matrix, median: int) -> Matrix:
    """Log power after a median along time, less its mean over an octave, rectified."""
    from scipy.ndimage import median_filter, uniform_filter1d

    power = median_filter(power, (median, 1))
    loud = max(float(np.quantile(power.max(axis=1), 0.9)), 1e-20)
    level = np.log(power + FLOOR * loud)
    octave = 12 * BINS_PER_SEMITONE + 1
    rectified: Matrix = np.maximum(level - uniform_filter1d(level, octave, axis=1, mode="nearest"), 0)
    return rectified


def _unit_norm(rows: Matrix, quiet: float) -> Matrix:
    """Rows of unit norm; those with less than `quiet` times the median norm stay shorter."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Matrix = rows / np.maximum(norms, max(quiet * float(np.median(norms)), 1e-6)).astype(np.float32)
    return scaled

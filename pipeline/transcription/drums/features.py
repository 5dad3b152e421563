"""Mel-like band power of a recording: 64 bands, 100 frames a second."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ

FFT, HOP = 2048, 441
FRAMES_PER_SECOND = SAMPLE_RATE_HZ / HOP
BANDS = 64
LOWEST_HZ, HIGHEST_HZ = 20.0, 16000.0

BEND_HZ = 400.0
"""Below it bands are about equally wide (27 Hz, a bin of the transform), above it in proportion to their frequency."""

BLOCK_FRAMES = 2048
"""Frames that are transformed at once: 34 MB."""


@cache
def band_centres() -> NDArray[np.float64]:
    """Middle of each band in hertz, `[BANDS]`."""
    return _edges()[1:-1]


def band_power(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Short-time band power, `[frames, BANDS]`; frame `n` is centred on second `n / FRAMES_PER_SECOND`.

    Parameters
    ----------
    samples
        Mono sound `[samples]` at `SAMPLE_RATE_HZ`; any length.
    """
    from scipy.fft import rfft

    frames = len(samples) // HOP + 1
    padded = np.pad(np.asarray(samples, np.float32), (FFT // 2, FFT // 2 + HOP))
    windows = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:frames]
    window, weights = np.hanning(FFT + 1)[:FFT].astype(np.float32), _weights()
    power = np.empty((frames, BANDS), np.float32)
    for first in range(0, frames, BLOCK_FRAMES):
        spectrum = rfft(windows[first : first + BLOCK_FRAMES] * window, axis=1)
        power[first : first + BLOCK_FRAMES] = (spectrum.real**2 + spectrum.imag**2) @ weights
    return power


@cache
def _edges() -> NDArray[np.float64]:
    """Frequencies where triangles begin, peak and end, in hertz, `[BANDS + 2]`."""
    scale = np.linspace(np.arcsinh(LOWEST_HZ / BEND_HZ), np.arcsinh(HIGHEST_HZ / BEND_HZ), BANDS + 2)
    return BEND_HZ * np.sinh(scale)


@cache
def _weights() -> NDArray[np.float32]:
    """Triangles over the bins of the transform, `[FFT // 2 + 1, BANDS]`; a full-scale sine has power about 1 / 4."""
    bins, edges = np.arange(FFT // 2 + 1) * SAMPLE_RATE_HZ / FFT, _edges()
    rising = (bins[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - bins[:, None]) / np.diff(edges)[1:]
    weights = np.maximum(np.minimum(rising, falling), 0) / (FFT / 2) ** 2
    return weights.astype(np.float32)

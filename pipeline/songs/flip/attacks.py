"""Attacks near a moment, to a few milliseconds: where a note is struck, and how far two passages lie apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import Sound

FRAME, HOP = 1024, 44
"""Samples of a spectrum, and between two: about a millisecond."""
LAG = 10
"""Flux is what has come since so many spectra before."""
LOWEST_BIN = 8
"""Lower ones (340 Hz) waver with the waves of a bass."""
SEARCH_SECONDS = 0.03
"""An attack belongs to a beat that is no further away."""
EARLY_SECONDS = 0.004
"""A loop begins so long before its attack."""
CLEAR = 2.2
"""An attack has so many times the median flux around it."""
RISE = 0.15
"""With it comes at least this part of what sounds."""
FOOT = 0.5
"""It begins where the flux rises above this part of its peak."""
AROUND_SECONDS = 0.15
LIKE = 0.5
"""Passages are the same from this correlation of their flux on."""
COMPARED_SECONDS = 0.4

Floats = NDArray[np.float64]


def flux_and_level(sound: Sound, begin: int, end: int) -> tuple[Floats, Floats]:
    """Spectral flux and level of a sound from sample `begin` to `end`, a value every `HOP` samples each.

    Both are sums of logarithmic magnitudes: what has come in `LAG` spectra, and what sounds. Outside it is silent.
    """
    first, last = begin - FRAME // 2 - LAG * HOP, end + FRAME // 2
    own = sound[max(first, 0) : max(last, 0)].mean(axis=1)
    before = max(-first, 0)
    mono = np.pad(own, (before, max(last - first - len(own) - before, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(mono, FRAME)[::HOP]
    spectra = np.abs(np.fft.rfft(windows * np.hanning(FRAME), axis=1))[:, LOWEST_BIN:]
    magnitudes = np.log1p(spectra / max(float(np.quantile(spectra, 0.9)), 1e-9))
    flux = np.maximum(magnitudes[LAG:] - magnitudes[:-LAG], 0).sum(axis=1)
    return flux.astype(np.float64), magnitudes[LAG:].sum(axis=1).astype(np.float64)


def attack_near(sound: Sound, sample: int) -> int | None:
    """The sample at which something is struck within `SEARCH_SECONDS` of another, None where nothing clearly is."""
    around, search = (round(seconds * SAMPLE_RATE_HZ) for seconds in (AROUND_SECONDS, SEARCH_SECONDS))
    flux, level = flux_and_level(sound, sample - around, sample + around)
    offsets = np.arange(len(flux)) * HOP - around
    near = np.flatnonzero(np.abs(offsets) <= search)
    peak = int(near[flux[near].argmax()])
    if flux[peak] <= CLEAR * float(np.median(flux)) or flux[peak] < RISE * level[peak : peak + LAG].max():
        return None
    foot = peak
    while foot > 0 and flux[foot - 1] > FOOT * flux[peak]:
        foot -= 1
    return max(sample + int(offsets[foot]), 0)


def displacement(sound: Sound, one: int, other: int) -> int:
    """By how many samples the passage at `other` has to move to have its attacks where that at `one` has them.

    0 where the two are not alike.
    """
    before, length = round(SEARCH_SECONDS * SAMPLE_RATE_HZ), round(COMPARED_SECONDS * SAMPLE_RATE_HZ)
    pattern, _ = flux_and_level(sound, one - before, one + length)
    wide, _ = flux_and_level(sound, other - 2 * before, other + length + before)
    windows = np.lib.stride_tricks.sliding_window_view(wide, len(pattern))
    centred = windows - windows.mean(axis=1, keepdims=True)
    own = pattern - pattern.mean()
    scale = np.linalg.norm(centred, axis=1) * np.linalg.norm(own)
    correlation = centred @ own / np.maximum(scale, 1e-12)
    best = int(correlation.argmax())
    return best * HOP - before if correlation[best] >= LIKE else 0

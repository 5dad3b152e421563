"""Drum hits in a recording: when, which drum, how loud.

A small network (`drum_network`), trained by `drum_training` on rendered drums with music beside them, gives each drum a
chance in each hundredth of a second; hits are the peaks of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.drums.features import FRAMES_PER_SECOND, band_power
from pipeline.transcription.drums.kit import CLOSED_HAT, DRUMS, HIT, KICK, OPEN_HAT, find_peaks, make_hits

__all__ = ["HIT", "find_drum_hits"]

FEWEST_A_MINUTE = 10
"""A recording where fewer hits a minute are certain has no drums, and none is given.

Kicks do not count: a plucked bass is taken for one now and then, and seldom is a kick the only drum.
"""

CERTAIN = 0.7
"""Chance from which a hit counts as certain."""

SOUNDING = 1e-4
"""Power of a frame, as a part of the loudest one's, that counts as sound (-40 decibels)."""

SILENT = 1e-10
"""Power of the loudest frame of a recording that is silent (-100 decibels)."""

HAT_APART = 3
"""Frames within which the hi-hat is struck once, open or closed."""


def find_drum_hits(samples: NDArray[np.float32]) -> NDArray[np.void]:
    """The drum hits of a recording.

    Parameters
    ----------
    samples
        Mono sound `[samples]` at 44,100 Hz.

    Returns
    -------
    Array of `HIT`, sorted by start; empty where nothing sounds like a drum kit.

    Raises
    ------
    UserError
        The file of weights is damaged.
    """
    from pipeline.transcription.drums.network import activations, load_network

    power = band_power(samples)
    loudness = power.sum(axis=1)
    if loudness.max() <= SILENT:
        return np.zeros(0, HIT)
    minutes = np.count_nonzero(loudness > SOUNDING * loudness.max()) / FRAMES_PER_SECOND / 60
    network, thresholds = load_network()
    chances, strengths = activations(network, power)
    return _hits(chances, strengths, thresholds, minutes)


def _hits(
    chances: NDArray[np.float32], strengths: NDArray[np.float32], thresholds: NDArray[np.float32], minutes: float
) -> NDArray[np.void]:
    """Hits from chances and strengths `[frames, drums]` and the thresholds of the drums."""
    starts, pitches, velocities, certain = [], [], [], 0
    unlike = {CLOSED_HAT: OPEN_HAT, OPEN_HAT: CLOSED_HAT}
    for column, pitch in enumerate(DRUMS):
        peaks, places = find_peaks(chances[:, column], float(thresholds[column]))
        if pitch in unlike:
            other = DRUMS.index(unlike[pitch])
            sure = _sureness(chances[:, column], thresholds[column])[peaks]
            rivals = _around(_sureness(chances[:, other], thresholds[other]), peaks)
            kept = (sure > rivals) | ((sure == rivals) & (pitch == CLOSED_HAT))
            peaks, places = peaks[kept], places[kept]
        if pitch != KICK:
            certain += int((chances[peaks, column] >= CERTAIN).sum())
        starts.append(np.maximum(places, 0) / FRAMES_PER_SECOND)
        pitches.append(np.full(len(peaks), pitch))
        velocities.append(127 * strengths[peaks, column].astype(np.float64))
    if certain < FEWEST_A_MINUTE * minutes:
        return np.zeros(0, HIT)
    return make_hits(np.concatenate(starts), np.concatenate(pitches), np.concatenate(velocities))


def _sureness(chances: NDArray[np.float32], threshold: np.float32) -> NDArray[np.float32]:
    """How far a chance is above its threshold: 0 at it, 1 when certain."""
    sure: NDArray[np.float32] = (chances - threshold) / (1 - threshold)
    return sure


def _around(values: NDArray[np.float32], frames: NDArray[np.int64]) -> NDArray[np.float32]:
    """The greatest value within `HAT_APART` of each frame."""
    from scipy.ndimage import maximum_filter1d

    highest: NDArray[np.float32] = maximum_filter1d(values, 2 * HAT_APART + 1)[frames]
    return highest

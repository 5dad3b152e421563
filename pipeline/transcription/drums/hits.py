"""Drum transcription: onset detection of each drum by a network and peak picking.

A small network (`network`), trained on rendered drums with music beside them (`training.drums`), gives each drum a
probability in each hundredth of a second; hits are the peaks above the drum's threshold, which comes with the weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.drums.bandwidth import band_limit, continued_spectrum
from pipeline.transcription.drums.drum_map import (
    CLOSED_HAT,
    CRASH,
    DRUMS,
    HIT,
    KICK,
    OPEN_HAT,
    RIDE,
    make_hits,
)
from pipeline.transcription.drums.features import FRAMES_PER_SECOND, band_power

FEWEST_A_MINUTE = 10
"""A recording where fewer hits a minute are certain counts as one without drums.

Kicks do not count: a plucked bass is taken for one now and then, and seldom is a kick the only drum.
"""

CERTAIN = 0.7
"""Probability from which a hit counts as certain."""

SOUNDING = 1e-4
"""Power of a frame, as a part of the loudest one's, that counts as sound (-40 decibels)."""

SILENT = 1e-10
"""Power of the loudest frame of a recording that is silent (-100 decibels)."""

RIVALS = {CLOSED_HAT: OPEN_HAT, OPEN_HAT: CLOSED_HAT, CRASH: RIDE, RIDE: CRASH}
"""Drums that are taken for one another: of two that are found at once only the surer one counts."""

RIVALS_APART = 3
"""Frames within which rivals count as struck at once."""

NEAR = 4
"""Frames (40 ms) to either side among which a hit has the greatest probability."""


def find_drum_hits(samples: NDArray[np.float32]) -> NDArray[np.void]:
    """Drum transcription of a recording.

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
    return hits_of_power(band_power(samples))


def hits_of_power(power: NDArray[np.float32]) -> NDArray[np.void]:
    """Drum transcription of a recording's band power, `[frames, BANDS]`; else like `find_drum_hits`."""
    from pipeline.transcription.drums.network import activations, load_network

    limit = band_limit(power)
    if limit is not None:
        power = continued_spectrum(power, limit)
    loudness = power.sum(axis=1)
    if loudness.max() <= SILENT:
        return np.zeros(0, HIT)
    minutes = np.count_nonzero(loudness > SOUNDING * loudness.max()) / FRAMES_PER_SECOND / 60
    network, thresholds = load_network()
    probabilities, strengths = activations(network, power)
    return _pick_hits(probabilities, strengths, thresholds, minutes)


def find_peaks(probabilities: NDArray[np.float32], threshold: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Peak picking: frames of the peaks at or above a threshold, and their parabolic places between frames.

    Parameters
    ----------
    probabilities
        Of a hit in each frame, `[frames]`.
    threshold
        The least probability that counts.
    """
    from scipy.ndimage import maximum_filter1d

    if not len(probabilities):
        return np.zeros(0, np.int64), np.zeros(0)
    highest = maximum_filter1d(probabilities, 2 * NEAR + 1, mode="constant")
    peaks = np.flatnonzero((probabilities == highest) & (probabilities >= threshold))
    peaks = peaks[np.diff(peaks, prepend=-NEAR - 1) > NEAR]  # a plateau is one peak
    padded = np.pad(probabilities.astype(np.float64), 1)
    before, here, after = padded[peaks], padded[peaks + 1], padded[peaks + 2]
    bend = 2 * here - before - after
    return peaks, peaks + np.where(bend > 0, (after - before) / (2 * np.maximum(bend, 1e-9)), 0).clip(-0.5, 0.5)


def _pick_hits(
    probabilities: NDArray[np.float32], strengths: NDArray[np.float32], thresholds: NDArray[np.float32], minutes: float
) -> NDArray[np.void]:
    """Hits from probabilities and strengths `[frames, drums]` and the thresholds of the drums."""
    starts, pitches, velocities, certain = [], [], [], 0
    for column, pitch in enumerate(DRUMS):
        peaks, places = find_peaks(probabilities[:, column], float(thresholds[column]))
        if pitch in RIVALS:
            other = DRUMS.index(RIVALS[pitch])
            sure = _margin(probabilities[:, column], thresholds[column])[peaks]
            rivals = _around(_margin(probabilities[:, other], thresholds[other]), peaks)
            kept = (sure > rivals) | ((sure == rivals) & (column < other))
            peaks, places = peaks[kept], places[kept]
        if pitch != KICK:
            certain += int((probabilities[peaks, column] >= CERTAIN).sum())
        starts.append(np.maximum(places, 0) / FRAMES_PER_SECOND)
        pitches.append(np.full(len(peaks), pitch))
        velocities.append(127 * strengths[peaks, column].astype(np.float64))
    if certain < FEWEST_A_MINUTE * minutes:
        return np.zeros(0, HIT)
    return make_hits(np.concatenate(starts), np.concatenate(pitches), np.concatenate(velocities))


def _margin(probabilities: NDArray[np.float32], threshold: np.float32) -> NDArray[np.float32]:
    """How far a probability is above its threshold: 0 at it, 1 when certain."""
    sure: NDArray[np.float32] = (probabilities - threshold) / (1 - threshold)
    return sure


def _around(values: NDArray[np.float32], frames: NDArray[np.int64]) -> NDArray[np.float32]:
    """Maximum filter: the greatest value within `RIVALS_APART` of each frame."""
    from scipy.ndimage import maximum_filter1d

    highest: NDArray[np.float32] = maximum_filter1d(values, 2 * RIVALS_APART + 1)[frames]
    return highest

"""Repeated bars of a recording by its sound: the self-similarity matrix of its bars (Foote 1999).

Loops and strophes sound alike where their notes are misheard each time in another way, so the sound says which bars
return more surely than the notes do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.structure.song_plan import NEW
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.instruments.features import FRAMES_PER_SECOND, RANGE_DB, Bytes

STEPS_PER_BAR = 16
"""Moments of a bar whose spectra are compared."""
COMPARED_DB = 50.0
"""What is softer than the loudest by more than this is not compared."""
SAME_DB = 3.5
"""Bars whose spectra differ by less in the root mean square sound the same.

Of bars of rendered game music that are the same note for note 95 in 100 differ by less, of those that share four fifths
of their notes half do, of those that share less than three fifths 2 in 100.
"""
SAME_CORRELATION = 0.85
"""So do bars whose spectra, less the mean of all bars, have a greater correlation, as in played and noisy music: nine
tenths of the equal ones, and 1 in 100 of those that share less than three fifths."""


def repeated_bars(spectrum: Bytes, beats: Beats, bars: int) -> NDArray[np.int64]:
    """For each bar the earlier bar that it sounds most like, `NEW` where it sounds like none, `[bars]`.

    Parameters
    ----------
    spectrum
        Levels of the semitones of the whole recording, bytes `[frames, NUM_BINS]`.
    beats
        The grid.
    bars
        Bars from the first bar line on.
    """
    found = np.full(bars, NEW, np.int64)
    if bars < 2:
        return found
    levels = _bar_spectra(spectrum, beats, bars).astype(np.float64)
    sounding = np.count_nonzero(levels, axis=1)
    distance = np.sqrt(_squared_distances(levels) / np.maximum((sounding[:, None] + sounding[None]) / 2, 1))
    centred = levels - levels.mean(axis=0)
    centred /= np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)
    correlation = centred @ centred.T
    silent = (sounding == 0)[:, None] | (sounding == 0)[None] | (np.tri(bars, k=-1) == 0)
    same = ((distance <= SAME_DB) | (correlation >= SAME_CORRELATION)) & ~silent
    nearest = np.where(same, distance, np.inf).argmin(axis=1)
    found[same.any(axis=1)] = nearest[same.any(axis=1)]
    return found


def _squared_distances(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared Euclidean distance of each two of `[vectors, values]`."""
    power = (vectors**2).sum(axis=1)
    return np.asarray(np.maximum(power[:, None] + power[None] - 2 * (vectors @ vectors.T), 0))


def _bar_spectra(spectrum: Bytes, beats: Beats, bars: int) -> NDArray[np.float32]:
    """Mean levels at the moments of each bar in decibels above the softest that are compared, `[bars, levels]`."""
    places = np.arange(bars * STEPS_PER_BAR + 1) * (beats.beats_per_bar / STEPS_PER_BAR)
    edges = np.clip(np.rint(beats.moments(places) * FRAMES_PER_SECOND), 0, len(spectrum)).astype(np.int64)
    levels = np.maximum(spectrum.astype(np.float32) * (RANGE_DB / 255) - (RANGE_DB - COMPARED_DB), 0)
    sums = np.concatenate([np.zeros((1, levels.shape[1])), np.cumsum(levels, axis=0, dtype=np.float64)])
    means = (sums[edges[1:]] - sums[edges[:-1]]) / np.maximum(np.diff(edges), 1)[:, None]
    return np.asarray(means.reshape(bars, -1), np.float32)

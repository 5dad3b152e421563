"""Tempo estimation: a tempogram of the onsets, and the tempo followed through it by Viterbi.

The predominant local pulse of Grosche and Mueller ("Extracting predominant local pulse information from music
recordings", IEEE TASLP 2011), summed over beat, eighth, triplet and sixteenth level under a log-normal prior. Whether
that is the tempo, its double or half, `metrical_levels` decides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.beats.onsets import Floats, Onsets

RATE_HZ = 100
"""Frames a second of the onsets' strength."""
HOP_SECONDS = 0.5
"""From one window of the tempogram to the next."""
HARMONICS = ((1, 1.0), (2, 0.8), (4, 0.6), (3, 0.3))
"""Divisions of a beat at which onsets speak for a tempo, and how much."""

_WINDOW_SECONDS = 10.0
_SLOWEST_BPM, _FASTEST_BPM = 45.0, 220.0
_PER_OCTAVE = 60
_USUAL_BPM, _SPREAD_OCTAVES = 105.0, 0.6
_DRIFT_COST = 1.0  # for each bin (1.2 %) that the tempo moves in half a second
_JUMP_COST = 12.0  # for a change of tempo at once


def tempo_candidates(bpm: float | None) -> Floats:
    """`[tempos]` in beats a minute, evenly spaced by their logarithm; within 2 % of a given one."""
    if bpm is not None:
        return np.geomspace(bpm / 1.02, bpm * 1.02, 9)
    octaves = np.log2(_FASTEST_BPM / _SLOWEST_BPM)
    return np.geomspace(_SLOWEST_BPM, _FASTEST_BPM, int(octaves * _PER_OCTAVE) + 1)


def tempogram(onsets: Onsets, tempos: Floats, bpm: float | None) -> Floats:
    """Fourier tempogram `[windows, tempos]` of the onsets, under a log-normal prior where no tempo is given.

    About 1 where all onsets lie on one tempo. Windows last ten seconds and begin every half second.
    """
    length, hop = int(_WINDOW_SECONDS * RATE_HZ), int(HOP_SECONDS * RATE_HZ)
    strength = np.zeros(int(onsets.seconds[-1] * RATE_HZ) + 2 * length)
    frame = onsets.seconds * RATE_HZ + length / 2
    below = frame.astype(int)
    np.add.at(strength, below, onsets.weights * (1 - frame + below))
    np.add.at(strength, below + 1, onsets.weights * (frame - below))
    starts = np.arange(0, len(strength) - length + 1, hop)
    windows = strength[starts[:, None] + np.arange(length)] * np.hanning(length)
    size = 8192
    spectrum = np.abs(np.fft.rfft(windows, size))
    spectrum /= np.maximum(spectrum[:, :1], 1.0)
    hz = tempos / 60
    total = np.zeros((len(starts), len(tempos)))
    for harmonic, weight in HARMONICS:
        at = hz * harmonic * size / RATE_HZ
        low = at.astype(int)
        total += weight * (spectrum[:, low] * (1 - at + low) + spectrum[:, low + 1] * (at - low))
    if bpm is None:
        total *= np.exp(-0.5 * (np.log2(tempos / _USUAL_BPM) / _SPREAD_OCTAVES) ** 2)
    return total


def tempo_path(strengths: Floats) -> NDArray[np.intp]:
    """Viterbi: `[windows]`, the number of the tempo in each window on the best path through a tempogram."""
    windows, tempos = strengths.shape
    gain = strengths * 4
    apart = np.abs(np.arange(tempos)[:, None] - np.arange(tempos))
    cost = np.minimum(_DRIFT_COST * apart, _JUMP_COST)
    score, previous = gain[0], np.zeros((windows, tempos), np.intp)
    for index in range(1, windows):
        options = score[None, :] - cost
        previous[index] = options.argmax(axis=1)
        score = gain[index] + options[np.arange(tempos), previous[index]]
    path = np.zeros(windows, np.intp)
    path[-1] = score.argmax()
    for index in range(windows - 1, 0, -1):
        path[index - 1] = previous[index, path[index]]
    return path

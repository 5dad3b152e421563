"""Tuning of a sound: by how many cents its notes lie above or below those of A = 440 Hz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.audio.synthesizers import Sound

FRAME = 8192
"""Samples of a spectrum: tones of a bass lie some bins apart."""
LONGEST_SECONDS = 90.0
"""Longer sounds are judged by so much of their middle."""
LOWEST_HZ, HIGHEST_HZ = 100.0, 2000.0
"""Of the peaks that count."""


@dataclass(frozen=True)
class Tuning:
    """Deviation from A = 440 Hz.

    Attributes
    ----------
    cents
        -50 to 50, 0 for silence. Half a semitone is as far below as above: then nobody can say which notes are meant.
    clearness
        How well all tones agree about it, 0 to 1: well tuned instruments have .5 and more, drums next to nothing.
    """

    cents: float
    clearness: float


def find_tuning(sound: Sound, rate_hz: int) -> Tuning:
    """The tuning of a sound, `[samples, channels]`: the circular mean of how far spectral peaks lie from semitones."""
    import librosa

    longest = round(LONGEST_SECONDS * rate_hz)
    begin = max(len(sound) - longest, 0) // 2
    mono = sound[begin : begin + longest].mean(axis=1)
    if len(mono) < FRAME:
        return Tuning(0.0, 0.0)
    hz, magnitudes = librosa.piptrack(y=mono, sr=rate_hz, n_fft=FRAME, fmin=LOWEST_HZ, fmax=HIGHEST_HZ)
    is_peak = hz > 0
    weights = magnitudes[is_peak].astype(np.float64)
    if not weights.sum() > 0:
        return Tuning(0.0, 0.0)
    semitones = 12 * np.log2(hz[is_peak].astype(np.float64) / 440)
    mean = (weights * np.exp(2j * np.pi * semitones)).sum() / weights.sum()
    return Tuning(float(100 * np.angle(mean) / (2 * np.pi)), float(abs(mean)))

"""Tuning of a sound: by how many cents its notes lie above or below those of A = 440 Hz."""

from __future__ import annotations

import warnings

from pipeline.audio.synthesizers import Sound

FRAME = 8192
"""Samples of a spectrum: tones of a bass lie some bins apart."""
LONGEST_SECONDS = 90.0
"""Longer sounds are judged by so much of their middle."""
LOWEST_HZ, HIGHEST_HZ = 100.0, 2000.0
"""Of the peaks that count."""


def tuning_cents(sound: Sound, rate_hz: int) -> float:
    """Deviation of the tuning from A = 440 Hz in cents, -50 to 50, by the peaks of the spectrum; 0 for silence.

    Half a semitone is as far below as above: of such a sound nobody can say which notes are meant.
    """
    import librosa

    longest = round(LONGEST_SECONDS * rate_hz)
    begin = max(len(sound) - longest, 0) // 2
    mono = sound[begin : begin + longest].mean(axis=1)
    if len(mono) < FRAME or not mono.any():
        return 0.0
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Trying to estimate tuning from empty")
        found = librosa.estimate_tuning(
            y=mono, sr=rate_hz, n_fft=FRAME, resolution=0.01, fmin=LOWEST_HZ, fmax=HIGHEST_HZ
        )
    return float(100 * found)

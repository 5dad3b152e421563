"""Loudness gate: notes in what is all but silent are noise, or have leaked in from elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ

QUIET_DECIBELS = 45.0
"""What is softer than the loud parts of a recording by more than this counts as silent."""
LOUD_SHARE = 0.95
"""Of the frames of a recording, those above are its loud parts."""
FRAME = 2205
"""Samples (50 ms) of which the loudness is taken."""

Samples = NDArray[np.float32]


def loudness_floor(mix: Samples) -> float:
    """The power below which a recording, float32 `[samples]` at 44,100 Hz, or a stem of it, counts as silent."""
    return float(np.quantile(frame_power(mix), LOUD_SHARE)) / 10 ** (QUIET_DECIBELS / 10)


def are_loud(notes: NDArray[np.void], sound: Samples, floor: float) -> NDArray[np.bool_]:
    """Which notes (with `start` and `end` in seconds) have a moment at which the sound is as loud as `floor`, bool."""
    power = frame_power(sound)
    first = np.clip((notes["start"] * SAMPLE_RATE_HZ / FRAME).astype(int), 0, len(power) - 1)
    last = np.clip((notes["end"] * SAMPLE_RATE_HZ / FRAME).astype(int), first, len(power) - 1)
    loudest = [power[begin : end + 1].max() for begin, end in zip(first, last, strict=True)]
    return np.asarray(np.array(loudest, np.float64) >= floor)


def frame_power(sound: Samples) -> NDArray[np.float64]:
    """Mean power of each 50 ms of sound, `[frames]`."""
    padded = np.pad(sound, (0, -len(sound) % FRAME)).reshape(-1, FRAME)
    power: NDArray[np.float64] = np.square(padded, dtype=np.float64).mean(axis=1)
    return power

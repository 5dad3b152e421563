"""Sounds of which the notes are known: chords of harmonic tones, and a song that plays a loop of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ

BEAT_SECONDS = 0.5
BEATS_PER_BAR = 4


def tones(pitches: list[float], seconds: float) -> NDArray[np.float32]:
    """Tones of eight harmonics with a sharp attack, float32 `[samples]`."""
    time = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    sound = np.zeros(len(time))
    for pitch in pitches:
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        for harmonic in range(1, 9):
            sound += np.sin(2 * np.pi * hertz * harmonic * time) / harmonic
    return (sound * np.exp(-3 * time) / max(len(pitches), 1)).astype(np.float32)


def record(seed: int, bars: int = 10) -> NDArray[np.float32]:
    """Two chance notes on each beat, at 120 bpm in 4/4."""
    random = np.random.default_rng(seed)
    beats = [tones(random.choice(np.arange(52, 76), 2, replace=False).tolist(), BEAT_SECONDS) for _ in range(4 * bars)]
    return np.concatenate(beats)


def drums(seed: int, length: int, beat_seconds: float) -> NDArray[np.float32]:
    """Bursts of noise on each beat, `[length]`."""
    random = np.random.default_rng(seed)
    sound = np.zeros(length, np.float32)
    burst = int(0.08 * SAMPLE_RATE_HZ)
    for begin in np.arange(0, length - burst, beat_seconds * SAMPLE_RATE_HZ).astype(int):
        sound[begin : begin + burst] += 0.3 * random.standard_normal(burst) * np.exp(-np.arange(burst) / 800)
    return sound.astype(np.float32)


def beats_of(sound: NDArray[np.float32], beat_seconds: float = BEAT_SECONDS) -> NDArray[np.float64]:
    """Its beats in seconds, from the beginning on."""
    return np.arange(0, len(sound) / SAMPLE_RATE_HZ + beat_seconds / 2, beat_seconds)


def turntable_song(loop: NDArray[np.float32], ratio: float, turns: int, rest_bars: int) -> NDArray[np.float32]:
    """A song of drums in which a loop of two bars plays faster after some bars of rest, then rests again."""
    import soxr

    moved = soxr.resample(np.tile(loop, turns), ratio * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ).astype(np.float32)
    beat = BEAT_SECONDS / ratio
    rest = np.zeros(round(4 * rest_bars * beat * SAMPLE_RATE_HZ), np.float32)
    sound = np.concatenate([rest, moved, rest])
    return sound + drums(9, len(sound), beat)

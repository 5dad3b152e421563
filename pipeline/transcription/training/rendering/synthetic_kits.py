"""Synthetic drum kits: sounds of random parameters by additive and subtractive synthesis, as of drum machines.

Kicks and toms are sines whose pitch falls, snares two sines and band-passed noise, claps bursts of noise, hi-hats and
cymbals noise and clusters of inharmonic partials (after the circuits of the TR-808 and TR-909).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.transcription.drums.drum_map import (
    CLOSED_HAT,
    CRASH,
    HIGH_TOM,
    KICK,
    LOW_TOM,
    OPEN_HAT,
    RIDE,
    SNARE,
)
from pipeline.transcription.training.rendering.sampled_kits import Instrument, SampledKit

Sound = NDArray[np.float64]

SOUNDS_OF_A_DRUM = 40
"""Sounds that a synthetic kit has for each drum."""


def synthetic_kit(random: np.random.Generator) -> SampledKit:
    """A kit of `SOUNDS_OF_A_DRUM` random sounds for each drum."""
    makers: dict[int, Callable[[np.random.Generator], Sound]] = {
        KICK: _kick,
        SNARE: _snare,
        CLOSED_HAT: lambda random: _metal(random, (5000, 9000), (0.012, 0.09), tonal=0.4),
        OPEN_HAT: lambda random: _metal(random, (4500, 9000), (0.15, 0.7), tonal=0.4),
        CRASH: lambda random: _metal(random, (1500, 5000), (0.5, 1.8), tonal=0.2),
        RIDE: _ride,
        LOW_TOM: lambda random: _tom(random, (70, 140)),
        HIGH_TOM: lambda random: _tom(random, (140, 300)),
    }
    return SampledKit(
        {drum: [_instrument(make(random)) for _ in range(SOUNDS_OF_A_DRUM)] for drum, make in makers.items()}
    )


def _instrument(sound: Sound) -> Instrument:
    """An instrument with one sound for all strengths, its peak at 1."""
    return [(sound / max(float(np.abs(sound).max()), 1e-9)).astype(np.float32)]


def _times(seconds: float) -> Sound:
    """Seconds of the samples of a sound of so many seconds."""
    return np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _filtered_noise(random: np.random.Generator, length: int, low_hz: float, high_hz: float | None = None) -> Sound:
    """White noise above a frequency, and below another where one is named (Butterworth, second order)."""
    from scipy.signal import butter, sosfilt

    edges = low_hz if high_hz is None else (low_hz, high_hz)
    filtered = butter(2, edges, "highpass" if high_hz is None else "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    noise: Sound = sosfilt(filtered, random.standard_normal(length))
    return noise / max(float(noise.std()), 1e-9)


def _falling_sine(random: np.random.Generator, times: Sound, from_hz: float, to_hz: float, decay: float) -> Sound:
    """A sine whose frequency falls exponentially within a random time, and that dies away with a time constant."""
    frequency = to_hz + (from_hz - to_hz) * np.exp(-times / random.uniform(0.008, 0.06))
    return np.sin(2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE_HZ) * np.exp(-times / decay)


def _kick(random: np.random.Generator) -> Sound:
    """Bass drum: a falling sine, a click, now and then overdriven."""
    times = _times(1.2)
    sound = _falling_sine(random, times, random.uniform(90, 400), random.uniform(35, 75), random.uniform(0.04, 0.3))
    click = _filtered_noise(random, len(times), random.uniform(500, 4000)) * np.exp(-times / random.uniform(5e-4, 4e-3))
    sound = sound + random.uniform(0, 0.3) * click
    return np.tanh(random.uniform(1, 6) * sound) if random.random() < 0.4 else sound


def _tom(random: np.random.Generator, pitch_hz: tuple[float, float]) -> Sound:
    """Tom: a sine that falls a little, and some noise."""
    times = _times(1.2)
    pitch = random.uniform(*pitch_hz)
    sound = _falling_sine(random, times, pitch * random.uniform(1.1, 1.8), pitch, random.uniform(0.06, 0.35))
    noise = _filtered_noise(random, len(times), 300, 5000) * np.exp(-times / random.uniform(0.003, 0.05))
    return sound + random.uniform(0, 0.25) * noise


def _snare(random: np.random.Generator) -> Sound:
    """Snare, clap or side stick."""
    times = _times(1.0)
    kind = random.random()
    if kind < 0.2:  # a clap: bursts of noise a hundredth of a second apart
        noise = _filtered_noise(random, len(times), random.uniform(500, 1200), random.uniform(2000, 6000))
        apart, bursts = random.uniform(0.006, 0.014), int(random.integers(2, 5))
        since = np.where(times < bursts * apart, times % apart, times - bursts * apart)
        decay = np.where(times < bursts * apart, random.uniform(0.003, 0.008), random.uniform(0.03, 0.15))
        return noise * np.exp(-since / decay)
    if kind < 0.35:  # a side stick
        partials = [random.uniform(400, 1100), random.uniform(1200, 2800)]
        tones = [np.sin(2 * np.pi * hz * times) * np.exp(-times / random.uniform(0.005, 0.025)) for hz in partials]
        click = _filtered_noise(random, len(times), 1500) * np.exp(-times / random.uniform(0.001, 0.006))
        return tones[0] + random.uniform(0.3, 1) * tones[1] + random.uniform(0, 0.4) * click
    pitch = random.uniform(140, 280)
    body = _falling_sine(random, times, pitch * random.uniform(1.2, 2.5), pitch, random.uniform(0.02, 0.12))
    upper = np.sin(2 * np.pi * pitch * random.uniform(1.4, 1.9) * times) * np.exp(-times / random.uniform(0.02, 0.08))
    noise = _filtered_noise(random, len(times), random.uniform(400, 2500), random.uniform(6000, 14000))
    return (
        random.uniform(0.1, 1) * body
        + random.uniform(0, 0.6) * upper
        + random.uniform(0.1, 0.5) * noise * np.exp(-times / random.uniform(0.03, 0.2))
    )


def _cluster(random: np.random.Generator, times: Sound, lowest_hz: float, partials: int) -> Sound:
    """Inharmonic partials of random frequencies, phases and levels."""
    frequencies = np.minimum(lowest_hz * random.uniform(1, 4, partials), 18_000)
    phases, levels = random.uniform(0, 2 * np.pi, partials), random.uniform(0.2, 1, partials)
    sound = np.zeros(len(times))
    for hz, phase, level in zip(frequencies, phases, levels, strict=True):
        sound += level * np.sin(2 * np.pi * hz * times + phase)
    return np.asarray(sound / np.sqrt(partials))


def _metal(
    random: np.random.Generator, cutoff_hz: tuple[float, float], decay: tuple[float, float], tonal: float
) -> Sound:
    """Hi-hat or cymbal: high-passed noise and a cluster of partials with one decay."""
    constant, cutoff = random.uniform(*decay), random.uniform(*cutoff_hz)
    times = _times(min(5 * constant + 0.05, 3.5))
    sound = _filtered_noise(random, len(times), cutoff)
    sound += random.uniform(0, 2 * tonal) * _cluster(random, times, cutoff, 12)
    attack = 1 + random.uniform(0, 2) * np.exp(-times / 0.005)
    return sound * attack * np.exp(-times / constant)


def _ride(random: np.random.Generator) -> Sound:
    """Ride cymbal or its bell: a ping of partials over soft noise."""
    times = _times(3.0)
    ping = _cluster(random, times, random.uniform(1200, 4000), int(random.integers(3, 14)))
    noise = _filtered_noise(random, len(times), random.uniform(3000, 7000))
    ring = ping * np.exp(-times / random.uniform(0.05, 0.5)) + random.uniform(0.05, 0.3) * noise * np.exp(
        -times / random.uniform(0.3, 1.2)
    )
    stick = _filtered_noise(random, len(times), 4000) * np.exp(-times / 0.003)
    return ring + random.uniform(0, 0.5) * stick

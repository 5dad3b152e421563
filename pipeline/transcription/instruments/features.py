"""Features of multi-instrument transcription: the spectrum on the scale of pitches, beside what the pitch network says.

All are laid on the same frames, `FRAMES_PER_SECOND` a second, and kept as bytes: a song's are some 25 kB a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.transcription.pitches.multipitch import HOP, NETWORK_RATE_HZ, PitchActivations

Bytes = NDArray[np.uint8]

FRAME_HOP = 2 * HOP
"""Samples at 22,050 Hz from one frame to the next: 23 ms."""
FRAMES_PER_SECOND = NETWORK_RATE_HZ / FRAME_HOP

LOWEST_BIN, NUM_BINS = 9, 116
"""MIDI pitch of the spectrum's lowest band, an octave below a piano, and how many semitones it has, up to 10.5 kHz."""
WINDOWS = ((8192, 57.0), (4096, 76.0), (2048, 200.0))
"""Samples of a window, and the pitch below which it is taken: long ones tell low pitches apart."""
BAND_SEMITONES = 0.8
"""Half the width of a triangular band."""
RANGE_DB = 85.0
"""Levels so far below the loudest count as silence."""
LOUD_SHARE = 0.999
"""The loudest is what this share of all bands stays below."""
CHUNK = 2048
"""Frames whose spectra are taken at once."""


@dataclass(frozen=True)
class SpectralFeatures:
    """What the network reads of a recording, as bytes from 0 to 255.

    Attributes
    ----------
    spectrum
        Level of each semitone, `[frames, NUM_BINS]`.
    activations
        Of the pitch network, `[frames, 88, 3]`: onsets, frames, contours.
    """

    spectrum: Bytes
    activations: Bytes

    def __len__(self) -> int:
        return len(self.spectrum)


def spectral_features(samples: NDArray[np.float32], activations: PitchActivations) -> SpectralFeatures:
    """Features of a recording: mono sound at 44,100 Hz, float32 `[samples]`, and what the pitch network found in it."""
    import soxr

    sound = soxr.resample(samples, SAMPLE_RATE_HZ, NETWORK_RATE_HZ)
    num_frames = -(-len(activations.frames) // 2)
    pairs = [_paired(one) for one in (activations.onsets, activations.frames, activations.contours)]
    joined = np.stack([pairs[0].max(axis=1), pairs[1].mean(axis=1), pairs[2].mean(axis=1)], axis=-1)
    return SpectralFeatures(semitone_spectrum(sound, num_frames), np.rint(255 * joined.clip(0, 1)).astype(np.uint8))


def _paired(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """`[frames, 88]` two by two, `[frames / 2, 2, 88]`, an odd last one with nothing."""
    padded = np.pad(values, ((0, len(values) % 2), (0, 0)))
    return padded.reshape(-1, 2, values.shape[1])


def semitone_spectrum(sound: NDArray[np.float32], num_frames: int) -> Bytes:
    """Log-frequency spectrogram of sound at 22,050 Hz, a band a semitone, `[num_frames, NUM_BINS]`.

    Levels in decibels under the loudest: 255 is the loudest, 0 is `RANGE_DB` below it or less. As in a
    variable-Q transform low bands have longer windows.
    """
    levels = np.zeros((num_frames, NUM_BINS), np.float32)
    bands = LOWEST_BIN + np.arange(NUM_BINS)
    longest = WINDOWS[0][0]
    padded = np.pad(sound, (longest // 2, longest // 2 + FRAME_HOP * num_frames))
    lowest = -np.inf
    for window, highest in WINDOWS:
        own = np.flatnonzero((bands >= lowest) & (bands < highest))
        lowest = highest
        weights = _band_weights(window, bands[own])
        shape = np.hanning(window).astype(np.float32) / (window / 2)
        begins = longest // 2 - window // 2 + FRAME_HOP * np.arange(num_frames)
        for first in range(0, num_frames, CHUNK):
            places = begins[first : first + CHUNK, None] + np.arange(window)
            power = np.abs(np.fft.rfft(padded[places] * shape, axis=1)).astype(np.float32) ** 2
            levels[first : first + CHUNK, own] = power @ weights
    loudest = max(float(np.quantile(levels, LOUD_SHARE)), 1e-12)
    decibels = 10 * np.log10(levels / loudest + 1e-12)
    found: Bytes = np.rint(255 * (1 + decibels / RANGE_DB).clip(0, 1)).astype(np.uint8)
    return found


def _band_weights(window: int, bands: NDArray[np.int64]) -> NDArray[np.float32]:
    """Triangular bands on the scale of pitches, `[window / 2 + 1, bands]`; each has its nearest frequency at least."""
    hertz = np.fft.rfftfreq(window, 1 / NETWORK_RATE_HZ)
    pitch = 69 + 12 * np.log2(np.maximum(hertz, 1e-3) / 440)
    weights = np.maximum(1 - np.abs(pitch[:, None] - bands) / BAND_SEMITONES, 0)
    nearest = np.abs(pitch[:, None] - bands).argmin(axis=0)
    weights[nearest, np.arange(len(bands))] = np.maximum(weights[nearest, np.arange(len(bands))], 0.5)
    found: NDArray[np.float32] = weights.astype(np.float32)
    return found

"""Downmix of channels to one: whether they cancel each other, and a mix with aligned phases where they do.

The mean of two channels loses what sounds in them with opposite polarity: all of a recording with one wrongly wired
microphone, or one instrument of a mix that was made wide by turning a phase.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAME_SECONDS = 0.1
"""Length of a spectrum, rounded to a power of two of samples."""

EDGES_HZ = (200.0, 2000.0)
"""The low, middle and high region are judged each for itself: hi-hats have little of the power of a bass."""

LEAST_POWER = 1e-4
"""A region with less of the power than this says nothing."""

CANCELLED = 0.1
"""A bin is cancelled where the channels' sum has less than this part of their own power. Unrelated channels have 1."""

MOST_CANCELLED = 0.2
"""The share of a region's power in cancelled bins from which the mean of the channels loses what sounds.

In stereo mixes it is 0.00, in channels that have nothing to do with each other 0.05 by chance.
"""

FRAMES_PER_BLOCK = 16
"""Spectra of a block that are looked at."""

AUDIBLE = 0.1
"""Channel 0 sets the polarity of a bin in which it has this part of the loudest channel's power."""

BATCH_FRAMES = 256


def frame_size(rate_hz: int) -> int:
    """Samples of one spectrum: about a tenth of a second."""
    return int(2 ** round(np.log2(FRAME_SECONDS * rate_hz)))


class CancellationMeter:
    """How much of a recording's power its channels take from each other when they are summed."""

    def __init__(self, rate_hz: int) -> None:
        self._size = frame_size(rate_hz)
        self._window = np.hanning(self._size).astype(np.float32)
        self._edges = np.searchsorted(np.fft.rfftfreq(self._size, 1 / rate_hz), (0.0, *EDGES_HZ))
        self._power, self._cancelled = np.zeros(3), np.zeros(3)

    def add(self, block: NDArray[np.float32]) -> None:
        """Take a block `[samples, channels]` into account; shorter ones than a spectrum say nothing."""
        if len(block) < self._size:
            return
        starts = np.linspace(0, len(block) - self._size, FRAMES_PER_BLOCK).astype(int)
        frames = block[starts[:, None] + np.arange(self._size)]  # [frames, samples, channels]
        spectra = np.fft.rfft(frames * self._window[:, None], axis=1)
        power = (np.abs(spectra) ** 2).sum(axis=2)
        cancelled = np.where(np.abs(spectra.sum(axis=2)) ** 2 < CANCELLED * power, power, 0)
        self._power += np.add.reduceat(power.sum(axis=0), self._edges)
        self._cancelled += np.add.reduceat(cancelled.sum(axis=0), self._edges)

    @property
    def shares(self) -> NDArray[np.float64]:
        """`[3]`: the share of the power of the low, middle and high region that is cancelled, 0 where little sounds."""
        counts = self._power > LEAST_POWER * self._power.sum()
        return np.where(counts, self._cancelled / np.maximum(self._power, 1e-30), 0)

    @property
    def cancels(self) -> bool:
        """Whether the mean of the channels would lose what sounds."""
        return bool((self.shares > MOST_CANCELLED).any())


class PhaseAlignedDownmix:
    """Mean of channels, each turned bin by bin of a short-time Fourier transform so that none takes from another.

    Blocks go in one after the other; as many samples come out, late by less than a spectrum, the rest at the end.
    """

    def __init__(self, rate_hz: int, num_channels: int) -> None:
        size = frame_size(rate_hz)
        self._size, self._hop = size, size // 4
        self._window = np.sqrt(np.hanning(size + 1)[:size]).astype(np.float32)
        self._waiting = np.zeros((size - self._hop, num_channels), np.float32)
        self._begun = np.zeros(size - self._hop, np.float32)
        self._surplus = size - self._hop

    def add(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mix a block `[samples, channels]`; what is ready of the mix, `[samples]`."""
        sound = np.concatenate([self._waiting, block])
        count = max((len(sound) - self._size) // self._hop + 1, 0)
        mixed = np.zeros(len(self._begun) + count * self._hop, np.float32)
        mixed[: len(self._begun)] = self._begun
        for first in range(0, count, BATCH_FRAMES):
            starts = np.arange(first, min(first + BATCH_FRAMES, count)) * self._hop
            frames = sound[starts[:, None] + np.arange(self._size)] * self._window[:, None]
            back = np.fft.irfft(_aligned_mean(np.fft.rfft(frames, axis=1)), self._size, axis=1) * (self._window / 2)
            for start, frame in zip(starts.tolist(), back, strict=True):
                mixed[start : start + self._size] += frame
        ready = count * self._hop
        self._waiting, self._begun = sound[ready:], mixed[ready:]
        dropped = min(self._surplus, ready)
        self._surplus -= dropped
        return mixed[dropped:ready]

    def end(self) -> NDArray[np.float32]:
        """The rest of the mix."""
        owed = len(self._waiting) - self._surplus
        padding = np.zeros((self._size, self._waiting.shape[1]), np.float32)
        return self.add(padding)[: max(owed, 0)]


def _aligned_mean(spectra: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """`[frames, bins]` of `[frames, bins, channels]`: the mean after channels that oppose the reference are turned.

    The reference is channel 0 wherever it is heard, so that it does not change from one frame to the next.
    """
    power = np.abs(spectra) ** 2
    loudest = power.argmax(axis=2)[..., None]
    heard = power[..., :1] >= AUDIBLE * np.take_along_axis(power, loudest, axis=2)
    reference = np.take_along_axis(spectra, np.where(heard, 0, loudest), axis=2)
    signs = np.where((spectra * reference.conj()).real < 0, -1.0, 1.0)
    mean: NDArray[np.complex128] = (signs * spectra).mean(axis=2)
    return mean

"""The seam of a loop: its sound cut out and closed, and how it sounds where its end meets its beginning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.stretching import crossfade
from pipeline.audio.synthesizers import Sound
from pipeline.songs.flip.attacks import EARLY_SECONDS

FADE_SECONDS = 0.02
"""The end of a loop fades over this time into what comes before its beginning."""
CLICK_SAMPLES = 44
"""Clicks are measured over a millisecond."""
STRUCK_SECONDS = (-0.01, 0.04)
"""Around a beat, where what is struck on it is."""
FRAME, HOP = 2048, 441
"""Of spectral flux: samples of a spectrum, and between two."""
FLUX_SECONDS = 0.05
"""The flux of a moment is the greatest within so much of it."""
FLUX_RANGE_DB = 80.0
BANDS = 48
AROUND_SECONDS = 0.25
"""So much on either side of a moment is analysed."""
MOST_DOWNBEATS = 64
"""So many say what is usual."""

Floats = NDArray[np.float64]


def cut_loop(sound: Sound, start: int, end: int) -> Sound:
    """The samples of a record from `start` to `end`, `[end - start, channels]`, the seam closed.

    Over the last `FADE_SECONDS` it fades into what comes before `start`, so that its beginning follows its end as it
    does in the record.
    """
    fade = min(round(FADE_SECONDS * SAMPLE_RATE_HZ), end - start)
    loop = sound[start:end].copy()
    before = sound[max(start - fade, 0) : start]
    loop[-fade:] = crossfade(loop[-fade:], np.pad(before, ((fade - len(before), 0), (0, 0))))
    return loop


def seam_click_db(loop: Sound, beats: NDArray[np.int64]) -> float:
    """Level of the loudest millisecond at the seam, before its attack, against those of the loop's own beats, in dB.

    Levels are those of the second difference of the samples, in which a click stands out. Of the beats, samples
    `[beats]`, the mean in decibels counts.
    """
    twice = np.tile(loop, (2, 1)).mean(axis=1, dtype=np.float64)
    bend = np.diff(twice, 2) ** 2
    sums = np.concatenate([[0.0], np.cumsum(bend)])
    power = (sums[CLICK_SAMPLES:] - sums[:-CLICK_SAMPLES]) / CLICK_SAMPLES
    early, fade, before, after = (
        round(seconds * SAMPLE_RATE_HZ) for seconds in (EARLY_SECONDS, FADE_SECONDS, *STRUCK_SECONDS)
    )
    at_seam = power[len(loop) - fade - CLICK_SAMPLES : len(loop) + early - CLICK_SAMPLES].max()
    own = np.array([power[max(beat + before, 0) : beat + after].max(initial=0.0) for beat in beats.tolist()])
    return float(10 * np.log10(at_seam + 1e-14) - 10 * np.log10(own + 1e-14).mean())


@dataclass(frozen=True)
class DownbeatFlux:
    """How much usually changes at the downbeats of a record.

    Attributes
    ----------
    loudest
        The greatest power of a mel band around them.
    median
        The median of their spectral flux, in mean decibels of the bands that rise.
    """

    loudest: float
    median: float


def downbeat_flux(sound: Sound, downbeats: NDArray[np.int64]) -> DownbeatFlux:
    """Spectral flux of the downbeats of a record, samples `[downbeats]`, of at most `MOST_DOWNBEATS` of them."""
    chosen = downbeats[np.unique(np.linspace(0, len(downbeats) - 1, MOST_DOWNBEATS).astype(int))]
    reach = round(AROUND_SECONDS * SAMPLE_RATE_HZ)
    excerpts = [sound[max(one - reach, 0) : one + reach] for one in chosen.tolist()]
    excerpts = [np.pad(one, ((2 * reach - len(one), 0), (0, 0))) for one in excerpts]
    loudest = max(1e-9, *(float(_mel_power(one).max()) for one in excerpts))
    return DownbeatFlux(loudest, float(np.median([_flux_in_middle(one, loudest) for one in excerpts])))


def seam_flux(loop: Sound, loudest: float) -> float:
    """Spectral flux where a loop meets itself, on the scale of `DownbeatFlux`."""
    reach, early = (round(seconds * SAMPLE_RATE_HZ) for seconds in (AROUND_SECONDS, EARLY_SECONDS))
    places = np.arange(early - reach, early + reach) % len(loop)
    return _flux_in_middle(loop[places], loudest)


def _flux_in_middle(sound: Sound, loudest: float) -> float:
    """The greatest spectral flux within `FLUX_SECONDS` of the middle of a sound: mean rise of its bands in decibels.

    Bands count down to `FLUX_RANGE_DB` below `loudest`.
    """
    decibels = 10 * np.log10(np.maximum(_mel_power(sound), loudest * 10 ** (-FLUX_RANGE_DB / 10)))
    flux = np.maximum(np.diff(decibels, axis=1), 0).mean(axis=0)
    middle, reach = len(sound) // 2 // HOP, round(FLUX_SECONDS * SAMPLE_RATE_HZ / HOP)
    return float(flux[middle - reach : middle + reach].max())


def _mel_power(sound: Sound) -> Floats:
    """Power in mel bands, `[bands, spectra]`."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=sound.mean(axis=1), sr=SAMPLE_RATE_HZ, n_fft=FRAME, hop_length=HOP, n_mels=BANDS, fmin=60, fmax=14000
    )
    return np.asarray(power, np.float64)

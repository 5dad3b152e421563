"""Features of a record for finding loops: log-mel bands, harmonic chroma and percussive share, four frames a beat.

Harmonic and percussive sound are told apart by median filtering of the spectrogram (D. FitzGerald,
"Harmonic/Percussive Separation Using Median Filtering", DAFx 2010).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.songs.flip.record import Record

RATE_HZ = SAMPLE_RATE_HZ // 2
"""Loops are compared by what lies below 11 kHz."""
FRAME, HOP = 2048, 1024
"""Samples of a spectrum, and between two."""
KERNEL = (17, 31)
"""Spectra and bins of the median filters: 0.8 s, and 330 Hz."""
FRAMES_PER_BEAT = 4
MEL_BANDS = 40
FLOOR_DB = -70.0
"""Bands count down to this, below the loudest of the record."""
BLOCK_SECONDS, MARGIN_SECONDS = 60.0, 1.0
"""So much is analysed at once, with so much on either side that filters look at."""
LOW_HZ, HIGH_HZ = 300.0, 5000.0
"""What small loudspeakers play, and what a loop is known by."""
TUNE_HZ = (110.0, 2000.0)
"""Of the tones that chroma counts."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LoopFeatures:
    """What a record sounds like in each quarter of each beat of its bars.

    Attributes
    ----------
    mel
        Decibels in mel bands, `[frames, MEL_BANDS]`, above `FLOOR_DB` below the loudest.
    chroma
        Power of the harmonic sound by pitch class, `[frames, 12]`, each frame's sum 1, or 0 where nothing sounds.
    power, band_power
        Of all, and of what lies between `LOW_HZ` and `HIGH_HZ`, `[frames]`.
    magnitude, percussive
        Sums of the magnitudes of the spectra, in which high sounds count more than in power: of all, and of what is
        percussive, `[frames]`.
    bars
        Unit vectors, `[bars, dimensions]`, whose product says how alike two bars sound: 1 the same, about 0 as two
        bars of the record are on average.
    frames
        The same for a frame each, `[frames, MEL_BANDS + 12]`, not of unit length.
    frames_per_bar
        Frames of a bar.
    """

    mel: Floats
    chroma: Floats
    power: Floats
    band_power: Floats
    magnitude: Floats
    percussive: Floats
    bars: Floats
    frames: Floats
    frames_per_bar: int


def loop_features(record: Record) -> LoopFeatures:
    """The features of all bars of a record; what lies outside its sound is silent."""
    import soxr

    mono = soxr.resample(record.sound.mean(axis=1), SAMPLE_RATE_HZ, RATE_HZ)
    count = record.num_bars * record.beats_per_bar * FRAMES_PER_BEAT
    edges = record.beats.moments(np.arange(count + 1) / FRAMES_PER_BEAT) * RATE_HZ / HOP
    sums = [_block_features(mono, begin) for begin in range(0, len(mono), round(BLOCK_SECONDS * RATE_HZ))]
    columns = {name: _per_quarter(np.concatenate([one[name] for one in sums]), edges) for name in sums[0]}
    decibels = 10 * np.log10(np.maximum(columns["mel"], 1e-12))
    mel = np.maximum(decibels - decibels.max() - FLOOR_DB, 0)
    total = columns["chroma"].sum(axis=1, keepdims=True)
    chroma = np.where(total > 0, columns["chroma"] / np.maximum(total, 1e-30), 0)
    frames_per_bar = record.beats_per_bar * FRAMES_PER_BEAT
    frames = _centred(mel, chroma)
    bars = frames.reshape(record.num_bars, -1)
    return LoopFeatures(
        mel=mel,
        chroma=chroma,
        power=columns["power"][:, 0],
        band_power=columns["band"][:, 0],
        magnitude=columns["magnitude"][:, 0],
        percussive=columns["percussive"][:, 0],
        bars=bars / np.maximum(np.linalg.norm(bars, axis=1, keepdims=True), 1e-12),
        frames=frames,
        frames_per_bar=frames_per_bar,
    )


def _block_features(mono: NDArray[np.float32], begin: int) -> dict[str, Floats]:
    """Spectral features of a block, `[spectra, ...]` each; a spectrum every `HOP` samples."""
    from librosa.core import fft_frequencies, stft
    from librosa.decompose import hpss
    from librosa.filters import chroma, mel

    margin, length = round(MARGIN_SECONDS * RATE_HZ) // HOP * HOP, round(BLOCK_SECONDS * RATE_HZ)
    first = max(begin - margin, 0)
    spectra = np.abs(stft(mono[first : begin + length + margin], n_fft=FRAME, hop_length=HOP))
    harmonic, percussive = hpss(spectra, kernel_size=KERNEL)
    hz = fft_frequencies(sr=RATE_HZ, n_fft=FRAME)
    is_tune = (hz >= TUNE_HZ[0]) & (hz <= TUNE_HZ[1])
    power = spectra**2
    is_band = (hz >= LOW_HZ) & (hz <= HIGH_HZ)
    own = slice((begin - first) // HOP, (begin - first + min(length, len(mono) - begin)) // HOP)
    found = {
        "mel": mel(sr=RATE_HZ, n_fft=FRAME, n_mels=MEL_BANDS, fmin=40) @ power,
        "chroma": (chroma(sr=RATE_HZ, n_fft=FRAME) * is_tune) @ harmonic**2,
        "power": power.sum(axis=0, keepdims=True),
        "magnitude": (harmonic + percussive).sum(axis=0, keepdims=True),
        "percussive": percussive.sum(axis=0, keepdims=True),
        "band": power[is_band].sum(axis=0, keepdims=True),
    }
    return {name: np.asarray(one[:, own].T, np.float64) for name, one in found.items()}


def _per_quarter(spectra: Floats, edges: Floats) -> Floats:
    """The mean of spectra `[spectra, ...]` between edges counted in spectra, `[edges - 1, ...]`; outside they are 0."""
    sums = np.concatenate([np.zeros((1, spectra.shape[1])), np.cumsum(spectra, axis=0)])
    places = np.arange(len(sums))
    reached = np.stack([np.interp(edges, places, one) for one in sums.T], axis=1)
    found: Floats = np.diff(reached, axis=0) / np.diff(edges)[:, None]
    return found


def _centred(mel: Floats, chroma: Floats) -> Floats:
    """Mel bands and chroma side by side, each centred over the record, both counting alike."""
    halves = []
    for one in (mel, np.sqrt(chroma)):
        centred = one - one.mean(axis=0)
        halves.append(centred / max(float(np.sqrt((centred**2).sum(axis=1).mean())), 1e-12))
    return np.concatenate(halves, axis=1)

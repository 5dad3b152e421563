"""Loudness by ITU-R BS.1770-4, peaks, and whether a WAV is as loud and as long as it should be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from pyloudnorm.iirfilter import IIRfilter
from scipy.signal import sosfilt

from pipeline.audio.synthesizers import Sound
from pipeline.errors import UserError

SILENCE_LUFS = -70.0
"""BS.1770's absolute gate: what is quieter counts as silence."""
RELATIVE_GATE_LU = -10.0
"""BS.1770's relative gate: passages so much softer than the rest do not count."""
LONGEST_TAIL_SECONDS = 6.0
"""For so long the last notes may ring after the end of the score."""
AUDIBLE_LU = 18.0
"""A track is called inaudible when it lies further below the mix than this."""
LOUDNESS_TOLERANCE_LU = 1.0
HOPS_AT_ONCE = 40
"""So many tenths of a second are weighted at once, since memory that a cache holds is faster."""


@cache
def k_weighting(rate_hz: int) -> NDArray[np.float64]:
    """BS.1770's two filters (the head's shelf, and a high-pass) as second-order sections `[2, 6]`."""
    shelf = IIRfilter(4.0, 1 / np.sqrt(2), 1500.0, rate_hz, "high_shelf")
    high_pass = IIRfilter(0.0, 0.5, 38.0, rate_hz, "high_pass")
    return np.array([np.concatenate([one.b, one.a]) for one in (shelf, high_pass)])


def loudness_lufs(sound: Sound, rate_hz: int) -> float:
    """Integrated loudness by ITU-R BS.1770-4; -inf for silence. Sound shorter than a gate of 0.4 s is padded.

    What pyloudnorm's meter gives, with its filters, in a fifth of the time: here power is summed once for each 0.1 s
    and the overlapping gates are made of these sums.
    """
    hop = rate_hz // 10
    short = 4 * hop - len(sound)
    if short > 0:
        sound = np.pad(sound, ((0, short), (0, 0)))
    state = np.zeros((2, 2, 2))  # [sections, channels, delays]
    powers = []
    for start in range(0, len(sound) - hop + 1, HOPS_AT_ONCE * hop):
        stretch = sound[start : min(start + HOPS_AT_ONCE * hop, len(sound) // hop * hop)]
        weighted, state = sosfilt(k_weighting(rate_hz), stretch.T, zi=state)
        each = weighted.reshape(2, -1, hop)
        powers.append(np.einsum("chs,chs->h", each, each) / hop)
    gates = np.convolve(np.concatenate(powers), np.full(4, 0.25), mode="valid")
    loud = gates[gates > _power(SILENCE_LUFS)]
    if not len(loud):
        return -math.inf
    loud = loud[loud > loud.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
    return float(10 * np.log10(loud.mean()) - 0.691)


def _power(lufs: float) -> float:
    """The weighted power of this loudness."""
    return float(10 ** ((lufs + 0.691) / 10))


def levels(sound: Sound) -> NDArray[np.float32]:
    """The larger amplitude of the two channels, sample by sample."""
    return np.maximum(np.abs(sound[:, 0]), np.abs(sound[:, 1]))


def peak_dbfs(sound: Sound) -> float:
    """The highest sample in decibels below full scale; -inf for silence."""
    peak = float(np.abs(sound).max(initial=0.0))
    return 20 * math.log10(peak) if peak > 0 else -math.inf


@dataclass(frozen=True)
class WavLevels:
    """What a WAV turned out to be."""

    seconds: float
    peak_dbfs: float
    loudness_lufs: float


def measure_wav(path: Path) -> WavLevels:
    """Length, peak and loudness of a file of sound."""
    sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    if not np.all(np.isfinite(sound)):
        raise UserError(f"{path.name} holds samples that are no numbers; run +stage=render force=true.")
    return WavLevels(len(sound) / rate_hz, peak_dbfs(sound), loudness_lufs(sound, rate_hz))


def check_wav(
    path: Path, score_seconds: float, highest_dbfs: float, target_lufs: float, track_lufs: Mapping[str, float]
) -> tuple[WavLevels, list[str]]:
    """Measure a WAV and hold it to what was asked for.

    Parameters
    ----------
    path
        The file.
    score_seconds
        Length of the song by its score.
    highest_dbfs, target_lufs
        What was asked for.
    track_lufs
        Loudness of each sounding track alone, as loud as it is in the mix.

    Returns
    -------
    measured, remarks
        The figures, and a sentence for each thing that is not as it should be but can be lived with.

    Raises
    ------
    UserError
        The file is silent, clips, or is not as long as its score.
    """
    found = measure_wav(path)
    if not math.isfinite(found.loudness_lufs):
        raise UserError(f"{path.name} is silent: check render.soundfont and render.synth.")
    if found.peak_dbfs > highest_dbfs + 0.01:
        raise UserError(f"{path.name} peaks at {found.peak_dbfs:.2f} dBFS, above {highest_dbfs:.2f}.")
    if not score_seconds - 0.01 <= found.seconds <= score_seconds + LONGEST_TAIL_SECONDS + 0.5:
        raise UserError(f"{path.name} lasts {found.seconds:.1f} s, but its score {score_seconds:.1f} s.")
    remarks = []
    if abs(found.loudness_lufs - target_lufs) > LOUDNESS_TOLERANCE_LU:
        remarks.append(f"{path.name} has {found.loudness_lufs:.1f} LUFS instead of {target_lufs:.1f}")
    for track, level in track_lufs.items():
        if level < found.loudness_lufs - AUDIBLE_LU:
            below = found.loudness_lufs - level
            remarks.append(f"{path.name}: {track} is hardly heard, {below:.0f} LU below the mix")
    return found, remarks

"""From raw sound to a track of an album: balance, loudness, headroom and a clean ending."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import gcd
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from pyloudnorm.iirfilter import IIRfilter
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import resample_poly, sosfilt

from pipeline.audio.synthesizers import Sound
from pipeline.errors import UserError

SILENCE_LUFS = -70.0
"""BS.1770's absolute gate: what is quieter counts as silence."""
RELATIVE_GATE_LU = -10.0
"""BS.1770's relative gate: passages so much softer than the rest do not count."""
LARGEST_CUT_DB = 24.0
"""No track is turned down further than this to match a quiet one."""
LOOK_AHEAD_SECONDS = 0.005
FADE_SECONDS = 0.4


@cache
def k_weighting(rate_hz: int) -> NDArray[np.float64]:
    """BS.1770's two filters (the head's shelf, and a high-pass) as second-order sections `[2, 6]`."""
    shelf = IIRfilter(4.0, 1 / np.sqrt(2), 1500.0, rate_hz, "high_shelf")
    high_pass = IIRfilter(0.0, 0.5, 38.0, rate_hz, "high_pass")
    return np.array([np.concatenate([one.b, one.a]) for one in (shelf, high_pass)])


def loudness_lufs(sound: Sound, rate_hz: int) -> float:
    """Integrated loudness by ITU-R BS.1770-4; -inf for silence. Sound shorter than a gate of 0.4 s is padded.

    What pyloudnorm's meter gives, with its filters, in a third of the time: here power is summed once for each 0.1 s
    and the overlapping gates are made of these sums.
    """
    hop = rate_hz // 10
    short = 4 * hop - len(sound)
    if short > 0:
        sound = np.pad(sound, ((0, short), (0, 0)))
    weighted = sosfilt(k_weighting(rate_hz), sound.T)  # [2, samples]
    num_hops = weighted.shape[1] // hop
    power = np.square(weighted[:, : num_hops * hop]).reshape(2, num_hops, hop).mean(axis=2).sum(axis=0)
    gates = np.convolve(power, np.full(4, 0.25), mode="valid")
    loud = gates[gates > _power(SILENCE_LUFS)]
    if not len(loud):
        return -math.inf
    loud = loud[loud > loud.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
    return float(10 * np.log10(loud.mean()) - 0.691)


def _power(lufs: float) -> float:
    """The weighted power of this loudness."""
    return float(10 ** ((lufs + 0.691) / 10))


def peak_dbfs(sound: Sound) -> float:
    """The highest sample in decibels below full scale; -inf for silence."""
    peak = float(np.abs(sound).max(initial=0.0))
    return 20 * math.log10(peak) if peak > 0 else -math.inf


def balanced_volumes(loudness: Sequence[float], wanted: Sequence[float]) -> tuple[float, ...]:
    """MIDI volumes (controller 7 over 127) that bring the tracks to the loudness they are meant to have.

    General MIDI's volume is a square law: half the controller is a quarter of the amplitude, -12 dB.

    Parameters
    ----------
    loudness
        LUFS of each track alone at full volume, -inf for a silent one.
    wanted
        Amplitude of each track beside the others, 0 to 1; equal numbers are equally loud.

    Returns
    -------
    The volumes as multiples of 1/127; the track that is softest for what is wanted of it stays at full volume.
    """
    heard = [track for track, level in enumerate(loudness) if math.isfinite(level) and wanted[track] > 0]
    over = {track: loudness[track] - 20 * math.log10(wanted[track]) for track in heard}
    softest = min(over.values(), default=0.0)
    cuts = {track: min(LARGEST_CUT_DB, over[track] - softest) for track in heard}
    return tuple(
        round(127 * (10 ** (-cuts[track] / 40) if track in cuts else wanted[track])) / 127
        for track in range(len(loudness))
    )


def limit(sound: Sound, ceiling: float, rate_hz: int) -> Sound:
    """Turn the sound down, smoothly and on both sides alike, just where it would go over `ceiling` (amplitude).

    The gain falls ahead of a peak and recovers after it over `LOOK_AHEAD_SECONDS`, so waveforms keep their shape.
    """
    level = np.abs(sound).max(axis=1)
    if level.max(initial=0.0) <= ceiling:
        return sound
    width = 2 * int(LOOK_AHEAD_SECONDS * rate_hz) + 1
    gain = np.minimum(1.0, ceiling / np.maximum(level, 1e-9))
    # the minimum over a window, then the mean over the same window, is never above the gain that a peak needs
    lowest = -maximum_filter1d(-gain, 2 * width - 1, mode="nearest")
    smooth = uniform_filter1d(lowest, width, mode="nearest")
    limited: Sound = (sound * np.minimum(smooth, gain)[:, None]).astype(np.float32)
    return limited


def master(sound: Sound, rate_hz: int, target_lufs: float, highest_dbfs: float) -> tuple[Sound, float]:
    """Bring sound to a loudness with its peaks kept under a ceiling.

    Returns
    -------
    sound, gain
        The result, and the plain gain (amplitude) in front of the limiter, for stems that should match.
    """
    ceiling = 10 ** (highest_dbfs / 20) * 0.998  # room for dither
    gain = 10 ** ((target_lufs - loudness_lufs(sound, rate_hz)) / 20)
    for _ in range(2):  # the limiter takes a little loudness away
        result = limit(_amplified(sound, gain), ceiling, rate_hz)
        if np.abs(sound).max() * gain <= ceiling:
            return result, gain
        gain *= 10 ** ((target_lufs - loudness_lufs(result, rate_hz)) / 20)
    return limit(_amplified(sound, gain), ceiling, rate_hz), gain


def _amplified(sound: Sound, gain: float) -> Sound:
    return (sound * np.float32(gain)).astype(np.float32)


def end_cleanly(sound: Sound, rate_hz: int, score_seconds: float, longest_seconds: float) -> Sound:
    """Let the last notes ring, but no longer than they are heard, and fade what is left of them.

    Everything is kept until `score_seconds`; after it the sound ends where it falls 60 dB under its peak, or
    `longest_seconds` later.
    """
    score, limit_ = round(score_seconds * rate_hz), round((score_seconds + longest_seconds) * rate_hz)
    fade = round(FADE_SECONDS * rate_hz)
    if len(sound) < limit_:
        sound = np.pad(sound, ((0, limit_ - len(sound)), (0, 0)))
    level = np.abs(sound).max(axis=1)
    loud = np.flatnonzero(level > 1e-3 * level.max(initial=0.0))
    last = int(loud[-1]) if len(loud) else 0
    end = min(limit_, max(score, last) + fade)
    result = sound[:end].copy()
    result[-fade:] *= (np.cos(np.linspace(0, np.pi, fade, dtype=np.float32)) / 2 + 0.5)[:, None]
    return result


def resample(sound: Sound, from_hz: int, to_hz: int) -> Sound:
    """The same sound at another rate."""
    if from_hz == to_hz:
        return sound
    common = gcd(from_hz, to_hz)
    converted: Sound = resample_poly(sound, to_hz // common, from_hz // common, axis=0).astype(np.float32)
    return converted


LONGEST_TAIL_SECONDS = 6.0
AUDIBLE_LU = 18.0
"""A track is called inaudible when it lies further below the mix than this."""
LOUDNESS_TOLERANCE_LU = 1.0


@dataclass(frozen=True)
class Measured:
    """What a WAV turned out to be."""

    seconds: float
    peak_dbfs: float
    loudness_lufs: float


def measure(path: Path) -> Measured:
    """Length, peak and loudness of a file of sound."""
    sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    if not np.all(np.isfinite(sound)):
        raise UserError(f"{path.name} holds samples that are no numbers; run +stage=render force=true.")
    return Measured(len(sound) / rate_hz, peak_dbfs(sound), loudness_lufs(sound, rate_hz))


def check_wav(
    path: Path, score_seconds: float, highest_dbfs: float, target_lufs: float, track_lufs: Mapping[str, float]
) -> tuple[Measured, list[str]]:
    """Measure a WAV and judge it.

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
    found = measure(path)
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

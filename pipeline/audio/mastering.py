"""Mastering, from raw sound to a track of an album: balance, limiter, loudness, a clean ending, sampling rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from math import gcd

import numpy as np
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import resample_poly

from pipeline.audio.loudness import levels, loudness_lufs
from pipeline.audio.synthesizers import Sound

LARGEST_CUT_DB = 24.0
"""No track is turned down further than this to match a quiet one."""
LOOK_AHEAD_SECONDS = 0.005
FADE_SECONDS = 0.4
LOUDEST_STEM = 0.99
"""The peak of stems that would otherwise be clipped, as an amplitude."""


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
    level = levels(sound)
    if level.max(initial=0.0) <= ceiling:
        return sound
    width = 2 * int(LOOK_AHEAD_SECONDS * rate_hz) + 1
    gain = np.minimum(1.0, ceiling / np.maximum(level, 1e-9))
    # the minimum over a window, then the mean over the same window, is never above the gain that a peak needs
    lowest = minimum_filter1d(gain, 2 * width - 1, mode="nearest")
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


def within_full_scale(stems: Mapping[str, Sound]) -> dict[str, Sound]:
    """Stems at a common gain at which no peak is clipped, so that their balance stays; untouched where none would be.

    No limiter holds the peaks of a stem, as it does those of the mix.
    """
    peak = max((float(np.abs(stem).max(initial=0.0)) for stem in stems.values()), default=0.0)
    return {name: stem * np.float32(LOUDEST_STEM / peak) if peak > 1 else stem for name, stem in stems.items()}


def end_cleanly(sound: Sound, rate_hz: int, score_seconds: float, longest_seconds: float) -> Sound:
    """Let the last notes ring, but no longer than they are heard, and fade what is left of them.

    Everything is kept until `score_seconds`; after it the sound ends where it falls 60 dB under its peak, or
    `longest_seconds` later.
    """
    score, limit_ = round(score_seconds * rate_hz), round((score_seconds + longest_seconds) * rate_hz)
    fade = round(FADE_SECONDS * rate_hz)
    if len(sound) < limit_:
        sound = np.pad(sound, ((0, limit_ - len(sound)), (0, 0)))
    level = levels(sound)
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

"""What is checked of each WAV after it was written: the file on disk, not the sound in memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from pipeline.audio.loudness import loudness_lufs, peak_dbfs
from pipeline.errors import UserError

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

"""A song and stems for the tests of projects, and a reader of tempo maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.audio.synthesizers import Sound
from pipeline.songs.song import Song
from tests.song_makers import song_of

RATE_HZ = 8000
NOTES = [
    *[(0, 36, step, 1) for step in range(0, 128, 4)],
    *[(1, 60 + step % 7, step, 2) for step in range(0, 128, 2)],
    (2, 36, 0, 8),
    (2, 40, 14, 4),
    *[(2, 43, step, 4) for step in range(32, 128, 8)],
]
"""Eight bars, (track, pitch, onset, length); a bass note is held from the first bar into the second."""


def long_song(**changes: Any) -> Song:
    """Eight bars that swing, are played by hand and get slower at the end; the verse has one bar, the chorus seven."""
    slower = ((0, 96.0), (112, 90.0), (116, 84.0), (120, 70.0))
    return song_of(
        **{"notes": NOTES, "bars": 8, "humanized": 1.0, "swing": 0.6, "tempo_map": slower, "seed": 3} | changes
    )


def noises(song: Song, names: Sequence[str], peak: float = 0.2) -> dict[str, Sound]:
    """Stems of noise, a little longer than the song."""
    random, length = np.random.default_rng(0), round((song.seconds + 0.25) * RATE_HZ)
    return {name: ((random.random((length, 2)) * 2 - 1) * peak).astype(np.float32) for name in names}


def seconds_of_quarters(points: Sequence[tuple[float, float]], quarters: float) -> float:
    """Seconds to a place in quarter notes, by (quarters, quarter notes a minute) points that each hold."""
    seconds, bounds = 0.0, [*(at for at, _ in points[1:]), np.inf]
    for (at, tempo), until in zip(points, bounds, strict=True):
        seconds += max(0.0, min(quarters, until) - at) * 60 / tempo
    return seconds

"""Songs of a tune and a bass, bar by bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gan.spec import RollSpec, Track
from pipeline.dataset.whole_songs import WholeSong
from pipeline.scores.notes import make_notes

SPEC = RollSpec((Track("Lead"), Track("Bass")), num_pitches=60, lowest_pitch=36)


def song(bars: Sequence[Sequence[int]], tempo_bpm: float = 120.0) -> WholeSong:
    """A bar of quarter notes each, and under it a bass of its first pitch two octaves lower."""
    notes = [(0, pitch, 16 * bar + 4 * beat, 4) for bar, line in enumerate(bars) for beat, pitch in enumerate(line)]
    notes += [(1, line[0] - 24, 16 * bar, 16) for bar, line in enumerate(bars)]
    return WholeSong("a song", make_notes(*np.array(notes).T), len(bars), tempo_bpm)


def wandering(num_bars: int, seed: int) -> list[list[int]]:
    """Bars that never return: each note a step from the one before, in C major."""
    random = np.random.default_rng(seed)
    scale = [60, 62, 64, 65, 67, 69, 71, 72, 74, 76, 77, 79]
    place, bars = 4, []
    for _ in range(num_bars):
        line = []
        for _ in range(4):
            place = int(np.clip(place + random.choice([-1, 1]), 0, len(scale) - 1))
            line.append(scale[place])
        bars.append(line)
    return bars

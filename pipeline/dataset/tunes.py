"""What tells a tune again in another key, at another speed, on another instrument: hashes of its melodic turns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.scores.grid import Stretch
from pipeline.scores.tracks import Voice

GRAM = 8
"""Notes in a row whose intervals and rhythm make up a melodic turn that is recognised again."""
MIN_INTERVALS = 3
"""Different intervals in a turn that tells one tune from another."""
MIN_MOVES = 4
"""Intervals of it at least that are no repetition of a note."""
GRIDS = (1, 2)
"""How much finer than the roll's the grids are that voices are looked at on."""
KEPT = 64
"""Turns of a voice that are kept at most: those with the lowest hashes, which are the same ones in every song."""

Turns = tuple[NDArray[np.uint32], ...]
"""For each voice of a song the hashes of its melodic turns, sorted, each once, the lowest `KEPT` at most."""


def song_turns(voices: Sequence[Voice], stretches: Sequence[Stretch], spec: RollSpec) -> Turns:
    """The melodic turns of each pitched voice of a song that has any.

    Voices are taken one by one, as the file has them: in which track of the roll they come together, and beneath what
    they lie there, depends on their programs. They are put on the grid and on one twice as fine, so that a piece
    notated at half or double speed has the turns of one of them.
    """
    found = []
    for voice in voices:
        if spec.tracks[voice.track].is_drum or len(voice.events) < GRAM:
            continue
        parts = [
            melodic_turns(*_top_line(voice, stretch, steps * spec.steps_per_beat, spec))
            for stretch in stretches
            for steps in GRIDS
        ]
        turns = np.unique(np.concatenate(parts))[:KEPT]
        if len(turns):
            found.append(turns)
    return tuple(found)


def _top_line(
    voice: Voice, stretch: Stretch, steps_per_beat: int, spec: RollSpec
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Onsets in steps and pitches of the highest notes of a voice, one an onset."""
    onset = np.rint((voice.events["onset"] - stretch.start) * steps_per_beat).astype(np.int64)
    pitch = voice.events["pitch"].astype(np.int64)
    inside = (onset >= 0) & (onset < stretch.bars * spec.beats_per_bar * steps_per_beat)
    ordered = np.sort(onset[inside] * 128 + pitch[inside])
    onset, pitch = np.divmod(ordered, 128)
    last = np.append(onset[1:] != onset[:-1], True) if len(onset) else np.zeros(0, np.bool_)
    return onset[last], pitch[last]


def melodic_turns(onset: NDArray[np.int64], pitch: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Hashes of the melodic turns of a line, whatever its key and speed: sorted, each once.

    A turn is `GRAM` successive notes: their intervals in semitones, and the steps between their onsets without what
    these have in common. Those that hardly move are left out, and those of fewer than `MIN_INTERVALS` different
    intervals: repeated notes, trills and scales are everywhere.
    """
    interval, wait = np.diff(pitch), np.diff(onset)
    if len(interval) < GRAM - 1:
        return np.zeros(0, np.uint32)
    intervals = np.lib.stride_tricks.sliding_window_view(interval, GRAM - 1)
    waits = np.lib.stride_tricks.sliding_window_view(wait, GRAM - 1)
    ordered = np.sort(intervals, axis=1)
    distinct = 1 + np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1)
    telling = (distinct >= MIN_INTERVALS) & (np.count_nonzero(intervals, axis=1) >= MIN_MOVES)
    intervals, waits = intervals[telling], waits[telling]
    waits = waits // np.gcd.reduce(waits, axis=1, keepdims=True)
    hashes = np.zeros(len(intervals), np.uint64)
    for column in range(GRAM - 1):  # a polynomial hash, modulo 2^64
        for values in (intervals, waits):
            term = values[:, column].astype(np.int64).view(np.uint64)
            hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + term + np.uint64(1)
    hashes ^= hashes >> np.uint64(31)  # every bit of the hash counts in the upper half
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    return np.unique((hashes >> np.uint64(32)).astype(np.uint32))

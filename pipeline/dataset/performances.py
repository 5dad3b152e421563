"""How the songs of a set are played, `performance.npz`: velocity and timing of some of their notes.

Files whose velocities hardly differ tell nothing of players, and nothing is kept of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.scores.notes import NOTE, Notes
from pipeline.scores.quantisation import BarSpan, played
from pipeline.scores.tracks import AssignedPart

PLAYED = np.dtype(
    [
        ("onset", np.int32),
        ("length", np.uint16),
        ("track", np.uint8),
        ("pitch", np.uint8),
        ("velocity", np.uint8),
        ("offset", np.int8),
    ]
)
"""A note as it was played: as in `NOTE`, with its velocity and how much later than its step it began, in hundredths."""
MOST_NOTES, MOST_SONGS = 2000, 300
"""Of a song, and of a set: enough to learn from."""
LEAST_VELOCITIES = 8
"""Different ones that a track needs to be played by a person."""

PlayedTable = NDArray[np.void]
"""A structured array `[notes]` of dtype `PLAYED`, in canonical order."""


@dataclass(frozen=True, eq=False)
class PlayedNotes:
    """A performance on the grid.

    Attributes
    ----------
    notes
        In canonical order.
    velocities
        `[notes]`, 1 to 127.
    offsets
        `[notes]`: how much later than its step each begins, in steps.
    spec
        Tracks and grid; any number of bars.
    tempo_bpm, style
        Quarter notes a minute; a name, empty where there is none.
    """

    notes: Notes
    velocities: NDArray[np.uint8]
    offsets: NDArray[np.float64]
    spec: RollSpec
    tempo_bpm: float
    style: str = ""


def played_table(parts: list[AssignedPart], span: BarSpan, notes: Notes, spec: RollSpec) -> PlayedTable:
    """How the first `MOST_NOTES` of the notes that `quantise` gave were played, in tracks whose velocities differ."""
    velocities, offsets = played(parts, span, notes, spec)
    counts = np.zeros((spec.num_tracks, 128), bool)
    counts[notes["track"], velocities] = True
    own = np.flatnonzero((counts.sum(axis=1) >= LEAST_VELOCITIES)[notes["track"]])
    if len(own) > MOST_NOTES:
        last = np.partition(notes["onset"][own], MOST_NOTES)[MOST_NOTES]
        own = own[notes["onset"][own] < max(last // spec.steps_per_bar, 1) * spec.steps_per_bar]
    table = np.zeros(len(own), PLAYED)
    for name in ("onset", "length", "track", "pitch"):
        table[name] = notes[name][own]
    table["velocity"], table["offset"] = velocities[own], np.rint(100 * offsets[own])
    return table


def pack_performances(tables: Sequence[PlayedTable]) -> dict[str, NDArray[Any]]:
    """Tables as arrays by name: all notes, and how many each has."""
    notes = np.concatenate([np.zeros(0, PLAYED), *tables])
    return {name: notes[name] for name in PLAYED.names or ()} | {"counts": np.array([len(one) for one in tables])}


def unpack_performances(arrays: dict[str, NDArray[Any]]) -> list[PlayedTable]:
    """The tables that `pack_performances` was given."""
    counts = arrays["counts"]
    notes = np.zeros(int(counts.sum()), PLAYED)
    for name in PLAYED.names or ():
        notes[name] = arrays[name]
    return np.split(notes, np.cumsum(counts)[:-1]) if len(counts) else []


def performance_from_table(table: PlayedTable, spec: RollSpec, tempo_bpm: float, style: str) -> PlayedNotes:
    """A table as a performance."""
    notes = np.zeros(len(table), NOTE)
    for name in NOTE.names or ():
        notes[name] = table[name]
    return PlayedNotes(notes, table["velocity"], table["offset"] / 100, spec, tempo_bpm, style)

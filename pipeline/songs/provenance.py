"""Provenance of a song, cell by cell: which bars of which tracks were made, drawn by hand, or given.

A cell is a bar of a track. `Song.origins` holds an `Origin` for each, uint8 `[tracks, bars]`, or None where all
are made.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Origins = NDArray[np.uint8]
"""An `Origin` for each cell, uint8 `[tracks, bars]`."""


class Origin(IntEnum):
    """Who wrote a cell; the numbers are those of song files."""

    MADE = 0
    """The generator."""
    DRAWN = 1
    """A person, note by note: something was drawn or erased in it since it was made."""
    GIVEN = 2
    """A file of the person's."""


LETTERS = {Origin.MADE: "m", Origin.DRAWN: "d", Origin.GIVEN: "g"}


def all_of(origin: Origin, num_tracks: int, num_bars: int) -> Origins:
    """Origins of a song that came about in one way, `[num_tracks, num_bars]`."""
    return np.full((num_tracks, num_bars), origin, np.uint8)


def check_origins(origins: Origins, num_tracks: int, num_bars: int) -> None:
    """Raise `ValueError` for origins of another song, or with a number that means nothing."""
    if origins.shape != (num_tracks, num_bars):
        raise ValueError(f"origins {origins.shape} do not fit {num_tracks} tracks and {num_bars} bars")
    if not np.isin(origins, list(Origin)).all():
        raise ValueError("an origin is neither made, drawn nor given")


def origin_letters(origins: Origins) -> list[str]:
    """One text a track with a letter a bar: `m` made, `d` drawn, `g` given."""
    return ["".join(LETTERS[Origin(cell)] for cell in row) for row in origins.tolist()]


def stretches_of(row: Sequence[int] | NDArray[Any]) -> list[tuple[Origin, int, int]]:
    """Stretches of one origin in the bars of a track: the origin, the first bar, and the one after the last."""
    cells = np.asarray(row)
    starts = np.flatnonzero(np.diff(cells, prepend=-1)).tolist()
    return [
        (Origin(int(cells[start])), start, end) for start, end in zip(starts, [*starts, len(cells)][1:], strict=True)
    ]

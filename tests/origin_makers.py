"""Origins of songs for tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.songs.provenance import Origin, Origins


def with_origin(origins: Origins, origin: Origin, tracks: Any, bars: Any) -> Origins:
    """A copy of which the cells of `tracks` and `bars` (indices or slices, crossed) have another origin."""
    changed = origins.copy()
    rows = np.zeros(origins.shape[0], np.bool_)
    columns = np.zeros(origins.shape[1], np.bool_)
    rows[tracks], columns[bars] = True, True
    changed[np.ix_(rows, columns)] = origin
    return changed

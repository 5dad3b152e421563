"""Drum hits in a recording: when, which drum, how loud."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.drum_flux import find_hits_by_flux
from pipeline.audio.drum_kit import HIT

__all__ = ["HIT", "find_drum_hits"]


def find_drum_hits(samples: NDArray[np.float32]) -> NDArray[np.void]:
    """The drum hits of a recording.

    Parameters
    ----------
    samples
        Mono sound `[samples]` at 44,100 Hz.

    Returns
    -------
    Array of `HIT`, sorted by start; empty where nothing sounds like a drum.
    """
    return find_hits_by_flux(samples)

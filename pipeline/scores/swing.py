"""Swing: the first half of each beat lasts longer than the second when it is played, though both are written alike.

Programs of notation write straight notes and say `Swing` above them; MIDI files have no such event, and hold the notes
as they are played. A file of ours says in a text event how far it swings, so that it is read back as it was written.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec

STRAIGHT, MOST_SWING = 0.5, 0.75
"""Shares of a beat that its first half lasts: both halves alike; a dotted eighth before a sixteenth."""
TEXT = re.compile(r"swing (0\.\d+) of a quarter note")
"""The text event."""


def check_swing(swing: float, spec: RollSpec) -> None:
    """Raise `ValueError` for a share that is none, or a metre whose beats have no halves."""
    if not STRAIGHT <= swing <= MOST_SWING:
        raise ValueError(f"swing must lie between {STRAIGHT:g} (straight) and {MOST_SWING:g}, not {swing:g}")
    if swing != STRAIGHT and spec.is_compound:
        raise ValueError(f"beats of {spec.metre} have thirds, not halves that could swing")


def swung(quarters: NDArray[np.float64], swing: float) -> NDArray[np.float64]:
    """When what is written at these quarter notes is played; either half of a beat is stretched as a whole.

    >>> swung(np.array([0.0, 0.25, 0.5, 0.75, 1.0]), 0.6)
    array([0. , 0.3, 0.6, 0.8, 1. ])
    """
    beat = np.floor(quarters)
    return np.asarray(beat + np.interp(quarters - beat, (0.0, 0.5, 1.0), (0.0, swing, 1.0)))


def straightened(quarters: NDArray[np.float64], swing: float) -> NDArray[np.float64]:
    """The inverse of `swung`."""
    beat = np.floor(quarters)
    return np.asarray(beat + np.interp(quarters - beat, (0.0, swing, 1.0), (0.0, 0.5, 1.0)))


def swing_text(swing: float) -> str:
    """What the text event of a MIDI file says."""
    return f"swing {swing:.4f} of a quarter note"


def swing_in(text: str) -> float:
    """The swing that a text event tells of; `STRAIGHT` where it tells of none."""
    found = TEXT.fullmatch(text.strip())
    return float(found[1]) if found and STRAIGHT < float(found[1]) <= MOST_SWING else STRAIGHT

"""The General MIDI drum map: which percussion keys are one drum here, and the form of a drum hit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

HIT = np.dtype([("start", np.float64), ("pitch", np.int16), ("velocity", np.int16)])
"""A drum hit: seconds from the beginning of the recording, General MIDI percussion key, velocity 1 to 127."""

KICK, SNARE, CLOSED_HAT, OPEN_HAT, CRASH, RIDE, LOW_TOM, HIGH_TOM = 36, 38, 42, 46, 49, 51, 45, 50

DRUMS = (KICK, SNARE, CLOSED_HAT, OPEN_HAT, CRASH, RIDE, LOW_TOM, HIGH_TOM)
"""The General MIDI keys of the drums that are transcribed, in the order of the network's outputs."""

NAMES = ("kick", "snare", "closed hi-hat", "open hi-hat", "crash", "ride", "low tom", "high tom")
"""What each of `DRUMS` is called."""

SAME_DRUM = {
    **dict.fromkeys((35, 36), KICK),
    **dict.fromkeys((37, 38, 39, 40), SNARE),
    **dict.fromkeys((22, 42, 44), CLOSED_HAT),
    **dict.fromkeys((26, 46), OPEN_HAT),
    **dict.fromkeys((49, 52, 55, 57), CRASH),
    **dict.fromkeys((51, 53, 59), RIDE),
    **dict.fromkeys((41, 43, 45, 47, 58), LOW_TOM),
    **dict.fromkeys((48, 50), HIGH_TOM),
}
"""Which of `DRUMS` stands for a percussion key; side stick and clap count as snare.

Keys 22, 26 and 58 are the hat's edge, closed and open, and a tom's rim on Roland's electronic drums. Keys that are
missing here (tambourine, bongos, shakers and so on) are no part of a drum kit.
"""


def make_hits(start: NDArray[np.float64], pitch: NDArray[np.int64], velocity: NDArray[np.float64]) -> NDArray[np.void]:
    """Hits from three arrays of one length, sorted by start, then by pitch; velocities are rounded into 1 to 127."""
    hits = np.zeros(len(start), HIT)
    hits["start"], hits["pitch"] = start, pitch
    hits["velocity"] = np.clip(np.round(velocity), 1, 127)
    return np.sort(hits, order=("start", "pitch"))

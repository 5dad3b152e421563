"""Sustain pedals: where notes end that a pedal holds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

PEDAL_DOWN = 64
"""The least value that means down."""
LONGEST_PEDAL = 16
"""Quarter notes. In POP909 pedals stay down for one or two, seldom for eight, or else for hundreds."""
NEVER = np.int64(2**62)
"""A tick that no note has."""


def sustain(
    onset: NDArray[np.integer[Any]],
    end: NDArray[np.integer[Any]],
    pitch: NDArray[np.integer[Any]],
    times: NDArray[np.integer[Any]],
    down: NDArray[np.bool_],
    longest: int,
) -> NDArray[np.int64]:
    """Where notes end when the sustain pedal holds them.

    A note whose key is let go while the pedal is down lasts until the pedal is lifted or the same pitch is struck
    again. Of what happens at one tick the pedal moves first, as in Magenta's `apply_sustain_control_changes`. A pedal
    that stays down for longer than `longest`, or to the end, was forgotten and holds nothing: the notes of minutes
    would pile up, where a piano's strings had died away.

    Parameters
    ----------
    onset, end, pitch
        The notes, in ticks `[notes]`.
    times, down
        Movements of the pedal `[movements]` in order: when (in ticks), and whether it is down then.
    longest
        In ticks.

    Returns
    -------
    NDArray
        Ends in ticks, int64 `[notes]`, none before the one given.
    """
    moves = times[down != np.concatenate([[False], down[:-1]])]  # down, up, down, up ...
    pressed, lifted = moves[::2], moves[1::2]
    pressed = pressed[: len(lifted)]
    meant = lifted - pressed <= longest
    pressed, lifted = np.append(pressed[meant], NEVER), np.append(lifted[meant], -1)
    until = lifted[np.searchsorted(pressed, end, "right") - 1]
    if not np.any(until > end):
        return end.astype(np.int64)
    keys = (pitch.astype(np.int64) << 32) + onset
    ordered = np.append(np.sort(keys), NEVER)
    following = ordered[np.searchsorted(ordered, keys, "right")]
    struck = np.where(following >> 32 == pitch, following & (2**32 - 1), NEVER)
    held: NDArray[np.int64] = np.maximum(end, np.minimum(until, struck)).astype(np.int64)
    return held

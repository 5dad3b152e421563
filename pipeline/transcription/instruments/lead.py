"""Main melody extraction: the tune of a recording as one line, by Viterbi decoding over the posterior of the tune.

As in melody trackers on pitch salience (Salamon and Gomez 2012; Bittner et al. 2017) a path prefers what is likely and
what is near; it is silent where nothing leads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_LIKELY = 0.3
"""A pitch of this posterior is as good as no tune."""
LEAP_COST = 0.12
"""Of each semitone from one step to the next, in units of log odds."""
CHANGE_COST = 1.2
"""Of any other pitch in the next step."""
DEAREST_LEAP = 3.5
"""What a leap costs at most."""
ENTRY_COST = 1.5
"""Of beginning to sing, and of stopping."""
SURE = 6.0
"""Log odds count up to this."""


def melody_path(posterior: NDArray[np.float32]) -> NDArray[np.int64]:
    """The pitch of the tune at each step, an index of `[pitches]`, -1 where nothing leads; Viterbi (Forney 1973).

    Parameters
    ----------
    posterior
        Of each pitch's being the tune, float32 `[steps, pitches]`.
    """
    num_steps, num_pitches = posterior.shape
    if not num_steps:
        return np.zeros(0, np.int64)
    clipped = posterior.astype(np.float64).clip(1e-4, 1 - 1e-4)
    odds = np.log(clipped / (1 - clipped)) - np.log(LEAST_LIKELY / (1 - LEAST_LIKELY))
    emission = np.append(odds.clip(-SURE, SURE), np.zeros((num_steps, 1)), axis=1)
    cost = _transition_costs(num_pitches)
    total = emission[0].copy()
    before = np.zeros((num_steps, num_pitches + 1), np.int16)
    for step in range(1, num_steps):
        reached = total[:, None] - cost
        before[step] = reached.argmax(axis=0)
        total = reached.max(axis=0) + emission[step]
    path = np.zeros(num_steps, np.int64)
    path[-1] = total.argmax()
    for step in range(num_steps - 1, 0, -1):
        path[step - 1] = before[step, path[step]]
    path[path == num_pitches] = -1
    return path


def _transition_costs(num_pitches: int) -> NDArray[np.float64]:
    """Costs from each pitch, and last from silence, to each: `[pitches + 1, pitches + 1]`."""
    apart = np.abs(np.arange(num_pitches)[:, None] - np.arange(num_pitches))
    moves = np.minimum(CHANGE_COST + LEAP_COST * apart, DEAREST_LEAP)
    moves[apart == 0] = 0
    cost = np.full((num_pitches + 1, num_pitches + 1), ENTRY_COST)
    cost[:-1, :-1] = moves
    cost[-1, -1] = 0
    return cost


def melody_segments(path: NDArray[np.int64]) -> NDArray[np.int64]:
    """The stretches of one pitch in a path: first step, past-last step and pitch, int64 `[stretches, 3]`."""
    edges = np.flatnonzero(np.diff(path)) + 1
    firsts = np.concatenate([[0], edges]).astype(np.int64)
    pasts = np.append(edges, len(path)).astype(np.int64)
    table = np.stack([firsts, pasts, path[firsts]], axis=1) if len(path) else np.zeros((0, 3), np.int64)
    return table[table[:, 2] >= 0]

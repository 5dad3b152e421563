"""Tempo changes: where the beats of a recording become clearly faster or slower."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.transcription.beats.grid import Beats

SPAN = 8
"""Beats before and after a moment that are compared."""

LEAST_CHANGE = 0.06
"""A tempo that changes by less is the same."""

MOST_TOLD = 3
"""A remark names no more changes."""


@dataclass(frozen=True)
class TempoChange:
    """Where the tempo changes, in seconds, and the beats a minute around it."""

    seconds: float
    before_bpm: float
    after_bpm: float


def tempo_changes(beats: Beats) -> list[TempoChange]:
    """The tempo changes of a recording, in order: by 6 % or more from eight beats to the next eight.

    Where many places in a row would do, it is the middle of those with the greatest change.
    """
    periods = np.diff(beats.seconds)
    if len(periods) < 2 * SPAN:
        return []
    usual = np.median(np.lib.stride_tricks.sliding_window_view(periods, SPAN), axis=1)
    before, after = usual[:-SPAN], usual[SPAN:]
    size = np.abs(np.log(after / before))
    found = []
    while size.max() >= np.log1p(LEAST_CHANGE):
        greatest = np.flatnonzero(size > size.max() - 1e-6)
        at = int(np.median(greatest[greatest < greatest[0] + SPAN]))
        size[max(at - SPAN, 0) : at + SPAN + 1] = 0
        found.append(TempoChange(float(beats.seconds[at + SPAN]), 60 / float(before[at]), 60 / float(after[at])))
    return sorted(found, key=lambda change: change.seconds)


def tempo_remarks(beats: Beats) -> list[str]:
    """What is to be said of a recording whose tempo changes."""
    changes = tempo_changes(beats)
    told = [
        f"at {int(one.seconds) // 60}:{int(one.seconds) % 60:02d} from {one.before_bpm:.0f} to {one.after_bpm:.0f} bpm"
        for one in changes[:MOST_TOLD]
    ]
    more = [f"{len(changes) - MOST_TOLD} times more"] if len(changes) > MOST_TOLD else []
    return [f"its tempo changes {', '.join(told + more)}"] if told else []

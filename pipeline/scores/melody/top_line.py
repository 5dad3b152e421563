"""Skyline with continuity: the line of highest notes of a part, without what only fills its rests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.score import Events

TOGETHER = 0.1
"""Quarter notes; what begins nearer begins together."""
LONGEST_COVER = 4.0
"""Quarter notes for which a note keeps lower ones out of the line; pedals make notes longer than anyone hears them."""
WINDOW = 16.0
"""Quarter notes around a note in which the line's usual height is taken."""
FARTHEST_BELOW = 7.0
"""Semitones below that height from which on a note accompanies."""


def top_line(events: Events) -> tuple[Events, Events]:
    """The highest line of a part, one note at a time, and the notes that are not in it.

    Of notes that begin together the highest belongs to the line, unless a higher note of the line has just begun or it
    lies far below the notes of the line around it. Each note of the line lasts to the next one at most.
    """
    events = events[np.lexsort((-events["pitch"], events["onset"]))]
    onset = events["onset"]
    if len(events) < 2 or bool(np.all(onset[1:] >= (onset + events["duration"])[:-1] - TOGETHER)):
        line = np.ones(len(events), bool)
    else:
        line = _without_fills(events, _skyline(events))
    tune = events[line].copy()
    tune["duration"][:-1] = np.minimum(tune["duration"][:-1], np.diff(tune["onset"]))
    return tune, events[~line]


def _skyline(events: Events) -> NDArray[np.bool_]:
    """Notes with nothing higher beginning together with them or sounding since a short time."""
    kept = np.zeros(len(events), bool)
    onsets, pitches = events["onset"].tolist(), events["pitch"].tolist()
    covers = np.minimum(events["duration"], LONGEST_COVER).tolist()
    group, until, height = -np.inf, -np.inf, -1
    best = -1
    for at, (onset, pitch) in enumerate(zip(onsets, pitches, strict=True)):
        if onset - group <= TOGETHER and best >= 0:
            if pitch > height:
                kept[best], kept[at] = False, True
                best, until, height = at, onset + covers[at], pitch
            continue
        if onset < until - TOGETHER and pitch < height:
            continue
        group, best, until, height = onset, at, onset + covers[at], pitch
        kept[at] = True
    return kept


def _without_fills(events: Events, line: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The line without notes far below its usual height there: the mean pitch by time in a window around each."""
    own = events[line]
    weights = np.minimum(own["duration"], LONGEST_COVER)
    sums = np.concatenate([np.zeros((2, 1)), np.cumsum([weights, weights * own["pitch"]], axis=1)], axis=1)
    begin = np.searchsorted(own["onset"], own["onset"] - WINDOW)
    end = np.searchsorted(own["onset"], own["onset"] + WINDOW, side="right")
    total, weighted = sums[:, end] - sums[:, begin]
    kept = line.copy()
    kept[line] = own["pitch"] >= weighted / np.maximum(total, 1e-6) - FARTHEST_BELOW
    return kept

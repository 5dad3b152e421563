"""Alignment by notes: by how many seconds the notes of a score come later in a recording of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.score import Score

MOST_SECONDS = 10.0
"""A recording begins at most this much before or after its score, unless told."""
BIN_SECONDS = 0.01
MOST_ONSETS = 2000
"""Of one pitch, that are compared: more would fill the memory with pairs, and say no more."""


def offset_by_notes(
    estimated: NDArray[np.void], reference: NDArray[np.void], most_seconds: float = MOST_SECONDS
) -> float:
    """Align by notes: seconds by which estimated ones are later, the difference that most pairs of one pitch have.

    Parameters
    ----------
    estimated, reference
        Notes `[notes]` with `start` in seconds and `pitch`.
    most_seconds
        No greater difference, to either side, is looked for.

    Returns
    -------
    Seconds; 0 where no pitch is in both.
    """
    edges = np.arange(-most_seconds, most_seconds + BIN_SECONDS, BIN_SECONDS)
    counts = np.zeros(len(edges) - 1)
    pairs = []
    for pitch in np.unique(estimated["pitch"]):
        mine, own = (one["start"][one["pitch"] == pitch][:MOST_ONSETS] for one in (estimated, reference))
        differences = (mine[:, None] - own).ravel()
        differences = differences[np.abs(differences) < most_seconds]
        counts += np.histogram(differences, edges)[0]
        pairs.append(differences.astype(np.float32))
    smooth = np.convolve(counts, np.ones(5), "same")
    coarse = edges[int(np.argmax(smooth))] + BIN_SECONDS / 2
    near = np.concatenate(pairs) if pairs else np.zeros(0)
    near = near[np.abs(near - coarse) < 3 * BIN_SECONDS]
    return float(np.median(near)) if len(near) else 0.0


def notes_in_seconds(score: Score, drums: bool, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """The notes of a score, drums or all others, in seconds from its beginning, sorted by start.

    `dtype` has the fields `start`, `end`, `pitch` and `velocity`.
    """
    parts = [part.events for part in score.parts if part.is_drum == drums and len(part.events)]
    if not parts:
        return np.zeros(0, dtype)
    events = np.concatenate(parts)
    table = np.zeros(len(events), dtype)
    table["start"] = score.seconds_at(events["onset"])
    table["end"] = score.seconds_at(events["onset"] + events["duration"])
    table["pitch"], table["velocity"] = events["pitch"], events["velocity"]
    return np.sort(table, order=("start", "pitch"))


def seconds_to_nearest(notes: NDArray[np.void], others: NDArray[np.void]) -> NDArray[np.float64]:
    """How far the nearest of `others` of its pitch begins from each note, `[notes]`; infinite where there is none.

    Both have `start` and `pitch`; `others` are sorted by start.
    """
    nearest = np.full(len(notes), np.inf)
    for pitch in np.unique(notes["pitch"]):
        own = notes["pitch"] == pitch
        starts = notes["start"][own]
        places = np.concatenate([[-np.inf], others["start"][others["pitch"] == pitch], [np.inf]])
        after = np.searchsorted(places, starts).clip(1)
        nearest[own] = np.minimum(places[after] - starts, starts - places[after - 1])
    return nearest

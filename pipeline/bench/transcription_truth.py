"""What a recording was made from: the notes, hits and beats of its MIDI file, at the recording's own times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.score import DEFAULT_BPM, Part, Score, read_scores
from pipeline.transcription.pitches import PITCH, Pitches

BEATS_PER_BAR = 4
MOST_SECONDS = 10.0
"""A recording begins at most this much before or after its MIDI file."""
BIN_SECONDS = 0.01


@dataclass(frozen=True, eq=False)
class Truth:
    """The music of one recording.

    Attributes
    ----------
    parts
        Its parts, in quarter notes from the MIDI file's beginning.
    notes, hits
        Pitched notes and drum hits at the recording's times, dtype `PITCH`.
    bars
        Whole bars of four quarter notes that lie within the recording.
    bar_seconds, beats_seconds
        Where bars begin, and the beats from the first note to the last.
    first_beat
        Quarter notes from the MIDI file's beginning to the first of `beats_seconds`.
    """

    parts: tuple[Part, ...]
    notes: Pitches
    hits: Pitches
    bars: int
    bar_seconds: NDArray[np.float64]
    beats_seconds: NDArray[np.float64]
    first_beat: int


def read_truth(path: Path, heard: Pitches, seconds: float) -> Truth:
    """Read the MIDI file of a recording.

    Parameters
    ----------
    path
        The MIDI file.
    heard
        Notes that were heard in the recording, by which the two are laid on one another.
    seconds
        How long the recording is.
    """
    score = read_scores(path, 100)[0]
    notes, hits = _in_seconds(score, False), _in_seconds(score, True)
    offset = find_offset(heard, notes)
    last = min(float(np.max(np.concatenate([notes["start"], hits["start"]]))), seconds - offset)
    first = float(np.min(np.concatenate([notes["start"], hits["start"]])))
    quarters = np.arange(int(np.ceil(score.end)) + BEATS_PER_BAR)
    moments = seconds_at(score, quarters.astype(float))
    inside = np.flatnonzero((moments >= first - 1e-3) & (moments <= last + 1e-3))
    bars = int((inside[-1] + 1) // BEATS_PER_BAR)
    for table in (notes, hits):
        table["start"] += offset
        table["end"] += offset
    return Truth(
        parts=score.parts,
        notes=notes[notes["start"] < seconds],
        hits=hits[hits["start"] < seconds],
        bars=bars,
        bar_seconds=moments[: bars * BEATS_PER_BAR : BEATS_PER_BAR] + offset,
        beats_seconds=moments[inside] + offset,
        first_beat=int(inside[0]),
    )


def seconds_at(score: Score, quarters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quarter notes in seconds, by the tempi of a score."""
    tempos = [(0.0, DEFAULT_BPM), *score.tempos]
    starts, bpms = np.array([start for start, _ in tempos]), np.array([bpm for _, bpm in tempos])
    reached = np.concatenate([[0.0], np.cumsum(np.diff(starts) * 60 / bpms[:-1])])
    at = np.searchsorted(starts, quarters, side="right") - 1
    seconds: NDArray[np.float64] = reached[at] + (quarters - starts[at]) * 60 / bpms[at]
    return seconds


def find_offset(heard: Pitches, true: Pitches) -> float:
    """Seconds by which heard notes come after the true ones: the difference that most pairs of one pitch have."""
    edges = np.arange(-MOST_SECONDS, MOST_SECONDS + BIN_SECONDS, BIN_SECONDS)
    counts = np.zeros(len(edges) - 1)
    pairs = []
    for pitch in np.unique(heard["pitch"]):
        mine, own = heard["start"][heard["pitch"] == pitch], true["start"][true["pitch"] == pitch]
        differences = (mine[:, None] - own).ravel()
        differences = differences[np.abs(differences) < MOST_SECONDS]
        counts += np.histogram(differences, edges)[0]
        pairs.append(differences)
    smooth = np.convolve(counts, np.ones(5), "same")
    coarse = edges[int(np.argmax(smooth))] + BIN_SECONDS / 2
    near = np.concatenate(pairs) if pairs else np.zeros(0)
    near = near[np.abs(near - coarse) < 3 * BIN_SECONDS]
    return float(np.median(near)) if len(near) else 0.0


def _in_seconds(score: Score, drums: bool) -> Pitches:
    """The notes of a score, drums or all others, in seconds, sorted by start."""
    parts = [part.events for part in score.parts if part.is_drum == drums and len(part.events)]
    if not parts:
        return np.zeros(0, PITCH)
    events = np.concatenate(parts)
    table = np.zeros(len(events), PITCH)
    table["start"] = seconds_at(score, events["onset"])
    table["end"] = seconds_at(score, events["onset"] + events["duration"])
    table["pitch"], table["velocity"] = events["pitch"], events["velocity"]
    return np.sort(table, order=("start", "pitch"))

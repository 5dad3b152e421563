"""Features of whole phrases: shares of moves, intervals, durations, onset places, chords, and bars that return.

Of each line (of chord tracks the top and the bottom one) the shares of its moves by size, leaps and steps in a row,
range and mean pitch, onsets by place in the beat, time between onsets; of chord tracks how many notes begin at once; of
drums each frequent drum's onsets by place in the beat; of pairs of tracks intervals, crossings, parallels, onsets
together; of all tracks the sizes of chords, triads, pitch classes; of each track how alike its bars are.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.note_features.lines import (
    NONE,
    FeatureMatrix,
    Ints,
    Moves,
    NoteLines,
    TrackTraits,
    interval,
    moves_of,
)

MOVES = {
    "repeated notes": (0, 0),
    "moves by a semitone": (1, 1),
    "moves by a tone": (2, 2),
    "moves by a third": (3, 4),
    "moves by a fourth": (5, 5),
    "moves by a tritone": (6, 6),
    "moves by a fifth": (7, 7),
    "moves by a sixth or seventh": (8, 11),
    "moves by an octave": (12, 12),
    "moves beyond an octave": (13, 127),
}
"""Sizes of moves in semitones, first and last."""
GAPS = {
    "quarters of a beat": (0, 0.25),
    "halves of a beat": (0.25, 0.5),
    "three quarters of a beat": (0.5, 0.75),
    "beats": (0.75, 1.0),
    "under two beats": (1.0, 1.99),
    "two beats": (1.99, 2.0),
}
"""Times between onsets in beats: above the first, up to the second."""
TRIADS = {"major": (0, 4, 7), "minor": (0, 3, 7), "diminished": (0, 3, 6)}
PARTS_OF_BEAT = 4
"""Places in the beat that onsets are counted by."""
LAGS = 2
"""Bars up to so far apart are compared."""

Columns = dict[str, NDArray[Any]]
"""By name `[phrases]`."""


def phrase_features(lines: NoteLines, traits: TrackTraits) -> FeatureMatrix:
    """One row a phrase; what a phrase does not have (moves of a silent track) is 0."""
    columns: Columns = {}
    for track, name in enumerate(lines.names):
        columns |= _line(lines.struck_top[:, track], lines.top[:, track], name, lines.spec.steps_per_beat)
        if traits.polyphonic[track]:
            bottom = lines.struck_bottom[:, track], lines.bottom[:, track]
            columns |= _melodic(moves_of(bottom[0]), bottom[1], f"{name} bottom")
            columns |= _chords(lines, track, name)
    for track, name in enumerate(lines.drum_names):
        columns |= _drums(lines, track, name, traits.drums[track])
    for pair in lines.pairs:
        columns |= _pair(lines, *pair, any(traits.polyphonic[track] for track in pair))
    columns |= _harmony(lines)
    for lag, likeness in enumerate(lines.likeness[:LAGS], start=1):
        for track, name in enumerate(lines.spec.names):
            columns[f"{name} bars {lag} apart alike"] = _mean(likeness[:, track])
    values = np.nan_to_num(np.stack(list(columns.values()), axis=1).astype(np.float32))
    return FeatureMatrix(values, tuple(columns), np.arange(len(lines)))


def _mean(values: NDArray[Any]) -> NDArray[Any]:
    """Mean over the last axis of what is not NaN; NaN of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of a track without notes
        mean: NDArray[Any] = np.nanmean(values.astype(np.float64), axis=-1)
    return mean


def _shares(chosen: NDArray[np.bool_], moves: Moves, totals: NDArray[np.int64]) -> NDArray[Any]:
    """Share of the moves of each phrase that are chosen."""
    share: NDArray[Any] = np.bincount(moves.phrase[chosen], minlength=len(totals)) / totals.clip(1)
    return share


def _melodic(moves: Moves, sounding: Ints, name: str) -> Columns:
    """Moves, range and height of a line."""
    count = len(sounding)
    totals = np.bincount(moves.phrase, minlength=count)
    size = np.abs(moves.interval)
    columns: Columns = {
        f"{name} {key}": _shares((size >= low) & (size <= high), moves, totals) for key, (low, high) in MOVES.items()
    }
    widest = np.zeros(count)
    np.maximum.at(widest, moves.phrase, size)
    columns[f"{name} widest move"] = widest
    columns[f"{name} mean move"] = np.bincount(moves.phrase, size, minlength=count) / totals.clip(1)
    follows = np.zeros(len(size), dtype=bool)
    follows[1:] = moves.phrase[1:] == moves.phrase[:-1]
    before = np.roll(moves.interval, 1)
    columns[f"{name} two leaps running"] = _shares(follows & (size > 4) & (np.abs(before) > 4), moves, totals)
    onward = follows & (moves.interval * before > 0) & (size <= 2) & (np.abs(before) <= 2)
    columns[f"{name} two steps one way"] = _shares(onward, moves, totals)
    heard = sounding != NONE
    highest = sounding.max(1)
    lowest = np.where(heard, sounding, np.iinfo(np.int16).max).min(1)
    columns[f"{name} range"] = np.where(heard.any(1), highest - lowest, 0)
    columns[f"{name} mean pitch"] = np.where(heard, sounding, 0).sum(1) / heard.sum(1).clip(1)
    return columns


def _line(struck: Ints, sounding: Ints, name: str, steps_per_beat: int) -> Columns:
    """Moves and rhythm of a line."""
    moves, onsets = moves_of(struck), struck != NONE
    totals = np.bincount(moves.phrase, minlength=len(struck))
    columns = _melodic(moves, sounding, name) | _places(onsets, name, steps_per_beat)
    gap = moves.gap / steps_per_beat
    for key, (low, high) in GAPS.items():
        columns[f"{name} {key}"] = _shares((gap > low) & (gap <= high), moves, totals)
    if struck.shape[1] > 1:
        columns[f"{name} first note of one step"] = onsets[:, 0] & onsets[:, 1]
    columns[f"{name} rests"] = (sounding == NONE).mean(1)
    return columns


def _places(onsets: NDArray[np.bool_], name: str, steps_per_beat: int) -> Columns:
    """Onsets `[phrases, time]` by place in the beat."""
    columns: Columns = {f"{name} onsets": onsets.mean(1)}
    part = np.arange(onsets.shape[1]) % steps_per_beat * PARTS_OF_BEAT // steps_per_beat
    for place in sorted(set(part.tolist())):
        columns[f"{name} onsets at {place}/{PARTS_OF_BEAT} of the beat"] = onsets[:, part == place].mean(1)
    return columns


def _chords(lines: NoteLines, track: int, name: str) -> Columns:
    """How many notes begin and sound at once."""
    struck, sounding = lines.num_struck[:, track], lines.num_sounding[:, track]
    begun = (struck > 0).sum(1).clip(1)
    columns: Columns = {f"{name} onsets of {size} notes": (struck == size).sum(1) / begun for size in (1, 2, 3, 4)}
    columns[f"{name} notes sounding"] = sounding.sum(1) / (sounding > 0).sum(1).clip(1)
    columns[f"{name} span"] = _mean(interval(lines.struck_top[:, track], lines.struck_bottom[:, track]))
    return columns


def _drums(lines: NoteLines, track: int, name: str, frequent: tuple[int, ...]) -> Columns:
    """Onsets of a kit and of its frequent drums by place in the beat."""
    hits = lines.drums[:, track]
    columns = _places(np.logical_or.reduce(hits, axis=-1), name, lines.spec.steps_per_beat)
    columns[f"{name} hits at once"] = hits.sum((1, 2)) / hits.any(-1).sum(1).clip(1)
    columns[f"{name} drums used"] = hits.any(1).sum(1)
    for drum in frequent:
        columns |= _places(hits[..., drum], f"{name} {lines.spec.lowest_pitch + drum}", lines.spec.steps_per_beat)
    return columns


def _pair(lines: NoteLines, first: int, second: int, in_chords: bool) -> Columns:
    """Intervals of two tracks, and their rhythm together."""
    name = f"{lines.names[first]}-{lines.names[second]}"
    struck = [lines.num_struck[:, track] > 0 for track in (first, second)]
    together = (struck[0] & struck[1]).sum(1) / (struck[0] | struck[1]).sum(1).clip(1)
    columns: Columns = {f"{name} onsets together": together}
    if in_chords:
        chroma = [lines.chroma[:, track] for track in (first, second)]
        both = (chroma[0].any(-1) & chroma[1].any(-1)).sum(1).clip(1)
        apart = [chroma[0] & np.roll(chroma[1], turn, -1) for turn in (1, -1)]
        columns[f"{name} semitones"] = (apart[0] | apart[1]).any(-1).sum(1) / both
        columns[f"{name} shared pitch classes"] = (chroma[0] & chroma[1]).sum((1, 2)) / both
        return columns
    wide = interval(lines.top[:, first], lines.top[:, second])
    both = (~np.isnan(wide)).sum(1).clip(1)
    columns[f"{name} crossed"] = (wide < 0).sum(1) / both
    for semitones in range(12):
        columns[f"{name} interval {semitones}"] = (wide % 12 == semitones).sum(1) / both
    columns[f"{name} parallels"] = parallels(lines, first, second, (0, 7)).sum(1)
    return columns


def parallels(lines: NoteLines, first: int, second: int, intervals: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where two top lines both move and keep one of these intervals, octaves folded: `[phrases, beats - 1]`."""
    tops = [lines.top[:, track, :: lines.spec.steps_per_beat] for track in (first, second)]
    wide = interval(*tops) % 12
    kept = (wide[:, 1:] == wide[:, :-1]) & np.isin(wide[:, 1:], intervals)
    moved = (tops[0][:, 1:] != tops[0][:, :-1]) & (tops[1][:, 1:] != tops[1][:, :-1])
    found: NDArray[np.bool_] = kept & moved
    return found


def _harmony(lines: NoteLines) -> Columns:
    """Chords of all tracks together."""
    chroma = lines.harmony
    size = chroma.sum(2)
    columns: Columns = {f"chords of {count} pitch classes": (size == count).mean(1) for count in (1, 2, 3, 4)}
    beats = chroma[:, :: lines.spec.steps_per_beat]
    columns["semitones"] = (beats & np.roll(beats, 1, -1)).any(-1).mean(1)
    for name, triad in TRIADS.items():
        masks = np.zeros((12, 12), dtype=bool)
        for root in range(12):
            masks[root, [(root + step) % 12 for step in triad]] = True
        outside = beats.astype(np.float32) @ (~masks).T.astype(np.float32)  # [phrases, beats, roots]
        columns[f"beats within a {name} triad"] = (outside == 0).any(-1).mean(1)
    columns |= {f"pitch class {number}": chroma[:, :, number].mean(1) for number in range(12)}
    return columns

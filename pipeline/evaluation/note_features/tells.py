"""Musical tells: what a musician hears at once in music that nobody wrote, each by its name.

Leaps, steps and repeated notes of lines, voices that cross or double, parallel fifths and octaves, thin and clashing
chords, stray first notes, bars that return, tracks that play. Each is a share or a number of *events* (moves, steps,
beats, bars), NaN where there is none, so that the mean over a set of phrases is the mean over its events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.note_features.lines import NONE, Floats, NoteLines, TrackTraits, interval

LEAP, STEP = 7, 2
"""Semitones: a leap is wider than a fifth, a step no wider than a whole tone."""

Events = dict[str, Floats]
"""By track or tracks (empty: of all), `[phrases, events]`."""


@dataclass(frozen=True)
class MusicalTell:
    """One of them. Its keys in a table are `name` or `name/Track`."""

    name: str
    explanation: str
    measure: Callable[[NoteLines, TrackTraits], Events]


def _where(there: NDArray[np.bool_], values: NDArray[np.bool_] | Floats | NDArray[np.int64]) -> Floats:
    """The values where there is an event, NaN elsewhere."""
    return np.where(there, values, np.nan).astype(np.float32)


def _moves(lines: NoteLines) -> dict[str, Floats]:
    """Absolute moves of each track's top line from onset to onset, at the steps where they arrive; else NaN."""
    found = {}
    for track, name in enumerate(lines.names):
        struck = lines.struck_top[:, track]
        latest = np.maximum.accumulate(np.where(struck != NONE, np.arange(struck.shape[1]), 0), axis=1)
        line = np.take_along_axis(struck, latest, 1)
        found[name] = _where(struck[:, 1:] != NONE, np.abs(interval(struck[:, 1:], line[:, :-1])))
    return found


def leaps(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether a move to another pitch is a leap."""
    return {name: _where(moves > 0, moves > LEAP) for name, moves in _moves(lines).items()}


def steps(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether a move to another pitch is a step."""
    return {name: _where(moves > 0, moves <= STEP) for name, moves in _moves(lines).items()}


def repeated_notes(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether a note is the one before again."""
    return {name: _where(~np.isnan(moves), moves == 0) for name, moves in _moves(lines).items()}


def crossings(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether the lower of two neighbouring voices lies above the other; chord tracks are no voices."""
    found = {}
    for upper, lower in pairwise(traits.voices):
        wide = interval(lines.top[:, upper], lines.top[:, lower])
        found[f"{lines.names[upper]}-{lines.names[lower]}"] = _where(~np.isnan(wide), wide < 0)
    return found


def _of_pairs(lines: NoteLines, holds: Callable[[Floats], NDArray[np.bool_]]) -> Events:
    """Whether the interval of two tracks' top notes has a property, at the steps at which both sound."""
    wides = [interval(lines.top[:, first], lines.top[:, second]) for first, second in lines.pairs]
    return {"": np.concatenate([_where(~np.isnan(wide), holds(wide)) for wide in wides], axis=1)} if wides else {}


def unisons(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether two tracks have the same top note."""
    return _of_pairs(lines, lambda wide: wide == 0)


def octaves(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether the top notes of two tracks lie octaves apart."""
    return _of_pairs(lines, lambda wide: (wide % 12 == 0) & (wide != 0))


def _parallel(lines: NoteLines, semitones: int) -> Events:
    """Of the intervals of two top lines (octaves folded) that both leave by the next beat, those that are kept."""
    columns = []
    for first, second in lines.pairs:
        tops = [lines.top[:, track, :: lines.spec.steps_per_beat] for track in (first, second)]
        wide = interval(*tops)
        both = (wide[:, :-1] % 12 == semitones) & ~np.isnan(wide[:, 1:])
        moved = (tops[0][:, 1:] != tops[0][:, :-1]) & (tops[1][:, 1:] != tops[1][:, :-1])
        columns.append(_where(both & moved, wide[:, 1:] == wide[:, :-1]))
    return {"": np.concatenate(columns, axis=1)} if columns else {}


def parallel_fifths(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether a fifth moves in parallel."""
    return _parallel(lines, 7)


def parallel_octaves(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether an octave or unison moves in parallel."""
    return _parallel(lines, 0)


def thin_chords(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether just two pitch classes sound."""
    size = lines.harmony.sum(2)
    return {"": _where(size > 0, size == 2)} if lines.spec.pitched else {}


def semitone_clashes(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether two pitch classes a semitone apart sound at a beat."""
    beats = lines.harmony[:, :: lines.spec.steps_per_beat]
    clash = np.logical_or.reduce(beats & np.roll(beats, 1, -1), axis=-1)
    return {"": _where(np.logical_or.reduce(beats, axis=-1), clash)} if lines.spec.pitched else {}


def stray_first_notes(lines: NoteLines, traits: TrackTraits) -> Events:
    """Whether the note that a phrase begins with gives way to another one after a single step."""
    struck = lines.num_struck > 0
    return {
        name: _where(struck[:, track, :1], struck[:, track, 1:2])
        for track, name in enumerate(lines.names)
        if struck.shape[2] > 1
    }


def bars_one_apart(lines: NoteLines, traits: TrackTraits) -> Events:
    """How alike each bar is to the next."""
    return _bars_apart(lines, 1)


def bars_two_apart(lines: NoteLines, traits: TrackTraits) -> Events:
    """How alike each bar is to the one after the next."""
    return _bars_apart(lines, 2)


def _bars_apart(lines: NoteLines, lag: int) -> Events:
    if lag >= lines.spec.bars:
        return {}
    return {name: lines.likeness[lag - 1][:, track] for track, name in enumerate(lines.spec.names)}


def tracks_playing(lines: NoteLines, traits: TrackTraits) -> Events:
    """Tracks that sound in a bar."""
    spec = lines.spec
    pitched = (lines.num_sounding > 0).reshape(len(lines), -1, spec.bars, spec.steps_per_bar)
    hits = np.logical_or.reduce(lines.drums, axis=-1).reshape(len(lines), -1, spec.bars, spec.steps_per_bar)
    sounds = np.concatenate([np.logical_or.reduce(one, axis=3) for one in (pitched, hits)], axis=1)
    return {"": sounds.sum(1).astype(np.float32)}


TELLS: tuple[MusicalTell, ...] = (
    MusicalTell("leaps", "moves of the top line to another pitch that are wider than a fifth", leaps),
    MusicalTell("steps", "moves of the top line to another pitch by a semitone or a tone", steps),
    MusicalTell("repeated notes", "moves of the top line that stay on the pitch", repeated_notes),
    MusicalTell("crossings", "steps at which the lower of two neighbouring voices lies above the other", crossings),
    MusicalTell("unisons", "steps at which the top notes of two tracks are the same", unisons),
    MusicalTell("octaves", "steps at which the top notes of two tracks lie octaves apart", octaves),
    MusicalTell(
        "parallel fifths",
        "fifths of two top lines that both leave, and move in parallel, to the next beat",
        parallel_fifths,
    ),
    MusicalTell(
        "parallel octaves",
        "octaves and unisons of two top lines that move in parallel to the next beat",
        parallel_octaves,
    ),
    MusicalTell("chords of two pitch classes", "steps at which just two pitch classes sound", thin_chords),
    MusicalTell("semitone clashes", "beats at which two pitch classes a semitone apart sound", semitone_clashes),
    MusicalTell(
        "stray first notes", "first notes of a phrase that last a single step before the next", stray_first_notes
    ),
    MusicalTell("bars alike, next", "likeness (cosine of onsets) of a bar and the next", bars_one_apart),
    MusicalTell("bars alike, two apart", "likeness of a bar and the one after the next", bars_two_apart),
    MusicalTell("tracks playing", "tracks that sound in a bar", tracks_playing),
)


def tells_of(lines: NoteLines, traits: TrackTraits) -> dict[str, Floats]:
    """The events of every tell, `[phrases, events]`, by `name` or `name/Track`."""
    return {
        f"{tell.name}/{of}" if of else tell.name: events
        for tell in TELLS
        for of, events in tell.measure(lines, traits).items()
    }

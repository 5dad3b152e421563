"""Features of two-beat windows: what each track does in a beat and the one before, and how the tracks stand together.

A window lies around each beat but the first. Of each line: pitch class at the beat, its moves from the beat before,
from the last step before and to the middle of the beat, onsets in both beats, and whether a note begins on the beat; of
chord tracks the bottom line, the span and the number of notes as well; of drums the onset pattern of the kit and of
each frequent drum as a binary number; of pairs of tracks the interval at the beat, and where either plays chords the
pitch classes that they share and those a semitone apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.evaluation.note_features.lines import (
    FeatureMatrix,
    Floats,
    Ints,
    NoteLines,
    TrackTraits,
    interval,
    pitch_class,
)

Columns = dict[str, NDArray[Any]]
"""By name `[phrases, windows]`."""


def window_features(lines: NoteLines, traits: TrackTraits) -> FeatureMatrix:
    """All windows of the phrases, `beats - 1` rows a phrase."""
    spec = lines.spec
    columns: Columns = {}
    for track, name in enumerate(lines.names):
        columns |= _line(lines, track, name)
        if traits.polyphonic[track]:
            columns |= _chords(lines, track, name)
    for track, name in enumerate(lines.drum_names):
        columns |= _drums(lines, track, name, traits.drums[track])
    for pair in lines.pairs:
        columns |= _pair(lines, *pair, any(traits.polyphonic[track] for track in pair))
    num_beats = spec.bars * spec.beats_per_bar
    if any(traits.polyphonic):
        columns |= _harmony(lines)
    columns["beat of the bar"] = np.broadcast_to(
        np.arange(1, num_beats) % spec.beats_per_bar, (len(lines), num_beats - 1)
    )
    values = np.stack([column.reshape(-1).astype(np.float32) for column in columns.values()], axis=1)
    return FeatureMatrix(values, tuple(columns), np.repeat(np.arange(len(lines)), num_beats - 1))


def _at_beats(values: NDArray[Any], steps_per_beat: int) -> NDArray[Any]:
    """`[phrases, time, ...]` at the beats but the first."""
    return values[:, steps_per_beat::steps_per_beat]


def _by_beat(values: NDArray[Any], steps_per_beat: int) -> NDArray[Any]:
    """`[phrases, time]` as `[phrases, beats, steps]`."""
    found: NDArray[Any] = values.reshape(len(values), -1, steps_per_beat)
    return found


def _moves(line: Ints, steps_per_beat: int) -> dict[str, Floats]:
    """Moves of a line around each beat."""
    now = line[:, steps_per_beat::steps_per_beat]
    return {
        "move": interval(now, line[:, :-steps_per_beat:steps_per_beat]),
        "move at the beat": interval(now, line[:, steps_per_beat - 1 : -1 : steps_per_beat]),
        "move within the beat": interval(line[:, steps_per_beat + steps_per_beat // 2 :: steps_per_beat], now),
    }


def _line(lines: NoteLines, track: int, name: str) -> Columns:
    """What a single line does."""
    each = lines.spec.steps_per_beat
    struck = lines.num_struck[:, track] > 0
    onsets = _by_beat(struck, each).sum(2)
    top = lines.top[:, track]
    return {
        f"{name} pitch class": pitch_class(top[:, each::each], lines.spec),
        **{f"{name} {key}": values for key, values in _moves(top, each).items()},
        f"{name} onsets in the beat before": onsets[:, :-1],
        f"{name} onsets": onsets[:, 1:],
        f"{name} begins on the beat": _at_beats(struck, each),
    }


def _chords(lines: NoteLines, track: int, name: str) -> Columns:
    """What chords have beside a top line."""
    each = lines.spec.steps_per_beat
    top, bottom = lines.top[:, track], lines.bottom[:, track]
    notes = _by_beat(lines.num_struck[:, track], each).sum(2)
    return {
        f"{name} bottom pitch class": pitch_class(bottom[:, each::each], lines.spec),
        **{f"{name} bottom {key}": values for key, values in _moves(bottom, each).items()},
        f"{name} span": interval(top[:, each::each], bottom[:, each::each]),
        f"{name} notes at the beat": _at_beats(lines.num_sounding[:, track], each),
        f"{name} notes": notes[:, 1:],
        f"{name} pattern": pattern(lines.num_struck[:, track] > 0, each)[:, 1:],
    }


def pattern(struck: NDArray[np.bool_], steps_per_beat: int) -> NDArray[Any]:
    """Onsets of each beat as a binary number, the first step counting most: `[phrases, time]` as `[phrases, beats]`."""
    weights = 2 ** np.arange(steps_per_beat - 1, -1, -1)
    found: NDArray[Any] = (struck.reshape(len(struck), -1, steps_per_beat) * weights).sum(2)
    return found


def _drums(lines: NoteLines, track: int, name: str, frequent: tuple[int, ...]) -> Columns:
    """Onset patterns of a kit and of its frequent drums."""
    each = lines.spec.steps_per_beat
    hits = lines.drums[:, track]
    kit = pattern(np.logical_or.reduce(hits, axis=-1), each)
    columns: Columns = {
        f"{name} pattern": kit[:, 1:],
        f"{name} pattern of the beat before": kit[:, :-1],
        f"{name} hits": _by_beat(hits.sum(-1), each).sum(2)[:, 1:],
    }
    for drum in frequent:
        own = pattern(hits[..., drum], each)
        key = f"{name} {lines.spec.lowest_pitch + drum}"
        columns |= {f"{key} pattern": own[:, 1:], f"{key} pattern of the beat before": own[:, :-1]}
    return columns


def _pair(lines: NoteLines, first: int, second: int, in_chords: bool) -> Columns:
    """How two tracks stand at the beat."""
    each = lines.spec.steps_per_beat
    name = f"{lines.names[first]}-{lines.names[second]}"
    tops = [lines.top[:, track, each::each] for track in (first, second)]
    bottoms = [lines.bottom[:, track, each::each] for track in (first, second)]
    if not in_chords:
        return {f"{name} interval": interval(*tops)}
    chroma = [lines.chroma[:, track, each::each] for track in (first, second)]
    apart = sum((chroma[0] & np.roll(chroma[1], turn, -1)).sum(-1) for turn in (1, -1))
    return {
        f"{name} interval of top and bottom": interval(tops[0], bottoms[1]) % 12,
        f"{name} interval of bottom and top": interval(bottoms[0], tops[1]) % 12,
        f"{name} shared pitch classes": (chroma[0] & chroma[1]).sum(-1),
        f"{name} semitones": np.asarray(apart),
    }


def _harmony(lines: NoteLines) -> Columns:
    """Pitch classes of all tracks at the beat."""
    chroma = lines.harmony[:, lines.spec.steps_per_beat :: lines.spec.steps_per_beat]
    return {
        "pitch classes": chroma.sum(-1),
        "semitones": (chroma & np.roll(chroma, 1, -1)).sum(-1),
    }

"""Training examples for beats and downbeats: pieces whose beats are known, with errors, and which metre is right.

A piece is what is known of some music and the notes and hits that stand for it: its own, transcribed ones, or its own
with simulated transcription errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.beats.downbeats import PHASES_PER_BEAT
from pipeline.transcription.beats.metrical_levels import RATIOS, MetricalLevel, find_levels
from pipeline.transcription.beats.onsets import Floats, Onsets, find_onsets
from pipeline.transcription.beats.pulse_tracking import find_pulse
from pipeline.transcription.drums.drum_map import HIT

_FEWEST_ONSETS, _SHORTEST_SECONDS = 16, 8.0  # a piece of less gives no example
_LEVEL_ERROR = 0.04  # of the beat
_BESIDE_SECONDS = 0.03
_LOST = (0.1, 0.45)  # of notes and hits, in excerpts with losses
_LATEST_START, _SHORTEST_PART = 0.4, 18.0  # of the piece, seconds


@dataclass(frozen=True)
class AnnotatedPiece:
    """A piece whose beats are known.

    Attributes
    ----------
    notes, hits
        As `find_pitches` and `find_drum_hits` would give them, without error.
    beats
        `[beats]` seconds, the first a bar line where `knows_bars` is set.
    beats_per_bar
        Beats a bar, 4 where it isn't known.
    knows_beats
        Whether the beats themselves are known, or only how long they are.
    knows_bars
        Whether bar lines are known.
    """

    notes: NDArray[np.void]
    hits: NDArray[np.void]
    beats: Floats
    beats_per_bar: int
    knows_beats: bool
    knows_bars: bool


@dataclass(frozen=True)
class MetreExample:
    """One training example: the metrical levels of a piece, and which of their bars are right.

    Attributes
    ----------
    levels
        With their features.
    right
        `[candidates]`, the phases of all levels one after the other; at least one of them is right.
    weight
        How much the example counts.
    """

    levels: list[MetricalLevel]
    right: NDArray[np.bool_]
    weight: float

    @property
    def candidates(self) -> Floats:
        """`[candidates, NUM_FEATURES]`."""
        return np.concatenate([level.candidates for level in self.levels])


def with_errors(piece: AnnotatedPiece, rng: np.random.Generator) -> AnnotatedPiece:
    """Simulated transcription errors: the piece as a bad transcription has it.

    25 % of the notes are lost and 15 % invented, 20 to 45 % of the hits are lost, up to a quarter as many as there are
    notes invented, where there are hits at all; all are moved.
    """
    jitter = rng.uniform(0.010, 0.020)
    notes = piece.notes[rng.random(len(piece.notes)) > 0.25].copy()
    false = notes[rng.random(len(notes)) < 0.10].copy()  # octave errors
    false["pitch"] += rng.choice([-12, 12, 12, 19], len(false)).astype(np.int16)
    stray = notes[rng.random(len(notes)) < 0.05].copy()
    lengths = stray["end"] - stray["start"]
    stray["start"] = rng.uniform(0, notes["start"].max() if len(notes) else 1.0, len(stray))
    stray["end"] = stray["start"] + lengths
    notes = np.concatenate([notes, false, stray])
    lengths = np.maximum((notes["end"] - notes["start"]) * rng.uniform(0.7, 1.1, len(notes)), 0.05)
    notes["start"] = np.maximum(notes["start"] + rng.normal(0, jitter, len(notes)), 0)
    notes["end"] = notes["start"] + lengths
    notes["velocity"] = np.clip(notes["velocity"] + rng.normal(0, 12, len(notes)), 10, 127)
    notes = notes[(notes["pitch"] >= 21) & (notes["pitch"] <= 108)]
    hits = piece.hits[rng.random(len(piece.hits)) > rng.uniform(0.2, 0.45)].copy()
    confused = rng.random(len(hits)) < 0.08
    hits["pitch"][confused] = rng.choice([36, 38, 42, 45, 49], int(confused.sum())).astype(np.int16)
    if len(hits) and len(notes):
        invented = np.zeros(int(rng.uniform(0, 0.25) * len(notes)), HIT)
        invented["start"] = rng.choice(notes["start"], len(invented))
        invented["pitch"] = rng.choice([36, 38, 42, 42, 45, 49], len(invented))
        invented["velocity"] = rng.integers(20, 110, len(invented))
        hits = np.concatenate([hits, invented])
    hits["start"] = np.maximum(hits["start"] + rng.normal(0, jitter / 2, len(hits)), 0)
    return replace(piece, notes=np.sort(notes, order="start"), hits=np.sort(hits, order="start"))


def with_losses(piece: AnnotatedPiece, rng: np.random.Generator) -> AnnotatedPiece:
    """The piece without some of its notes and hits, 10 to 45 % of each, at random."""
    lost = rng.uniform(*_LOST)
    notes, hits = (rows[rng.random(len(rows)) > lost] for rows in (piece.notes, piece.hits))
    return replace(piece, notes=notes, hits=hits)


def part_of(piece: AnnotatedPiece, rng: np.random.Generator) -> AnnotatedPiece:
    """A part of the piece, 18 seconds or more, from anywhere in it: not all music begins with a bar."""
    end = float(max(piece.notes["start"].max(initial=0), piece.hits["start"].max(initial=0)))
    first = rng.uniform(0, end * _LATEST_START)
    last = rng.uniform(first + _SHORTEST_PART, end) if end > first + _SHORTEST_PART else end
    notes, hits = (rows[(rows["start"] >= first) & (rows["start"] <= last)] for rows in (piece.notes, piece.hits))
    return replace(piece, notes=notes, hits=hits)


def on_beats_only(piece: AnnotatedPiece) -> AnnotatedPiece:
    """The piece without what starts more than 30 ms from a beat."""
    notes, hits = (
        rows[np.abs(rows["start"][:, None] - piece.beats).min(axis=1, initial=1e9) < _BESIDE_SECONDS]
        for rows in (piece.notes, piece.hits)
    )
    return replace(piece, notes=notes, hits=hits)


def without_kinds(onsets: Onsets) -> Onsets:
    """Onsets of which nothing but the strength is known, as `flux_onsets` finds them."""
    empty = {name: (np.zeros(0), np.zeros(0)) for name in onsets.layers}
    return replace(onsets, layers=empty | {"any": (onsets.seconds, np.clip(onsets.weights, 0, 1))})


def make_examples(piece: AnnotatedPiece, onsets: Onsets, weight: float) -> list[MetreExample]:
    """Examples from onsets of a piece: one in bars of four beats, and one in its own bars where they are others.

    None where the onsets are too few, or where no level of their pulse is right. In bars of another length than the
    piece's own, beats alone are right or wrong.
    """
    if len(onsets.seconds) < _FEWEST_ONSETS or np.ptp(onsets.seconds) < _SHORTEST_SECONDS:
        return []
    pulse = find_pulse(onsets)
    made = []
    for beats_per_bar in sorted({4, piece.beats_per_bar}):
        known = piece
        if beats_per_bar != piece.beats_per_bar:
            known = replace(piece, beats_per_bar=beats_per_bar, knows_bars=False)
        levels = find_levels(onsets, pulse, beats_per_bar, RATIOS)
        right = right_candidates(levels, pulse, known)
        if right.any():
            made.append(MetreExample(levels, right, weight))
    return made


def onsets_of(piece: AnnotatedPiece, drums: bool = True) -> Onsets:
    """The onsets of its notes and, unless `drums` is false, of its hits."""
    return find_onsets(piece.notes, piece.hits if drums else piece.hits[:0])


def right_candidates(levels: list[MetricalLevel], pulse: Floats, piece: AnnotatedPiece) -> NDArray[np.bool_]:
    """`[candidates]`: the bars on the right level that mean the piece's beats, and its bar lines where they are known.

    All bars of the level are right where the piece does not know its beats, or where the pulse keeps to none of them.
    """
    parts = []
    for level, right in zip(levels, right_levels(levels, pulse, piece), strict=True):
        phases = right_phases(level, pulse, piece)
        parts.append((phases if phases.any() else np.ones(len(phases), bool)) & right)
    return np.concatenate(parts)


def right_levels(levels: list[MetricalLevel], pulse: Floats, piece: AnnotatedPiece) -> NDArray[np.bool_]:
    """`[levels]`: those whose beat is as long as the piece's."""
    inside = piece.beats[(piece.beats > pulse[0]) & (piece.beats < pulse[-1])]
    if len(inside) < 4:
        return np.zeros(len(levels), bool)
    apart = float(np.median(np.diff(np.interp(inside, pulse, np.arange(len(pulse))))))
    return np.array([abs(apart / level.ratio - 1) <= _LEVEL_ERROR for level in levels])


def right_phases(level: MetricalLevel, pulse: Floats, piece: AnnotatedPiece) -> NDArray[np.bool_]:
    """`[phases]`: those that mean the beats of the piece, and its bar lines where they are known."""
    inside = (piece.beats > pulse[0]) & (piece.beats < pulse[-1])
    if not piece.knows_beats:
        return np.zeros(level.profile.shape[1], bool)
    at = np.interp(piece.beats[inside], pulse, np.arange(len(pulse)))
    counted = at / level.ratio - np.arange(level.profile.shape[1])[:, None] / PHASES_PER_BEAT
    mean_phasor = np.exp(2j * np.pi * counted).mean(axis=1)
    near: NDArray[np.bool_] = (np.abs(mean_phasor) > 0.7) & (
        np.abs(np.angle(mean_phasor)) <= 2 * np.pi * (1 / 24 + 1e-6)
    )
    if piece.knows_bars:
        ahead = np.round(counted - np.flatnonzero(inside)).astype(int) % piece.beats_per_bar == 0
        near &= ahead.mean(axis=1) > 0.7
    return near

"""Chord recognition: templates of chord tones compared with what sounds in each half bar, smoothed by Viterbi decoding.

As chord recognisers of sound do it (Fujishima 1999; Sheh and Ellis 2003), on notes: how long each pitch class sounds is
compared with each chord's tones, and the lowest notes with its root; a change of chord has a cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gan.chords import CHORD_TONES, NO_CHORD
from gan.spec import RollSpec
from pipeline.scores.chords.symbols import NO_ROW, ChordRows, ChordSymbol, row_of, unknown_chords

BASS_WEIGHT = 0.2
"""Of the lowest notes' being the root, beside the likeness of the chord tones."""
CHANGE_COST = 0.05
"""Of a change of chord at a bar line."""
CHANGE_COST_INSIDE = 0.1
"""Of one within a bar."""
SILENCE_SCORE = 0.2
"""Of no chord."""
QUALITY_SCORES = {"7": -0.05, "maj7": -0.05, "min7": -0.05, "dim": -0.08, "aug": -0.1, "sus4": -0.08, "m7b5": -0.1}
"""How much less likely than plain major and minor chords the others are."""


TINY = 1e-6
"""Quarter notes; closer times are the same."""


def half_bar_starts(bars: int, spec: RollSpec) -> NDArray[np.int64]:
    """The step at which each half bar begins, `[2 * bars]`; of an odd number of beats the first half has one more."""
    first = -(-spec.beats_per_bar // 2) * spec.steps_per_beat
    starts = np.arange(bars)[:, None] * spec.steps_per_bar + np.array([0, first])
    return np.asarray(starts.reshape(-1), np.int64)


def recognise_chords(notes: NDArray[np.void], bars: int, spec: RollSpec) -> ChordRows:
    """The chord of each half bar of a song, int8 `[2 * bars, 3]`.

    Parameters
    ----------
    notes
        `pipeline.scores.notes.Notes`, in steps from the first bar line; drums count for nothing.
    bars, spec
        How many bars there are, and of which grid and tracks.
    """
    if not bars:
        return unknown_chords(0)
    chroma, bass = _what_sounds(notes, bars, spec)
    return _with_basses(_decode(_scores(chroma, bass)), bass)


def _what_sounds(notes: NDArray[np.void], bars: int, spec: RollSpec) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How long each pitch class sounds, and how long it is the lowest, in each half bar: `[2 * bars, 12]` each."""
    num_steps = bars * spec.steps_per_bar
    pitched = notes[np.isin(notes["track"], spec.pitched)]
    lowest = int(pitched["pitch"].min(initial=127)) // 12 * 12
    height = max(int(pitched["pitch"].max(initial=0)) - lowest, 0) // 12 * 12 + 12
    begins, ends = pitched["onset"], np.minimum(pitched["onset"] + pitched["length"], num_steps)
    size = (num_steps + 1) * height
    edges = np.zeros(size, np.int16)
    for times, sign in ((begins, 1), (ends, -1)):
        places = times.astype(np.int64) * height + (pitched["pitch"] - lowest)
        edges += (sign * np.bincount(places, minlength=size)).astype(np.int16)
    sounding = np.cumsum(edges.reshape(-1, height)[:-1], axis=0, dtype=np.int16) > 0  # [steps, pitches]
    starts = half_bar_starts(bars, spec)
    chroma = np.add.reduceat(sounding.reshape(num_steps, -1, 12).sum(1), starts, axis=0)
    low = np.zeros((num_steps, 12))
    some = sounding.any(axis=1)
    low[some, sounding[some].argmax(axis=1) % 12] = 1
    return chroma.astype(np.float64), np.add.reduceat(low, starts, axis=0)


def written_chords(
    symbols: Sequence[tuple[float, ChordSymbol]], quarters: NDArray[np.float64], longest: float
) -> ChordRows:
    """The written chord of each half bar, the one that holds for most of it; `UNKNOWN` where none does.

    Parameters
    ----------
    symbols
        Where chords are written, in order, in quarter notes; each holds until the next.
    quarters
        Where each half bar begins and the last ends, `[half_bars + 1]`.
    longest
        Quarter notes that a symbol holds at most: behind it nobody wrote anything.
    """
    chords = unknown_chords(len(quarters) - 1)
    held = np.zeros(len(chords))
    ends = [*(start for start, _ in symbols[1:]), np.inf]
    for (start, chord), end in zip(symbols, ends, strict=True):
        overlap = np.minimum(quarters[1:], min(end, start + longest)) - np.maximum(quarters[:-1], start)
        longer = overlap > np.maximum(held, TINY)
        chords[longer] = row_of(chord)
        held[longer] = overlap[longer]
    return chords


@cache
def _templates() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Templates of length 1 `[chords, 12]`, what each chord's quality counts, and its root; quality by quality."""
    rows = [np.isin((np.arange(12) - root) % 12, tones) for tones in CHORD_TONES.values() for root in range(12)]
    templates = np.array(rows, np.float64)
    bias = np.repeat([QUALITY_SCORES.get(quality, 0.0) for quality in CHORD_TONES], 12)
    return templates / np.linalg.norm(templates, axis=1, keepdims=True), bias, np.tile(np.arange(12), len(CHORD_TONES))


def _scores(chroma: NDArray[np.float64], bass: NDArray[np.float64]) -> NDArray[np.float64]:
    """How well each chord, and last no chord, fits each half bar: `[half_bars, chords + 1]`."""
    templates, bias, roots = _templates()
    length, time = np.linalg.norm(chroma, axis=1, keepdims=True), bass.sum(axis=1, keepdims=True)
    likeness = chroma / np.maximum(length, 1) @ templates.T
    rooted = (bass / np.maximum(time, 1))[:, roots]
    scores = likeness + BASS_WEIGHT * rooted + bias
    scores[time[:, 0] == 0] = 0
    return np.append(scores, np.full((len(scores), 1), SILENCE_SCORE), axis=1)


def _decode(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """The most likely chord of each half bar (Viterbi, Forney 1973), where a change costs."""
    half_bars, states = scores.shape
    stays = np.ones((half_bars, states), np.bool_)
    bests = np.zeros(half_bars, np.int64)
    total = scores[0]
    for index in range(1, half_bars):
        bests[index] = total.argmax()
        other = total[bests[index]] - (CHANGE_COST_INSIDE if index % 2 else CHANGE_COST)
        stays[index] = total >= other
        total = np.maximum(total, other) + scores[index]
    path = np.zeros(half_bars, np.int64)
    path[-1] = total.argmax()
    for index in range(half_bars - 1, 0, -1):
        path[index - 1] = path[index] if stays[index, path[index]] else bests[index]
    return path


def _with_basses(path: NDArray[np.int64], bass: NDArray[np.float64]) -> ChordRows:
    """Rows of the chords of a path; the bass of each is the chord tone that is the lowest for the longest time."""
    _, _, roots = _templates()
    quality = path // 12
    chords = np.tile(np.array(NO_ROW, np.int8), (len(path), 1))
    sounds = quality < NO_CHORD
    root = roots[path[sounds]]
    tones = _templates()[0][path[sounds]] > 0
    held = np.where(tones, bass[sounds], 0)
    lowest = np.where(held.max(axis=1) > 0.5 * bass[sounds].sum(axis=1), held.argmax(axis=1), root)
    chords[sounds] = np.stack([root, quality[sounds], lowest], axis=1)
    return chords

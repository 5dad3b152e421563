"""Recognition of the metre: how many beats a bar has, by how alike the music is at a bar's distance.

Autocorrelation of what happens on each half beat, as in the beat similarity matrix of Gainza ("Automatic musical meter
detection", ICASSP 2009): music in 3/4 is more like itself after three beats than after four.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.beats.onsets import STRUCK, Floats, find_onsets

HALF_BEATS = (6, 7, 8, 10, 14)
"""Bars that are told apart, in half beats: 3/4, 7/8, 4/4, 5/4, 7/4."""

SHORTEST_BAR = 6
"""Half beats: shorter bars are heard in pairs."""

LONGEST_LAG = 48
"""Half beats: several bars of each kind."""

MARGIN = 0.08
"""By how much music must be more alike at another bar's distance than at its own.

Of 210 excerpts in 4/4, 42 s of transcribed sound each, 5 pass it, 4 of them with a wrong tempo or header; of 81 in
3/4 77 do.
"""

SAME_SHARE = 0.5
"""Bars of half the length are meant where the music is this much as alike at their distance."""

NEAR = 1 / 24
"""Beats: an onset so close to a place in a beat is on it."""

LEAST_THIRDS = 0.1
"""The share of the onsets' weight that is on each of the two thirds of beats that divide in three."""

FASTEST_BPM = 240.0
"""No beat is faster."""

FEWEST_ONSETS = 8
"""A layer of fewer says nothing."""

FEWEST_LAGS = 20
"""Half beats: a recording that is shorter than twice that says nothing."""


@dataclass(frozen=True)
class BarLength:
    """How many beats a bar has.

    Attributes
    ----------
    beats_per_bar
        Beats a bar.
    beats_per_found_beat
        1, or 2 where what was found as a beat is two of them.
    """

    beats_per_bar: int
    beats_per_found_beat: int


def find_bar_length(pitches: NDArray[np.void], hits: NDArray[np.void], beats: Beats) -> BarLength:
    """The bar length of a recording: that of its beats, unless it clearly is another.

    Bars that are a multiple or a half of one another are not told apart.

    Parameters
    ----------
    pitches, hits
        As in `find_beats`.
    beats
        The beats that were found for a bar length that was taken for granted.
    """
    alike = self_similarity(pitches, hits, beats)
    if len(alike) < FEWEST_LAGS:
        return BarLength(beats.beats_per_bar, 1)
    expected = 2 * beats.beats_per_bar
    expected *= 1 if expected >= SHORTEST_BAR else SHORTEST_BAR // expected + 1
    rivals = [one for one in HALF_BEATS if one % expected and expected % one]
    margins = {one: _alike_at(alike, one, expected) - _alike_at(alike, expected, one) for one in rivals}
    half_beats = max(
        [one for one in rivals if margins[one] >= MARGIN], key=margins.__getitem__, default=2 * beats.beats_per_bar
    )
    can_double = 2 * beats.bpm <= FASTEST_BPM
    if half_beats % 2:
        return BarLength(half_beats, 2 if can_double else 1)
    half = half_beats // 2
    shorter, whole = _alike_at(alike, half, 4 * half), _alike_at(alike, half_beats, 4 * half_beats)
    doubled = half % 2 == 1 < half and shorter > SAME_SHARE * whole > 0
    return BarLength(half, 2 if doubled and can_double else 1)


def divides_in_three(pitches: NDArray[np.void], hits: NDArray[np.void], beats: Beats) -> bool:
    """Whether the beats of a recording have thirds, as in 12/8, and no halves. Swing has but the last of the thirds."""
    first, second, half = _shares_on(pitches, hits, beats, (1 / 3, 2 / 3, 1 / 2))
    return min(first, second) > LEAST_THIRDS and half < min(first, second) / 2


def divides_in_two(pitches: NDArray[np.void], hits: NDArray[np.void], beats: Beats) -> bool:
    """Whether more of a recording's onsets lie on halves of beats than on their thirds."""
    first, second, half = _shares_on(pitches, hits, beats, (1 / 3, 2 / 3, 1 / 2))
    return half > first + second


def _shares_on(
    pitches: NDArray[np.void], hits: NDArray[np.void], beats: Beats, places: tuple[float, ...]
) -> list[float]:
    """The share of the onsets' weight that lies on each of some places in the beat."""
    onsets = find_onsets(pitches, hits)
    if len(onsets.seconds) < FEWEST_ONSETS:
        return [0.0 for _ in places]
    inside, total = beats.position(onsets.seconds), float(onsets.weights.sum())
    near = [np.abs((inside - place + 0.5) % 1 - 0.5) < NEAR for place in places]
    return [float(onsets.weights[mask].sum()) / total for mask in near]


def self_similarity(pitches: NDArray[np.void], hits: NDArray[np.void], beats: Beats) -> Floats:
    """Autocorrelation of the layers of onsets and of the pitch classes, by half beats: `[lags]`, from a lag of 1 on.

    The mean over the layers, each -1 to 1. Lags go to `LONGEST_LAG`, or to half of the recording's length.
    """
    count = 2 * len(beats.seconds) - 1
    layers: list[Floats] = []
    onsets = find_onsets(pitches, hits)
    for seconds, strength in (onsets.layers[name] for name in STRUCK):
        if len(seconds) >= FEWEST_ONSETS:
            at = np.clip(np.rint(2 * beats.position(seconds)).astype(int), 0, count - 1)
            layers.append(np.bincount(at, strength, count).astype(np.float64)[:, None])
    if len(pitches):
        layers.append(_pitch_classes(pitches, beats, count))
    lags = np.arange(1, min(LONGEST_LAG, count // 2) + 1)
    rows = [_autocorrelation(layer - layer.mean(axis=0), lags) for layer in layers]
    return np.mean(rows, axis=0) if rows else np.zeros(0)


def _pitch_classes(pitches: NDArray[np.void], beats: Beats, count: int) -> Floats:
    """How many notes of each pitch class sound on each half beat, `[half beats, 12]`."""
    edges = np.zeros((count + 1, 12))
    starts = np.clip(np.rint(2 * beats.position(pitches["start"])).astype(int), 0, count - 1)
    ends = np.clip(np.rint(2 * beats.position(pitches["end"])).astype(int), starts + 1, count)
    np.add.at(edges, (starts, pitches["pitch"] % 12), 1)
    np.add.at(edges, (ends, pitches["pitch"] % 12), -1)
    sounding: Floats = np.cumsum(edges, axis=0)[:count]
    return sounding


def _autocorrelation(rows: Floats, lags: NDArray[np.int64]) -> Floats:
    """Normalised autocorrelation of rows `[half beats, features]` at each lag."""
    found = []
    for lag in lags.tolist():
        early, late = rows[:-lag], rows[lag:]
        size = np.sqrt((early**2).sum() * (late**2).sum())
        found.append(float((early * late).sum() / max(size, 1e-9)))
    return np.array(found)


def _alike_at(alike: Floats, bar: int, other: int) -> float:
    """How alike the music is at whole bars' distance that is no distance of half bars of the other kind."""
    lags = np.arange(bar, len(alike) + 1, bar)
    own = lags[lags * 2 % other != 0]
    return float(alike[own - 1].mean()) if len(own) else 0.0

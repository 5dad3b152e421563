"""How far performances are from others in velocity, timing and swing: Wasserstein distances of distributions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from pipeline.dataset.performances import PlayedNotes
from pipeline.songs.performance.context import PLACES, note_voices, places_of, voices_of

LEAST_NOTES = 30
"""Of a voice on a place, so that its distribution counts."""
LEAST_OFFBEATS = 12
"""Of a performance, so that its swing counts."""


@dataclass(frozen=True)
class PerformanceDistances:
    """Distances between the distributions of two sets of performances; 0 is the same.

    Attributes
    ----------
    velocity
        In steps of MIDI velocity: of velocities by voice and place in the bar, the mean over places weighted by notes.
    accents
        The same of velocities less the mean of their voice in their performance.
    timing
        In thousandths of a beat: of offsets from the step by voice and place.
    swing
        In thousandths of a beat: of where performances have the second eighth of their beats.
    """

    velocity: float
    accents: float
    timing: float
    swing: float


def performance_distances(some: Sequence[PlayedNotes], others: Sequence[PlayedNotes]) -> PerformanceDistances:
    """The distances of `some` performances from `others`, weighted by the notes of these."""
    velocity, accents, timing = (
        _distance(_by_place(some, what), _by_place(others, what)) for what in ("velocity", "accent", "timing")
    )
    swings = [np.array([swing for one in each if (swing := swing_of(one)) is not None]) for each in (some, others)]
    swing = wasserstein_distance(*swings) if all(map(len, swings)) else np.nan
    return PerformanceDistances(velocity, accents, 1000 * timing, 1000 * float(swing))


def swing_of(one: PlayedNotes) -> float | None:
    """The share of the beat that its first half lasts on average; None where hardly anything falls between beats."""
    places = places_of(one.notes["onset"].astype(np.int64), one.spec) % 4
    if (places == 2).sum() < LEAST_OFFBEATS or (places == 0).sum() < LEAST_OFFBEATS:
        return None
    late = np.median(one.offsets[places == 2]) - np.median(one.offsets[places == 0])
    return float(0.5 + late / one.spec.steps_per_beat)


def _by_place(performances: Sequence[PlayedNotes], what: str) -> dict[int, NDArray[np.float64]]:
    """Values of all notes by voice and place."""
    found: dict[int, list[NDArray[np.float64]]] = {}
    for one in performances:
        for voice, own in _voices(one):
            places = places_of(one.notes["onset"][own].astype(np.int64), one.spec)
            values = one.velocities[own].astype(np.float64)
            if what == "accent":
                values = values - values.mean()
            elif what == "timing":
                values = one.offsets[own] / one.spec.steps_per_beat
            for place in range(PLACES):
                found.setdefault(voice * PLACES + place, []).append(values[places == place])
    return {key: np.concatenate(values) for key, values in found.items()}


def _voices(one: PlayedNotes) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """The voices of each track, and which notes are theirs."""
    voices = note_voices(one.notes, voices_of(one.notes, one.spec), one.spec)
    for track, voice in np.unique(np.stack([one.notes["track"], voices]), axis=1).T.tolist():
        yield voice, (one.notes["track"] == track) & (voices == voice)


def _distance(some: dict[int, NDArray[np.float64]], others: dict[int, NDArray[np.float64]]) -> float:
    """The mean Wasserstein distance over what both have, weighted by the notes of `others`."""
    both = [key for key in some if key in others and min(len(some[key]), len(others[key])) >= LEAST_NOTES]
    if not both:
        return float("nan")
    distances = [wasserstein_distance(some[key], others[key]) for key in both]
    return float(np.average(distances, weights=[len(others[key]) for key in both]))

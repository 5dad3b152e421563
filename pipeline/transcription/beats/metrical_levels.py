"""Metrical levels: how many pulses a beat is (the tempo's octave) and where the bar begins.

Every level and phase of the pulse is a candidate. Two linear softmax classifiers (conditional logit) say which one is
meant: one chooses the level by coherence of the onsets with it, the other the downbeat by the accents of the bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.beats.downbeats import PHASES_PER_BEAT, downbeat_confidence, downbeat_features
from pipeline.transcription.beats.onsets import Floats, Onsets

Phasors = NDArray[np.complex128]

RATIOS = (0.25, 1 / 3, 0.375, 0.5, 2 / 3, 0.75, 1.0, 4 / 3, 1.5, 2.0, 8 / 3, 3.0, 4.0)
"""Pulses a beat that a candidate may have."""

WEIGHTS_PATH = Path(__file__).with_name("weights.npz")
"""Weights of the two classifiers, `level` and `phase`, by `python -m pipeline.transcription.training.beats`."""

USUAL_BPM = 105.0
"""Tempos are described by how far they are from it."""

_SLOWEST_BPM, _FASTEST_BPM = 40.0, 240.0

_GROUPS = {
    "notes": ("any",),
    "bass": ("bass",),
    "chords": ("chord", "long"),
    "kick": ("kick",),
    "snare": ("snare",),
    "hat": ("hat",),
    "drums": ("kick", "snare", "hat", "cymbal", "tom"),
}
_DIVISIONS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # of a beat: two beats, a beat, dotted, eighths, triplets, sixteenths
_HALF, _BEAT, _EIGHTH = 0, 1, 3  # places in it
_SHRINKAGE = 4.0  # onsets: a group of so few has half its coherence


@dataclass(frozen=True)
class MetricalLevel:
    """A beat of some length in pulses, and the bars that it could make.

    Attributes
    ----------
    ratio
        Pulses a beat.
    features
        `[features]` of a beat of this length, by `level_features`.
    phases
        `[phases, features]` of bars that begin so many twelfths of a beat after the first pulse, by
        `downbeat_features`.
    """

    ratio: float
    features: Floats
    phases: Floats


@dataclass(frozen=True)
class MetreCandidates:
    """Beats and bars that a pulse could stand for.

    Attributes
    ----------
    ratio, phase
        `[candidates]`: pulses a beat, and the pulse (a fraction) at which a bar begins.
    log_odds
        `[candidates]`, up to a constant. The best phase of each level has the log odds of the level.
    """

    ratio: Floats
    phase: Floats
    log_odds: Floats


def find_metres(
    onsets: Onsets, pulse: Floats, beats_per_bar: int, ratios: tuple[float, ...] = RATIOS
) -> MetreCandidates:
    """All levels and phases of `find_levels`, with the log odds that the trained classifiers give them."""
    levels = find_levels(onsets, pulse, beats_per_bar, ratios)
    phase_log_odds, level_log_odds = classify_levels(levels, _trained_weights())
    num_phases = PHASES_PER_BEAT * beats_per_bar
    return MetreCandidates(
        np.repeat([level.ratio for level in levels], num_phases),
        np.concatenate([np.arange(num_phases) * level.ratio / PHASES_PER_BEAT for level in levels]),
        np.concatenate([odds - odds.max() + level for odds, level in zip(phase_log_odds, level_log_odds, strict=True)]),
    )


def classify_levels(levels: list[MetricalLevel], weights: dict[str, Floats]) -> tuple[list[Floats], Floats]:
    """Log odds of the phases, `[phases]` for each level, and of the levels, `[levels]`, by the weights of both."""
    phase_log_odds = [level.phases @ weights["phase"] for level in levels]
    features = np.stack([level.features for level in levels])
    return phase_log_odds, np.concatenate([features, downbeat_confidence(phase_log_odds)], axis=1) @ weights["level"]


def find_levels(
    onsets: Onsets, pulse: Floats, beats_per_bar: int, ratios: tuple[float, ...] = RATIOS
) -> list[MetricalLevel]:
    """Metrical levels of a pulse whose tempo is between 40 and 240 bpm.

    Parameters
    ----------
    onsets
        At least two onsets.
    pulse
        `[pulses]` seconds, from before the first onset to past the last.
    beats_per_bar
        Beats a bar, 1 or more.
    ratios
        The levels to try, in pulses a beat; all of them are kept where none has a tempo within the range.
    """
    bpm = 60 / float(np.median(np.diff(pulse)))
    kept = [ratio for ratio in ratios if _SLOWEST_BPM <= bpm / ratio <= _FASTEST_BPM] or list(ratios)
    counted = {
        name: (np.interp(seconds, pulse, np.arange(len(pulse))), strength)
        for name, (seconds, strength) in onsets.layers.items()
    }
    described = level_features(counted, bpm / np.array(kept), np.array(kept))
    return [
        MetricalLevel(ratio, features, downbeat_features(counted, ratio, beats_per_bar))
        for ratio, features in zip(kept, described, strict=True)
    ]


def level_features(layers: dict[str, tuple[Floats, Floats]], bpm: Floats, ratio: Floats) -> Floats:
    """Features of metrical levels: tempo, and coherence of the onsets with divisions of the beat, whatever its phase.

    Parameters
    ----------
    layers
        For each layer of onsets its places, counted in pulses, and its strengths.
    bpm, ratio
        `[levels]`: the tempo of each level, and its beat in pulses.

    Returns
    -------
    NDArray
        `[levels, 61]`: the tempo's distance from 105 bpm in octaves (itself, squared, when faster, absolute); for each
        group of onsets its coherence (the length of the mean vector, 0 to 1) at six divisions of the beat and the
        logarithm of its density; whether the eighths of notes, drums and bass lie on their beats, and their beats on
        pairs of beats; whether kick and snare alternate by beats, and by pairs of beats.
    """
    away = np.log2(bpm / USUAL_BPM)
    tempo = np.stack([away, away**2, np.maximum(away, 0) ** 2, np.abs(away)])
    places = np.concatenate([at for at, _ in layers.values()])
    beats = max(float(np.ptp(places)), 1.0) / ratio
    columns, sums = [], {}
    for group, names in _GROUPS.items():
        at = np.concatenate([layers[name][0] for name in names])
        strength = np.concatenate([layers[name][1] for name in names])
        phasors = np.exp(2j * np.pi * at[:, None, None] / ratio * np.array(_DIVISIONS)[:, None])
        sums[group] = np.tensordot(strength, phasors, axes=1) / (strength.sum() + _SHRINKAGE)  # [divisions, levels]
        columns += [np.abs(sums[group]), np.log2(len(at) / beats + 0.06)[None]]
    for group in ("notes", "drums", "bass"):
        of = sums[group]
        columns.append(np.stack([_phase_agreement(of[_EIGHTH], of[_BEAT]), _phase_agreement(of[_BEAT], of[_HALF])]))
    opposed = (sums["kick"] * sums["snare"].conj()).real
    described: Floats = np.concatenate([tempo, *columns, opposed[[_HALF, _BEAT]]]).T
    return described


def _phase_agreement(fast: Phasors, slow: Phasors) -> Floats:
    """`[levels]`: how far a fast division is in phase with two of a slow one, -1 to 1, by as much as both are there."""
    size = np.abs(slow)
    agreement: Floats = (fast * slow.conj() ** 2).real / (size**2 + 1e-3) * size
    return agreement


@cache
def _trained_weights() -> dict[str, Floats]:
    with np.load(WEIGHTS_PATH) as file:
        return {name: file[name].astype(np.float64) for name in file.files}

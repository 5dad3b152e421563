"""Metrical levels: how many pulses a beat is (the tempo's octave) and where the bar begins.

Every level and phase of the pulse is a candidate. A small network says how likely each is the one that is meant, by
coherence of the onsets with the beat, by how alike the music is at distances of beats, and by the profile of the bar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.beats.downbeats import (
    NUM_BAR_FEATURES,
    PHASES_PER_BEAT,
    bar_features,
    bar_profile,
    first_and_last,
)
from pipeline.transcription.beats.metre_network import load_network
from pipeline.transcription.beats.onsets import Floats, Onsets

Phasors = NDArray[np.complex128]

RATIOS = (0.25, 1 / 3, 0.375, 0.5, 2 / 3, 0.75, 1.0, 4 / 3, 1.5, 2.0, 8 / 3, 3.0, 4.0)
"""Pulses a beat that a candidate may have."""

USUAL_BPM = 105.0
"""Tempos are described by how far they are from it."""

_SLOWEST_BPM, _FASTEST_BPM = 40.0, 240.0

_GROUPS = {
    "notes": ("any",),
    "bass": ("bass",),
    "chords": ("chord", "long"),
    "harmony": ("harmony",),
    "bass changes": ("bass change",),
    "kick": ("kick",),
    "snare": ("snare",),
    "hat": ("hat",),
    "drums": ("kick", "snare", "hat", "cymbal", "tom"),
}
_DIVISIONS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # of a beat: two beats, a beat, dotted, eighths, triplets, sixteenths
_HALF, _BEAT, _EIGHTH = 0, 1, 3  # places in it
_SHRINKAGE = 4.0  # onsets: a group of so few has half its coherence

_ALIKE = ("any", "bass", "chord", "harmony", "bass change", "kick", "snare", "cymbal")
_LAGS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)  # beats
_FRAMES_PER_PULSE = 12

NUM_LEVEL_FEATURES = 4 + 7 * len(_GROUPS) + 2 * 3 + 2 + (len(_ALIKE) + 1) * len(_LAGS) + 2
"""Features of a level."""

NUM_FEATURES = NUM_LEVEL_FEATURES + NUM_BAR_FEATURES
"""Features of a candidate."""


@dataclass(frozen=True)
class MetricalLevel:
    """A beat of some length in pulses, and the bars that it could make.

    Attributes
    ----------
    ratio
        Pulses a beat.
    features
        `[NUM_LEVEL_FEATURES]` of a beat of this length.
    profile
        `[layers, phases]` of the bar, by `bar_profile`: a column for each twelfth of a beat.
    ends
        Where the first and the last onset are, in beats from the first pulse.
    """

    ratio: float
    features: Floats
    profile: Floats
    ends: tuple[float, float]

    @property
    def candidates(self) -> Floats:
        """`[phases, NUM_FEATURES]` of bars that begin so many twelfths of a beat after the first pulse."""
        bars = bar_features(self.profile, self.ends)
        return np.concatenate([np.broadcast_to(self.features, (len(bars), len(self.features))), bars], axis=1)


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
    """All levels of `find_levels` and their phases, with the log odds that the trained network gives them."""
    levels = find_levels(onsets, pulse, beats_per_bar, ratios)
    num_phases = PHASES_PER_BEAT * beats_per_bar
    odds = load_network().log_odds(np.concatenate([level.candidates for level in levels])).reshape(-1, num_phases)
    of_level = np.logaddexp.reduce(odds, axis=1, keepdims=True)
    return MetreCandidates(
        np.repeat([level.ratio for level in levels], num_phases),
        np.concatenate([np.arange(num_phases) * level.ratio / PHASES_PER_BEAT for level in levels]),
        (odds - odds.max(axis=1, keepdims=True) + of_level).ravel(),
    )


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
    chroma = onsets.chroma_at(np.interp(np.arange(0, len(pulse) - 1, 0.25), np.arange(len(pulse)), pulse))
    alike = self_similarity(counted, chroma, np.array(kept))
    bar = np.array([float(beats_per_bar == 3), float(beats_per_bar not in (3, 4))])
    described = level_features(counted, bpm / np.array(kept), np.array(kept))
    first, last = first_and_last(counted)
    return [
        MetricalLevel(
            ratio,
            np.concatenate([features, similar, bar]),
            bar_profile(counted, ratio, beats_per_bar),
            (first / ratio, last / ratio),
        )
        for ratio, features, similar in zip(kept, described, alike, strict=True)
    ]


def self_similarity(layers: dict[str, tuple[Floats, Floats]], chroma: Floats, ratio: Floats) -> Floats:
    """Autocorrelation of layers of onsets and of the chroma at distances of half a beat to 16 beats.

    Parameters
    ----------
    layers
        For each layer of onsets its places, counted in pulses, and its strengths.
    chroma
        `[quarters of pulses, 12]`.
    ratio
        `[levels]`: the beat of each level in pulses.

    Returns
    -------
    NDArray
        `[levels, features]`, each -1 to 1; 0 where there is nothing, or nothing so far apart.
    """
    lags = np.array(_LAGS)[None] * ratio[:, None]
    columns = []
    for name in _ALIKE:
        at, strength = layers[name]
        frame = np.rint((at - at.min(initial=0.0)) * _FRAMES_PER_PULSE).astype(int)
        row = np.convolve(np.bincount(frame, strength, 2), (0.5, 1.0, 0.5))
        columns.append(_autocorrelation_at(row[:, None], lags * _FRAMES_PER_PULSE))
    return np.concatenate([*columns, _autocorrelation_at(chroma, lags * 4)], axis=1)


def _autocorrelation_at(rows: Floats, lags: Floats) -> Floats:
    """Normalised autocorrelation of rows `[frames, features]` at lags in frames, whatever their shape."""
    size = len(rows)
    power = np.abs(np.fft.rfft(rows - rows.mean(axis=0), 2 * size, axis=0)) ** 2
    found = np.fft.irfft(power.sum(axis=1))[:size] / np.maximum(1 - np.arange(size) / size, 0.25)
    alike: Floats = np.interp(lags, np.arange(size), found / max(float(found[0]), 1e-9), right=0.0)
    return alike


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

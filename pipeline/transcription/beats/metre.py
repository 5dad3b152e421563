"""Beats and bars out of a pulse: every level and phase is a candidate, two learned judges say which one is heard.

Both judges are linear (a softmax over the candidates): one tells how many pulses a beat is, by what `beats_levels`
tells of each level; the other where the bar begins, by what the onsets do in the bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.beats.onsets import LAYERS, Floats, Onsets

Turns = NDArray[np.complex128]

USUAL_BPM = 105.0
"""Tempos are told by how far they are from it."""

_GROUPS = {
    "notes": ("any",),
    "bass": ("bass",),
    "chords": ("chord", "long"),
    "kick": ("kick",),
    "snare": ("snare",),
    "hat": ("hat",),
    "drums": ("kick", "snare", "hat", "cymbal", "tom"),
}
_TURNS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)  # turns a beat: two beats, a beat, dotted, eighths, triplets, sixteenths
_HALF, _BEAT, _EIGHTH = 0, 1, 3  # places in it
_DOUBT = 4.0  # onsets: a group of so few has half its coherence


def describe_levels(layers: dict[str, tuple[Floats, Floats]], bpm: Floats, ratio: Floats) -> Floats:
    """What speaks for a beat of each length, whatever its phase.

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
        pairs of beats; whether kick and snare take turns by beats, and by pairs of beats.
    """
    away = np.log2(bpm / USUAL_BPM)
    tempo = np.stack([away, away**2, np.maximum(away, 0) ** 2, np.abs(away)])
    places = np.concatenate([at for at, _ in layers.values()])
    beats = max(float(np.ptp(places)), 1.0) / ratio
    columns, sums = [], {}
    for group, names in _GROUPS.items():
        at = np.concatenate([layers[name][0] for name in names])
        strength = np.concatenate([layers[name][1] for name in names])
        turned = np.exp(2j * np.pi * at[:, None, None] / ratio * np.array(_TURNS)[:, None])
        sums[group] = np.tensordot(strength, turned, axes=1) / (strength.sum() + _DOUBT)  # [turns, levels]
        columns += [np.abs(sums[group]), np.log2(len(at) / beats + 0.06)[None]]
    for group in ("notes", "drums", "bass"):
        of = sums[group]
        columns.append(np.stack([_together(of[_EIGHTH], of[_BEAT]), _together(of[_BEAT], of[_HALF])]))
    opposed = (sums["kick"] * sums["snare"].conj()).real
    described: Floats = np.concatenate([tempo, *columns, opposed[[_HALF, _BEAT]]]).T
    return described


def _together(fast: Turns, slow: Turns) -> Floats:
    """`[levels]`: how far the fast turns are in phase with two of the slow, -1 to 1, by as much as both are there."""
    size = np.abs(slow)
    told: Floats = (fast * slow.conj() ** 2).real / (size**2 + 1e-3) * size
    return told


RATIOS = (0.25, 1 / 3, 0.375, 0.5, 2 / 3, 0.75, 1.0, 4 / 3, 1.5, 2.0, 8 / 3, 3.0, 4.0)
"""Pulses a beat: how many pulses long the beat of a candidate is."""

WEIGHTS_PATH = Path(__file__).with_name("weights.npz")
"""Weights of the judges, `level` and `phase`, made by `python -m pipeline.transcription.beats.training`."""

FINE = 12
"""Places in a beat at which a bar may begin: sixteenths are every third, triplets every fourth."""

_SLOWEST_BPM, _FASTEST_BPM = 40.0, 240.0


@dataclass(frozen=True)
class Level:
    """A beat of some length, and the bars that it could make.

    Attributes
    ----------
    ratio
        Pulses a beat.
    features
        `[features]`: what speaks for a beat of this length.
    phases
        `[phases, features]`: what speaks for bars that begin so many twelfths of a beat after the first pulse.
    """

    ratio: float
    features: Floats
    phases: Floats


@dataclass(frozen=True)
class Candidates:
    """Beats that could be meant.

    Attributes
    ----------
    ratio, phase
        `[candidates]`: pulses a beat, and the pulse (a fraction) at which a bar begins.
    odds
        `[candidates]`: how likely each is meant, as log odds up to a constant. The best phase of each level has the
        odds of the level.
    """

    ratio: Floats
    phase: Floats
    odds: Floats


def find_candidates(
    onsets: Onsets, pulse: Floats, beats_per_bar: int, ratios: tuple[float, ...] = RATIOS
) -> Candidates:
    """All levels and phases of the beat that `find_levels` knows, judged by the weights that come with the program."""
    levels = find_levels(onsets, pulse, beats_per_bar, ratios)
    weights = _weights()
    phase_odds = [level.phases @ weights["phase"] for level in levels]
    told = np.stack([level.features for level in levels])
    level_odds = np.concatenate([told, clearness(phase_odds)], axis=1) @ weights["level"]
    fine_in_bar = FINE * beats_per_bar
    return Candidates(
        np.repeat([level.ratio for level in levels], fine_in_bar),
        np.concatenate([np.arange(fine_in_bar) * level.ratio / FINE for level in levels]),
        np.concatenate([odds - odds.max() + level for odds, level in zip(phase_odds, level_odds, strict=True)]),
    )


def find_levels(onsets: Onsets, pulse: Floats, beats_per_bar: int, ratios: tuple[float, ...] = RATIOS) -> list[Level]:
    """All levels of the beat whose tempo is between 40 and 240 bpm.

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
    told = describe_levels(counted, bpm / np.array(kept), np.array(kept))
    return [
        Level(ratio, features, _phases(counted, ratio, beats_per_bar))
        for ratio, features in zip(kept, told, strict=True)
    ]


def clearness(phase_odds: list[Floats]) -> Floats:
    """`[levels, 4]`: how clear the bars of each level are, by the odds of its phases.

    The best odds, those above the mean, the entropy of the chances (nats), and the greatest chance.
    """
    rows = []
    for odds in phase_odds:
        chance = np.exp(odds - odds.max())
        chance /= chance.sum()
        entropy = -float((chance * np.log(chance + 1e-9)).sum())
        rows.append([float(odds.max()), float(odds.max() - odds.mean()), entropy, float(chance.max())])
    return np.array(rows)


@cache
def _weights() -> dict[str, NDArray[np.float64]]:
    with np.load(WEIGHTS_PATH) as file:
        return {name: file[name].astype(np.float64) for name in file.files}


def _phases(layers: dict[str, tuple[Floats, Floats]], ratio: float, beats_per_bar: int) -> Floats:
    """`[phases, features]` of one level: for each twelfth of a beat at which the bar could begin."""
    in_bar = FINE * beats_per_bar
    everything = np.concatenate([at for at, _ in layers.values()])
    first, last = float(everything.min()), float(everything.max())
    origin = np.floor(first / ratio / beats_per_bar) * beats_per_bar  # in beats: a whole number of bars
    bars = int(np.ceil((last / ratio - origin) / beats_per_bar + 1e-6)) + 1
    columns = []
    for name in LAYERS:
        places, strength = layers[name]
        sixteenths, between = _profile((places / ratio - origin) * FINE, strength, bars, in_bar)
        told = _told(sixteenths, between)
        columns += [told, told / (sixteenths.sum(axis=1, keepdims=True) + 0.25)]
    phases = np.arange(in_bar)
    roles = [_roles((np.array([at]) / ratio - origin) * FINE - phases, in_bar) for at in (first, last)]
    return np.concatenate([*columns, *roles], axis=1)


def _profile(places: Floats, strength: Floats, bars: int, in_bar: int) -> tuple[Floats, Floats]:
    """What a layer does in the bar.

    Returns
    -------
    sixteenths
        `[phases, 16]`: the mean strength on each sixteenth of a bar of four beats.
    between
        `[phases, 2]`: the mean strength on triplets, and elsewhere.
    """
    below = np.floor(places).astype(int)
    share = places - below
    row = np.asarray(np.bincount(below, strength * (1 - share), bars * in_bar + 2), np.float64)
    row = row + np.bincount(below + 1, strength * share, bars * in_bar + 2)
    mean: Floats = np.minimum(row[: bars * in_bar], 1.0).reshape(bars, in_bar).mean(axis=0)
    rolled = mean[(np.arange(in_bar)[:, None] + np.arange(in_bar)) % in_bar].reshape(in_bar, -1, FINE)
    triplets = rolled[:, :, [4, 8]].mean(axis=(1, 2))
    others = rolled[:, :, [1, 2, 5, 7, 10, 11]].mean(axis=(1, 2))
    return _four_beats(rolled[:, :, ::3]), np.stack([triplets, others], axis=1)


def _told(sixteenths: Floats, between: Floats) -> Floats:
    """`[phases, 8]`: on the first beat, the third, the second and fourth, off beats, sixteenths, the last eighth."""
    return np.stack(
        [
            sixteenths[:, 0],
            sixteenths[:, 8],
            sixteenths[:, [4, 12]].mean(axis=1),
            sixteenths[:, 2::4].mean(axis=1),
            sixteenths[:, 1::2].mean(axis=1),
            between[:, 0],
            between[:, 1],
            sixteenths[:, 14:].mean(axis=1),
        ],
        axis=1,
    )


def _four_beats(rolled: Floats) -> Floats:
    """`[phases, 16]` of `[phases, beats, 4]`: a bar of any length told as one of four beats.

    The first beat stays the first, the middle of an even bar becomes the third; the others are averaged.
    """
    beats = rolled.shape[1]
    first = rolled[:, 0]
    if beats % 2:
        rest = rolled[:, 1:].mean(axis=1) if beats > 1 else first
        parts = [first, rest, rest, rest]
    else:
        half = beats // 2
        middle = rolled[:, half]
        early = rolled[:, 1:half].mean(axis=1) if half > 1 else rolled[:, 1]
        late = rolled[:, half + 1 :].mean(axis=1) if half > 1 else rolled[:, 1]
        parts = [first, early, middle, late]
    return np.concatenate(parts, axis=1)


def _roles(places: Floats, in_bar: int) -> Floats:
    """`[phases, 4]`: whether a moment is a bar line, a beat, an eighth, or the first half of the bar."""
    place = np.round(places) % in_bar
    return np.stack([place == 0, place % FINE == 0, place % 6 == 0, place < in_bar / 2], axis=1).astype(float)

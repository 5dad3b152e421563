"""Beats and bars out of a pulse: every level and phase is a candidate, a learned judge says which one is heard."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.beats_onsets import LAYERS, Floats, Onsets

RATIOS = (0.25, 1 / 3, 0.375, 0.5, 2 / 3, 0.75, 1.0, 4 / 3, 1.5, 2.0, 8 / 3, 3.0, 4.0)
"""Pulses a beat: how many pulses long the beat of a candidate is."""

WEIGHTS_PATH = Path(__file__).with_name("beats_weights.npz")
"""Weights of the judge, made by `python -m pipeline.audio.beats_training FOLDER ...`."""

LAYER_WIDTH = 36
"""Features of each layer of onsets: its profile in the bar, and the same as shares of the layer."""

_SLOWEST_BPM, _FASTEST_BPM = 40.0, 240.0
_FINE = 12  # places in a beat: sixteenths are every third, triplets every fourth
_TEMPO_CENTRES = np.arange(np.log2(40), np.log2(250), 0.25)


@dataclass(frozen=True)
class Candidates:
    """Beats that could be meant.

    Attributes
    ----------
    ratio, phase
        `[candidates]`: pulses a beat, and the pulse (a fraction) at which a bar begins.
    features
        `[candidates, features]`: what the judge hears of each.
    """

    ratio: Floats
    phase: Floats
    features: Floats


def find_candidates(
    onsets: Onsets, pulse: Floats, beats_per_bar: int, ratios: tuple[float, ...] = RATIOS
) -> Candidates:
    """All levels and phases of the beat whose tempo is between 40 and 240 bpm.

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
    per_ratio = [_features(counted, ratio, bpm / ratio, beats_per_bar) for ratio in kept]
    fine_in_bar = _FINE * beats_per_bar
    return Candidates(
        np.repeat(kept, fine_in_bar),
        np.concatenate([np.arange(fine_in_bar) * ratio / _FINE for ratio in kept]),
        np.concatenate(per_ratio),
    )


def judge(features: Floats) -> Floats:
    """`[candidates]`: how likely each is meant, as log odds up to a constant (higher is better)."""
    weights = _weights()
    hidden = np.tanh(((features - weights["mean"]) / weights["scale"]) @ weights["hidden"] + weights["hidden_bias"])
    skip = ((features - weights["mean"]) / weights["scale"]) @ weights["direct"]
    odds: Floats = hidden @ weights["out"] + skip
    return odds


@cache
def _weights() -> dict[str, NDArray[np.float64]]:
    with np.load(WEIGHTS_PATH) as file:
        return {name: file[name].astype(np.float64) for name in file.files}


def _features(layers: dict[str, tuple[Floats, Floats]], ratio: float, bpm: float, beats_per_bar: int) -> Floats:
    """`[phases, features]` of one level: for each twelfth of a beat at which the bar could begin."""
    in_bar = _FINE * beats_per_bar
    everything = np.concatenate([at for at, _ in layers.values()])
    first, last = float(everything.min()), float(everything.max())
    origin = np.floor(first / ratio / beats_per_bar) * beats_per_bar  # in beats: a whole number of bars
    bars = int(np.ceil((last / ratio - origin) / beats_per_bar + 1e-6)) + 1
    columns, steps = [], []
    for name in LAYERS:
        places, strength = layers[name]
        profile, row = _profile((places / ratio - origin) * _FINE, strength, bars, in_bar)
        columns += [profile, profile / (profile[:, :16].sum(axis=1, keepdims=True) + 0.25)]
        steps.append(row)
    phases = np.arange(in_bar)
    roles = [_roles((np.array([at]) / ratio - origin) * _FINE - phases, in_bar) for at in (first, last)]
    tempo = np.exp(-0.5 * ((np.log2(bpm) - _TEMPO_CENTRES) / 0.2) ** 2)
    repeats = _repetition(np.stack(steps), beats_per_bar)
    same = np.tile(np.concatenate([tempo, repeats]), (in_bar, 1))
    return np.concatenate([*columns, *roles, same], axis=1)


def _profile(places: Floats, strength: Floats, bars: int, in_bar: int) -> tuple[Floats, Floats]:
    """What a layer does in the bar, and its onsets by twelfths of a beat.

    Returns
    -------
    profile
        `[phases, 18]`: the mean strength on each of 16 sixteenths (of four beats), on triplets, elsewhere.
    row
        `[twelfths]`: the strength of the onsets through the piece.
    """
    below = np.floor(places).astype(int)
    share = places - below
    row = np.asarray(np.bincount(below, strength * (1 - share), bars * in_bar + 2), np.float64)
    row = row + np.bincount(below + 1, strength * share, bars * in_bar + 2)
    row = np.minimum(row[: bars * in_bar], 1.0)
    mean: Floats = row.reshape(bars, in_bar).mean(axis=0)
    rolled = mean[(np.arange(in_bar)[:, None] + np.arange(in_bar)) % in_bar].reshape(in_bar, -1, _FINE)
    sixteenths = _four_beats(rolled[:, :, ::3])
    triplets = rolled[:, :, [4, 8]].mean(axis=(1, 2))
    others = rolled[:, :, [1, 2, 5, 7, 10, 11]].mean(axis=(1, 2))
    return np.concatenate([sixteenths, triplets[:, None], others[:, None]], axis=1), row


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
    return np.stack([place == 0, place % _FINE == 0, place % 6 == 0, place < in_bar / 2], axis=1).astype(float)


def _repetition(steps: Floats, beats_per_bar: int) -> Floats:
    """`[8]`: how alike the onsets (`[layers, twelfths]`) are after 1 beat, 1, 2 and 4 bars; drums, then the rest."""
    likeness = []
    for part in (steps[:5], steps[5:]):
        for beats in (1, beats_per_bar, 2 * beats_per_bar, 4 * beats_per_bar):
            lag = beats * _FINE
            if lag >= part.shape[1]:
                likeness.append(0.0)
                continue
            size = np.linalg.norm(part[:, lag:]) * np.linalg.norm(part[:, :-lag])
            likeness.append(float((part[:, lag:] * part[:, :-lag]).sum() / size) if size > 0 else 0.0)
    return np.array(likeness)

"""Downbeat features: the accents of a bar from every place at which it could begin, and how sure a downbeat is."""

from __future__ import annotations

import numpy as np

from pipeline.transcription.beats.onsets import LAYERS, Floats

PHASES_PER_BEAT = 12
"""Places in a beat at which a bar may begin: sixteenths are every third, triplets every fourth."""


def downbeat_features(layers: dict[str, tuple[Floats, Floats]], ratio: float, beats_per_bar: int) -> Floats:
    """Accents of the bar from each place where it could begin: the features of the downbeat classifier.

    Parameters
    ----------
    layers
        For each layer of onsets its places, counted in pulses, and its strengths.
    ratio
        Pulses a beat.
    beats_per_bar
        Beats a bar, 1 or more.

    Returns
    -------
    NDArray
        `[phases, features]`: a row for each twelfth of a beat from the first pulse on.
    """
    in_bar = PHASES_PER_BEAT * beats_per_bar
    everything = np.concatenate([at for at, _ in layers.values()])
    first, last = float(everything.min()), float(everything.max())
    origin = np.floor(first / ratio / beats_per_bar) * beats_per_bar  # in beats: a whole number of bars
    bars = int(np.ceil((last / ratio - origin) / beats_per_bar + 1e-6)) + 1
    columns = []
    for name in LAYERS:
        places, strength = layers[name]
        sixteenths, between = _profile((places / ratio - origin) * PHASES_PER_BEAT, strength, bars, in_bar)
        accents = _accents(sixteenths, between)
        columns += [accents, accents / (sixteenths.sum(axis=1, keepdims=True) + 0.25)]
    phases = np.arange(in_bar)
    ends = (np.array([[first], [last]]) / ratio - origin) * PHASES_PER_BEAT
    return np.concatenate([*columns, *(_metrical_roles(end - phases, in_bar) for end in ends)], axis=1)


def _profile(places: Floats, strength: Floats, bars: int, in_bar: int) -> tuple[Floats, Floats]:
    """Mean strength of a layer over the bar.

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
    rolled = mean[(np.arange(in_bar)[:, None] + np.arange(in_bar)) % in_bar].reshape(in_bar, -1, PHASES_PER_BEAT)
    triplets = rolled[:, :, [4, 8]].mean(axis=(1, 2))
    others = rolled[:, :, [1, 2, 5, 7, 10, 11]].mean(axis=(1, 2))
    return _four_beats(rolled[:, :, ::3]), np.stack([triplets, others], axis=1)


def _accents(sixteenths: Floats, between: Floats) -> Floats:
    """`[phases, 8]`: strength on beat 1, 3, 2 and 4, off beats, sixteenths, triplets, elsewhere, the last eighth."""
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
    """`[phases, 16]` of `[phases, beats, 4]`: a bar of any length brought to four beats.

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


def _metrical_roles(places: Floats, in_bar: int) -> Floats:
    """`[phases, 4]`: whether a moment is a bar line, a beat, an eighth, or the first half of the bar."""
    place = np.round(places) % in_bar
    return np.stack([place == 0, place % PHASES_PER_BEAT == 0, place % 6 == 0, place < in_bar / 2], axis=1).astype(
        float
    )


def downbeat_confidence(phase_log_odds: list[Floats]) -> Floats:
    """Confidence of the downbeat classifier on each level, `[levels, 4]`, by the log odds `[phases]` of its phases.

    The best log odds, those above the mean, the softmax' entropy (nats), and its greatest probability.
    """
    rows = []
    for log_odds in phase_log_odds:
        probability = np.exp(log_odds - log_odds.max())
        probability /= probability.sum()
        entropy = -float((probability * np.log(probability + 1e-9)).sum())
        rows.append([float(log_odds.max()), float(log_odds.max() - log_odds.mean()), entropy, float(probability.max())])
    return np.array(rows)

"""Bar profiles: what is struck where in the bar, seen from each place at which it could begin."""

from __future__ import annotations

import numpy as np

from pipeline.transcription.beats.onsets import LAYERS, Floats

PHASES_PER_BEAT = 12
"""Places in a beat at which a bar may begin: sixteenths are every third, triplets every fourth."""

BAR_PLACES = 18
"""Columns of a bar profile: the sixteenths of a bar of four beats, its triplets, and what is on neither."""

NUM_BAR_FEATURES = 2 * BAR_PLACES * len(LAYERS) + 4 * 2
"""Columns of `bar_features`."""


def bar_profile(layers: dict[str, tuple[Floats, Floats]], ratio: float, beats_per_bar: int) -> Floats:
    """Mean strength of each layer of onsets over the bar, `[layers, phases]`, counted from the first pulse.

    Parameters
    ----------
    layers
        For each layer of onsets its places, counted in pulses, and its strengths.
    ratio
        Pulses a beat.
    beats_per_bar
        Beats a bar, 1 or more.
    """
    in_bar = PHASES_PER_BEAT * beats_per_bar
    first, last = first_and_last(layers)
    origin = np.floor(first / ratio / beats_per_bar) * beats_per_bar  # in beats: a whole number of bars
    bars = int(np.ceil((last / ratio - origin) / beats_per_bar + 1e-6)) + 1
    rows = []
    for name in LAYERS:
        places = (layers[name][0] / ratio - origin) * PHASES_PER_BEAT
        below = np.floor(places).astype(int)
        share, strength = places - below, layers[name][1]
        row = np.asarray(np.bincount(below, strength * (1 - share), bars * in_bar + 2), np.float64)
        row = row + np.bincount(below + 1, strength * share, bars * in_bar + 2)
        rows.append(np.minimum(row[: bars * in_bar], 1.0).reshape(bars, in_bar).mean(axis=0))
    return np.array(rows)


def first_and_last(layers: dict[str, tuple[Floats, Floats]]) -> tuple[float, float]:
    """Where the first and the last onset of all layers are."""
    everything = np.concatenate([at for at, _ in layers.values()])
    return float(everything.min()), float(everything.max())


def bar_features(profile: Floats, ends: tuple[float, float]) -> Floats:
    """The bar from each place where it could begin: the features of the downbeats.

    Parameters
    ----------
    profile
        `[layers, phases]`, by `bar_profile`.
    ends
        Where the first and the last onset are, in beats from the first pulse.

    Returns
    -------
    NDArray
        `[phases, NUM_BAR_FEATURES]`: for each layer its mean strength at `BAR_PLACES` and the share of its strength
        that lies there; whether the music begins and ends on a bar line, a beat, an eighth, in the bar's first half.
    """
    in_bar = profile.shape[1]
    turned = profile[:, (np.arange(in_bar)[:, None] + np.arange(in_bar)) % in_bar]
    turned = turned.reshape(len(profile), in_bar, -1, PHASES_PER_BEAT)  # [layers, phases, beats, places]
    sixteenths = _four_beats(turned[..., ::3])
    triplets = turned[..., [4, 8]].mean(axis=(2, 3))
    others = turned[..., [1, 2, 5, 7, 10, 11]].mean(axis=(2, 3))
    places = np.concatenate([sixteenths, triplets[..., None], others[..., None]], axis=2)
    shares = places / (sixteenths.sum(axis=2, keepdims=True) + 0.25)
    phases = np.arange(in_bar, dtype=np.float64)
    roles = [_metrical_roles(end * PHASES_PER_BEAT - phases, in_bar) for end in ends]
    return np.concatenate([*places, *shares, *roles], axis=1)


def _four_beats(turned: Floats) -> Floats:
    """`[layers, phases, 16]` of `[layers, phases, beats, 4]`: a bar of any length brought to four beats.

    The first beat stays the first, the middle of an even bar becomes the third; the others are averaged, but for those
    of a bar of three, which stay the second and the fourth.
    """
    beats = turned.shape[2]
    first = turned[:, :, 0]
    if beats == 3:
        parts = [first, turned[:, :, 1], turned[:, :, 1:].mean(axis=2), turned[:, :, 2]]
    elif beats % 2:
        rest = turned[:, :, 1:].mean(axis=2) if beats > 1 else first
        parts = [first, rest, rest, rest]
    else:
        half = beats // 2
        early = turned[:, :, 1:half].mean(axis=2) if half > 1 else turned[:, :, 1]
        late = turned[:, :, half + 1 :].mean(axis=2) if half > 1 else turned[:, :, 1]
        parts = [first, early, turned[:, :, half], late]
    return np.concatenate(parts, axis=2)


def _metrical_roles(places: Floats, in_bar: int) -> Floats:
    """`[phases, 4]`: whether a moment is a bar line, a beat, an eighth, or the first half of the bar."""
    place = np.round(places) % in_bar
    return np.stack([place == 0, place % PHASES_PER_BEAT == 0, place % 6 == 0, place < in_bar / 2], axis=1).astype(
        float
    )

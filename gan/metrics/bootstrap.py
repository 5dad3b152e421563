"""Bootstrap intervals: how far figures would move had other songs been drawn.

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), with the song as the unit, since phrases of a song are
alike: in each resample as many songs as there are, with replacement, all phrases of each. A generated phrase is a song
of its own.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gan.metrics.distances import BINS, FeatureTable, comparable, mean, overlaps, shared_bins
from gan.seeds import mix_seed

RESAMPLES = 200
OUTER = (0.025, 0.975)
"""Quantiles of the resamples that bound a 95 % interval."""


class Interval(NamedTuple):
    """A figure and its 95 % interval; all NaN where there is none."""

    value: float
    low: float
    high: float


def _weights(songs: Tensor, resamples: int, seed: int) -> Tensor:
    """How often each song is drawn, float64 `[resamples, songs]`."""
    random = torch.Generator().manual_seed(seed)
    drawn = torch.randint(int(songs.max()) + 1, (resamples, int(songs.max()) + 1), generator=random)
    return torch.zeros(drawn.shape, dtype=torch.float64).scatter_add_(1, drawn, torch.ones(drawn.shape).double())


def _numbered(songs: Tensor) -> Tensor:
    """Song numbers as 0, 1, 2 ... without gaps."""
    numbers: Tensor = torch.unique(songs, return_inverse=True)[1]
    return numbers


def _around(value: float, resampled: Tensor) -> Interval:
    """The spread of the resamples `[resamples]` about their mean, laid about the value.

    Drawing songs again adds noise of its own, which brings every overlap down by as much as there is noise; laid about
    the value, the interval holds the spread and not that shift.
    """
    resampled = resampled[~resampled.isnan()]
    if len(resampled) == 0:
        return Interval(value, float("nan"), float("nan"))
    low, high = (float(resampled.quantile(share) - resampled.mean()) for share in OUTER)
    return Interval(value, value + low, value + high)


def _binned(bins: Tensor, songs: Tensor, num_songs: int) -> Tensor:
    """Values of each song in each bin, float64 `[songs, bins]`."""
    return torch.bincount(songs * BINS + bins, minlength=num_songs * BINS).view(num_songs, BINS).double()


def overlap_intervals(
    generated: FeatureTable,
    reference: FeatureTable,
    songs: Tensor,
    reference_songs: Tensor,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[Interval, dict[str, Interval]]:
    """Mean overlap (OA) and that of each feature, as `distances.overlaps` has them, with intervals over songs of both.

    Parameters
    ----------
    generated, reference
        Features of the two sets, name -> `[phrases]`.
    songs, reference_songs
        The number of each phrase's song, int64 `[phrases]`.
    resamples
        Times that songs are drawn. The bins stay those of the sets as they are.
    seed
        Decides which songs are drawn.
    """
    songs, reference_songs = _numbered(songs), _numbered(reference_songs)
    draws = [_weights(ids, resamples, mix_seed(seed, side)) for side, ids in enumerate((songs, reference_songs))]
    values, each, rows = overlaps(generated, reference), {}, []
    for name, both in comparable(generated, reference).items():
        if not both:
            each[name] = Interval(0.0, 0.0, 0.0)
            rows.append(torch.zeros(resamples, dtype=torch.float64))
            continue
        kept = [~table[name].isnan() for table in (generated, reference)]
        bins = shared_bins(generated[name][kept[0]], reference[name][kept[1]])
        shares = []
        for chosen, ids, there, weights in zip(bins, (songs, reference_songs), kept, draws, strict=True):
            counts = weights @ _binned(chosen, ids[there], weights.shape[1])  # [resamples, bins]
            shares.append(counts / counts.sum(1, keepdim=True))  # NaN where no song that has the feature was drawn
        rows.append(torch.minimum(*shares).sum(1))
        each[name] = _clipped(_around(values[name], rows[-1]))
    mean_overlap = torch.stack(rows).nanmean(0) if rows else torch.zeros(0)
    return _clipped(_around(mean(values), mean_overlap)), each


def _clipped(interval: Interval) -> Interval:
    return Interval(interval.value, max(0.0, interval.low), min(1.0, interval.high))


def _resampled_means(columns: list[Tensor], songs: Tensor, resamples: int, seed: int) -> tuple[Tensor, Tensor]:
    """Means of columns `[phrases, ...]` over the values that they have: `[columns]`, and `[resamples, columns]`."""
    songs = _numbered(songs)
    rows = [values.double().reshape(len(songs), -1) for values in columns]
    sums = torch.stack([values.nansum(1) for values in rows], 1)  # [phrases, columns]
    counts = torch.stack([(~values.isnan()).sum(1).double() for values in rows], 1)
    drawn = _weights(songs, resamples, seed)
    by_song = torch.zeros(drawn.shape[1], 2 * len(rows), dtype=torch.float64)
    by_song.index_add_(0, songs, torch.cat([sums, counts], 1))
    top, bottom = torch.tensor_split(drawn @ by_song, 2, dim=1)
    return sums.sum(0) / counts.sum(0), top / bottom


def mean_intervals(
    table: FeatureTable, songs: Tensor, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Interval]:
    """Mean of each column, `[phrases]` or `[phrases, bars]`, over the values that it has, with intervals over songs.

    `songs` is the number of each phrase's song, int64 `[phrases]`. A column without values is all NaN.
    """
    means, resampled = _resampled_means(list(table.values()), songs, resamples, mix_seed(seed, 2))
    return {name: _around(float(means[place]), resampled[:, place]) for place, name in enumerate(table)}


def pair_interval(
    wins: Tensor, counted: Tensor, songs: Tensor, reference_songs: Tensor, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """The mean of `wins` over pairs of a phrase of each set, with an interval over the songs of both.

    Parameters
    ----------
    wins, counted
        A value of each pair, and whether it counts: float64 `[phrases, reference phrases]`.
    songs, reference_songs
        The number of each phrase's song, int64 `[phrases]`.
    resamples, seed
        As of `overlap_intervals`.
    """
    ids = [_numbered(songs), _numbered(reference_songs)]
    drawn = [_weights(one, resamples, mix_seed(seed, 3 + side)) for side, one in enumerate(ids)]
    sums = []
    for pairs in (wins * counted, counted):
        by_songs = torch.zeros(drawn[0].shape[1], pairs.shape[1], dtype=torch.float64).index_add_(0, ids[0], pairs)
        both = torch.zeros(len(by_songs), drawn[1].shape[1], dtype=torch.float64).index_add_(1, ids[1], by_songs)
        sums.append((drawn[0] @ both * drawn[1]).sum(1))
    return _around(float((wins * counted).sum() / counted.sum()), sums[0] / sums[1])


def area_interval(
    generated: Tensor,
    reference: Tensor,
    songs: Tensor,
    reference_songs: Tensor,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Area under the ROC curve: the share of pairs in which the generated one has the higher score, ties half.

    Parameters
    ----------
    generated, reference
        Scores of both sets, higher for what is taken for generated: `[rows]`.
    songs, reference_songs
        The number of each row's song, int64 `[rows]`, over which the interval is.
    resamples, seed
        As of `overlap_intervals`.
    """
    ids = [_numbered(songs), _numbered(reference_songs)]
    weights = []
    for side, one in enumerate(ids):
        drawn = _weights(one, resamples, mix_seed(seed, 5 + side))[:, one]  # [resamples, rows]
        weights.append(torch.cat([torch.ones(1, len(one), dtype=torch.float64), drawn]))  # the set as it is, first
    scores = torch.cat([generated, reference])
    levels, place = torch.unique(scores, return_inverse=True)
    sums = [
        torch.zeros(resamples + 1, len(levels), dtype=torch.float64).index_add_(1, rows, weight)
        for rows, weight in zip((place[: len(generated)], place[len(generated) :]), weights, strict=True)
    ]
    below = sums[1].cumsum(1) - sums[1] / 2
    areas = (sums[0] * below).sum(1) / (sums[0].sum(1) * sums[1].sum(1))
    return _clipped(_around(float(areas[0]), areas[1:]))

"""Distances between two sets of phrases, from a table of figures of each: name -> `[phrases]`.

A value that a phrase does not have is NaN. "Mine" is the set that is judged, "theirs" the reference. Histograms follow
Yang and Lerch, "On the evaluation of generative models in music" (2018), but put both sets on one grid.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gan.metrics.features import features
from gan.spec import RollSpec

Table = Mapping[str, Tensor]

BINS = 20
TAILS = (0.005, 0.995)
"""Quantiles of both sets pooled between which the grid lies."""
PRIOR = 0.5
"""Counts added to each bin before a KL divergence (Krichevsky and Trofimov 1981), so that an empty bin is finite."""


def places(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """The bin of each value on one grid of 20 bins, `[phrases]` each, int64; neither set empty, no NaN.

    The grid lies between the 0.5 and 99.5 percentiles of the two pooled; values beyond fall into the end bins.
    """
    first, second = first.double(), second.double()
    low, high = (float(torch.cat([first, second]).quantile(share)) for share in TAILS)
    if high <= low:
        high = low + 1
    binned = [((values - low) / (high - low) * BINS).floor().clamp(0, BINS - 1).long() for values in (first, second)]
    return binned[0], binned[1]


def histograms(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor] | None:
    """Counts in the bins of `places`, float64 `[20]` each; NaN values are left out, None when a set has no others."""
    first, second = first[~first.isnan()], second[~second.isnan()]
    if len(first) == 0 or len(second) == 0:
        return None
    binned = [torch.bincount(bins, minlength=BINS).double() for bins in places(first, second)]
    return binned[0], binned[1]


def histogram_overlap(first: Tensor, second: Tensor) -> float:
    """Area under both of two histograms of 20 bins on one grid, 0 (apart) to 1 (alike); NaN values are left out.

    `sum over bins of min(p, q)`; each set weighs the same. NaN when a set is empty.
    """
    counts = histograms(first, second)
    if counts is None:
        return float("nan")
    return float(torch.minimum(*(count / count.sum() for count in counts)).sum())


def divergence(mine: Tensor, theirs: Tensor) -> float:
    """KL divergence of theirs from mine in bits, on the grid of `histogram_overlap`: 0 is alike.

    `sum over bins of q log2(q / p)`, q of theirs and p of mine, each `(count + 1/2) / (values + 10)`, so that a bin
    that one of them lacks costs much but not everything. NaN when a set is empty.
    """
    counts = histograms(mine, theirs)
    if counts is None:
        return float("nan")
    p, q = ((count + PRIOR) / (count.sum() + PRIOR * BINS) for count in counts)
    return float((q * (q / p).log2()).sum())


def comparable(mine: Table, theirs: Table) -> dict[str, bool]:
    """Names that at least one set has a value of, and whether both have."""
    have = {name: [not bool(table[name].isnan().all()) for table in (mine, theirs)] for name in mine}
    return {name: all(sets) for name, sets in have.items() if any(sets)}


def overlaps(mine: Table, theirs: Table) -> dict[str, float]:
    """`histogram_overlap` of each feature of two tables.

    A feature that one set has and the other lacks altogether counts 0; one that both lack is left out.
    """
    return {
        name: histogram_overlap(mine[name], theirs[name]) if both else 0.0
        for name, both in comparable(mine, theirs).items()
    }


def divergences(mine: Table, theirs: Table) -> dict[str, float]:
    """`divergence` of each feature that both sets have."""
    return {name: divergence(mine[name], theirs[name]) for name, both in comparable(mine, theirs).items() if both}


def mean(values: Mapping[str, float]) -> float:
    """Their mean: that of `overlaps` is the headline OA. 0 of none."""
    return sum(values.values()) / max(1, len(values))


def overlap(rolls: Tensor, reference: Tensor, spec: RollSpec) -> tuple[float, dict[str, float]]:
    """Mean overlap over `features` of two sets of phrases (the headline OA, 1 is alike), and that of each feature."""
    each = overlaps(features(rolls, spec), features(reference, spec))
    return mean(each), each


def quality(overlap: float, random: float, floor: float) -> float:
    """`(overlap - random) / (floor - random)`: 0 is as far as random notes, 1 as near as other real songs.

    `random` and `floor` are the overlaps of random notes and of training songs with the same reference. NaN when random
    notes are no farther than real songs.
    """
    return (overlap - random) / (floor - random) if floor > random else float("nan")


def frechet_distance(mine: Table, theirs: Table) -> float:
    """Fréchet distance of the two sets' features, taken as normal distributions: 0 is alike.

    `|m - n|^2 + trace(S + T - 2 (S T)^(1/2))` of means m, n and covariances S, T (Dowson and Landau 1982; squared, as
    the Fréchet inception distance of Heusel et al. 2017 is). Each feature is divided by the reference's standard
    deviation (by 1 where it does not vary). A missing value counts as the reference's mean: that it is missing shows in
    other features. Features that either set lacks altogether are left out; NaN when either set has under two phrases or
    no feature is left.
    """
    names = [name for name, both in comparable(mine, theirs).items() if both]
    if not names or min(len(table[names[0]]) for table in (mine, theirs)) < 2:
        return float("nan")
    first, second = (torch.stack([table[name] for name in names], 1).double() for table in (mine, theirs))
    middle = second.nanmean(0)
    second = second.sub(middle).nan_to_num(0.0)
    spread = second.std(0)
    spread = torch.where(spread > 0, spread, 1.0)
    first, second = first.sub(middle).nan_to_num(0.0) / spread, second / spread
    covariances = [values.T.cov().view(len(names), len(names)) for values in (first, second)]
    spectrum, axes = torch.linalg.eigh(covariances[1])
    root = axes * spectrum.clamp(min=0).sqrt() @ axes.T
    shared = torch.linalg.eigvalsh(root @ covariances[0] @ root).clamp(min=0).sqrt().sum()
    apart = (first.mean(0) - second.mean(0)).square().sum()
    return float(apart + first.var(0).sum() + second.var(0).sum() - 2 * shared)

"""Distances between generated and reference phrases: overlapping area (OA), KL divergence, Fréchet distance.

Each is of a table of features of both sets, name -> `[phrases]`, NaN where a phrase has no value. Histograms follow
Yang and Lerch, "On the evaluation of generative models in music" (2018), but put both sets on one grid.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

FeatureTable = Mapping[str, Tensor]

BINS = 20
TAILS = (0.005, 0.995)
"""Quantiles of both sets pooled between which the grid lies."""
PRIOR = 0.5
"""Counts added to each bin before a KL divergence (Krichevsky and Trofimov 1981), so that an empty bin is finite."""


def shared_bins(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
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
    """Counts in the bins of `shared_bins`, float64 `[20]` each; NaN is left out, None when a set has nothing else."""
    first, second = first[~first.isnan()], second[~second.isnan()]
    if len(first) == 0 or len(second) == 0:
        return None
    binned = [torch.bincount(bins, minlength=BINS).double() for bins in shared_bins(first, second)]
    return binned[0], binned[1]


def histogram_overlap(first: Tensor, second: Tensor) -> float:
    """Overlapping area (OA) of two histograms of 20 bins on one grid, 0 (disjoint) to 1 (alike).

    `sum over bins of min(p, q)`; NaN values are left out, each set weighs the same. NaN when a set is empty.
    """
    counts = histograms(first, second)
    if counts is None:
        return float("nan")
    return float(torch.minimum(*(count / count.sum() for count in counts)).sum())


def divergence(generated: Tensor, reference: Tensor) -> float:
    """KL divergence of reference from generated values in bits, on the grid of `histogram_overlap`: 0 is alike.

    `sum over bins of q log2(q / p)`, q of the reference and p of the generated values, each
    `(count + 1/2) / (values + 10)`, so that a bin that one of them lacks costs much but not everything. NaN when a set
    is empty.
    """
    counts = histograms(generated, reference)
    if counts is None:
        return float("nan")
    p, q = ((count + PRIOR) / (count.sum() + PRIOR * BINS) for count in counts)
    return float((q * (q / p).log2()).sum())


def comparable(generated: FeatureTable, reference: FeatureTable) -> dict[str, bool]:
    """Names that at least one set has a value of, and whether both have."""
    have = {name: [not bool(table[name].isnan().all()) for table in (generated, reference)] for name in generated}
    return {name: all(sets) for name, sets in have.items() if any(sets)}


def overlaps(generated: FeatureTable, reference: FeatureTable) -> dict[str, float]:
    """`histogram_overlap` of each feature of two tables.

    A feature that one set has and the other lacks altogether counts 0; one that both lack is left out.
    """
    return {
        name: histogram_overlap(generated[name], reference[name]) if both else 0.0
        for name, both in comparable(generated, reference).items()
    }


def divergences(generated: FeatureTable, reference: FeatureTable) -> dict[str, float]:
    """`divergence` of each feature that both sets have."""
    return {
        name: divergence(generated[name], reference[name])
        for name, both in comparable(generated, reference).items()
        if both
    }


def mean(values: Mapping[str, float]) -> float:
    """Their mean: that of `overlaps` is the headline OA. 0 of none."""
    return sum(values.values()) / max(1, len(values))


def quality(overlap: float, random: float, floor: float) -> float:
    """`(overlap - random) / (floor - random)`: 0 is as far as random notes, 1 as near as other real songs.

    `random` and `floor` are the overlaps of random notes and of training songs with the same reference. NaN when random
    notes are no farther than real songs.
    """
    return (overlap - random) / (floor - random) if floor > random else float("nan")


def frechet_distance(generated: FeatureTable, reference: FeatureTable) -> float:
    """Fréchet distance of the features of two sets, taken as normal distributions: 0 is alike.

    `|m - n|^2 + trace(S + T - 2 (S T)^(1/2))` of means m, n and covariances S, T (Dowson and Landau 1982; squared, as
    the Fréchet inception distance of Heusel et al. 2017 is). Each feature is divided by the reference's standard
    deviation (by 1 where it does not vary). A missing value counts as the reference's mean: that it is missing shows in
    other features. Features that either set lacks altogether are left out; NaN when either set has under two phrases or
    no feature is left.
    """
    names = [name for name, both in comparable(generated, reference).items() if both]
    if not names or min(len(table[names[0]]) for table in (generated, reference)) < 2:
        return float("nan")
    first, second = (torch.stack([table[name] for name in names], 1).double() for table in (generated, reference))
    middle = second.nanmean(0)
    second = second.sub(middle).nan_to_num(0.0)
    spread = second.std(0)
    spread = torch.where(spread > 0, spread, 1.0)
    first, second = first.sub(middle).nan_to_num(0.0) / spread, second / spread
    covariances = [values.T.cov().view(len(names), len(names)) for values in (first, second)]
    spectrum, axes = torch.linalg.eigh(covariances[1])
    root = axes * spectrum.clamp(min=0).sqrt() @ axes.T
    shared = torch.linalg.eigvalsh(root @ covariances[0] @ root).clamp(min=0).sqrt().sum()
    gap = (first.mean(0) - second.mean(0)).square().sum()
    return float(gap + first.var(0).sum() + second.var(0).sum() - 2 * shared)

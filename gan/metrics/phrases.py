"""Figures of a phrase that MuseGAN's paper does not have: groove, entropy, repetition."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan.metrics.counts import Tally
from gan.metrics.features import dissonance, mean_length


def groove_consistency(tally: Tally) -> Tensor:
    """How alike the rhythms of one bar and the next are, mean over neighbouring bars, `[phrases]`.

    `1 - share of steps at which one bar has an onset, in any track, and the other none` (Wu and Yang 2020, as Dong et
    al. 2023 measure it). It rises with the number of steps a beat, since most steps are empty. NaN of one bar, or
    where nothing is struck.
    """
    struck = tally.by_bar(tally.struck).sum(1) > 0  # [phrases, bars, steps]
    alike = (struck[:, 1:] == struck[:, :-1]).float().mean((1, 2))
    return torch.where(struck.any(2).any(1), alike, torch.nan)


def pitch_class_entropy(tally: Tally) -> Tensor:
    """Entropy of the pitch classes of the pitched tracks' notes in bits, 0 to log2(12) = 3.58, `[phrases]`.

    NaN without notes.
    """
    counts = tally.struck_classes[:, list(tally.spec.pitched)].sum(1)
    shares = counts / counts.sum(1, keepdim=True)
    return torch.sum(torch.special.entr(shares), 1) / math.log(2)


def _likeness(tally: Tally) -> Tensor:
    """`onsets at the same step, track and pitch / onsets in either` of any two bars, `[phrases, bars, bars]`."""
    shared = tally.shared_notes
    sizes = torch.diagonal(shared, dim1=1, dim2=2)
    likeness: Tensor = shared / (sizes.unsqueeze(1) + sizes.unsqueeze(2) - shared)
    return likeness


def repetition_next(tally: Tally) -> Tensor:
    """How many notes a bar shares with the next (Jaccard), mean over neighbouring bars, `[phrases]`.

    Pairs of silent bars are left out; NaN where no pair is left.
    """
    return _likeness(tally).diagonal(offset=1, dim1=1, dim2=2).nanmean(1)


def repetition_any(tally: Tally) -> Tensor:
    """How many notes two bars share (Jaccard), mean over any two bars, `[phrases]`; NaN as in `repetition_next`."""
    first, second = torch.triu_indices(tally.spec.bars, tally.spec.bars, offset=1)
    return _likeness(tally)[:, first, second].nanmean(1)


def consonance(tally: Tally) -> Tensor:
    """Share of the intervals between pitched tracks that are not dissonant, `[phrases]`: `1 - dissonance`."""
    return 1 - dissonance(tally)


def length_in_beats(tally: Tally) -> Tensor:
    """Mean note length in beats, `[phrases, tracks]`; NaN without notes."""
    return mean_length(tally) / tally.spec.steps_per_beat

"""How far generated phrases are from what was asked of them, as far as it can be counted.

The discriminator learns to see the same, but late: what it sees first is that something is missing, not what. A
generator that is told from the first step plays as much as the data does, where and when the data does.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.conditions import DENSITY, SHORT, ConditionLayout
from gan.ops.counts import CountNotes
from gan.spec import RollSpec

RHYTHM_WEIGHT = 20.0
"""Of squared differences of shares, beside those of logarithms."""


def attribute_loss(fake: Tensor, real: Tensor, conditions: Tensor, spec: RollSpec) -> Tensor:
    """The mean over phrases of squared differences to real phrases that answer the same conditions.

    Of each track the logarithms of how many notes, steps of sound and notes of one step it has in a bar; of the phrase
    the shares of rhythm.

    Parameters
    ----------
    fake, real
        Streams `[batch, time, tracks, 2, pitch_range]`.
    conditions
        `[batch, ConditionLayout.size]`, see `gan.conditions`; what was not asked does not count.
    spec
        Of the phrases.
    """
    layout, known = ConditionLayout.of(spec), ~conditions.isnan()
    (counts, rhythm), (real_counts, real_rhythm) = (_summary(streams, spec) for streams in (fake, real))
    asked = (known[:, layout.attribute(attribute)] for attribute in (DENSITY, DENSITY, SHORT))
    far = [((one - other).square() * want).sum(1) for one, other, want in zip(counts, real_counts, asked, strict=True)]
    off = (rhythm - real_rhythm).square().sum(1)
    far.append(RHYTHM_WEIGHT * off * known[:, layout.rhythm.start])
    return torch.stack(far).sum(0).mean()


def _summary(streams: Tensor, spec: RollSpec) -> tuple[list[Tensor], Tensor]:
    """Logarithms of notes, steps of sound and notes of one step in a bar, `[batch, tracks]` each; and the rhythm.

    The rhythm is, for each step of a bar, its share of all onsets, `[batch, steps]`.
    """
    onsets, cells, long = CountNotes.apply(streams)  # type: ignore[no-untyped-call]
    notes = onsets.sum(1)
    counts = [torch.log1p(one.clamp(min=0) / spec.bars) for one in (notes, cells, notes - long)]
    beaten = onsets.sum(2).view(len(streams), spec.bars, -1).sum(1)
    return counts, beaten / beaten.sum(1, keepdim=True).clamp(min=1)

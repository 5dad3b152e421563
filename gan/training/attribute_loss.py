"""How far generated phrases are from what was asked of them, as far as it can be counted.

The discriminator learns to see the same, but late: what it sees first is that something is missing, not what. A
generator that is told from the first step plays as much as the data does, where and when the data does.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gan.conditions import DENSITY, SHORT, ConditionLayout
from gan.rolls import SOUNDING, STRIKE
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
    onsets, cells, held = Count.apply(streams)  # type: ignore[no-untyped-call]
    notes = onsets.sum(1)
    counts = [torch.log1p(one.clamp(min=0) / spec.bars) for one in (notes, cells, notes - held)]
    beaten = onsets.sum(2).view(len(streams), spec.bars, -1).sum(1)
    return counts, beaten / beaten.sum(1, keepdim=True).clamp(min=1)


class Count(torch.autograd.Function):
    """Counts in streams `[batch, time, tracks, 2, pitch_range]`, 0 or 1.

    Onsets `[batch, time, tracks]`; cells that sound, and notes longer than a step, `[batch, tracks]` each. The last are
    counted by `strike x next sounding x (1 - next strike)`. Products of zeros and ones are made in bytes, of which four
    times as many go through memory at once.
    """

    @staticmethod
    def forward(ctx: Any, streams: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Count."""
        bits = streams.to(torch.bool).view(torch.int8)  # the way by bools is the fast one
        ctx.save_for_backward(bits)
        sounding, strikes = bits.unbind(3)
        held = (strikes[:, 1:] ^ 1).bitwise_and_(strikes[:, :-1]).bitwise_and_(sounding[:, 1:])
        sums = streams.sum(4)
        return sums[..., STRIKE], sums[..., SOUNDING].sum(1), held.to(streams).sum(3).sum(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Of the streams: that of a cell's sum, and that of `held` as often as the cell makes or ends a long note."""
        (bits,), (onsets, cells, held) = ctx.saved_tensors, gradients
        sounding, strikes = bits.unbind(3)
        lengthens = torch.zeros_like(bits)
        by_sounding, by_strikes = lengthens.unbind(3)
        free = strikes[:, 1:] ^ 1
        torch.bitwise_and(strikes[:, :-1], free, out=by_sounding[:, 1:])
        torch.bitwise_and(sounding[:, 1:], free, out=by_strikes[:, :-1])
        by_strikes[:, 1:] -= strikes[:, :-1] & sounding[:, 1:]
        sums = torch.stack([cells.unsqueeze(1).expand_as(onsets), onsets], dim=3)
        return lengthens.to(sums.dtype).mul_(held[:, None, :, None, None]).add_(sums.unsqueeze(4))

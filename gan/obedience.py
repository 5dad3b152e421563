"""How far generated phrases are from what was asked of them, as far as it can be counted.

The discriminator learns to see the same, but late: what it sees first is that something is missing, not what. A
generator that is told from the first step plays as much as the data does, where and when the data does.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gan.spec import RollSpec
from gan.wishes import DENSITY, SHORT, Layout

RHYTHM_WEIGHT = 20.0
"""Of squared differences of shares, beside those of logarithms."""


def disobedience(fake: Tensor, real: Tensor, wishes: Tensor, spec: RollSpec) -> Tensor:
    """The mean over phrases of squared differences to real phrases that answer the same wishes.

    Of each track the logarithms of how many notes, steps of sound and notes of one step it has in a bar; of the phrase
    the shares of rhythm.

    Parameters
    ----------
    fake, real
        Streams `[batch, time, tracks, 2, compass]`.
    wishes
        `[batch, Layout.size]`, see `gan.wishes`; what was not asked does not count.
    spec
        Of the phrases.
    """
    layout, known = Layout.of(spec), ~wishes.isnan()
    (counts, rhythm), (real_counts, real_rhythm) = (_summary(streams, spec) for streams in (fake, real))
    asked = (known[:, layout.manner(manner)] for manner in (DENSITY, DENSITY, SHORT))
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
    """Counts in streams `[batch, time, tracks, 2, compass]`.

    Onsets `[batch, time, tracks]`; cells that sound, and notes longer than a step, `[batch, tracks]` each. The last are
    counted by `strike x next sounding x (1 - next strike)`; all of it is differentiated in one pass over the streams.
    """

    @staticmethod
    def forward(ctx: Any, streams: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Count."""
        ctx.save_for_backward(streams)
        sounding, strikes = streams.unbind(3)
        held = strikes[:, :-1] * (1 - strikes[:, 1:])
        return strikes.sum(3), sounding.sum((1, 3)), held.mul_(sounding[:, 1:]).sum((1, 3))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Of the streams."""
        (streams,) = ctx.saved_tensors
        (sounding, strikes), (onsets, cells, held) = streams.unbind(3), gradients
        weight = held[:, None, :, None]  # for all steps and pitches
        result = torch.empty_like(streams)
        of_sounding, of_strikes = result.unbind(3)
        of_sounding.copy_(cells[:, None, :, None])
        of_strikes.copy_(onsets.unsqueeze(3))
        later, free = sounding[:, 1:], 1 - strikes[:, 1:]
        struck = strikes[:, :-1] * weight
        of_sounding[:, 1:].addcmul_(struck, free)
        of_strikes[:, 1:].addcmul_(struck, later, value=-1)
        of_strikes[:, :-1].add_(free.mul_(later).mul_(weight))
        return result

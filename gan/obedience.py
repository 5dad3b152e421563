"""How far generated phrases are from what was asked of them, as far as it can be counted.

The discriminator learns to see the same, but late: what it sees first is that something is missing, not what. A
generator that is told from the first step plays as much as the data does, where and when the data does.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.rolls import SOUNDING, STRIKE
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
    counts = zip(_counts(fake, spec), _counts(real, spec), strict=True)
    asked = (known[:, layout.manner(manner)] for manner in (DENSITY, DENSITY, SHORT))
    far = [((one - other).square() * want).sum(1) for (one, other), want in zip(counts, asked, strict=True)]
    off = (_rhythm(fake, spec) - _rhythm(real, spec)).square().sum(1)
    far.append(RHYTHM_WEIGHT * off * known[:, layout.rhythm.start])
    return torch.stack(far).sum(0).mean()


def _counts(streams: Tensor, spec: RollSpec) -> list[Tensor]:
    """Logarithms of notes, steps of sound and notes of one step in a bar, `[batch, tracks]` each."""
    sounding, strikes = streams[:, :, :, SOUNDING], streams[:, :, :, STRIKE]
    notes = strikes.sum((1, 3))
    held = (strikes[:, :-1] * sounding[:, 1:] * (1 - strikes[:, 1:])).sum((1, 3))
    return [torch.log1p(one.clamp(min=0) / spec.bars) for one in (notes, sounding.sum((1, 3)), notes - held)]


def _rhythm(streams: Tensor, spec: RollSpec) -> Tensor:
    """For each step of a bar its share of all onsets, `[batch, steps]`."""
    onsets = streams[:, :, :, STRIKE].sum((2, 3)).view(len(streams), spec.bars, -1).sum(1)
    return onsets / onsets.sum(1, keepdim=True).clamp(min=1)

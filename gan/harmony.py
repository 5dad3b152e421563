"""What sounds beside a track, step by step: which pitches fit it, and when other tracks play.

In music, a note is chosen by what it is heard with. How often each interval is heard is counted in the data, so that a
generator that is given a part knows from its first step which pitches fit; it learns the rest.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.context import Part, spread_mask
from gan.rolls import SOUNDING, STRIKE, fold_streams
from gan.spec import RollSpec

NUM_MARKS = 3
"""Whether, in what is given, a pitched track begins a note, a drum is hit, anything pitched sounds."""
BESIDE_SIZE = 12 + NUM_MARKS
"""Features of a step of a track: how well each pitch class fits, and the marks."""


class Beside(nn.Module):
    """What is given, as each track hears it.

    Parameters
    ----------
    spec, lows, compass
        Of the streams, see `gan.rolls.to_streams`.
    gains
        `[tracks][12]`, `gan.statistics.DataStatistics.harmony`: where the fit of each interval starts.
    """

    fold: Tensor
    turn: Tensor

    def __init__(self, spec: RollSpec, lows: tuple[int, ...], compass: int, gains: list[list[float]]) -> None:
        super().__init__()
        self.spec = spec
        self.drums = [track for track in range(spec.num_tracks) if track not in spec.pitched]
        self.fits = nn.Parameter(torch.tensor(gains))  # [tracks, semitones above a given note]
        self.register_buffer("fold", fold_streams(spec, lows, compass), persistent=False)  # [pitched, compass, 12]
        turn = (torch.arange(12) - torch.arange(12).unsqueeze(1)) % 12
        self.register_buffer("turn", turn, persistent=False)  # [given, made]: semitones

    def forward(self, part: Part) -> Tensor:
        """`[batch, time, tracks, BESIDE_SIZE]`; zeros where nothing is given."""
        spec, streams = self.spec, part.streams
        batch, time, tracks = streams.shape[:3]
        heard = spread_mask(part.mask, spec).to(streams)  # [batch, time, tracks]
        pitched = list(spec.pitched)
        sounding = streams[:, :, pitched, SOUNDING] * heard[:, :, pitched, None]
        chroma = torch.einsum("btkp,kpc->btc", sounding, self.fold).clamp(max=1)
        fits = torch.einsum("btc,kcd->btkd", chroma, self.fits[:, self.turn])
        struck = streams[:, :, :, STRIKE].amax(3) * heard
        marks = [_any(struck[:, :, pitched]), _any(struck[:, :, self.drums]), _any(chroma)]
        beside = torch.stack(marks, dim=2).unsqueeze(2).expand(-1, -1, tracks, -1)
        return torch.cat([fits, beside.expand(batch, time, tracks, NUM_MARKS)], dim=3)


def _any(x: Tensor) -> Tensor:
    """Whether anything of the last axis is there."""
    return x.amax(-1) if x.shape[-1] else x.new_zeros(x.shape[:-1])


def count_intervals(begun: Tensor, sounding: Tensor, is_drum: Tensor) -> dict[str, Tensor]:
    """How the notes of each track lie above what the other tracks sound at the same step.

    Parameters
    ----------
    begun, sounding
        Pitch classes that begin, and that sound, `[batch, tracks, time, 12]`.
    is_drum
        Bool `[tracks]`.

    Returns
    -------
    dict
        `intervals` `[tracks, 12]`: pairs by semitones; `begun` and `beside` `[tracks, 12]`: how often either side of
        a pair has each pitch class.
    """
    pitched = (~is_drum).view(-1, 1, 1).to(begun)
    begun, sounding = begun * pitched, sounding.clamp(max=1) * pitched
    beside = (sounding.sum(1, keepdim=True) - sounding).clamp(max=1)
    intervals = [(begun.roll(-size, -1) * beside).sum((0, 2, 3)) for size in range(12)]
    return {
        "intervals": torch.stack(intervals, dim=1),
        "begun": (begun * beside.any(-1, keepdim=True)).sum((0, 2)),
        "beside": (beside * begun.any(-1, keepdim=True)).sum((0, 2)),
    }


def interval_gain(intervals: Tensor, begun: Tensor, beside: Tensor) -> Tensor:
    """Log of how much more often each interval happens than between pitch classes drawn alone, `[tracks, 12]`."""
    shares = [one / one.sum(1, keepdim=True).clamp(min=1) for one in (begun, beside)]
    chance = torch.stack([(shares[0].roll(-size, 1) * shares[1]).sum(1) for size in range(12)], dim=1)
    return torch.log((intervals + 1) / (chance * intervals.sum(1, keepdim=True) + 1))

"""Data augmentation and masking: transposition, condition dropout, inpainting masks.

Real phrases are transposed, conditions are dropped (classifier-free guidance; Ho and Salimans, arXiv 2207.12598), and
masks say which notes are given as context.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.conditions import ConditionLayout
from gan.ops.shard import WHOLE, Shard
from gan.ops.upload import upload
from gan.spec import RollSpec


def transpose(streams: Tensor, semitones: Tensor, spec: RollSpec) -> Tensor:
    """Move all pitched tracks of each phrase together; drums stay, notes that leave the pitch range are lost.

    Parameters
    ----------
    streams
        `[batch, time, tracks, 2, pitch_range]`.
    semitones
        Integers `[batch]`, upwards when positive.
    spec
        Says which tracks are drums.
    """
    pitch_range = streams.shape[-1]
    source = torch.arange(pitch_range, device=streams.device) - semitones.view(-1, 1)  # [batch, pitch_range]
    inside = ((source >= 0) & (source < pitch_range)).view(len(streams), 1, 1, 1, pitch_range)
    index = source.clamp(0, pitch_range - 1).view(len(streams), 1, 1, 1, pitch_range).expand_as(streams)
    moved = torch.gather(streams, -1, index) * inside
    is_drum = upload(torch.tensor([track.is_drum for track in spec.tracks]), streams.device)
    return torch.where(is_drum.view(1, 1, -1, 1, 1), streams, moved)


def random_semitones(batch: int, most: int, generator: torch.Generator) -> Tensor:
    """Whole numbers from `-most` to `most`, `[batch]`, drawn by a CPU generator."""
    return torch.randint(-most, most + 1, (batch,), generator=generator)


def drop_conditions(
    conditions: Tensor,
    layout: ConditionLayout,
    all_share: float,
    each_share: float,
    random: torch.Generator,
    shard: Shard = WHOLE,
) -> Tensor:
    """Condition dropout: all conditions of a share of the phrases become NaN, and each of a share of the others.

    Rhythm, chroma and chords are dropped as wholes. A CPU generator draws which.
    """
    count, size = conditions.shape
    every = shard.draw(lambda batch: torch.rand(batch, 1, generator=random), count) < all_share
    each = shard.draw(lambda batch: torch.rand(batch, size, generator=random), count) < each_share
    for whole in (layout.rhythm, layout.chroma, layout.chords):
        each[:, whole] = each[:, whole.start, None]
    return torch.where(upload(every | each, conditions.device), torch.nan, conditions)


MASK_KINDS = ("compose", "accompany", "continue", "fill", "mix")
MASK_SHARES = (0.4, 0.2, 0.1, 0.2, 0.1)
"""How often each kind of mask is drawn in training."""


def draw_masks(batch: int, spec: RollSpec, random: torch.Generator) -> Tensor:
    """Inpainting masks to train with, bool `[batch, tracks, bars]`; at least one bar of one track is to be made.

    Some are empty (`MASK_SHARES`). The others give some tracks, the first bars, other bars, or a mixture of bars and
    tracks. A CPU generator draws them.
    """
    tracks, bars = spec.num_tracks, spec.bars
    kinds = torch.multinomial(torch.tensor(MASK_SHARES), batch, replacement=True, generator=random)
    amount = torch.rand(batch, 1, generator=random)
    of_tracks, of_bars, cells = (_some(batch, size, amount, random) for size in (tracks, bars, tracks * bars))
    lengths = (1 + (amount * (bars - 1)).long()).clamp(max=bars - 1)
    first = torch.arange(bars) < lengths
    masks = torch.zeros(batch, tracks, bars, dtype=torch.bool)
    for kind, chosen in (
        (1, of_tracks.unsqueeze(2)),
        (2, first.unsqueeze(1)),
        (3, of_bars.unsqueeze(1)),
        (4, cells.view(batch, tracks, bars)),
    ):
        masks = torch.where((kinds == kind).view(-1, 1, 1), chosen, masks)
    return masks


def _some(batch: int, size: int, amount: Tensor, random: torch.Generator) -> Tensor:
    """Of `size` things about a share `amount` `[batch, 1]`, at least one and never all; bool `[batch, size]`."""
    draws = torch.rand(batch, size, generator=random)
    some = (draws < amount).scatter(1, draws.argmin(1, keepdim=True), True)
    return some.scatter(1, draws.argmax(1, keepdim=True), False)

"""Real phrases in other keys, so that few phrases go further."""

from __future__ import annotations

import torch
from torch import Tensor

from gan.spec import RollSpec


def transpose(streams: Tensor, semitones: Tensor, spec: RollSpec) -> Tensor:
    """Move all pitched tracks of each phrase together; drums stay, notes that leave the compass are lost.

    Parameters
    ----------
    streams
        `[batch, time, tracks, 2, compass]`.
    semitones
        Integers `[batch]`, upwards when positive.
    spec
        Says which tracks are drums.
    """
    compass = streams.shape[-1]
    source = torch.arange(compass, device=streams.device) - semitones.view(-1, 1)  # [batch, compass]
    inside = ((source >= 0) & (source < compass)).view(len(streams), 1, 1, 1, compass)
    index = source.clamp(0, compass - 1).view(len(streams), 1, 1, 1, compass).expand_as(streams)
    moved = torch.gather(streams, -1, index) * inside
    is_drum = torch.tensor([track.is_drum for track in spec.tracks], device=streams.device).view(1, 1, -1, 1, 1)
    return torch.where(is_drum, streams, moved)


def random_semitones(batch: int, most: int, generator: torch.Generator) -> Tensor:
    """Whole numbers from `-most` to `most`, `[batch]`, drawn by a CPU generator."""
    return torch.randint(-most, most + 1, (batch,), generator=generator)

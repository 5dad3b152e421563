"""Real phrases in other keys, so that few phrases go further."""

from __future__ import annotations

import torch
from torch import Tensor

from gan.conditions import no_conditions
from gan.context import Conditioning
from gan.spec import RollSpec
from gan.training.distributed import for_my_rows


def transpose(streams: Tensor, semitones: Tensor, spec: RollSpec) -> Tensor:
    """Move all pitched tracks of each phrase together; drums stay, notes that leave the pitch_range are lost.

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
    is_drum = torch.tensor([track.is_drum for track in spec.tracks], device=streams.device).view(1, 1, -1, 1, 1)
    return torch.where(is_drum, streams, moved)


def random_semitones(batch: int, most: int, generator: torch.Generator) -> Tensor:
    """Whole numbers from `-most` to `most`, `[batch]`, drawn by a CPU generator."""
    return torch.randint(-most, most + 1, (batch,), generator=generator)


def matching_loss(real: Tensor, spec: RollSpec, random: torch.Generator) -> tuple[Tensor, Tensor, Conditioning]:
    """Whole phrases, the same with tracks of others, and what both were asked: nothing, but perhaps some tracks given.

    Parameters
    ----------
    real
        Streams `[batch, time, tracks, 2, pitch_range]`. Each phrase with an even number lends tracks from the next one.
    spec
        Of the phrases; it has two tracks at least.
    random
        A CPU generator.

    Returns
    -------
    whole, mixed
        Streams `[batch // 2, ...]`.
    asked
        In a third of them the borrowed tracks are given, in a third the others, in a third none.
    """
    whole, lenders = real[0 : len(real) // 2 * 2 : 2], real[1::2]
    count, tracks = len(whole), spec.num_tracks

    def draw(size: int) -> Tensor:
        numbers = for_my_rows(lambda batch: torch.rand(batch, size, generator=random), count)
        return numbers.to(real.device)

    order, kind = draw(tracks), draw(1)
    borrowed = order < draw(1)
    borrowed = borrowed.scatter(1, order.argmin(1, keepdim=True), True)
    borrowed = borrowed.scatter(1, order.argmax(1, keepdim=True), False)
    mixed = torch.where(borrowed[:, None, :, None, None], lenders, whole)
    given = torch.where(kind < 1 / 3, borrowed, ~borrowed) & (kind < 2 / 3)
    asked = Conditioning(no_conditions(count, spec).to(real.device), given.unsqueeze(2).expand(-1, -1, spec.bars))
    return whole, mixed, asked

"""Counting in rolls and streams: eight bools in one 64-bit number, products of zeros and ones in bytes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad


def pack_cells(cells: Tensor) -> Tensor:
    """Bools `[..., pitches]` as 64-bit numbers `[..., words]`, a byte a cell.

    Their sums are sums of all eight cells at once, as long as no byte comes to more than 255: tens of times as fast as
    those of bools.
    """
    padded = pad(cells.view(torch.uint8), (0, -cells.shape[-1] % 8))
    return padded.contiguous().view(torch.int64)


def count_cells(words: Tensor) -> Tensor:
    """How many cells are set in words `[..., words]` of `pack_cells`: `[...]`."""
    return words.sum(-1, keepdim=True).view(torch.uint8).sum(-1)


def count_cells_reference(cells: Tensor) -> Tensor:
    """What `count_cells` of `pack_cells` gives, bool by bool."""
    return cells.sum(-1)


class CountNotes(torch.autograd.Function):
    """Counts in streams `[batch, time, tracks, 2, pitch_range]`, 0 or 1.

    Onsets `[batch, time, tracks]`; sounding cells, and notes longer than a step, `[batch, tracks]` each. Products of
    zeros and ones are made in bytes, of which four times as many go through memory at once. See
    `count_notes_reference`.
    """

    @staticmethod
    def forward(ctx: Any, streams: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Count."""
        bits = streams.to(torch.bool).view(torch.int8)  # the way by bools is the fast one
        ctx.save_for_backward(bits)
        sounding, onset = bits.unbind(3)
        long = (onset[:, 1:] ^ 1).bitwise_and_(onset[:, :-1]).bitwise_and_(sounding[:, 1:])
        cells, onsets = streams.sum(4).unbind(3)
        return onsets, cells.sum(1), long.to(streams).sum(3).sum(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Of the streams: that of a cell's sum, and that of `long` as often as the cell makes or ends a long note."""
        (bits,), (onsets, cells, long) = ctx.saved_tensors, gradients
        sounding, onset = bits.unbind(3)
        lengthens = torch.zeros_like(bits)
        by_sounding, by_onset = lengthens.unbind(3)
        free = onset[:, 1:] ^ 1
        torch.bitwise_and(onset[:, :-1], free, out=by_sounding[:, 1:])
        torch.bitwise_and(sounding[:, 1:], free, out=by_onset[:, :-1])
        by_onset[:, 1:] -= onset[:, :-1] & sounding[:, 1:]
        sums = torch.stack([cells.unsqueeze(1).expand_as(onsets), onsets], dim=3)
        return lengthens.to(sums.dtype).mul_(long[:, None, :, None, None]).add_(sums.unsqueeze(4))


def count_notes_reference(streams: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What `CountNotes` gives, by products: a long note is an onset, then sound that is no onset."""
    sounding, onset = streams.unbind(3)  # [batch, time, tracks, pitch_range]
    long = onset[:, :-1] * sounding[:, 1:] * (1 - onset[:, 1:])
    return onset.sum(3), sounding.sum((1, 3)), long.sum((1, 3))

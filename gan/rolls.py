"""Rolls in other forms: planes to streams and back, packed bits, and batches that depend on seed and step alone.

A *stream* tensor is what generator and discriminator exchange: `[batch, time, tracks, 2, pitch_range]`, stream 0
*sounding* (onset or hold), stream 1 *onset*, with time running over all steps of the phrase and each track cut to its
own pitch_range.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gan.seeds import RandomStream, mix_seed
from gan.spec import HOLD, ONSET, RollSpec

STREAM_SOUNDING, STREAM_ONSET = 0, 1
"""The two streams: every step of a note, and its first step."""


def to_streams(rolls: Tensor, lowest_pitches: Sequence[int], pitch_range: int) -> Tensor:
    """Rolls `[batch, 2, tracks, bars, steps, pitches]` as float streams `[batch, time, tracks, 2, pitch_range]`.

    `lowest_pitches` holds, for each track, the roll index of the first pitch of its pitch_range; notes outside are left
    out. A note that was cut by the start of the phrase begins there.
    """
    batch, _, tracks, bars, steps, _ = rolls.shape
    cells = torch.empty((batch, bars * steps, tracks, 2, pitch_range), dtype=torch.uint8, device=rolls.device)
    for track, low in enumerate(lowest_pitches):
        window = rolls[:, :, track, :, :, low : low + pitch_range].view(torch.uint8).flatten(2, 3)
        onset, hold = window[:, ONSET], window[:, HOLD]  # [batch, time, pitch_range]
        cells[:, :, track, STREAM_ONSET] = onset
        torch.bitwise_or(onset, hold, out=cells[:, :, track, STREAM_SOUNDING])
    cells[:, 0, :, STREAM_ONSET] = cells[:, 0, :, STREAM_SOUNDING]
    return cells.to(torch.float32)  # bytes become floats four times as fast as bools do


def to_rolls(streams: Tensor, lowest_pitches: Sequence[int], spec: RollSpec) -> Tensor:
    """Streams back as bool rolls `[batch, 2, tracks, bars, steps, pitches]`; drums never hold."""
    batch, _, _, _, pitch_range = streams.shape
    present = streams.detach() > 0.5
    shape = (batch, spec.bars, spec.steps_per_bar, pitch_range)
    rolls = torch.zeros((batch, *spec.shape), dtype=torch.bool, device=streams.device)
    for track, low in enumerate(lowest_pitches):
        onset = present[:, :, track, STREAM_ONSET].reshape(shape)
        sounding = present[:, :, track, STREAM_SOUNDING].reshape(shape)
        rolls[:, ONSET, track, :, :, low : low + pitch_range] = onset
        if not spec.tracks[track].is_drum:
            rolls[:, HOLD, track, :, :, low : low + pitch_range] = sounding & ~onset
    return rolls


def stream_pitch_classes(spec: RollSpec, lowest_pitches: Sequence[int], pitch_range: int) -> Tensor:
    """`[pitched, pitch_range, 12]`: which pitch class each pitch of each pitched track's pitch_range belongs to."""
    pitches = torch.tensor([lowest_pitches[track] for track in spec.pitched]).unsqueeze(1) + torch.arange(pitch_range)
    classes = (pitches + spec.lowest_pitch) % 12
    return (classes.unsqueeze(2) == torch.arange(12)).to(torch.float32)


def unpack(rolls: Tensor, spec: RollSpec) -> Tensor:
    """Bool rolls `[..., *spec.shape]` from bool ones or from bytes packed along pitches (as `numpy.packbits` does).

    Raises `ValueError` when the shape is not that of the spec.
    """
    if rolls.dtype == torch.bool:
        bits = rolls
    else:
        values = torch.arange(256, dtype=torch.uint8, device=rolls.device).unsqueeze(1)
        masks = torch.tensor([128, 64, 32, 16, 8, 4, 2, 1], dtype=torch.uint8, device=rolls.device)
        table = (values & masks).ne(0).view(torch.int64).squeeze(1)  # of each byte its eight bools, taken as one number
        words = table.index_select(0, rolls.flatten().int()).view(rolls.shape)
        bits = words.view(torch.bool)[..., : spec.num_pitches]
    if tuple(bits.shape[-5:]) != spec.shape:
        raise ValueError(f"rolls of shape {tuple(rolls.shape)} do not fit {spec.shape}")
    return bits


@dataclass(frozen=True)
class Batch:
    """Phrases to learn from: bool rolls `[batch, *spec.shape]`; labels `[batch, 3]`, key, tempo, style, NaN unknown."""

    rolls: Tensor
    labels: Tensor


def batches_from(
    rolls: Tensor, spec: RollSpec, batch_size: int, seed: int, start_step: int = 0, labels: Tensor | None = None
) -> Iterator[Batch]:
    """Endless batches of `batch_size` phrases, each a function of `seed` and its step alone.

    Every phrase comes once before any comes again. Start at `trainer.step` to resume.

    Parameters
    ----------
    rolls
        All phrases, `[count, *spec.shape]`, bool or packed along pitches (uint8); they stay as they are in memory.
    spec
        The shape of a roll.
    batch_size
        Phrases in a batch.
    seed
        Decides on the order.
    start_step
        The step whose batch comes first.
    labels
        Of all phrases, `[count, 3]`; without them nothing is known.
    """
    count = len(rolls)
    if count == 0:
        raise ValueError("there are no phrases to train on")
    known = torch.full((count, 3), torch.nan) if labels is None else labels
    orders: dict[int, Tensor] = {}
    step = start_step
    while True:
        places = range(step * batch_size, (step + 1) * batch_size)
        for epoch in {place // count for place in places} - set(orders):
            shuffler = torch.Generator().manual_seed(mix_seed(seed, RandomStream.BATCH_ORDER, epoch))
            orders[epoch] = torch.randperm(count, generator=shuffler)
        chosen = torch.stack([orders[place // count][place % count] for place in places])
        yield Batch(unpack(rolls.index_select(0, chosen.to(rolls.device)), spec), known[chosen])
        for epoch in [epoch for epoch in orders if epoch < places[-1] // count]:
            del orders[epoch]
        step += 1

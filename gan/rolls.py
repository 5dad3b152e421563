"""Rolls in other forms: planes to streams and back, and packed bits.

A *stream* tensor is what generator and discriminator exchange: `[batch, time, tracks, 2, pitch_range]`, stream 0
*sounding* (onset or hold), stream 1 *onset*, with time running over all steps of the phrase and each track cut to its
own pitch range.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gan.ops.upload import upload
from gan.spec import HOLD, ONSET, RollSpec

STREAM_SOUNDING, STREAM_ONSET = 0, 1
"""The two streams: every step of a note, and its first step."""


def to_streams(rolls: Tensor, lowest_pitches: Sequence[int], pitch_range: int) -> Tensor:
    """Rolls `[batch, 2, tracks, bars, steps, pitches]` as float streams `[batch, time, tracks, 2, pitch_range]`.

    `lowest_pitches` holds, for each track, the roll index of the first pitch of its pitch range; notes outside are left
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
    """`[pitched, pitch_range, 12]`: which pitch class each pitch of each pitched track's pitch range belongs to."""
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
        masks = upload(torch.tensor([128, 64, 32, 16, 8, 4, 2, 1], dtype=torch.uint8), rolls.device)
        table = (values & masks).ne(0).view(torch.int64).squeeze(1)  # of each byte its eight bools, taken as one number
        words = table.index_select(0, rolls.flatten().int()).view(rolls.shape)
        bits = words.view(torch.bool)[..., : spec.num_pitches]
    if tuple(bits.shape[-5:]) != spec.shape:
        raise ValueError(f"rolls of shape {tuple(rolls.shape)} do not fit {spec.shape}")
    return bits

"""Planes, streams and batches."""

import pytest
import torch

from gan.rolls import to_rolls, to_streams, unpack
from gan.spec import HOLD, ONSET
from tests.roll_makers import SPEC, empty, sample_rolls


def test_streams_and_back_keep_every_note_repeated_ones_included():
    rolls = sample_rolls()
    again = to_rolls(to_streams(rolls, (0, 2), 12), (0, 2), SPEC)
    assert torch.equal(again, rolls)
    assert again[0, ONSET, 1].sum() == 3


def test_streams_cut_each_track_to_its_own_pitch_range():
    streams = to_streams(sample_rolls(), (0, 5), 8)
    assert streams.shape == (1, 32, 2, 2, 8)
    assert streams[0, 0, 1, :, 2].tolist() == [1.0, 1.0]  # pitch 7 is place 2 above 5
    assert streams[0, 1, 1, :, 2].tolist() == [1.0, 0.0]  # still sounding, no onset


def test_a_note_cut_by_the_start_of_the_phrase_begins_there():
    rolls = empty()
    rolls[0, HOLD, 1, 0, :3, 5] = True
    streams = to_streams(rolls, (0, 0), 12)
    assert streams[0, :, 1, 1].nonzero().tolist() == [[0, 5]]
    assert streams[0, :, 1, 0].sum() == 3


def test_streams_of_full_rolls_are_what_the_planes_say():
    rolls = torch.rand((3, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.3
    streams = to_streams(rolls, (2, 7), 13)
    assert streams.dtype == torch.float32
    for track, low in enumerate((2, 7)):
        onset, hold = rolls[:, :, track, :, :, low : low + 13].flatten(2, 3).unbind(1)
        assert torch.equal(streams[:, :, track, 0], (onset | hold).float())
        assert torch.equal(streams[:, 1:, track, 1], onset[:, 1:].float())
        assert torch.equal(streams[:, 0, track, 1], streams[:, 0, track, 0])


def test_drums_never_hold():
    streams = torch.zeros(1, 32, 2, 2, 8)
    streams[:, 3, :, 0, 1] = 1.0  # sounding without an onset
    rolls = to_rolls(streams, (0, 0), SPEC)
    assert not rolls[:, HOLD, 0].any()
    assert rolls[0, HOLD, 1, 0, 3, 1]


def test_packed_rolls_unpack_to_the_same_bits():
    rolls = torch.rand((3, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.3
    weights = torch.tensor([128, 64, 32, 16, 8, 4, 2, 1])
    packed = (rolls.unflatten(-1, (3, 8)) * weights).sum(-1).to(torch.uint8)
    assert torch.equal(unpack(packed, SPEC), rolls)
    with pytest.raises(ValueError, match="do not fit"):
        unpack(rolls[:, :1], SPEC)

"""Planes, streams and packed bits."""

import math

import pytest
import torch

from gan.rolls import to_rolls, to_streams, unpack
from gan.seeds import mix_seed
from gan.settings import ModelSettings
from gan.spec import HOLD, ONSET
from gan.statistics import DataStatistics, choose_heads, choose_pitch_ranges
from tests.roll_makers import SPEC, empty, note, sample_rolls


def test_streams_and_back_keep_every_note_repeated_ones_included():
    rolls = sample_rolls()
    again = to_rolls(to_streams(rolls, (0, 2), 12), (0, 2), SPEC)
    assert torch.equal(again, rolls)
    assert again[0, ONSET, 1].sum() == 3


def test_streams_cut_each_track_to_its_own_compass():
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


def test_statistics_equal_a_count_by_hand():
    counted = DataStatistics.of([sample_rolls(), empty()], SPEC)
    assert counted.num_phrases == 2
    assert counted.sounding[1][7] == pytest.approx(8 / 64)
    assert counted.sounding[1][9] == pytest.approx(8 / 64)
    assert counted.onsets[0][4][2] == pytest.approx(1 / 4)  # one of four bars
    assert counted.onsets[1][12][9] == pytest.approx(1 / 4)
    assert counted.holds[0] == 0.0
    assert counted.holds[1] == pytest.approx(13 / 16)  # 16 steps sound, 3 of them end a note
    assert counted.notes_per_bar == pytest.approx([4 / 4, 3 / 4])
    assert counted.empty_bars == pytest.approx([3 / 4, 2 / 4])
    assert counted.polyphony == [0.0, 0.0]
    assert counted.voices[1] == pytest.approx([16 / 64, 0, 0, 0, 0, 0])
    assert DataStatistics.from_dict(counted.to_dict()) == counted


def test_lines_for_one_note_at_a_time_voices_for_chords_neurons_for_drums():
    rolls = sample_rolls()
    assert choose_heads(DataStatistics.of([rolls], SPEC), SPEC, ModelSettings()) == ("neurons", "choice")
    note(rolls, 1, 0, 0, 4, 11)
    polyphonic = DataStatistics.of([rolls], SPEC)
    assert polyphonic.polyphony[1] == pytest.approx(4 / 16)
    assert polyphonic.voices[1][:2] == pytest.approx([16 / 32, 4 / 32])
    assert choose_heads(polyphonic, SPEC, ModelSettings()) == ("neurons", "voices")
    assert choose_heads(polyphonic, SPEC, ModelSettings(heads="choice")) == ("neurons", "choice")


def test_compass_holds_all_notes_and_stays_inside():
    counted = DataStatistics.of([sample_rolls()], SPEC)
    assert choose_pitch_ranges(counted, SPEC, 1.0) == ((2, 7), 3)
    rolls = empty()
    note(rolls, 0, 0, 0, 1, 0)
    note(rolls, 0, 0, 1, 1, 20)
    note(rolls, 1, 0, 0, 1, 23)
    assert choose_pitch_ranges(DataStatistics.of([rolls], SPEC), SPEC, 1.0) == ((0, 3), 21)


def test_statistics_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no phrases"):
        DataStatistics.of([], SPEC)


def test_packed_rolls_unpack_to_the_same_bits():
    rolls = torch.rand((3, *SPEC.shape), generator=torch.Generator().manual_seed(0)) < 0.3
    weights = torch.tensor([128, 64, 32, 16, 8, 4, 2, 1])
    packed = (rolls.unflatten(-1, (3, 8)) * weights).sum(-1).to(torch.uint8)
    assert torch.equal(unpack(packed, SPEC), rolls)
    with pytest.raises(ValueError, match="do not fit"):
        unpack(rolls[:, :1], SPEC)


def test_neighbouring_seeds_are_unrelated():
    seeds = {mix_seed(seed, number) for seed in range(30) for number in range(30)}
    assert len(seeds) == 900


def test_motions_are_counted_against_chance():
    rolls = empty()
    for step, pitch in ((0, 4), (4, 5), (8, 4), (12, 5)):
        note(rolls, 1, 0, step, 4, pitch)
    counted = DataStatistics.of([rolls], SPEC).motions[1]
    middle = len(counted) // 2
    chance = 3 * 0.5 * 0.5  # of three motions, were each of two pitches equally likely after either
    assert counted[middle + 1] == pytest.approx(math.log((2 + 1) / (chance + 1)))
    assert counted[middle - 1] == pytest.approx(math.log((1 + 1) / (chance + 1)))
    assert counted[middle] == pytest.approx(math.log(1 / (2 * chance + 1)))
    assert counted[middle + 7] == 0.0, "never seen, never to be expected"

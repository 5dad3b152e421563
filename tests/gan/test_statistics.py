"""What is counted of a data set."""

import math

import pytest
import torch

from gan.settings import AlbumGANSettings
from gan.statistics import DataStatistics, choose_heads, choose_pitch_ranges
from tests.gan import trio
from tests.roll_makers import SPEC, empty, note, sample_rolls


def test_frequent_intervals_have_high_gains() -> None:
    gains = torch.tensor(DataStatistics.of([trio.music(96)], trio.SPEC).harmony)
    assert gains.shape == (3, 12)
    assert not gains[0].any(), "drums have no pitches"
    assert not gains[2].any(), "the bass begins when nobody else sounds"
    others = [size for size in range(12) if size not in (0, 4)]
    assert gains[1, [0, 4]].min() > 1, "the piano plays root and third of the bass"
    assert gains[1, others].max() < -1


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


def test_one_voice_for_single_notes_several_for_chords_neurons_for_drums():
    rolls = sample_rolls()
    assert choose_heads(DataStatistics.of([rolls], SPEC), SPEC, AlbumGANSettings()) == ("neurons", "choice")
    note(rolls, 1, 0, 0, 4, 11)
    polyphonic = DataStatistics.of([rolls], SPEC)
    assert polyphonic.polyphony[1] == pytest.approx(4 / 16)
    assert polyphonic.voices[1][:2] == pytest.approx([16 / 32, 4 / 32])
    assert choose_heads(polyphonic, SPEC, AlbumGANSettings()) == ("neurons", "voices")
    assert choose_heads(polyphonic, SPEC, AlbumGANSettings(heads="choice")) == ("neurons", "choice")


def test_the_pitch_range_holds_all_notes_and_stays_inside():
    counted = DataStatistics.of([sample_rolls()], SPEC)
    assert choose_pitch_ranges(counted, SPEC, 1.0) == ((2, 7), 3)
    rolls = empty()
    note(rolls, 0, 0, 0, 1, 0)
    note(rolls, 0, 0, 1, 1, 20)
    note(rolls, 1, 0, 0, 1, 23)
    assert choose_pitch_ranges(DataStatistics.of([rolls], SPEC), SPEC, 1.0) == ((0, 3), 21)


def test_what_is_unknown_does_not_count_as_silence():
    """Half of the phrases know no drums, the other half no bass; beside them the same with everything known."""
    rolls, spec = trio.music(16), trio.SPEC
    whole = DataStatistics.of([rolls], spec)
    known, hidden = torch.ones(16, 3, dtype=torch.bool), rolls.clone()
    known[::2, 0] = known[1::2, 2] = False
    hidden[::2, :, 0] = False
    hidden[1::2, :, 2] = False
    counted = DataStatistics.of([hidden[:5], hidden[5:]], spec, known=known)
    assert counted.notes_per_bar == whole.notes_per_bar == [4, 4, 1]
    assert counted.empty_bars == whole.empty_bars
    assert torch.tensor(counted.voices).equal(torch.tensor(whole.voices))
    for track, its in ((0, slice(1, None, 2)), (2, slice(None, None, 2))):
        only = DataStatistics.of([rolls[its]], spec)
        assert counted.sounding[track] == pytest.approx(only.sounding[track])
        assert torch.allclose(torch.tensor(counted.onsets[track]), torch.tensor(only.onsets[track]))
        assert counted.holds[track] == pytest.approx(only.holds[track])
    assert DataStatistics.of([hidden], spec).notes_per_bar == [2, 4, 0.5], "as silence they would"
    densities = torch.tensor(counted.examples)[:, :3]
    assert densities.tolist() == [[4, 4, 1]] * 16, "examples have what other phrases know"


def test_statistics_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no phrases"):
        DataStatistics.of([], SPEC)


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

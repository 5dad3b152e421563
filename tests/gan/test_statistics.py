"""What is counted of a data set."""

import pytest
import torch

from gan import statistics
from gan.conditions import DENSITY, VOICES, ConditionLayout
from gan.spec import ONSET, RollSpec, Track
from gan.statistics import DataStatistics, choose_pitch_ranges, decision_order, most_notes, with_tracks_of
from tests.gan import trio
from tests.roll_makers import SPEC, empty, note, sample_rolls


def test_statistics_equal_a_count_by_hand():
    counted = DataStatistics.of([sample_rolls(), empty()], SPEC)
    assert counted.num_phrases == 2
    assert counted.sounding[1][7] == pytest.approx(8 / 64)
    assert counted.sounding[1][9] == pytest.approx(8 / 64)
    assert counted.notes_per_bar == pytest.approx([4 / 4, 3 / 4])
    assert counted.empty_bars == pytest.approx([3 / 4, 2 / 4])
    assert counted.polyphony == [0.0, 0.0]
    assert DataStatistics.from_dict(counted.to_dict()) == counted


def test_phrases_of_half_the_weight_count_half():
    rolls = empty(12)
    rolls[:8, ONSET, 1, 0, 0, 3] = True
    weights = torch.tensor([0.5] * 8 + [1.0] * 4)
    counted = statistics.count_some(rolls, SPEC, weights=weights)
    assert counted.num_phrases == 8 and counted.notes_per_bar[1] == pytest.approx(0.5 / SPEC.bars)
    plain = statistics.count_some(rolls, SPEC)
    assert repr(statistics.count_some(rolls, SPEC, weights=torch.full((12,), 0.3))) == repr(plain)


def test_chords_have_several_notes_at_once_and_lines_one():
    rolls = sample_rolls()
    assert most_notes(DataStatistics.of([rolls], SPEC), SPEC, voices=6) == (1, 1)
    note(rolls, 1, 0, 0, 4, 11)
    polyphonic = DataStatistics.of([rolls], SPEC)
    assert polyphonic.polyphony[1] == pytest.approx(4 / 16)
    assert most_notes(polyphonic, SPEC, voices=6) == (1, 6)


def test_drums_struck_together_are_a_pattern_the_most_frequent_first():
    rolls = empty(2)
    rolls[:, ONSET, 0, :, ::4, 2] = True
    rolls[:, ONSET, 0, :, 4, 7] = True
    rolls[0, ONSET, 0, 0, 2, [0, 23]] = True
    assert DataStatistics.of([rolls], SPEC).patterns == [[[], [2], [2, 7], [0, 23]], []], "pitched tracks have none"
    halves = DataStatistics.of([rolls[:1], rolls[1:]], SPEC)
    assert halves.patterns[0] == [[], [2], [2, 7], [0, 23]]


def test_rare_patterns_are_left_out_but_silence_is_not(monkeypatch):
    monkeypatch.setattr(statistics, "MOST_PATTERNS", 2)
    rolls = torch.ones((1, *SPEC.shape), dtype=torch.bool)
    rolls[:, 1] = False
    rolls[0, ONSET, 0, :, 1:, 5] = False
    rolls[0, ONSET, 0, 0, 1:3, 6] = False
    first, second = DataStatistics.of([rolls], SPEC).patterns[0]
    assert first == [pitch for pitch in range(24) if pitch != 5] and second == []


def test_voices_decide_from_outside_in_after_the_drums_and_before_chords():
    """Bass and tune first, as harmony is written."""
    spec = RollSpec(
        (Track("Piano"), Track("Soprano"), Track("Alto"), Track("Tenor"), Track("Bass"), Track("Drums", True)),
        bars=1,
        num_pitches=24,
    )
    rolls = torch.zeros((1, *spec.shape), dtype=torch.bool)
    for track, pitches in enumerate(([3, 9], [20], [14], [10], [1], [5])):
        rolls[0, ONSET, track, 0, ::4, pitches] = True
    assert decision_order(DataStatistics.of([rolls], spec), spec) == (5, 4, 1, 3, 2, 0)


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
    assert counted.polyphony == whole.polyphony and counted.patterns == whole.patterns
    for track, its in ((0, slice(1, None, 2)), (2, slice(None, None, 2))):
        only = DataStatistics.of([rolls[its]], spec)
        assert counted.sounding[track] == pytest.approx(only.sounding[track])
    assert DataStatistics.of([hidden], spec).notes_per_bar == [2, 4, 0.5], "as silence they would"
    densities = torch.tensor(counted.examples)[:, :3]
    assert densities.tolist() == [[4, 4, 1]] * 16, "examples have what other phrases know"


def test_statistics_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no phrases"):
        DataStatistics.of([], SPEC)


def test_a_track_that_no_phrase_knows_has_the_statistics_of_other_data():
    """The other data has the tracks in another order, and pitches from an octave lower on."""
    other_spec = RollSpec((trio.SPEC.tracks[2], trio.SPEC.tracks[1], trio.SPEC.tracks[0]), 4, lowest_pitch=29)
    rolls = torch.zeros((2, *other_spec.shape), dtype=torch.bool)
    rolls[:, ONSET, 2, :, ::4, 15] = True  # drums
    rolls[1, ONSET, 2, :, ::2, 15] = True  # twice as dense
    rolls[:, ONSET, 1, :, ::8, [19, 23]] = True
    rolls[1, ONSET, 1, :, ::4, [19, 23, 26]] = True
    other = DataStatistics.of([rolls], other_spec)
    heard = trio.music()
    heard[:, :, 1] = False
    known = torch.tensor([[True, False, True]]).expand(len(heard), -1)
    own = DataStatistics.of([heard], trio.SPEC, known=known)
    whole = with_tracks_of(own, trio.SPEC, other, other_spec, [1])
    assert whole.notes_per_bar == [own.notes_per_bar[0], other.notes_per_bar[1], own.notes_per_bar[2]]
    assert whole.empty_bars == [own.empty_bars[0], 0.0, own.empty_bars[2]] and own.empty_bars[1] == 1.0
    assert whole.polyphony == [own.polyphony[0], 1.0, own.polyphony[2]]
    sounding = {trio.SPEC.lowest_pitch + pitch for pitch, rate in enumerate(whole.sounding[1]) if rate}
    assert sounding == {other_spec.lowest_pitch + pitch for pitch in (19, 23, 26)}
    assert (whole.sounding[0], whole.sounding[2]) == (own.sounding[0], own.sounding[2])
    assert most_notes(whole, trio.SPEC, voices=6) == (1, 6, 1) and most_notes(own, trio.SPEC, voices=6)[1] == 1
    layout = ConditionLayout.of(trio.SPEC)
    before, examples = torch.tensor(own.examples), torch.tensor(whole.examples)
    assert before[:, layout.attribute(DENSITY)][:, 1].isnan().all()
    assert (examples[:, layout.attribute(DENSITY)][:, 1] == 4.0).all(), "as beside drums that are as dense"
    assert (examples[:, layout.attribute(VOICES)][:, 1] == 2.0).all()
    others = torch.ones(layout.size, dtype=torch.bool)
    others[torch.arange(1, layout.attributes.stop, layout.tracks)] = False
    assert torch.equal(examples[:, others].nan_to_num(-1), before[:, others].nan_to_num(-1))


def test_drum_patterns_of_other_data_are_the_same_drums():
    other_spec = RollSpec(trio.SPEC.tracks, 4, num_pitches=40, lowest_pitch=36)
    rolls = torch.zeros((1, *other_spec.shape), dtype=torch.bool)
    rolls[:, ONSET, 0, :, ::4, [5, 7]] = True
    rolls[:, ONSET, 0, :, 2, 0] = True  # below our pitches
    known = torch.tensor([[False, True, True]]).expand(12, -1)
    own = DataStatistics.of([trio.music() & known[:, None, :, None, None, None]], trio.SPEC, known=known)
    whole = with_tracks_of(own, trio.SPEC, DataStatistics.of([rolls], other_spec), other_spec, [0])
    assert own.patterns[0] == [] and whole.patterns[0] == [[], [0, 2]]

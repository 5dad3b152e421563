"""Statistics of phrases that can be counted by hand."""

import math

import pytest
import torch

from gan.metrics import features
from gan.metrics.counts import PhraseCounts
from gan.spec import ONSET, RollSpec, Track
from tests.gan.metrics.phrase_makers import BAR, BASS, DRUMS, LEAD, SPEC, counted, roll


def test_scale_share_is_of_the_best_major_scale():
    d_major = [62, 64, 66, 67, 69, 71, 73]
    assert features.scale_share(counted(*((1, i, 1, p) for i, p in enumerate(d_major)))).item() == 1.0
    notes = [*((1, i, 1, p) for i, p in enumerate(d_major)), (2, 8, 1, 60)]
    assert features.scale_share(counted(*notes)).item() == pytest.approx(7 / 8)
    assert features.scale_share(counted((0, 0, 1, 36))).isnan().all(), "drums have no scale"


def test_empty_bars_and_notes_per_bar():
    counts = counted((1, 0, 17, 60), (2, 0, 1, 40), (2, 4, 1, 40))
    assert features.empty_bars(counts).tolist() == [[1.0, 0.0, 0.5]], "a held note fills a bar"
    assert features.notes_per_bar(counts).tolist() == [[0.0, 0.5, 1.0]]


def test_note_lengths_tell_repeated_from_held_notes():
    counts = counted((1, 0, 4, 60), (1, 4, 2, 60), (2, 0, 1, 40), (2, 1, 3, 40))
    length, short = features.mean_length(counts), features.short_share(counts)
    assert length[0, 1:].tolist() == [3.0, 2.0]
    assert short[0, 1:].tolist() == [0.0, 0.5]
    assert length[0, 0].isnan()


def test_holds_without_an_onset_have_no_mean_length():
    rolls = roll((1, 0, 4, 60))
    rolls[0, ONSET] = False
    assert features.mean_length(PhraseCounts(rolls, SPEC)).isnan().all()
    assert features.short_share(PhraseCounts(rolls, SPEC)).isnan().all()


def test_dissonance_counts_seconds_but_not_thirds():
    assert features.dissonance(counted((1, 0, 4, 64), (2, 0, 4, 48))).item() == 0.0  # a tenth
    assert features.dissonance(counted((1, 0, 4, 61), (2, 0, 4, 48))).item() == 1.0  # a ninth
    half = counted((1, 0, 4, 64), (1, 4, 4, 61), (2, 0, 8, 48), (0, 0, 1, 37))
    assert features.dissonance(half).item() == 0.5
    assert features.dissonance(counted((1, 0, 4, 64))).isnan().all()


def test_stepwise_share_ignores_repeated_notes():
    counts = counted((1, 0, 4, 60), (1, 4, 4, 62), (1, 8, 4, 62), (1, 12, 4, 67), (1, 16, 1, 66))
    assert features.stepwise_share(counts)[0, 1].item() == pytest.approx(2 / 3)
    assert features.stepwise_share(counts)[0, [0, 2]].isnan().all()


def test_features_of_a_phrase_by_hand():
    rolls = roll((0, 0, 1, 36), (0, 0, 1, 42), (0, 4, 1, 36), (1, 0, 4, 60), (1, 0, 4, 64), (1, 16, 2, 72))
    named = {name: values.item() for name, values in features.features(rolls, SPEC).items()}
    assert named["Drums onsets"] == 3
    assert named["Drums pitches"] == 2
    assert named["Lead onsets"] == 3
    assert named["Lead pitches"] == 2, "60 and 72 are one pitch class"
    assert named["Lead length"] == pytest.approx(10 / 3)
    assert named["Lead voices"] == pytest.approx(10 / 6)
    assert named["Drums empty"] == 0.5
    assert named["Bass onsets"] == 0
    assert math.isnan(named["Bass length"])
    assert named["position 0"] == pytest.approx(3 / 6)  # drums and lead in bar 1, lead in bar 2
    assert named["position 4"] == pytest.approx(1 / 6)
    assert "Drums short" not in named
    assert named["Lead short"] == 0


def test_groove_compares_each_bar_with_the_next():
    same = [(DRUMS, 0, 1, 36), (LEAD, BAR, 4, 60)]
    assert features.groove_consistency(counted(*same)) == 1, "begun at the same place, whatever it is"
    assert features.groove_consistency(counted(*same, (LEAD, 4, 1, 60))) == pytest.approx(15 / 16)
    assert features.groove_consistency(counted()).isnan()


def test_entropy_of_pitch_classes_in_bits():
    assert features.pitch_class_entropy(counted((LEAD, 0, 1, 60), (BASS, 0, 1, 48), (DRUMS, 0, 1, 37))) == 0
    four = [(LEAD, step, 1, 60 + step) for step in range(4)]
    assert features.pitch_class_entropy(counted(*four)) == pytest.approx(2.0)
    assert features.pitch_class_entropy(counted((DRUMS, 0, 1, 37))).isnan()


def test_repetition_is_of_shared_onsets():
    once = [(LEAD, 0, 4, 60), (BASS, 0, 4, 40)]
    again = [(LEAD, BAR, 4, 60), (BASS, BAR, 4, 43)]
    assert features.repetition_next(counted(*once, *again)) == pytest.approx(1 / 3)
    assert features.repetition_any(counted(*once, *again)) == pytest.approx(1 / 3), "of two bars, the next is any other"
    assert features.repetition_next(counted(*once)) == 0
    assert features.repetition_next(counted()).isnan()


def test_bars_far_apart_repeat_where_neighbours_do_not():
    spec = RollSpec((Track("Lead"),), bars=3)
    rolls = torch.zeros((1, *spec.shape), dtype=torch.bool)
    rolls[0, ONSET, 0, [0, 1, 2], 0, [5, 7, 5]] = True
    assert features.repetition_next(PhraseCounts(rolls, spec)) == 0
    assert features.repetition_any(PhraseCounts(rolls, spec)) == pytest.approx(1 / 3)


def test_length_is_in_beats_and_consonance_one_less_dissonance():
    assert features.length_in_beats(counted((LEAD, 0, 8, 60), (LEAD, 8, 4, 60)))[0, LEAD] == 1.5
    assert features.consonance(counted((LEAD, 0, 4, 64), (LEAD, 4, 4, 61), (BASS, 0, 8, 48))) == 0.5

"""Metrics on rolls that can be counted by hand."""

import math
import time

import pytest
import torch

from gan.metrics import distances, features
from gan.metrics.counts import Tally
from gan.spec import HOLD, ONSET, RollSpec, Track

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Lead"), Track("Bass")), bars=2, lowest_pitch=24)


def roll(*notes: tuple[int, int, int, int]) -> torch.Tensor:
    """One phrase of notes `(track, start, length, MIDI pitch)`."""
    planes = torch.zeros((2, SPEC.num_tracks, SPEC.num_steps, SPEC.num_pitches), dtype=torch.bool)
    for track, start, length, pitch in notes:
        planes[ONSET, track, start, pitch - 24] = True
        planes[HOLD, track, start + 1 : start + length, pitch - 24] = True
    return planes.reshape(1, *SPEC.shape)


def tally(*notes: tuple[int, int, int, int]) -> Tally:
    return Tally(roll(*notes), SPEC)


def test_octaves_fold_into_one_pitch_class():
    counts = tally((1, 0, 1, 36), (1, 1, 1, 48), (1, 2, 1, 61)).struck_classes
    assert counts[0, 1].tolist() == [2, 1, *[0] * 10]


def test_pitch_classes_take_the_lowest_pitch_into_account():
    spec = RollSpec((Track("Lead"),), bars=1, num_pitches=12, lowest_pitch=41)
    rolls = torch.zeros((1, *spec.shape), dtype=torch.bool)
    rolls[0, ONSET, 0, 0, 0, 0] = True  # MIDI 41 is an F
    assert Tally(rolls, spec).struck_classes[0, 0].argmax() == 5


def test_scale_share_is_of_the_best_major_scale():
    d_major = [62, 64, 66, 67, 69, 71, 73]
    assert features.scale_share(tally(*((1, i, 1, p) for i, p in enumerate(d_major)))).item() == 1.0
    notes = [*((1, i, 1, p) for i, p in enumerate(d_major)), (2, 8, 1, 60)]
    assert features.scale_share(tally(*notes)).item() == pytest.approx(7 / 8)
    assert features.scale_share(tally((0, 0, 1, 36))).isnan().all(), "drums have no scale"


def test_empty_bars_and_notes_per_bar():
    counts = tally((1, 0, 17, 60), (2, 0, 1, 40), (2, 4, 1, 40))
    assert features.empty_bars(counts).tolist() == [[1.0, 0.0, 0.5]], "a held note fills a bar"
    assert features.notes_per_bar(counts).tolist() == [[0.0, 0.5, 1.0]]


def test_note_lengths_tell_repeated_from_held_notes():
    counts = tally((1, 0, 4, 60), (1, 4, 2, 60), (2, 0, 1, 40), (2, 1, 3, 40))
    length, short = features.mean_length(counts), features.short_share(counts)
    assert length[0, 1:].tolist() == [3.0, 2.0]
    assert short[0, 1:].tolist() == [0.0, 0.5]
    assert length[0, 0].isnan()


def test_holds_without_an_onset_have_no_mean_length():
    rolls = roll((1, 0, 4, 60))
    rolls[0, ONSET] = False
    assert features.mean_length(Tally(rolls, SPEC)).isnan().all()
    assert features.short_share(Tally(rolls, SPEC)).isnan().all()


def test_dissonance_counts_seconds_but_not_thirds():
    assert features.dissonance(tally((1, 0, 4, 64), (2, 0, 4, 48))).item() == 0.0  # a tenth
    assert features.dissonance(tally((1, 0, 4, 61), (2, 0, 4, 48))).item() == 1.0  # a ninth
    half = tally((1, 0, 4, 64), (1, 4, 4, 61), (2, 0, 8, 48), (0, 0, 1, 37))
    assert features.dissonance(half).item() == 0.5
    assert features.dissonance(tally((1, 0, 4, 64))).isnan().all()


def test_stepwise_share_ignores_repeated_notes():
    counts = tally((1, 0, 4, 60), (1, 4, 4, 62), (1, 8, 4, 62), (1, 12, 4, 67), (1, 16, 1, 66))
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


def test_histogram_overlap_of_equal_apart_and_half_shared_sets():
    low, high = torch.zeros(100), torch.ones(100)
    assert distances.histogram_overlap(low, low) == pytest.approx(1.0)
    assert distances.histogram_overlap(low, high) == 0.0
    assert distances.histogram_overlap(torch.cat([low, high]), high) == pytest.approx(0.5)
    assert distances.histogram_overlap(torch.cat([low, high[:1] * float("nan")]), low) == pytest.approx(1.0)
    assert math.isnan(distances.histogram_overlap(low[:0], high))


def test_overlap_sees_a_difference_and_512_phrases_take_less_than_a_second():
    random = torch.Generator().manual_seed(0)
    sparse = torch.rand((512, *SPEC.shape), generator=random) < 0.01
    sparse[:, HOLD] = False
    alike = sparse.roll(1, 0)
    dense = sparse | sparse.roll(1, 0) | sparse.roll(2, 0)
    started = time.process_time()
    same, each = distances.overlap(sparse, alike, SPEC)
    assert time.process_time() - started < 2.0  # two sets of 512
    assert same == pytest.approx(1.0)
    apart, _ = distances.overlap(sparse, dense, SPEC)
    assert apart < 0.8
    assert len(each) == 5 + 6 + 6 + 1 + 16


def test_a_silent_track_costs_its_features():
    full = roll((1, 0, 4, 60), (2, 0, 4, 40))
    _, each = distances.overlap(roll((1, 0, 4, 60)), full, SPEC)
    assert each["Bass length"] == 0.0
    assert each["Lead length"] == pytest.approx(1.0)
    assert "Drums length" not in each, "silent in both"

"""Notes are counted by pitch class, octaves folded."""

import torch

from gan.metrics.counts import PhraseCounts
from gan.spec import ONSET, RollSpec, Track
from tests.gan.metrics.phrase_makers import counted


def test_octaves_fold_into_one_pitch_class():
    counts = counted((1, 0, 1, 36), (1, 1, 1, 48), (1, 2, 1, 61)).onsets_by_class
    assert counts[0, 1].tolist() == [2, 1, *[0] * 10]


def test_pitch_classes_take_the_lowest_pitch_into_account():
    spec = RollSpec((Track("Lead"),), bars=1, num_pitches=12, lowest_pitch=41)
    rolls = torch.zeros((1, *spec.shape), dtype=torch.bool)
    rolls[0, ONSET, 0, 0, 0, 0] = True  # MIDI 41 is an F
    assert PhraseCounts(rolls, spec).onsets_by_class[0, 0].argmax() == 5

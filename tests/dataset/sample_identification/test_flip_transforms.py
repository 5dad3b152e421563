from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from pipeline.dataset.sample_identification.flip_transforms import (
    DEFAULT_WEIGHT,
    RATIO_LIMITS,
    FlipTransform,
    draw_transform,
    pack_transforms,
    transforms_of,
    turntable_semitones,
    unpack_transforms,
)
from pipeline.dataset.sample_identification.matches import SampleMatch

LEARNT = FlipTransform(-4, 1.31, 4, False, 0.9)
MATCH = SampleMatch("aa", "bb", "Old", "New", 16, 18, 2.0, 1.1225, 2.0, True, ((0, 8), (16, 20)), 24, 0.95)


def test_only_sure_matches_teach_a_transform() -> None:
    found = transforms_of([MATCH, replace(MATCH, problem="unknown")])
    assert found == [FlipTransform(2, 1.1225, 2, True, 0.5)]


def test_half_a_bar_counts_as_a_bar() -> None:
    assert transforms_of([replace(MATCH, loop_bars=0.5)])[0].loop_bars == 1


def test_pairs_weigh_as_many_as_they_are_beside_the_usual_values() -> None:
    random = np.random.default_rng(0)
    drawn = [draw_transform([LEARNT] * 8, random) for _ in range(2000)]
    share = np.mean([one.ratio > 1.25 for one in drawn])
    assert share == pytest.approx(8 / (8 + DEFAULT_WEIGHT), abs=0.04), "no usual speed is so high"
    own = [one for one in drawn if one.ratio > 1.25]
    assert np.mean([one.ratio for one in own]) == pytest.approx(1.31, rel=0.01)
    assert {(one.semitones, one.loop_bars) for one in own} == {(-4, 4)}


def test_without_pairs_transforms_are_usual_ones() -> None:
    random = np.random.default_rng(1)
    drawn = [draw_transform([], random) for _ in range(1000)]
    bars = Counter(one.loop_bars for one in drawn)
    assert set(bars) == {1, 2, 4} and bars[1] < min(bars[2], bars[4])
    assert all(0.79 < one.ratio < 1.26 for one in drawn)
    assert np.mean([0 <= one.semitones <= 5 for one in drawn if not one.is_turntable]) > 0.7


def test_a_turntable_moves_pitch_with_speed() -> None:
    random = np.random.default_rng(2)
    one = FlipTransform(9, 1.65, 1, True, 0.02)
    drawn = [draw_transform([one] * 1000, random) for _ in range(200)]
    assert all(each.semitones == turntable_semitones(each.ratio) for each in drawn if each.is_turntable)
    assert max(each.ratio for each in drawn) <= RATIO_LIMITS[1] and min(each.share_of_bars for each in drawn) >= 0.05


def test_a_checkpoint_gives_them_back() -> None:
    for transforms in ([], [LEARNT, FlipTransform(2, 1.1225, 2, True, 0.5)]):
        assert unpack_transforms(pack_transforms(transforms)) == tuple(transforms)
    with pytest.raises(ValueError, match="transforms of shape"):
        unpack_transforms(torch.zeros(3, 4))

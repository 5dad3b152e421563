"""Intervals are over songs, and hold the value that they are of."""

import math

import pytest
import torch

from gan.metrics.bootstrap import area_interval, mean_intervals, overlap_intervals, pair_interval
from gan.metrics.distances import mean, overlaps
from gan.metrics.features import features
from tests.gan.metrics.phrase_makers import SPEC, octaves


def test_intervals_are_of_songs_not_of_phrases():
    values = {"x": torch.arange(10.0).repeat_interleave(50)}
    by_song = mean_intervals(values, torch.arange(10).repeat_interleave(50))["x"]
    by_phrase = mean_intervals(values, torch.arange(500))["x"]
    assert by_song.value == by_phrase.value == 4.5
    assert by_song.low < 3.5 < 4.2 < by_phrase.low < 4.5 < by_phrase.high < 4.8 < 5.5 < by_song.high
    assert by_song == mean_intervals(values, torch.arange(10).repeat_interleave(50) * 7 + 3)["x"], "any song numbers"


def test_means_leave_out_what_is_missing_and_weigh_bars_alike():
    columns = {"bars": torch.tensor([[1.0, 1.0], [4.0, torch.nan]]), "none": torch.full((2,), torch.nan)}
    found = mean_intervals(columns, torch.tensor([0, 1]))
    assert found["bars"].value == 2.0
    assert math.isnan(found["none"].value)


def test_intervals_hold_the_overlap_that_they_are_of():
    generated, reference = features(octaves(40, 0), SPEC), features(octaves(60, 1), SPEC)
    headline, each = overlap_intervals(generated, reference, torch.arange(40) // 4, torch.arange(60) // 5)
    assert headline.value == pytest.approx(mean(overlaps(generated, reference)))
    assert headline.low < headline.value < headline.high <= 1
    assert each.keys() == overlaps(generated, reference).keys()
    assert all(0 <= one.low <= one.value + 1e-9 and one.high <= 1 for one in each.values())


def test_pairs_are_resampled_by_the_songs_of_both():
    wins = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]).double()
    counted = torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 1.0]]).double()
    found = pair_interval(wins, counted, torch.tensor([3, 3, 8]), torch.tensor([0, 1]))
    assert found.value == pytest.approx(4 / 5)


def test_the_area_under_the_curve_is_the_share_of_pairs_told_right():
    songs = torch.arange(4)
    area = area_interval(torch.tensor([0.9, 0.5, 0.4, 0.4]), torch.tensor([0.5, 0.1, 0.1, 0.4]), songs, songs)
    assert area.value == (4 + 3.5 + 2.5 + 2.5) / 16, "ties count half"
    assert area.low < area.value < area.high
    assert area_interval(torch.ones(4), torch.zeros(4), songs, songs) == (1, 1, 1)

"""Distances between two sets of phrases: overlap, divergence, Fréchet distance, quality."""

import math

import pytest
import torch

from gan.metrics import distances
from gan.metrics.distances import divergence, divergences, frechet_distance, mean, overlaps, quality
from gan.metrics.features import features
from gan.spec import HOLD
from tests.gan.metrics.phrase_makers import SPEC, octaves, roll


def test_a_set_is_like_itself():
    table = features(octaves(20, 0), SPEC)
    assert mean(overlaps(table, table)) == pytest.approx(1.0)
    assert mean(divergences(table, table)) == pytest.approx(0.0)
    assert frechet_distance(table, table) == pytest.approx(0.0, abs=1e-6)


def test_divergence_of_half_shared_sets_by_hand():
    low, both = torch.zeros(10), torch.cat([torch.zeros(5), torch.ones(5)])
    # shares with 1/2 a bin: low 10.5 and 0.5 of 20, both 5.5 and 5.5 of 20, the other 18 bins alike
    wanted = 5.5 / 20 * (math.log2(5.5 / 10.5) + math.log2(5.5 / 0.5))
    assert divergence(low, both) == pytest.approx(wanted)
    assert math.isnan(divergence(low[:0], both))


def test_frechet_distance_of_moved_and_of_wider_features():
    values = torch.tensor([-1.0, 1.0]).repeat(50)
    unit = values / values.std()
    assert frechet_distance({"x": unit + 3}, {"x": unit}) == pytest.approx(9.0, rel=1e-4)
    assert frechet_distance({"x": 3 * unit}, {"x": unit}) == pytest.approx(4.0, rel=1e-4)
    assert frechet_distance({"x": 20 * unit}, {"x": 10 * unit}) == pytest.approx(1.0, rel=1e-4), (
        "in standard deviations"
    )
    missing = torch.where(torch.arange(100) < 50, torch.nan, unit)
    assert math.isfinite(frechet_distance({"x": missing}, {"x": unit}))


def test_quality_is_0_at_random_notes_and_1_at_real_songs():
    assert quality(0.3, 0.3, 0.8) == 0.0
    assert quality(0.8, 0.3, 0.8) == 1.0
    assert math.isnan(quality(0.5, 0.8, 0.8))


def test_histogram_overlap_of_equal_apart_and_half_shared_sets():
    low, high = torch.zeros(100), torch.ones(100)
    assert distances.histogram_overlap(low, low) == pytest.approx(1.0)
    assert distances.histogram_overlap(low, high) == 0.0
    assert distances.histogram_overlap(torch.cat([low, high]), high) == pytest.approx(0.5)
    assert distances.histogram_overlap(torch.cat([low, high[:1] * float("nan")]), low) == pytest.approx(1.0)
    assert math.isnan(distances.histogram_overlap(low[:0], high))


def test_the_mean_overlap_sees_a_difference_in_density():
    random = torch.Generator().manual_seed(0)
    sparse = torch.rand((128, *SPEC.shape), generator=random) < 0.01
    sparse[:, HOLD] = False
    alike = sparse.roll(1, 0)
    dense = sparse | sparse.roll(1, 0) | sparse.roll(2, 0)
    table, same, denser = (features(rolls, SPEC) for rolls in (sparse, alike, dense))
    assert mean(overlaps(table, same)) == pytest.approx(1.0)
    assert mean(overlaps(table, denser)) < 0.8
    assert len(table) == 5 + 6 + 6 + 1 + 16


def test_a_silent_track_costs_its_features():
    lead, both = (features(one, SPEC) for one in (roll((1, 0, 4, 60)), roll((1, 0, 4, 60), (2, 0, 4, 40))))
    each = overlaps(lead, both)
    assert each["Bass length"] == 0.0
    assert each["Lead length"] == pytest.approx(1.0)
    assert "Drums length" not in each, "silent in both"

"""Features of metrical levels and of downbeats."""

from __future__ import annotations

import numpy as np

from pipeline.transcription.beats.downbeats import BAR_PLACES, NUM_BAR_FEATURES, bar_features, bar_profile
from pipeline.transcription.beats.metrical_levels import (
    NUM_FEATURES,
    NUM_LEVEL_FEATURES,
    find_levels,
    level_features,
    self_similarity,
)
from pipeline.transcription.beats.onsets import LAYERS, find_onsets
from tests.transcription.training.pieces import piece

NOTHING = {name: (np.zeros(0), np.zeros(0)) for name in LAYERS}


def test_coherence_is_full_where_all_onsets_lie_and_less_elsewhere() -> None:
    layers = NOTHING | {"any": (np.arange(400.0), np.ones(400))}
    features = level_features(layers, np.array([105.0, 70.0]), np.array([1.0, 1.5]))
    assert features[0, :4].tolist() == [0, 0, 0, 0]
    half, beat = features[:, 4], features[:, 5]
    assert beat[0] > 0.98 and half[0] < 0.01
    assert beat[1] < 0.01  # onsets on every two thirds of a beat


def test_music_is_like_itself_at_the_distance_at_which_it_comes_back() -> None:
    layers = NOTHING | {"any": (np.arange(0, 200.0, 4), np.ones(50))}
    alike = self_similarity(layers, np.zeros((800, 12)), np.array([1.0, 2.0]))
    lags = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16)
    assert alike[0, lags.index(4)] > 0.9 > 0.2 > alike[0, lags.index(3)]
    assert alike[1, lags.index(2)] > 0.9 and alike[1, lags.index(4)] > 0.9


def test_the_profile_of_a_bar_begins_where_the_bar_may_begin() -> None:
    layers = NOTHING | {"kick": (np.arange(1, 101.0, 4), np.ones(25)), "any": (np.arange(101.0), np.ones(101))}
    profile = bar_profile(layers, 1.0, 4)
    assert profile[LAYERS.index("kick")].argmax() == 12
    features = bar_features(profile, (0.0, 100.0))
    assert features.shape == (48, NUM_BAR_FEATURES)
    kick_on_one = features[:, BAR_PLACES * LAYERS.index("kick")]
    assert kick_on_one.argmax() == 12 and np.count_nonzero(kick_on_one > 0.5) == 1


def test_every_bar_length_has_as_many_features() -> None:
    known = piece()
    onsets = find_onsets(known.notes, known.hits)
    for beats_per_bar in (1, 2, 3, 4, 5, 7):
        levels = find_levels(onsets, known.beats, beats_per_bar)
        assert {len(level.features) for level in levels} == {NUM_LEVEL_FEATURES}
        assert levels[0].candidates.shape == (12 * beats_per_bar, NUM_FEATURES)

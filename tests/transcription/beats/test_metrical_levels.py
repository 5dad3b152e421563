"""Features of metrical levels and of downbeats."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.transcription.beats.downbeats import downbeat_confidence
from pipeline.transcription.beats.metrical_levels import level_features
from pipeline.transcription.beats.onsets import LAYERS


def test_coherence_is_full_where_all_onsets_lie_and_less_elsewhere() -> None:
    layers = {name: (np.zeros(0), np.zeros(0)) for name in LAYERS} | {"any": (np.arange(400.0), np.ones(400))}
    features = level_features(layers, np.array([105.0, 70.0]), np.array([1.0, 1.5]))
    assert features.shape == (2, 61)
    assert features[0, :4].tolist() == [0, 0, 0, 0]
    half, beat = features[:, 4], features[:, 5]
    assert beat[0] > 0.98 and half[0] < 0.01
    assert beat[1] < 0.01  # onsets on every two thirds of a beat


def test_one_likely_downbeat_is_surer_than_many() -> None:
    confidence = downbeat_confidence([np.array([9.0, 0, 0, 0]), np.zeros(4)])
    assert confidence[0, 2] < confidence[1, 2] and confidence[0, 3] > confidence[1, 3] == pytest.approx(0.25)

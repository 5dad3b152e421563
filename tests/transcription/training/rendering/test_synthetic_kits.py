"""Synthetic drum kits."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.transcription.drums.drum_map import (
    CLOSED_HAT,
    CRASH,
    DRUMS,
    HIGH_TOM,
    KICK,
    LOW_TOM,
    OPEN_HAT,
    RIDE,
    SNARE,
)
from pipeline.transcription.training.rendering import synthetic_kits
from pipeline.transcription.training.rendering.sampled_kits import Instrument
from pipeline.transcription.training.rendering.synthetic_kits import synthetic_kit


def _centroid_hz(instrument: Instrument) -> float:
    """Mean frequency of the first tenth of a second, by power."""
    power = np.abs(np.fft.rfft(instrument[0], SAMPLE_RATE_HZ // 10)) ** 2
    return float(np.fft.rfftfreq(SAMPLE_RATE_HZ // 10, 1 / SAMPLE_RATE_HZ) @ power / power.sum())


def _half_life(instrument: Instrument) -> float:
    """Seconds in which half of a sound's energy has come."""
    energy = np.cumsum(instrument[0].astype(np.float64) ** 2)
    return float(np.searchsorted(energy, energy[-1] / 2) / SAMPLE_RATE_HZ)


def test_synthetic_drums_sound_like_what_they_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic_kits, "SOUNDS_OF_A_DRUM", 12)
    kit = synthetic_kit(np.random.default_rng(1))
    assert set(kit.drums) == set(DRUMS)
    assert all(np.abs(layers[0]).max() == pytest.approx(1) for own in kit.drums.values() for layers in own)
    centroid = {drum: np.median([_centroid_hz(one) for one in own]) for drum, own in kit.drums.items()}
    assert centroid[KICK] < 300 and centroid[LOW_TOM] < centroid[HIGH_TOM] < centroid[SNARE] < 6000
    assert min(centroid[CLOSED_HAT], centroid[OPEN_HAT]) > 6000
    assert min(centroid[CRASH], centroid[RIDE]) > 3000
    length = {drum: np.median([_half_life(one) for one in own]) for drum, own in kit.drums.items()}
    assert length[CLOSED_HAT] < 0.05 < length[OPEN_HAT] < length[CRASH]


def test_a_seed_makes_the_same_kit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic_kits, "SOUNDS_OF_A_DRUM", 1)
    one, again, other = (synthetic_kit(np.random.default_rng(seed)) for seed in (2, 2, 3))
    assert all(np.array_equal(one.drums[drum][0][0], again.drums[drum][0][0]) for drum in DRUMS)
    assert not any(np.array_equal(one.drums[drum][0][0], other.drums[drum][0][0]) for drum in DRUMS)

"""Mixes that the drum network is trained on."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.transcription.drums.drum_map import DRUMS
from pipeline.transcription.drums.features import BANDS
from pipeline.transcription.training.drum_mixes import BESIDE_HIT, FRAMES, make_batch, make_targets
from pipeline.transcription.training.drum_stems import BandPowerStem, StemSet


def test_targets_mark_hits_and_the_frames_beside_them() -> None:
    probability, strength = make_targets(np.array([[0.1, 1, 64], [0.11, 2, 90], [9, 0, 90]], np.float32), 100)
    assert probability[1, 9:12].tolist() == pytest.approx([BESIDE_HIT, 1, BESIDE_HIT])
    assert probability.sum() == pytest.approx(2 + 4 * BESIDE_HIT)
    assert strength[1, 10] == pytest.approx(64 / 127)


def test_a_batch_has_hits_of_drums_only_and_depends_on_its_seed_only() -> None:
    random = np.random.default_rng(1)
    frames = 2 * FRAMES
    log_power = random.normal(-9, 2, (frames, BANDS)).astype(np.float16)
    hits = np.array([[second, 1, 90] for second in range(frames // 100)], np.float32)
    stems = StemSet([BandPowerStem(log_power, hits)], [BandPowerStem(log_power, np.zeros((0, 3), np.float32))], [], [])
    one, other = (make_batch(stems, 40, np.random.default_rng(2)) for _ in range(2))
    assert one.scaled.shape == (40, FRAMES, BANDS)
    assert np.isfinite(one.scaled).all()
    assert np.array_equal(one.scaled, other.scaled)
    assert one.probability.shape == one.strength.shape == (40, len(DRUMS), FRAMES)
    assert not np.delete(one.probability, 1, axis=1).any()
    drumless = sum(not example.any() for example in one.probability)
    assert 1 <= drumless <= 20

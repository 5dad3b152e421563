"""The instrument network: the same by chunks as in one, and files of weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.errors import UserError
from pipeline.transcription.instruments import network as instruments
from pipeline.transcription.instruments.features import NUM_BINS, SpectralFeatures
from pipeline.transcription.instruments.network import (
    FAMILIES,
    InstrumentNetwork,
    label_points,
    load_network,
    save_network,
)


def random_features(frames: int) -> SpectralFeatures:
    random = np.random.default_rng(0)
    return SpectralFeatures(
        random.integers(0, 256, (frames, NUM_BINS), np.uint8), random.integers(0, 256, (frames, 88, 3), np.uint8)
    )


def test_chunks_say_what_the_whole_says(monkeypatch: pytest.MonkeyPatch) -> None:
    network, _ = load_network()
    features = random_features(241)
    whole = label_points(network, features)
    assert whole.shape == (121, 88, 2, len(FAMILIES) + 1)
    monkeypatch.setattr(instruments, "CHUNK", 40)
    assert np.abs(label_points(network, features) - whole).max() < 1e-4


def test_weights_come_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = InstrumentNetwork().eval()
    save_network(tmp_path / "weights.npz", network, np.array([1.0, 2.0]))
    loaded, confidence = load_network(tmp_path / "weights.npz")
    assert confidence.tolist() == [1, 2]
    features = random_features(20)
    assert np.abs(label_points(loaded, features) - label_points(network, features)).max() < 1e-2


def test_a_file_without_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "weights.npz").write_bytes(b"nothing")
    with pytest.raises(UserError, match="weights of the instrument network"):
        load_network(tmp_path / "weights.npz")

"""The drum network and its file of weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.transcription.drums.drum_map import DRUMS
from pipeline.transcription.drums.features import BANDS
from pipeline.transcription.drums.network import WEIGHTS, DrumNetwork, activations, load_network


def test_the_weights_are_small_and_fit_the_network() -> None:
    assert WEIGHTS.stat().st_size < 1_500_000
    network, thresholds = load_network()
    assert thresholds.shape == (len(DRUMS),)
    assert ((thresholds > 0) & (thresholds < 1)).all()
    assert 10_000 < sum(one.numel() for one in network.parameters()) < 1_000_000


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(UserError, match=r"weights\.npz holds no weights"):
        load_network(path)


def test_a_long_recording_is_heard_piece_by_piece_as_if_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    power = np.random.default_rng(2).random((900, BANDS)).astype(np.float32)
    network = DrumNetwork()
    whole = activations(network, power)
    monkeypatch.setattr("pipeline.transcription.drums.network.CHUNK", 250)
    for one, other in zip(activations(network, power), whole, strict=True):
        assert one.shape == (900, len(DRUMS))
        np.testing.assert_allclose(one, other, atol=1e-5)

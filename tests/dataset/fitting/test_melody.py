"""Weights of the tune's features, fitted again."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.dataset.fitting.melody import all_kinds, examples_of, fit, share_found
from tests.music_makers import tune, write_midi


def test_the_weights_that_are_fitted_find_the_tune(tmp_path: Path) -> None:
    for seed in range(4):
        high = [(onset, length, pitch + 12) for onset, length, pitch in tune(seed)]
        chords = [(onset, 4.0, pitch) for onset in range(0, 32, 4) for pitch in (48 + seed, 52, 55)]
        write_midi(tmp_path / f"{seed}.mid", {(0, 0, "Melody"): high, (1, 0, "Piano"): chords})
    examples = examples_of(tmp_path)
    assert [one.features.shape[0] for one, _ in examples] == [2] * 4, "two parts each"
    assert {more.features.shape[0] for _, more in examples} == {5}, "and a band of three around them"
    weights = fit([all_kinds(examples)])
    assert share_found([one.without_names() for one, _ in examples], weights) == 1
    assert np.isfinite(weights).all()

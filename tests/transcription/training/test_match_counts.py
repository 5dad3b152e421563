"""Precision, recall and F1 of events."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.transcription.training.match_counts import MatchCounts


def test_a_played_hit_is_found_once_only() -> None:
    counts = MatchCounts()
    counts.add(np.array([1.0, 1.02, 2.2]), np.array([1.01, 2.0, 2.24]), 0.05)
    assert (counts.matched, counts.estimated, counts.reference) == (2, 3, 3)
    assert counts.precision == counts.recall == counts.f1 == pytest.approx(2 / 3)
    counts.add(np.zeros(0), np.array([5.0]), 0.05)
    assert counts.precision == pytest.approx(2 / 3) and counts.recall == 0.5


def test_scores_of_nothing_are_no_numbers() -> None:
    nothing, missed = MatchCounts(), MatchCounts(0, 0, 3)
    nothing.add(np.zeros(0), np.zeros(0), 0.05)
    assert np.isnan([nothing.f1, nothing.precision, nothing.recall]).all()
    assert missed.f1 == missed.recall == 0

"""Precision, recall and F1 of events."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from pipeline.errors import UserError
from pipeline.transcription.training.f1_scores import MatchCounts
from tests.sound_makers import timed_notes


def test_a_played_hit_is_found_once_only() -> None:
    counts = MatchCounts()
    counts.add(np.array([1.0, 1.02, 2.2]), np.array([1.01, 2.0, 2.24]), 0.05)
    assert (counts.matched, counts.estimated, counts.reference) == (2, 3, 3)
    assert counts.precision == counts.recall == counts.f1 == pytest.approx(2 / 3)
    counts.add(np.zeros(0), np.array([5.0]), 0.05)
    assert counts.precision == pytest.approx(2 / 3) and counts.recall == 0.5


def test_notes_match_at_the_right_pitch_only() -> None:
    counts = MatchCounts()
    found = timed_notes((0.0, 1.0, 60, 90), (1.0, 2.0, 64, 90), (2.0, 2.1, 67, 90))
    counts.add_notes(found, timed_notes((0.04, 0.2, 60, 90), (1.0, 2.0, 65, 90), (2.06, 3.0, 67, 90)), 0.05)
    assert (counts.matched, counts.estimated, counts.reference) == (1, 3, 3)


def test_the_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mir_eval", None)
    with pytest.raises(UserError, match=r"pip install mir_eval==0\.8\.2"):
        MatchCounts().add(np.zeros(0), np.zeros(0), 0.05)


def test_scores_of_nothing_are_no_numbers() -> None:
    nothing, missed = MatchCounts(), MatchCounts(0, 0, 3)
    nothing.add(np.zeros(0), np.zeros(0), 0.05)
    assert np.isnan([nothing.f1, nothing.precision, nothing.recall]).all()
    assert missed.f1 == missed.recall == 0

"""Distances of performances: nothing between the same, and as far as velocities and moments were moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.dataset.performances import PlayedNotes
from pipeline.scores.notes import make_notes
from pipeline.songs.performance.distances import performance_distances, swing_of
from tests.song_makers import BAND

EIGHTHS = np.arange(0, 16 * 64, 2)


def played(velocity: int = 80, late: float = 0.0) -> PlayedNotes:
    """Eighth notes on the hi-hat, each off-beat so many steps late."""
    accents = np.where(EIGHTHS % 16 == 0, 20, 0)
    offsets = np.where(EIGHTHS % 4 == 2, late, 0.0)
    return PlayedNotes(make_notes(0, 42, EIGHTHS, 1), (velocity + accents).astype(np.uint8), offsets, BAND, 120)


def test_the_same_performances_are_no_distance_apart() -> None:
    found = performance_distances([played()], [played()])
    assert (found.velocity, found.accents, found.timing, found.swing) == (0, 0, 0, 0)


def test_louder_playing_is_as_far_as_it_is_louder_and_has_the_same_accents() -> None:
    found = performance_distances([played(90)], [played(80)])
    assert found.velocity == pytest.approx(10) and found.accents == pytest.approx(0, abs=1e-9)
    flat = replace(played(), velocities=np.full(len(EIGHTHS), 80, np.uint8))
    assert performance_distances([flat], [played()]).accents > 3


def test_swing_is_the_share_of_the_first_half_of_the_beat() -> None:
    assert swing_of(played(late=0.4)) == pytest.approx(0.6) and swing_of(played()) == 0.5
    found = performance_distances([played(late=0.4)], [played()])
    assert found.swing == pytest.approx(100) and found.timing == pytest.approx(50)
    sparse = make_notes(0, 42, np.arange(0, 64, 4), 1)
    assert swing_of(replace(played(), notes=sparse, velocities=np.ones(16, np.uint8), offsets=np.zeros(16))) is None

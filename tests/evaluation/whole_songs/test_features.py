"""Features of whole songs."""

from __future__ import annotations

import pytest

from pipeline.evaluation.whole_songs.features import EXPLANATIONS, song_features
from tests.evaluation.whole_songs.songs import SPEC, song, wandering


def test_every_song_has_every_feature_or_nan() -> None:
    assert list(song_features(song(wandering(24, 0)), SPEC)) == list(EXPLANATIONS)
    assert list(song_features(song([[60]] * 2), SPEC)) == list(EXPLANATIONS), "two bars of a single note"


def test_a_verse_that_returns_is_seen_eight_bars_apart() -> None:
    found = song_features(song(wandering(8, 0) * 3), SPEC)
    assert found["likeness of bars 8 apart"] == pytest.approx(1)
    assert found["likeness of bars 1 apart"] < 0.6
    assert found["likeness of the best bar elsewhere"] == pytest.approx(1)
    assert found["structureness, long"] > 0.5, "eight bars of two seconds come three times"


def test_a_tune_in_steps_does_not_leap() -> None:
    found = song_features(song(wandering(16, 1)), SPEC)
    assert found["tune: steps"] > 0.95
    assert found["tune: leaps"] == 0
    assert found["tracks playing"] == 2
    assert found["entries"] == 0
    leaping = song_features(song([[60, 72, 60, 72]] * 16), SPEC)
    assert leaping["tune: leaps"] == 1
    assert leaping["tune: motifs that return"] > 0.9


def test_chords_and_key_of_a_cadence_are_heard() -> None:
    cadence = [[60, 64, 67, 64], [65, 69, 72, 69], [67, 71, 74, 71], [60, 64, 67, 64]]
    found = song_features(song(cadence * 6), SPEC)
    assert found["different chords"] == 3, "C, F and G"
    assert found["key stability"] == 1
    assert found["chord clarity"] > 0.8

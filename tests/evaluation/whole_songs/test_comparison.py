"""Songs held against songs."""

from __future__ import annotations

from pipeline.evaluation.report import whole_songs_section
from pipeline.evaluation.whole_songs.comparison import compare_songs
from tests.evaluation.whole_songs.songs import SPEC, song, wandering


def test_songs_that_leap_and_never_rest_are_told_from_songs_in_steps() -> None:
    real = [song(wandering(8, seed) * 2) for seed in range(16)]
    leaping = [song([[60, 72, 62, 74 - seed], [65, 79, 66, 80]] * 8) for seed in range(8)]
    found = compare_songs(leaping, real[:8], real[8:], SPEC, resamples=20, seed=0)
    assert found is not None
    assert found["two_sample"]["generated"]["value"] == 1
    assert found["two_sample"]["training"]["value"] < 0.9
    assert found["overlap"]["generated"]["value"] < found["overlap"]["training"]["value"]
    assert found["features"]["tune: leaps"]["unseen"] == 0
    text = "\n\n".join(whole_songs_section(found | {"nearest": [], "nearest_unseen": None}))
    assert "8 songs, and as many training songs, held against 8 test and validation songs" in text
    assert "nan" not in text


def test_few_songs_are_not_compared() -> None:
    few = [song(wandering(16, seed)) for seed in range(4)]
    assert compare_songs(few, few, few, SPEC, resamples=20, seed=0) is None

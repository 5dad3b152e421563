import numpy as np
import pytest

from pipeline.dataset.sample_identification.cross_similarity import (
    cross_similarity,
    likely_speed,
    likely_transpositions,
    speeds,
    window_scores,
)
from pipeline.dataset.sample_identification.features import Matrix


def changing_rows(seed: int, frames: int, held: int) -> Matrix:
    """Rows of unit norm that change after some frames."""
    random = np.random.default_rng(seed)
    rows = np.maximum(random.standard_normal((-(-frames // held), 180)) - 0.8, 0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.repeat(rows, held, axis=0)[:frames].astype(np.float32)


def test_a_sample_moved_up_is_found_at_its_transposition() -> None:
    sample = changing_rows(0, 500, 6)
    song = np.roll(sample[100:400], 12, axis=1)
    found = likely_transpositions(song, sample, 2)
    assert found[0].bins == 12
    assert all(one.evidence < found[0].evidence / 2 for one in found[1:])


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.25])
def test_a_faster_sample_is_found_at_its_speed(ratio: float) -> None:
    sample = changing_rows(1, 600, 5)
    song = sample[(80 + np.arange(300) * ratio).astype(int)]
    assert likely_speed(song, sample, 0) == pytest.approx(ratio, rel=0.012)


def test_similarity_is_scaled_by_the_bins_that_both_share() -> None:
    song, sample = np.ones((2, 180), np.float32), np.ones((3, 180), np.float32)
    for bins in (-30, 0, 30):
        np.testing.assert_allclose(cross_similarity(song, sample, bins), np.full((2, 3), 180.0))


def test_a_window_scores_the_mean_of_its_best_line() -> None:
    similarity = np.zeros((40, 60), np.float32)
    similarity[np.arange(40), np.arange(40) + 7] = 1
    scores = window_scores(similarity, np.array([0.5, 1.0]), 5, 4)
    assert scores.shape == (2, 5) and scores[1] == pytest.approx(1) and scores[0].max() < 0.3


def test_songs_shorter_than_a_window_have_scores() -> None:
    assert window_scores(np.ones((3, 4), np.float32), np.array([1.0]), 5, 4).shape == (1, 1)


def test_a_speed_of_one_is_tried() -> None:
    assert 1.0 in speeds(28).tolist() and np.all(np.diff(speeds(140)) > 0)

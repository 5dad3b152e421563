"""Two-sample tests by trees: what is told apart, and that songs are kept apart; more in `test_evaluator`."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.evaluation.tree_tests import TreeTests, boosted_trees, extra_trees, held_out_scores
from tests.evaluation.tunes import SPEC, tunes


def test_a_song_is_classified_by_what_learnt_on_other_songs() -> None:
    """A feature that is the number of the song, by which each row could be learnt by heart, tells nothing."""
    songs = np.arange(30).repeat(4)
    is_generated = songs % 2 == 0
    scores = held_out_scores(extra_trees, np.stack([songs], 1).astype(np.float32), is_generated, songs)
    assert ((scores > 0.5) == is_generated).mean() < 0.7


def test_what_no_other_song_has_a_value_of_is_no_help() -> None:
    """A feature that one song alone has, beside one that tells each row."""
    songs = np.arange(30).repeat(4)
    is_generated = songs % 2 == 0
    alone = np.where(songs == 7, 1.0, np.nan)
    values = np.stack([alone, is_generated], 1).astype(np.float32)
    scores = held_out_scores(boosted_trees, values, is_generated, songs)
    assert ((scores > 0.5) == is_generated).all()


def test_two_songs_are_too_few_to_keep_songs_apart() -> None:
    with pytest.raises(ValueError, match="fewer than 3 songs"):
        TreeTests(tunes(4, 1), SPEC).tell(tunes(2, 2))

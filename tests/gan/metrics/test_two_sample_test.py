"""A classifier tells random notes from music, but not music from the same music."""

import pytest
import torch

from gan.metrics.baselines import random_notes
from gan.metrics.two_sample_test import split_songs, two_sample_test
from tests.gan.metrics.phrase_makers import SPEC, octaves


def test_halves_keep_songs_whole():
    songs = torch.tensor([5, 5, 5, 9, 9, 2, 2, 2, 2, 7])
    half = split_songs(songs, 0)
    assert all(len(half[songs == song].unique()) == 1 for song in songs.unique())
    assert 4 <= half.sum() <= 6
    with pytest.raises(ValueError, match="one song"):
        split_songs(torch.zeros(4, dtype=torch.int64), 0)


def test_the_two_sample_test_tells_random_notes_but_not_the_same_music():
    real, songs = octaves(64, 0), torch.arange(64)
    alike = two_sample_test(octaves(64, 1), real, songs, songs, SPEC)
    assert 0.3 < alike.value < 0.7
    apart = two_sample_test(random_notes(real, SPEC, 0), real, songs, songs, SPEC)
    assert apart.value > 0.95
    assert apart == two_sample_test(random_notes(real, SPEC, 0), real, songs, songs, SPEC), "seeded"

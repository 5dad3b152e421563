"""Trigrams and xz, against values worked out by hand."""

import math

import pytest

from pipeline.lyrics.language_model.baselines import baselines, trigram_bits
from tests.lyrics.language_model.models import texts


def test_baselines_say_how_much_they_read():
    found = baselines(texts())
    assert 0 < found.xz_bits < 8 and 0 < found.trigram_bits < 8
    assert found.training_characters > 10 * found.held_out_characters > 0


def test_trigram_bits_by_hand():
    # training "aab": counts a 2, b 1; after a: a 1, b 1; after aa: b 1. Uniform 1/2.
    # first character a: (2 + 2 * .5) / (3 + 2) = .6
    # then a after a: (1 + 2 * .6) / (2 + 2) = .55
    # then b after aa: unigram (1 + 2 * .5) / 5 = .4, bigram (1 + 2 * .4) / 4 = .45, trigram (1 + .45) / 2 = .725
    wanted = -sum(map(math.log2, (0.6, 0.55, 0.725))) / 3
    assert trigram_bits("aab", "aab") == pytest.approx(wanted)

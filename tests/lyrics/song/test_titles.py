"""Titles as people write them."""

import torch

from pipeline.lyrics.song.titles import title_case

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


def test_title_case_leaves_small_words_small():
    assert title_case(["the", "salt", "of", "the", "sea"]) == "The Salt of the Sea"
    assert title_case(["what", "for"]) == "What For"

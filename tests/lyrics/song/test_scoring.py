"""Which of several lines is kept."""

import torch

from pipeline.lyrics.song.scoring import LineScorer, WordUsage

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


def test_score_prefers_idiom_theme_and_fresh_words():
    sea = [["the", "boat", "is", "home"], ["the", "sail", "is", "down"]]
    town = [["a", "bus", "was", "late"], ["a", "street", "was", "dark"]]
    usage = WordUsage([sea, sea, town, town])
    assert usage.idiom(["the", "boat", "is", "home"]) == 1.0
    assert usage.idiom(["home", "is", "boat", "the"]) == 0.0
    song = LineScorer(usage, 1).with_line(["the", "boat", "is", "home"])
    assert song.score(["the", "sail", "is", "late"], -1.0) > song.score(["the", "bus", "is", "late"], -1.0)
    assert song.score(["a", "boat"], -1.0) > song.score(["a", "boat"], -1.5)

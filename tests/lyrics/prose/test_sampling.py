"""Nucleus and top-k sampling keep the shares that were asked for."""

import math

import numpy as np
import pytest
import torch

from pipeline.lyrics.prose.sampling import likeliest

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


def test_nucleus_holds_the_fewest_tokens_with_the_share_and_top_k_the_likeliest():
    scores = np.log([0.1, 0.4, 0.2, 0.3])
    assert likeliest(scores, 1.0, None, 1.0) == pytest.approx([0.1, 0.4, 0.2, 0.3])
    assert likeliest(scores, 1.0, None, 0.39) == pytest.approx([0, 1, 0, 0])
    assert likeliest(scores, 1.0, None, 0.69) == pytest.approx([0, 4 / 7, 0, 3 / 7])
    assert likeliest(scores, 1.0, 3, 1.0) == pytest.approx([0, 4 / 9, 2 / 9, 3 / 9])
    assert likeliest(scores, 1.0, 99, 1.0) == pytest.approx([0.1, 0.4, 0.2, 0.3])
    assert likeliest(scores, 1.0, 2, 0.5) == pytest.approx([0, 1, 0, 0])


def test_temperature_sharpens_and_near_0_takes_the_likeliest():
    scores = np.array([math.log(0.2), math.log(0.8), -np.inf])
    assert likeliest(scores, 0.5, None, 1.0) == pytest.approx([1 / 17, 16 / 17, 0])
    assert likeliest(scores, 1e-9, None, 1.0).tolist() == [0, 1, 0]

"""Averaged weights forget the first ones soon, and then move slowly."""

import pytest
import torch
from torch import nn

from gan.training.ema import update_average


def test_the_average_moves_by_a_share_that_falls_with_the_step() -> None:
    average, network = nn.Linear(1, 1), nn.Linear(1, 1)
    for weight, value in ((average.weight, 0.0), (network.weight, 1.0)):
        nn.init.constant_(weight, value)
    update_average(average, network, step=0, max_decay=0.995)
    assert average.weight.item() == pytest.approx(0.9), "nine tenths of the way at the first step"
    nn.init.constant_(average.weight, 0.0)
    update_average(average, network, step=10_000, max_decay=0.995)
    assert average.weight.item() == pytest.approx(0.005)


def test_buffers_are_taken_over_as_they_are() -> None:
    average, network = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    network.running_mean = torch.tensor([3.0, 4.0])
    update_average(average, network, step=10_000, max_decay=0.995)
    assert average.running_mean is not None
    assert average.running_mean.tolist() == [3.0, 4.0]

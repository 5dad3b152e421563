"""Operations of a training step are counted as they are executed."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from pipeline.bench.training import OperationCounter


def operations_of(work: Any) -> int:
    with OperationCounter() as counter:
        work()
    return counter.operations


def test_a_linear_layer_costs_two_operations_for_each_weight_and_row() -> None:
    layer, rows = nn.Linear(3, 5), torch.ones(7, 3)
    assert operations_of(lambda: layer(rows)) == 2 * 7 * 3 * 5
    # backward: once more for the weights; once more for the rows where they want a gradient
    assert operations_of(lambda: layer(rows).sum().backward()) == 2 * (2 * 7 * 3 * 5)
    rows.requires_grad_(True)
    assert operations_of(lambda: layer(rows).sum().backward()) == 3 * (2 * 7 * 3 * 5)


def test_convolutions_and_derivatives_of_derivatives_are_counted() -> None:
    convolution, x = nn.Conv3d(2, 4, (1, 2, 3)), torch.ones(5, 2, 1, 4, 6)
    assert operations_of(lambda: convolution(x)) == 2 * (5 * 4 * 1 * 3 * 4) * (1 * 2 * 3) * 2
    left, right = torch.ones(2, 3, requires_grad=True), torch.ones(3, 4, requires_grad=True)

    def penalty() -> None:
        (gradient,) = torch.autograd.grad((left @ right).square().sum(), left, create_graph=True)
        gradient.sum().backward()

    product = 2 * 2 * 3 * 4
    assert operations_of(penalty) >= 4 * product  # forward, gradient, and two at least through the gradient


def test_elementwise_work_counts_as_nothing() -> None:
    assert operations_of(lambda: torch.ones(9, 9).mul(2).exp().sum()) == 0

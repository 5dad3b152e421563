"""Exponential moving average (EMA) of the generator's weights, from which samples are drawn."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, step: int, max_decay: float) -> None:
    """Move averaged weights towards those of a network after a step; buffers are taken over as they are.

    The decay grows with the step, `(1 + step) / (10 + step)`, up to `max_decay`: so the first weights are forgotten.
    """
    decay = min(max_decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)  # a GPU does all at once
    for kept, value in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(value)

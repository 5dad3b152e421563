"""Data-parallel training: each process has its rows of every batch, and all have the same weights.

The gradients are those of one process with the whole batch: what is drawn at random is drawn for the whole batch, and
the gradients of the weights are averaged.
DistributedDataParallel is not used: penalties on gradients go backwards twice, through its hooks too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed
from torch import Tensor

from gan.ops.shard import Shard


class Team(Shard):
    """Process group: this process's shard of each batch, and collective operations.

    Where there are several, `torch.distributed` is initialised.
    """

    @property
    def leads(self) -> bool:
        """Whether this process speaks and writes for all of them."""
        return self.rank == 0

    @torch.no_grad()
    def sum(self, x: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.size == 1:
            return x
        total = x.clone(memory_format=torch.contiguous_format)
        torch.distributed.all_reduce(total)
        return total

    def gather(self, x: Tensor) -> Tensor:
        """The rows of the whole batch, of each process's own `[rows, ...]`."""
        whole = x.new_zeros(self.size * len(x), *x.shape[1:])
        whole[self.rows(len(whole))] = x
        return self.sum(whole)

    @torch.no_grad()
    def average_(self, tensors: Sequence[Tensor]) -> None:
        """Put the mean over all processes into these tensors, all in one message."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        torch.distributed.all_reduce(flat)
        flat /= self.size
        means = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))

    def mean(self, figures: dict[str, float]) -> dict[str, float]:
        """The mean of each figure over all processes."""
        if self.size == 1:
            return figures
        values = torch.tensor(list(figures.values()), dtype=torch.float64)
        self.average_([values])
        return dict(zip(figures, values.tolist(), strict=True))

    def share(self, value: Any) -> Any:
        """Plain values and tensors of the first process, in every process; the others' own do not count."""
        if self.size == 1:
            return value
        values = [value]
        torch.distributed.broadcast_object_list(values, src=0, device=torch.device("cpu"))
        return values[0]

    def any(self, flag: bool) -> bool:
        """Whether it is so in any of the processes."""
        return self.mean({"flag": float(flag)})["flag"] > 0

    def of_first(self, number: float) -> float:
        """The number that the first process has."""
        if self.size == 1:
            return number
        value = torch.tensor([number], dtype=torch.float64)
        torch.distributed.broadcast(value, src=0)
        return float(value)


ALONE = Team()

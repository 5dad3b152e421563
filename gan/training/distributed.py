"""Several processes that train as one: each has its rows of every batch, and all have the same weights.

The gradients are those of one process with the whole batch: what is drawn at random is drawn for the whole batch, and
the gradients of the weights are averaged.
DistributedDataParallel is not used: penalties on gradients go backwards twice, through its hooks too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed
from torch import Tensor


class Team:
    """The processes that share a batch.

    Parameters
    ----------
    rank, size
        Which of them this one is, and how many there are; where there are several, `torch.distributed` is initialised.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def leads(self) -> bool:
        """Whether this process speaks and writes for all of them."""
        return self.rank == 0

    def rows(self, count: int) -> slice:
        """The rows of a whole batch of `count` that are this process's."""
        share = count // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Within the block, networks and noise are those of a batch that is spread over the team."""
        global _at_work
        before, _at_work = _at_work, self
        try:
            yield
        finally:
            _at_work = before

    @torch.no_grad()
    def sum(self, x: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.size == 1:
            return x
        total = x.clone(memory_format=torch.contiguous_format)
        torch.distributed.all_reduce(total)
        return total

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
_at_work = ALONE


def team_at_work() -> Team:
    """The team whose batch is being worked on; outside of training a process is alone."""
    return _at_work


def for_my_rows(draw: Callable[[int], Tensor], count: int) -> Tensor:
    """What `draw` gives for the whole batch, cut to the `count` rows of it that this process has."""
    team = _at_work
    return draw(team.size * count)[team.rows(team.size * count)]

"""Data parallelism: which rows of every batch a process has, and its share of what is drawn for the whole batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Shard:
    """One of several equal shares of every batch.

    Random numbers are always drawn for the whole batch, so that they are the same in any number of processes.

    Attributes
    ----------
    rank, size
        Which of the shares this is, and how many there are.
    """

    rank: int = 0
    size: int = 1

    def rows(self, count: int) -> slice:
        """The rows of a whole batch of `count` that are this share's."""
        share = count // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def draw(self, draw: Callable[[int], Tensor], count: int) -> Tensor:
        """What `draw` gives for the rows of a whole batch, cut to the `count` rows of it that are this share's."""
        return draw(self.size * count)[self.rows(self.size * count)]


WHOLE = Shard()
"""All rows, where one process has them."""

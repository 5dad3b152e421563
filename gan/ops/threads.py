"""Work on batches that threads share row by row, where operations are too small to be shared themselves."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch
from torch import Tensor


def on_threads(work: Callable[[slice], Tensor], rows: int, least: int) -> Tensor:
    """What `work` makes of all rows of a batch, one behind the other, on as many threads as PyTorch may use here.

    PyTorch lets other Python threads run while an operation is at work. In each of the threads an operation has that
    thread alone. Whether gradients are wanted is for `work` to say.

    Parameters
    ----------
    work
        Takes some of the rows; each comes out the same whatever others are beside it.
    rows
        How many there are.
    least
        So many a thread at least; fewer are worked on here and now.
    """
    width = torch.get_num_threads()
    count = min(width, rows // least)
    if count < 2:
        return work(slice(0, rows))
    shares = [slice(*bounds) for bounds in pairwise(rows * number // count for number in range(count + 1))]
    try:
        with ThreadPoolExecutor(count - 1, initializer=torch.set_num_threads, initargs=(1,)) as team:
            others = team.map(work, shares[1:])
            torch.set_num_threads(1)
            return torch.cat([work(shares[0]), *others])
    finally:
        torch.set_num_threads(width)  # threads to come would start with what was set last, wherever it was

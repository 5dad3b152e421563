"""Gumbel and logistic noise from a table: the heads want over a million numbers a step, and logarithms take long.

A table is made once a process from a fixed seed; a call reads it from a random place on, as evolution strategies do
with their shared noise (Salimans et al., arXiv 1703.03864, section 2.1). Numbers within a call do not repeat
unless there are more of them than the table holds, and the same generator state gives the same numbers every time.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gan.ops.shard import WHOLE, Shard

TABLE_SIZE = 2**21
"""Numbers in a table: more than one step of sixteen phrases of five tracks takes."""


def logistic(uniform: Tensor) -> Tensor:
    """Uniform numbers as logistic ones: added to a logit, its sign is a draw from its sigmoid."""
    return torch.log(uniform / (1 - uniform))


def gumbel(uniform: Tensor) -> Tensor:
    """Uniform numbers as Gumbel ones: added to logits, their argmax is a draw from their softmax."""
    return -torch.log(-torch.log(uniform))


class NoiseTable:
    """Many numbers of one distribution, made when first asked for.

    Parameters
    ----------
    distribution
        Makes them of uniform numbers between 0 and 1.
    seed
        Of the uniform numbers.
    """

    def __init__(self, distribution: Callable[[Tensor], Tensor], seed: int) -> None:
        self.distribution, self.seed = distribution, seed
        self._numbers: dict[torch.device, Tensor] = {}

    def numbers(self, device: torch.device) -> Tensor:
        """The table on a device, twice over, so that a call may read past its end."""
        if device not in self._numbers:
            random = torch.Generator().manual_seed(self.seed)
            uniform = torch.rand(TABLE_SIZE, generator=random, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
            self._numbers[device] = self.distribution(uniform).to(torch.float32).repeat(2).to(device)
        return self._numbers[device]

    @torch.no_grad()
    def add_(
        self,
        values: Tensor,
        amount: float | Tensor,
        generator: torch.Generator,
        batch_axis: int = 0,
        shard: Shard = WHOLE,
    ) -> Tensor:
        """Add this amount of noise to `values`, in place and by their order in memory; returns them.

        Parameters
        ----------
        values
            Contiguous, of any shape.
        amount
            Factor of the noise: one, or a tensor that `values` can be multiplied with.
        generator
            Says where to start to read, on any device.
        batch_axis
            The axis of `values` that counts phrases.
        shard
            Which rows of a whole batch `values` are: they get their rows of the whole batch's noise.
        """
        if isinstance(amount, Tensor):
            return values.addcmul_(self.add_(torch.zeros_like(values), 1.0, generator, batch_axis, shard), amount)
        if shard.size == 1:
            return self._read(values, amount, generator)
        shape = list(values.shape)
        shape[batch_axis] *= shard.size
        rows = shard.rows(shape[batch_axis])
        whole = self._read(torch.zeros(shape, device=values.device), 1.0, generator)
        mine = whole.narrow(batch_axis, rows.start, rows.stop - rows.start)
        return values.add_(mine, alpha=amount)

    def _read(self, values: Tensor, amount: float, generator: torch.Generator) -> Tensor:
        """Add noise from places in the table that the generator says."""
        numbers = self.numbers(values.device)
        for part in torch.split(values.view(-1), TABLE_SIZE):
            start = int(torch.randint(TABLE_SIZE, (1,), generator=generator, device=generator.device))
            part.add_(numbers[start : start + len(part)], alpha=amount)
        return values

    def add_reference(self, values: Tensor, amount: float | Tensor, generator: torch.Generator) -> Tensor:
        """What `add_` gives for a process alone, number by number: the n-th is read n places behind a random one."""
        once = self.numbers(values.device)[:TABLE_SIZE]
        noise = []
        for number in range(values.numel()):
            if number % TABLE_SIZE == 0:
                start = int(torch.randint(TABLE_SIZE, (1,), generator=generator, device=generator.device))
            noise.append(once[(start + number) % TABLE_SIZE])
        return values + amount * torch.stack(noise).view_as(values)


GUMBEL = NoiseTable(gumbel, seed=1)
LOGISTIC = NoiseTable(logistic, seed=2)

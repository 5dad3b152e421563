"""What makes training faster where the machine can: matrix products in bfloat16, and networks that are compiled.

Only the part of a network in which the time goes is changed, see `gan.interface.Network`: notes are decided
on and phrases scored in float32. Penalties are float32 throughout, and not compiled: compiled networks have no second
derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from gan.interface import Network


def takes_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether `train.precision` stands for bfloat16 here: `auto` does on GPUs that have it."""
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return precision == "bfloat16"


class Heavy:
    """In place of a network's expensive part: the same, faster.

    Parameters
    ----------
    plain
        Tensors or dataclasses of them in, float32 tensors out.
    device
        Where it is computed.
    bfloat16, compiled
        In which ways it is made faster.

    Attributes
    ----------
    exact
        Set while second derivatives are wanted: the part is then computed as it is.
    trouble
        Why it is not compiled after all, in words; empty otherwise.
    """

    def __init__(self, plain: Callable[..., Any], device: torch.device, bfloat16: bool, compiled: bool) -> None:
        self.plain, self.device, self.bfloat16 = plain, device, bfloat16
        self.fast: Callable[..., Any] = torch.compile(plain, dynamic=False) if compiled else plain
        self.exact, self.trouble = False, ""

    def __call__(self, *args: Any) -> Any:
        """What the plain part gives."""
        if self.exact:
            return self.plain(*args)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            if self.fast is self.plain:
                return floats(self.plain(*args))
            try:
                return floats(self.fast(*args))
            except torch._dynamo.exc.TorchDynamoException as error:
                self.fast = self.plain
                first = str(error).strip().splitlines()[0]
                self.trouble = f"train.compile=true does nothing: this machine can't compile ({first})"
                return floats(self.plain(*args))


def floats(values: Any) -> Any:
    """Tensors as float32, alone or in a tuple."""
    return tuple(floats(value) for value in values) if isinstance(values, tuple) else values.float()


@contextmanager
def exactly(part: Heavy | None, wanted: bool) -> Iterator[None]:
    """Within the block a part is computed as it is, if that is wanted."""
    if part is None:
        yield
        return
    part.exact = wanted
    try:
        yield
    finally:
        part.exact = False


def speed_up(network: Network, device: torch.device, bfloat16: bool, compiled: bool) -> Heavy | None:
    """Have the expensive part of a network computed by a `Heavy`; nothing happens where no way is wanted."""
    if not (bfloat16 or compiled):
        return None
    heavy = Heavy(network.compute, device, bfloat16, compiled)
    network.accelerate(heavy)
    return heavy

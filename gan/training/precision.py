"""Mixed precision (bfloat16 autocast) and `torch.compile`.

They make training faster where the machine can. Only the expensive part of a network is changed, see
`gan.interface.Network`: notes are decided on and phrases scored in float32. Penalties are float32 throughout, and not
compiled: compiled networks have no second derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from gan.interface import Network


def uses_bfloat16(precision: str, device: torch.device) -> bool:
    """Whether `train.precision` stands for bfloat16 here: `auto` does on GPUs that have it."""
    if precision == "auto":
        return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return precision == "bfloat16"


class AcceleratedCompute:
    """In place of a network's `compute`: the same, faster.

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
    warning
        Why it is not compiled after all, in words; empty otherwise.
    """

    def __init__(self, plain: Callable[..., Any], device: torch.device, bfloat16: bool, compiled: bool) -> None:
        self.plain, self.device, self.bfloat16 = plain, device, bfloat16
        self.fast: Callable[..., Any] = torch.compile(plain, dynamic=False) if compiled else plain
        self.warning = ""

    def __call__(self, *args: Any) -> Any:
        """What `plain` gives."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            if self.fast is self.plain:
                return to_float32(self.plain(*args))
            try:
                return to_float32(self.fast(*args))
            except torch._dynamo.exc.TorchDynamoException as error:
                self.fast = self.plain
                first = str(error).strip().splitlines()[0]
                self.warning = f"train.compile=true does nothing: this machine can't compile ({first})"
                return to_float32(self.plain(*args))


def to_float32(values: Any) -> Any:
    """Tensors as float32, alone or in a tuple."""
    return tuple(map(to_float32, values)) if isinstance(values, tuple) else values.float()


def accelerate(network: Network, device: torch.device, bfloat16: bool, compiled: bool) -> AcceleratedCompute | None:
    """Have the expensive part of a network computed in these ways; nothing happens where none is wanted."""
    if not (bfloat16 or compiled):
        return None
    if compiled:
        network.leave_uncompiled()
    fast = AcceleratedCompute(network.compute, device, bfloat16, compiled)
    network.accelerate(fast)
    return fast

"""A GPU that is only pretended: tensors that say they lie on `cuda:0`, and compute on the processor.

It finds what would break on a real one (operations on tensors of both sides, products of whole numbers), and counts
where the host would wait for it. Of autograd's own backward passes it sees nothing.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

DEVICE = torch.device("cuda:0")
PRODUCTS = {"matmul", "__matmul__", "mm", "bmm", "addmm", "addmm_", "baddbmm", "einsum", "linear"}
WAITS = {"item", "tolist", "__bool__", "__int__", "__float__", "nonzero", "cpu", "unique", "masked_select"}
ACROSS = {
    "copy_",
    "to",
    "_has_compatible_shallow_copy_type",
    "backward",
    "_fused_adam_",
    "_fused_adamw_",
    "__get__",
    "__set__",
}
"""What may have tensors of both sides, or gets those that autograd made."""


class GpuTensor(Tensor):
    """A tensor on the pretended GPU."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        for attribute, value in (("device", DEVICE), ("is_cuda", True), ("is_cpu", False)):
            if func == getattr(Tensor, attribute).__get__:
                return value
        gpu, name = PretendGpu.here, func.__name__
        if func is Tensor.__deepcopy__:
            return _copied(*args)
        gpu.watch(name, args, kwargs)
        if name == "cpu":
            return _plain(args[0]).clone()
        if name == "to" and (target := _target(args, kwargs)) is not None:
            if target.type == "cuda" and type(args[0]) is Tensor:
                gpu.waits[f"blocking copy at {_place()}"] += 1
            kinds = [kwargs.get("dtype"), *(getattr(one, "dtype", one) for one in args[1:])]
            kind = next((one for one in kinds if isinstance(one, torch.dtype)), args[0].dtype)
            there = Tensor.to(_plain(args[0]), kind)
            return there.as_subclass(GpuTensor) if target.type == "cuda" else there.clone()
        kwargs.pop("device", None)
        return super().__torch_function__(func, types, args, kwargs)


class PretendGpu(TorchFunctionMode):
    """While this context is open, `cuda` is there.

    Attributes
    ----------
    mistakes
        What a real GPU would refuse, and where.
    waits
        How often the host waited for the GPU, and where.
    """

    here: PretendGpu

    def __init__(self) -> None:
        super().__init__()
        self.mistakes: set[str] = set()
        self.waits: Counter[str] = Counter()
        self.backward = 0
        PretendGpu.here = self

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if any(issubclass(one, GpuTensor) for one in types):
            return func(*args, **kwargs)
        if name == "to" and (target := _target(args, kwargs)) is not None and target.type == "cuda":
            if not kwargs.get("non_blocking"):
                self.waits[f"blocking copy at {_place()}"] += 1
            return args[0].clone().as_subclass(GpuTensor)
        if "device" in kwargs and kwargs["device"] is not None and torch.device(kwargs["device"]).type == "cuda":
            if func is torch.tensor:
                self.waits[f"blocking copy at {_place()}"] += 1
            return func(*args, **kwargs | {"device": None}).as_subclass(GpuTensor)
        return func(*args, **kwargs)

    def watch(self, name: str, args: Any, kwargs: Any) -> None:
        """Note what is wrong with an operation, and whether the host waits for it."""
        if name in WAITS:
            self.waits[f"{name} at {_place()}"] += 1
        if self.backward:
            return
        if name in ("numpy", "__array__"):
            self.mistakes.add(f"numpy of a GPU's tensor at {_place()}")
        tensors = list(_tensors([args, kwargs]))
        if name in PRODUCTS and not all(one.is_floating_point() for one in tensors):
            self.mistakes.add(f"product of whole numbers at {_place()}")
        if name in ("__getitem__", "__setitem__"):
            self._watch_index(name, args)
        elif name not in ACROSS and any(not isinstance(one, GpuTensor) and one.dim() > 0 for one in tensors):
            self.mistakes.add(f"{name} of tensors on both sides at {_place()}")

    def _watch_index(self, name: str, args: Any) -> None:
        """An index may come from the host, which waits; what is indexed must not, nor what is put there."""
        parts = args[1] if isinstance(args[1], tuple) else (args[1],)
        if any(isinstance(one, list) or type(one) is Tensor for one in parts):
            self.waits[f"index from the host at {_place()}"] += 1
        if name == "__getitem__" and any(isinstance(one, Tensor) and one.dtype == torch.bool for one in parts):
            self.waits[f"bool index at {_place()}"] += 1
        others = [args[0], *(one for one in args[2:] if isinstance(one, Tensor) and one.dim())]
        if any(not isinstance(one, GpuTensor) for one in others):
            self.mistakes.add(f"{name} of tensors on both sides at {_place()}")


def _target(args: Any, kwargs: Any) -> torch.device | None:
    """The device that `Tensor.to` names; None where it names none."""
    named = kwargs.get("device", args[1] if len(args) > 1 else None)
    if isinstance(named, Tensor):
        return named.device
    return torch.device(named) if isinstance(named, (str, torch.device)) else None


def _plain(x: Tensor) -> Tensor:
    return x.as_subclass(Tensor)


def _copied(x: Tensor, memo: dict[int, Any]) -> Tensor:
    """What `copy.deepcopy` gives."""
    copied: Tensor = _plain(x).detach().clone().as_subclass(GpuTensor)
    if isinstance(x, torch.nn.Parameter):
        copied = torch.nn.Parameter(copied, x.requires_grad)
    memo[id(x)] = copied
    return copied


def _tensors(values: Any) -> Iterator[Tensor]:
    """All tensors among arguments."""
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, (list, tuple, dict)):
        for one in values.values() if isinstance(values, dict) else values:
            yield from _tensors(one)


def _place() -> str:
    """The line of the program that is at work."""
    for frame in reversed(traceback.extract_stack()):
        parts = Path(frame.filename).parts
        if {"gan", "pipeline"} & set(parts) and parts[-1] not in ("upload.py", "pretend_gpu.py"):
            return f"{'/'.join(parts[-2:])}: {frame.line}"
    return "elsewhere"

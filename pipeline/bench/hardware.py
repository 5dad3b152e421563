"""The machine: what it is, and how fast it multiplies matrices."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import joblib
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

PRODUCT_SECONDS = 0.1
"""Each size is multiplied for so long."""


def describe_machine(threads: int) -> dict[str, Any]:
    """What figures depend on; no names of hosts, people or folders."""
    return {
        "processor": processor(),
        "cores": joblib.cpu_count(),
        "memory_megabytes": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6),
        "load_average": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        "training_threads": threads,
    }


def processor() -> str:
    """The model of the processor as the system tells it."""
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def product_gflops(size: int) -> float:
    """Billions of operations a second of the fastest of several float32 products of two square matrices.

    A product of side n counts 2 n^3 operations.
    """
    left, right = torch.ones(size, size), torch.ones(size, size)
    out = torch.empty(size, size)
    torch.mm(left, right, out=out)  # the first one sets up buffers
    fastest, end = float("inf"), time.perf_counter() + PRODUCT_SECONDS
    while True:
        start = time.perf_counter()
        torch.mm(left, right, out=out)
        now = time.perf_counter()
        fastest = min(fastest, now - start)
        if now >= end:
            return 2 * size**3 / fastest / 1e9


FORMULA = (
    "operations of a cycle = sum over matrix products [m, k] x [k, n] of 2 m k n (times the batch, for batched ones) + "
    "sum over convolutions of 2 x outputs x kernel elements x input channels / groups, each as it is executed, forward "
    "and backward, in the shortest run of steps after which the kinds of steps repeat (all discriminator steps, the "
    "generator step, and the penalties' second derivatives in the steps that have them); everything else (activations, "
    "normalisation, sampling, optimiser, copies) counts as nothing. gigaoperations_per_phrase = operations of a cycle "
    "/ its real phrases / 1e9; gflops = gigaoperations_per_phrase x phrases_per_second; peak_share = gflops / "
    "peak_gflops, the median over the rounds of the fastest product of two square float32 matrices (2 n^3 operations) "
    "with the same number of threads. cpu_peak_share has the processor's time in place of the clock's, so that other "
    "programs on a busy machine do not lower it."
)
"""What is counted, in words."""


class OperationCounter(TorchDispatchMode):
    """While this context is open, `operations` grows by 2 for each multiplication and addition of a matrix product.

    Sees what is executed, so also the products inside backward passes and derivatives of derivatives.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Compute as ever, and add what it takes by torch's own formulas."""
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func.overloadpacket)
        if formula is not None:
            self.operations += formula(*args, **(kwargs or {}), out_val=out)
        return out

"""The machine: what it is, and how fast it multiplies matrices."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any

import joblib
import torch

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

"""Run a program and say what it cost: `python -m pipeline.bench.peak_memory COMMAND [WORD ...]` prints JSON.

A process of its own, and a small one: a child counts the memory of its parent at birth as its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

BYTES = 1 if sys.platform == "darwin" else 1024
"""Unit of `ru_maxrss`."""


def main() -> int:
    """Exit like the program; what it prints goes to the standard error."""
    start = time.perf_counter()
    code = subprocess.run(sys.argv[1:], stdout=sys.stderr, check=False).returncode
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * BYTES
    print(json.dumps({"seconds": round(seconds, 3), "peak_megabytes": round(peak / 1e6, 1)}))
    return code


if __name__ == "__main__":
    sys.exit(main())

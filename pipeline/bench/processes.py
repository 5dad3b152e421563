"""The program as its users start it: how soon it answers (start-up), and the peak memory of its stages.

`python -m pipeline.bench.processes COMMAND [WORD ...]` runs a program and prints what it cost as JSON. That is a
process of its own, and a small one: a child counts the memory of its parent at birth as its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.bench.plan import BenchPlan
from pipeline.bench.timing import interleaved_laps, median
from pipeline.errors import UserError
from pipeline.progress import bar

BYTES = 1 if sys.platform == "darwin" else 1024
"""Unit of `ru_maxrss`."""

STARTS = {"overview": (), "settings": ("+stage=train", "--cfg", "job")}
"""What the program is asked at the start: the page of stages, and all settings."""

STAGES = {
    "prepare": ("+stage=prepare", "executor.workers=1"),
    "train": ("+stage=train", "train.steps=8", "train.report_steps=1"),
    "generate": ("+stage=generate", "generate.songs=1"),
    "render": ("+stage=render",),
}
"""Stages whose memory is measured, each with work that needs as much of it at once as a long run does."""


def run_program(words: tuple[str, ...], folder: Path, threads: int) -> dict[str, float]:
    """Run the program in a folder: `seconds`, and `peak_megabytes` of its largest process. Raises `UserError`."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": str(threads)}
    program = [sys.executable, "-m", "pipeline"]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.bench.processes", *program, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise UserError(f"`python -m pipeline {' '.join(words)}` failed: {said[-1] if said else done.returncode}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure_startup(plan: BenchPlan) -> dict[str, Any]:
    """Seconds from the command to its answer, in turn."""
    measures = {name: partial(run_program, words, plan.scratch, plan.threads) for name, words in STARTS.items()}
    laps = interleaved_laps(measures, plan.effort.rounds, "start-up")
    return {
        name: {"command": command(STARTS[name]), "seconds": median([lap["seconds"] for lap in laps[name]])}
        for name in STARTS
    }


def measure_memory(folder: Path, plan: BenchPlan) -> dict[str, Any]:
    """Peak memory of the stages of the default model on the MIDI files in a folder, once each."""
    music = ("data=folder", f"data.path={folder}", "name=bench")
    found = {}
    for name, words in bar(STAGES.items(), len(STAGES), "bench: memory", "stages"):
        figures = run_program((*words, *music), plan.scratch, plan.threads)
        found[name] = {"command": command(words), **figures}
    return found


def command(words: tuple[str, ...]) -> str:
    """A command as a user types it."""
    return " ".join(("python -m pipeline", *words))


def main() -> int:
    """Run the program that the command line names and exit like it; what it prints goes to the standard error."""
    start = time.perf_counter()
    code = subprocess.run(sys.argv[1:], stdout=sys.stderr, check=False).returncode
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * BYTES
    print(json.dumps({"seconds": round(seconds, 3), "peak_megabytes": round(peak / 1e6, 1)}))
    return code


if __name__ == "__main__":
    sys.exit(main())

"""The program as its users start it: how soon it answers, and how much memory its stages take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.bench.music import written_files
from pipeline.bench.plan import Plan
from pipeline.bench.timing import median, take_turns
from pipeline.config import PROGRAM
from pipeline.errors import UserError
from pipeline.progress import bar

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
    environment = os.environ | {"PYTHONPATH": str(PROGRAM), "OMP_NUM_THREADS": str(threads)}
    program = [sys.executable, "-m", "pipeline"]
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.bench.peak_memory", *program, *words],
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


def measure_startup(plan: Plan) -> dict[str, Any]:
    """Seconds from the command to its answer, in turns."""
    turns = {name: partial(run_program, words, plan.scratch, plan.threads) for name, words in STARTS.items()}
    laps = take_turns(turns, plan.effort.rounds, "start-up")
    return {
        name: {"command": command(STARTS[name]), "seconds": median([lap["seconds"] for lap in laps[name]])}
        for name in STARTS
    }


def measure_memory(plan: Plan) -> dict[str, Any]:
    """Peak memory of the stages of the default model on the band music that the bench writes, once each."""
    files = written_files(plan)
    music = ("data=folder", f"data.path={files[0].parent}", "name=bench")
    found = {}
    for name, words in bar(STAGES.items(), len(STAGES), "bench: memory", "stages"):
        figures = run_program((*words, *music), plan.scratch, plan.threads)
        found[name] = {"command": command(words), **figures}
    return found


def command(words: tuple[str, ...]) -> str:
    """A command as a user types it."""
    return " ".join(("python -m pipeline", *words))

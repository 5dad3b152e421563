"""Runs to evaluate and rank: a single run, the jobs of a sweep, or those of `evaluate.runs`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import Manifest, read_manifest
from pipeline.progress import counted

OUTPUTS = Path("outputs")
RANKING = "ranking"
"""The name of a ranking of listed runs, where none is given."""


def runs_to_rank(name: str, listed: list[str] | None) -> list[str]:
    """The runs that `+stage=evaluate name=NAME` is to rank; empty where NAME is a single run.

    Those of `evaluate.runs`; else the finished jobs of the sweep `outputs/NAME`, in order. Raises `UserError` for a run
    that is not there, and for a sweep without a finished job.
    """
    if listed is not None:
        if len(listed) < 2:
            raise UserError("evaluate.runs needs two names or more, such as evaluate.runs=[mine,theirs].")
        for run in listed:
            if not (is_trained(run) or is_evaluated(run)):
                raise UserError(
                    f"evaluate.runs names {run}, but outputs/{run} holds neither a trained checkpoint nor an "
                    "evaluated folder: train it, or evaluate it with +stage=evaluate first."
                )
        return listed
    if is_trained(name) or (OUTPUTS / name / "train").exists():
        return []
    jobs = [path.name for path in (OUTPUTS / name).glob("*") if path.name.isdecimal() and path.is_dir()]
    runs = [run for job in sorted(jobs, key=int) if is_trained(run := f"{name}/{job}") or is_evaluated(run)]
    if jobs and not runs:
        raise UserError(
            f"outputs/{name} has {counted(len(jobs), 'job')} of a sweep, none of which has finished training: run the "
            "sweep again."
        )
    return runs


def is_trained(run: str) -> bool:
    """Whether a finished checkpoint lies in `outputs/RUN`."""
    return read_manifest(OUTPUTS / run / "train") is not None


def is_evaluated(run: str) -> bool:
    """Whether `outputs/RUN` has been evaluated."""
    return evaluation_of(run) is not None


def evaluation_of(run: str) -> Manifest | None:
    """The manifest of a run's evaluation."""
    return read_manifest(OUTPUTS / run / "evaluate")


def differences(settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, str]]:
    """For each run, the settings that are not the same in all of them, in words.

    Parameters
    ----------
    settings
        Dotted keys and values by run. A run that lacks a key altogether (a folder has no model) shows a dash.
    """
    keys = sorted({key for own in settings.values() for key in own})
    missing = object()
    telling = [
        key for key in keys if any(own.get(key, missing) != next(iter(settings.values())).get(key, missing)
                                   for own in settings.values())
    ]  # fmt: skip
    return {run: {key: _show(own[key]) if key in own else "-" for key in telling} for run, own in settings.items()}


def _show(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else "none" if value is None else str(value)

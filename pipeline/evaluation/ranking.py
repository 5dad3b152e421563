"""Several runs in one table: the reports of their evaluations, ranked by quality on the validation songs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.evaluation.evaluator import FORMAT
from pipeline.evaluation.runs import OUTPUTS, differences
from pipeline.files import bring, read_json


@dataclass(frozen=True)
class Estimate:
    """A figure and where 95 % of the resamples of the songs have it; `None` where there is none."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class LearningCurve:
    """The learning curve of a run.

    Attributes
    ----------
    minutes, overlap
        Minutes of training, rising, and the overlap of features with the validation songs then.
    kept
        Which of these points has the weights that are kept; `None` where it is not known.
    """

    minutes: Sequence[float]
    overlap: Sequence[float]
    kept: int | None = None


@dataclass(frozen=True)
class RankedRun:
    """One row of a ranking.

    A folder of music has neither steps, minutes, parameters nor a curve. Paths are relative to the page.

    Attributes
    ----------
    name, rank
        The run, and its place: 1 is the best.
    validation, test
        Quality on the songs that the ranking goes by, and on those that nothing was chosen by: 1 is as close as other
        real songs are, 0 as far as notes at random.
    windows, phrases
        How well trees tell its two-beat windows, and its phrases, from unseen songs: 0.5 is alike, 1 told apart.
    differences
        Settings that are not the same in all runs, by key, in words.
    steps, minutes, parameters
        Of training, and of generator and discriminator together.
    copying
        In words: how near its phrases come to training phrases.
    sample, picture
        A sound (MP3) and a picture (PNG) of its first phrases.
    links
        Label and path of what more there is: its report, its plots.
    curve
        How it learned.
    """

    name: str
    rank: int
    validation: Estimate
    test: Estimate
    windows: Estimate = Estimate(None)
    phrases: Estimate = Estimate(None)
    differences: Mapping[str, str] = field(default_factory=dict)
    steps: int | None = None
    minutes: float | None = None
    parameters: int | None = None
    copying: str | None = None
    sample: str | None = None
    picture: str | None = None
    links: Sequence[tuple[str, str]] = ()
    curve: LearningCurve | None = None


REPORT = "report.json"
MEDIA = {"sample.mp3": "mp3", "samples.png": "png"}
"""What is brought from each run's evaluation, so that the page can be moved."""


def read_report(run: str) -> dict[str, Any]:
    """The report of an evaluated run. Raises `UserError` where it is of another format."""
    path = OUTPUTS / run / "evaluate" / REPORT
    report = read_json(path)
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise UserError(
            f"{path} is of another version; evaluate {run} again with +stage=evaluate name={run} force=true."
        )
    return report


def rank_runs(runs: Sequence[str], directory: Path, place: Path) -> tuple[list[RankedRun], list[str], float | None]:
    """The runs, best first, with their media brought to `directory`; sentences on what to be careful about; the floor.

    The floor is the overlap of the training songs with the validation songs, None where runs have different ones.

    Parameters
    ----------
    runs
        Names of evaluated runs.
    directory
        Where the page is being written.
    place
        Where it will lie at last: links to the runs' own reports start there.
    """
    reports = {run: read_report(run) for run in runs}
    sets = {report["reference"]["set"] for report in reports.values()}
    notes = []
    if len(sets) > 1:
        notes.append(
            f"The runs are held against different songs ({', '.join(sorted(sets))}): their figures can't be compared."
        )
    differ = differences({run: report["scored"].get("settings", {}) for run, report in reports.items()})
    ordered = sorted(runs, key=lambda run: -_or_least(reports[run]["headline"]["validation"]["quality"]["value"]))
    ranked = []
    for number, run in enumerate(ordered, start=1):
        report, home = reports[run], OUTPUTS / run / "evaluate"
        scored, headline = report["scored"], report["headline"]
        media = {}
        for name in MEDIA:
            if (home / name).exists():
                media[name] = f"runs/{number}-{name}"
                bring(home / name, directory / media[name])
        links = [
            (label, os.path.relpath(home / name, place))
            for label, name in (
                ("report", "report.md"),
                ("distributions", "distributions.png"),
                ("figures", "figures.png"),
            )
        ]
        ranked.append(
            RankedRun(
                name=run,
                rank=number,
                validation=Estimate(**headline["validation"]["quality"]),
                test=Estimate(**headline["quality"]),
                windows=_told(report, "windows"),
                phrases=_told(report, "phrases"),
                differences=differ[run],
                steps=scored.get("steps"),
                minutes=scored["train_seconds"] / 60 if "train_seconds" in scored else None,
                parameters=scored.get("parameters"),
                copying=copying_in_words(report["copying"]),
                sample=media.get("sample.mp3"),
                picture=media.get("samples.png"),
                links=links,
                curve=read_curve(OUTPUTS / run / "train" / "metrics.jsonl", scored.get("step")),
            )
        )
    floors = {report["headline"]["validation"]["overlap"]["training"]["value"] for report in reports.values()}
    return ranked, notes, max(floors) if len(sets) == 1 else None


def _told(report: Mapping[str, Any], by: str) -> Estimate:
    """How well a run is told from unseen songs."""
    found = report["two_sample"]
    return Estimate(None) if found is None else Estimate(**found[by]["generated"])


def _or_least(value: float | None) -> float:
    return float("-inf") if value is None else value


def copying_in_words(found: Mapping[str, Any]) -> str:
    """How near its phrases come to training phrases."""
    share = found["nearer"]
    if share is None:
        return "not known"
    return f"{100 * share:.0f} % nearer to the training songs than 95 % of unseen songs are"


def read_curve(log: Path, kept: int | None) -> LearningCurve | None:
    """The overlap with the validation songs over the minutes of training, out of a metrics log."""
    if not log.exists():
        return None
    records = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    records = [record for record in records if "overlap" in record]
    if not records:
        return None
    steps = [record["step"] for record in records]
    return LearningCurve(
        [record["seconds"] / 60 for record in records],
        [record["overlap"] for record in records],
        steps.index(kept) if kept in steps else None,
    )

"""The pictures of one report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.evaluation.comparison import JUDGED
from pipeline.evaluation.evaluator import Measured
from pipeline.evaluation.plots import FigureRow, Panel, draw_distributions, draw_figures
from pipeline.evaluation.ranked import Estimate

DRAWN = ("test", "generated", "training", "random")
"""The sets in the picture of distributions."""


def draw_report(directory: Path, sets: Mapping[str, Measured], report: Mapping[str, Any]) -> None:
    """Write `distributions.png` (every feature of the headline) and `figures.png` (every figure) into `directory`.

    Parameters
    ----------
    directory
        Of the report.
    sets
        The test songs (`test`) and the four sets held against them.
    report
        What `report.json` holds.
    """
    name, overlap = report["subject"]["name"], report["headline"]["overlap"]["generated"]["value"]
    panels = [
        Panel(feature, {one: sets[one].features[feature].numpy() for one in DRAWN}) for feature in report["features"]
    ]
    draw_distributions(
        directory / "distributions.png", panels, f"{name}: mean overlap with the test songs {overlap:.3f}"
    )
    rows = []
    for key, figure in report["figures"].items():
        values = sets["test"].figures[key]
        values = values[~values.isnan()]
        spread = float(values.std()) if len(values) > 1 else 0.0
        estimates = {one: Estimate(**figure[one]) for one in ("test", *JUDGED)}
        rows.append(FigureRow(figure["family"], row_name(key, figure["family"]), estimates, spread))
    draw_figures(directory / "figures.png", rows, f"{name}: figures beside the test songs")


def row_name(key: str, family: str) -> str:
    """`Piano` of `empty_bars/Piano`, and `in best scale, Piano` of a figure that has not the name of its family."""
    name, _, track = key.partition("/")
    name = name.replace("_", " ")
    return ", ".join(part for part in ("" if name == family else name, track) if part)

"""The page of a ranking: one HTML file that opens by double click and needs nothing but the files beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.drawing.palette import BACKGROUND
from pipeline.evaluation.ranked import Estimate, RankedRun
from pipeline.files import write_text
from pipeline.pages.album.page import templates
from pipeline.pages.ranking_plots import draw_learning_of_runs, draw_ranking

PAGE, RANKING, LEARNING = "index.html", "ranking.png", "learning.png"
MOST_COLUMNS = 6
"""Settings that get a column each; more of them are listed in one."""


def write_ranking_page(
    directory: Path,
    runs: Sequence[RankedRun],
    title: str,
    command: str,
    notes: Sequence[str] = (),
    floor: float | None = None,
) -> None:
    """Write `index.html`, `ranking.png` and, where a run has a curve, `learning.png`.

    Parameters
    ----------
    directory
        Where they go; the paths of the runs start there.
    runs
        At least one, in any order.
    title
        Of page and pictures, such as the sweep's name.
    command
        What makes the page again.
    notes
        Sentences on what to be careful about.
    floor
        Overlap of the training songs with the validation songs, a line among the learning curves.
    """
    ordered = sorted(runs, key=lambda run: run.rank)
    draw_ranking(directory / RANKING, ordered, f"{title}: how good the runs are")
    learning = any(run.curve for run in ordered)
    if learning:
        draw_learning_of_runs(directory / LEARNING, ordered, f"{title}: how the runs learned", floor)
    write_text(directory / PAGE, render_ranking(ordered, title, command, notes, learning))


def render_ranking(
    runs: Sequence[RankedRun], title: str, command: str, notes: Sequence[str] = (), learning: bool = True
) -> str:
    """The page as HTML; `runs` best first, `learning` says whether there is a picture of their curves."""
    environment = templates(Path(__file__).parent)
    environment.filters |= {"figure": figure, "interval": interval, "whole": whole, "millions": millions}
    keys = list(dict.fromkeys(key for run in runs for key in run.differences))
    return environment.get_template("ranking.html.j2").render(
        runs=runs,
        title=title,
        command=command,
        notes=notes,
        keys=keys,
        as_columns=len(keys) <= MOST_COLUMNS,
        ranking=RANKING,
        learning=LEARNING if learning else None,
        panel=BACKGROUND,
    )


def figure(estimate: Estimate) -> str:
    """`0.87`, or a dash."""
    return "-" if estimate.value is None else f"{estimate.value:.2f}"


def interval(estimate: Estimate) -> str:
    """`0.81 to 0.92`, or nothing."""
    return "" if estimate.low is None or estimate.high is None else f"{estimate.low:.2f} to {estimate.high:.2f}"


def whole(number: float | None) -> str:
    """`2,400`, or a dash."""
    return "-" if number is None else f"{number:,.0f}"


def millions(number: int | None) -> str:
    """`0.88 M`, or a dash."""
    return "-" if number is None else f"{number / 1e6:.2f} M"

"""The page of a ranking: one HTML file that opens by double click and needs nothing but the files beside it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from pipeline.drawing.canvas import new_figure, save_figure
from pipeline.drawing.palette import (
    BACKGROUND,
    FONT,
    LINE,
    QUIET_TEXT,
    STRONG_LINE,
    SURFACE,
    TEXT,
    TRACK_COLOURS,
    mix,
    track_colour,
)
from pipeline.evaluation.plot_style import HEADING_HEIGHT, PLOT_STYLES, heading, plain_axes, shortened
from pipeline.evaluation.ranking import Estimate, LearningCurve, RankedRun
from pipeline.files import write_text
from pipeline.pages.html import templates

MAX_ROWS = 40
"""Runs in the picture of a ranking; the best ones."""
ROW_HEIGHT = 34
RANKING_BOX = (290, HEADING_HEIGHT + 34, 1186)
"""Left, top and right of the field."""
VALIDATION, TEST = PLOT_STYLES["generated"].colour, TRACK_COLOURS[3]


def draw_ranking(path: Path, runs: Sequence[RankedRun], title: str) -> None:
    """Runs by rank, a row each: quality on the validation songs (bar, dot, 95 % interval) and on the test songs (ring).

    Lines stand at 1, as close as other real songs are, and at 0, as far as notes at random.
    """
    shown = sorted(runs, key=lambda run: run.rank)[:MAX_ROWS]
    left, top, right = RANKING_BOX
    bottom = top + ROW_HEIGHT * max(1, len(shown))
    figure = new_figure(right + 84, bottom + 34)
    more = f"; {len(runs) - len(shown)} more are not drawn" if len(runs) > len(shown) else ""
    kinds = [
        Line2D(
            [],
            [],
            color=VALIDATION,
            marker="o",
            markersize=7,
            linewidth=1.8,
            label="validation songs, which decide the rank",
        ),
        Line2D([], [], color=TEST, marker="o", markersize=7, markerfacecolor="none", linewidth=1.2, label="test songs"),
    ]
    heading(figure, title, f"quality of each run, and where 95 % of the resamples of the songs have it{more}", kinds)
    axes = plain_axes(figure, (left, top, right, bottom))
    ends = [value for run in shown for one in (run.validation, run.test) for value in _numbers(one)]
    low, high = min([0.0, *ends]), max([1.0, *ends])
    low, high = max(low - 0.06, -1.0), min(high + 0.06, 2.0)
    axes.set_xlim(low, high)
    axes.set_ylim(max(1, len(shown)), 0)
    axes.set_yticks([])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.1f}")
    axes.grid(axis="x", color=LINE, linewidth=0.7)
    style: dict[str, Any] = {"size": 9.5, "family": FONT, "va": "center", "parse_math": False, "clip_on": False}
    for x, name, key in ((0.0, PLOT_STYLES["random"].name, "random"), (1.0, "other real songs", "training")):
        axes.axvline(x, color=PLOT_STYLES[key].colour, linewidth=1.4)
        axes.text(x, -12 / ROW_HEIGHT, name, color=PLOT_STYLES[key].colour, ha="center", **style)
    pixel = (high - low) / (right - left)
    for index, run in enumerate(shown):
        y = index + 0.5
        axes.text(low - 258 * pixel, y, str(run.rank), color=QUIET_TEXT, ha="right", **style)
        axes.text(low - 246 * pixel, y, shortened(run.name, 32), color=TEXT, **style)
        if run.validation.value is not None:
            bar = mix(VALIDATION, SURFACE, 0.78)
            axes.barh([y], [run.validation.value], height=0.62, color=bar, zorder=0.5)
        _draw_estimate(axes, run.test, y + 0.17, TEST, filled=False)
        _draw_estimate(axes, run.validation, y - 0.08, VALIDATION, filled=True)
        value = run.validation.value
        axes.text(high + 60 * pixel, y, "-" if value is None else f"{value:.2f}", color=TEXT, ha="right", **style)
    save_figure(figure, path)


def _numbers(estimate: Estimate) -> list[float]:
    return [one for one in (estimate.value, estimate.low, estimate.high) if one is not None]


def _draw_estimate(axes: Any, estimate: Estimate, y: float, colour: str, filled: bool) -> None:
    if estimate.value is None:
        return
    if estimate.low is not None and estimate.high is not None:
        axes.plot([estimate.low, estimate.high], [y, y], color=colour, linewidth=1.8 if filled else 1.2)
    face = colour if filled else "none"
    axes.plot([estimate.value], [y], marker="o", markersize=7, color=colour, markerfacecolor=face, linestyle="")


MAX_LINES = 12
"""Runs whose curves have a colour and a name; the others are faint."""
LINES = ("-", (0, (6, 2)), (0, (2, 1.5)))
CURVES_BOX = (78, HEADING_HEIGHT + 14, 980, HEADING_HEIGHT + 494)
LABEL_HEIGHT = 19


def draw_learning_of_runs(path: Path, runs: Sequence[RankedRun], title: str, floor: float | None = None) -> None:
    """How the runs learned: overlap with the validation songs over minutes of training, a line each.

    The twelve best are named at their ends, the others faint; a dot is the point whose weights are kept. `floor` is the
    overlap of the training songs. Runs without a curve are left out.
    """
    drawn = [(run, run.curve) for run in sorted(runs, key=lambda run: run.rank) if run.curve and run.curve.minutes]
    left, top, right, bottom = CURVES_BOX
    figure = new_figure(right + 290, bottom + 52)
    kinds = [Line2D([], [], color=QUIET_TEXT, marker="o", markersize=7, linewidth=1.6, label="weights that are kept")]
    if floor is not None:
        kind = PLOT_STYLES["training"]
        kinds.append(Line2D([], [], color=kind.colour, linewidth=1.2, linestyle=(0, (5, 3)), label=kind.name))
    if len(drawn) > MAX_LINES:
        kinds.append(Line2D([], [], color=STRONG_LINE, linewidth=1, label=f"{len(drawn) - MAX_LINES} runs below"))
    heading(figure, title, "overlap of features with the validation songs, at each checkpoint of training", kinds)
    axes = plain_axes(figure, (left, top, right, bottom))
    axes.grid(color=LINE, linewidth=0.7)
    axes.set_xlabel("minutes of training", color=QUIET_TEXT, size=9.5, family=FONT)
    axes.margins(x=0.02)
    for _, curve in drawn[MAX_LINES:]:
        axes.plot(curve.minutes, curve.overlap, color=STRONG_LINE, linewidth=0.9, alpha=0.7)
    for place, (_, curve) in reversed(list(enumerate(drawn[:MAX_LINES]))):
        _draw_curve(axes, curve, place)
    if floor is not None:
        axes.axhline(floor, color=PLOT_STYLES["training"].colour, linewidth=1.2, linestyle=(0, (5, 3)))
    axes.set_ylim(*axes.get_ylim())  # now the field is as large as it will be
    heights = _apart([_to_pixel(axes, curve) for _, curve in drawn[:MAX_LINES]], LABEL_HEIGHT, bottom - top)
    for place, ((run, curve), height) in enumerate(zip(drawn, heights, strict=False)):
        _draw_name(axes, f"{run.rank}  {run.name}", curve, height, right - left, track_colour(place))
    save_figure(figure, path)


def _draw_name(axes: Any, name: str, curve: LearningCurve, height: float, width: float, colour: str) -> None:
    """The name of a run right of a field of so many pixels, with a faint line from the end of its curve."""
    axes.annotate(
        "", (curve.minutes[-1], curve.overlap[-1]), (width + 18, height), textcoords="axes pixels",
        annotation_clip=False,
        arrowprops={"arrowstyle": "-", "color": mix(colour, SURFACE, 0.45), "linewidth": 0.8, "linestyle": (0, (1, 2)),
                    "shrinkA": 0, "shrinkB": 3},
    )  # fmt: skip
    axes.annotate(
        shortened(name, 34), (0, 0), (width + 22, height), xycoords="axes pixels", textcoords="axes pixels",
        color=mix(colour, TEXT, 0.3), size=9.5, family=FONT, va="center", parse_math=False, annotation_clip=False,
    )  # fmt: skip


def _draw_curve(axes: Any, curve: LearningCurve, place: int) -> None:
    """The curve of the run at a place among those with a colour."""
    line = LINES[place // len(TRACK_COLOURS) % len(LINES)]
    marker = "o" if len(curve.minutes) == 1 else ""
    axes.plot(curve.minutes, curve.overlap, color=track_colour(place), linewidth=1.7, linestyle=line, marker=marker)
    if curve.kept is not None:
        kept = [curve.minutes[curve.kept]], [curve.overlap[curve.kept]]
        axes.plot(*kept, color=track_colour(place), marker="o", markersize=7, linestyle="")


def _to_pixel(axes: Any, curve: LearningCurve) -> float:
    """How high the end of a curve lies in the field, in pixels."""
    (_, bottom), (_, end) = axes.transAxes.transform((0, 0)), axes.transData.transform((0, curve.overlap[-1]))
    return float(end - bottom)


def _apart(heights: Sequence[float], least: float, room: float) -> list[float]:
    """Heights near the given ones, in the same order from below, none closer than `least`, all within the room."""
    order = np.argsort(np.asarray(heights), kind="stable")
    placed = np.asarray(heights, dtype=np.float64)
    for before, after in itertools.pairwise(order):  # push upwards
        placed[after] = max(placed[after], placed[before] + least)
    ceiling = room
    for index in order[::-1]:  # and down again from the top
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - least
    return [float(height) for height in placed]


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

"""Plots of a report: histograms of features, figures beside the test songs, accompaniments, requested densities.

They are drawn with matplotlib's Agg without any global state. Every function writes one PNG atomically; the same input
gives the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gan.metrics.distances import BINS, TAILS
from gan.spec import RollSpec
from pipeline.drawing.canvas import new_figure, save_figure
from pipeline.drawing.palette import FONT, LINE, QUIET_TEXT, STRONG_LINE, SURFACE, TEXT, mix, track_colour
from pipeline.drawing.piano_rolls import draw_samples
from pipeline.evaluation.accompaniment import AccompaniedPhrases
from pipeline.evaluation.attribute_control import TrackDensities
from pipeline.evaluation.comparison import SCORED_SETS, sets_in
from pipeline.evaluation.evaluator import MeasuredSet
from pipeline.evaluation.plot_style import HEADING_HEIGHT, PLOT_STYLES, dot, heading, plain_axes, shortened, swatch
from pipeline.evaluation.ranking import Estimate


@dataclass(frozen=True)
class FeaturePanel:
    """The values of one feature, by key of `PLOT_STYLES`; `test` and `generated` belong to it, the others may lack.

    NaN values, and sets without any others, are left out.
    """

    name: str
    sets: Mapping[str, ArrayLike]


PANEL_SIZE = (262, 132)
PANEL_COLUMNS = 6
PANEL_TOP = HEADING_HEIGHT + 26


def draw_distributions(path: Path, panels: Sequence[FeaturePanel], title: str) -> None:
    """Small multiples: the histograms of each feature, six panels in a row, 262 x 132 pixels each.

    A panel's 20 bins lie between the 0.5 and 99.5 percentiles of its test and generated values pooled, as those of
    `gan.metrics.distances`; values beyond fall into the end bins. Its overlap, the area that both have, stands beside
    its name. Heights are those of the panel's test, generated and training values; random notes may leave at the top.
    """
    kinds = [key for key in ("test", "generated", "training", "random") if any(key in one.sets for one in panels)]
    columns = max(5, min(PANEL_COLUMNS, len(panels)))
    num_rows = max(1, -(-len(panels) // columns))
    width, height = PANEL_SIZE
    figure = new_figure(columns * width + 32, PANEL_TOP + num_rows * height + 8)
    subtitle = "share of phrases in each of 20 bins; the number is the overlap of generated and test: 1 is alike"
    heading(figure, title, subtitle, [swatch(key) for key in kinds])
    for index, panel in enumerate(panels):
        left, top = 24 + index % columns * width, PANEL_TOP + index // columns * height
        axes = plain_axes(figure, (left, top, left + width - 22, top + height - 46))
        edges, shares = panel_histograms(panel)
        _draw_histograms(axes, edges, shares)
        share = panel_overlap(shares)
        style = {"size": 9, "family": FONT, "va": "bottom", "transform": axes.transAxes, "parse_math": False}
        axes.text(0, 1.05, shortened(panel.name, 30), color=TEXT, **style)
        axes.text(1, 1.05, "-" if share is None else f"{share:.2f}", color=TEXT, ha="right", weight="bold", **style)
    save_figure(figure, path)


def panel_histograms(panel: FeaturePanel) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Edges of the bins `[21]`, and the share of each set's values in each bin `[20]`; empty sets have none."""
    values = {key: _finite(panel.sets[key]) for key in PLOT_STYLES if key in panel.sets}
    shared = np.concatenate([values.get(key, np.empty(0)) for key in ("test", "generated")])
    if not len(shared):
        return np.linspace(0, 1, BINS + 1), {}
    low, high = (float(edge) for edge in np.quantile(shared, TAILS))
    high = low + 1 if high <= low else high
    return np.linspace(low, high, BINS + 1), {key: _shares(one, low, high) for key, one in values.items() if len(one)}


def panel_overlap(shares: Mapping[str, NDArray[np.float64]]) -> float | None:
    """Area under the histograms of both test and generated, or None where one of them is missing."""
    if "test" not in shares or "generated" not in shares:
        return None
    return float(np.minimum(shares["test"], shares["generated"]).sum())


def _draw_histograms(axes: Any, edges: NDArray[np.float64], shares: Mapping[str, NDArray[np.float64]]) -> None:
    """The sets of a panel on one grid, generated music on top."""
    axes.set_yticks([])
    if not shares:
        axes.set_xticks([])
        style = {"size": 9, "ha": "center", "va": "center", "family": FONT}
        axes.text(0.5, 0.5, "no values", color=QUIET_TEXT, transform=axes.transAxes, **style)
        return
    for key in (one for one in ("test", "training", "random", "generated") if one in shares):
        kind = PLOT_STYLES[key]
        if key == "test":
            axes.stairs(shares[key], edges, fill=True, color=mix(kind.colour, SURFACE, 0.45))
            axes.stairs(shares[key], edges, color=kind.colour, linewidth=0.8)
        else:
            axes.stairs(shares[key], edges, color=kind.colour, linewidth=kind.width, linestyle=kind.line)
    axes.set_ylim(0, 1.12 * max(float(shares[key].max()) for key in shares if key != "random"))
    axes.set_xlim(edges[0], edges[-1])
    marks = [edges[0], (edges[0] + edges[-1]) / 2, edges[-1]]
    axes.set_xticks(marks, [f"{mark:.3g}" for mark in marks], family=FONT)
    for label, side in zip(axes.get_xticklabels(), ("left", "center", "right"), strict=True):
        label.set_horizontalalignment(side)


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64).ravel()
    return array[np.isfinite(array)]


def _shares(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    """Share of the values in each bin, `[20]`."""
    bins = np.clip(np.floor((values - low) / (high - low) * BINS), 0, BINS - 1).astype(np.int64)
    return np.bincount(bins, minlength=BINS) / len(values)


@dataclass(frozen=True)
class FigureRow:
    """One figure of one track.

    Attributes
    ----------
    figure, track
        What it is, and of which track (empty: of the whole phrase); rows of one figure stand together.
    estimates
        By key of `PLOT_STYLES`; `test` is the origin that the others are drawn from, any may lack.
    spread
        Standard deviation of the figure among the phrases of the test songs; 0 where all of them are the same.
    """

    figure: str
    track: str
    estimates: Mapping[str, Estimate]
    spread: float


ROW_HEIGHT = 21
FIGURE_GAP = 9
FIGURES_BOX = (380, HEADING_HEIGHT + 34, 1180)
"""Left, top and right of the field."""
SPREADS = (-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100)
"""Where the axis is marked; the field ends at the last."""
VALUE_COLUMNS = {108: "test", 224: "generated"}
"""Whose figures stand so many pixels right of the field."""


def draw_figures(path: Path, rows: Sequence[FigureRow], title: str) -> None:
    """A dot plot, a row for each figure and track: how far generated music and its baselines lie from the test songs.

    The axis counts spreads (standard deviations of the test phrases), evenly up to 1 and then ever closer together
    (arsinh). Grey bars are the 95 % intervals of the test songs themselves: inside, nothing can be told. Arrows lie
    beyond the field. The figures of test songs and generated music stand at the right.
    """
    kinds = [key for key in PLOT_STYLES if any(key in row.estimates for row in rows)]
    places, y = [], 0.0
    for index, row in enumerate(rows):
        y += FIGURE_GAP if index and row.figure != rows[index - 1].figure else 0
        places.append(y + ROW_HEIGHT / 2)
        y += ROW_HEIGHT
    left, top, right = FIGURES_BOX
    figure = new_figure(right + 260, top + round(max(y, ROW_HEIGHT)) + 34)
    subtitle = "distance from the test songs, in standard deviations of their phrases; grey: their own 95 % interval"
    heading(figure, title, subtitle, [dot(key) for key in kinds])
    axes = plain_axes(figure, (left, top, right, top + max(y, ROW_HEIGHT)))
    values = [abs(value) for row in rows for value, _, _ in _distances(row).values()]
    reach = max([3.0, *(value for value in values if value <= SPREADS[-1])])
    end = math.asinh(next(mark for mark in SPREADS if mark >= reach) * 1.15)
    marks = [mark for mark in SPREADS if abs(math.asinh(mark)) <= end]
    axes.set_xlim(-end, end)
    axes.set_ylim(max(y, ROW_HEIGHT), 0)
    axes.set_yticks([])
    axes.set_xticks([math.asinh(mark) for mark in marks], [f"{mark:+d}" if mark else "test" for mark in marks])
    axes.tick_params(top=True, labeltop=True)
    axes.grid(axis="x", color=LINE, linewidth=0.7)
    axes.axvline(0, color=STRONG_LINE, linewidth=1)
    write_at = _writer(axes, 2 * end / (right - left))
    for x, key in VALUE_COLUMNS.items():
        write_at(end, x, -13, PLOT_STYLES[key].name, QUIET_TEXT)
    for index, (row, place) in enumerate(zip(rows, places, strict=True)):
        if index == 0 or row.figure != rows[index - 1].figure:
            write_at(-end, -356, place, shortened(row.figure, 27), TEXT, ha="left")
            axes.axhline(place - (ROW_HEIGHT + FIGURE_GAP) / 2, color=LINE, linewidth=0.7)
        write_at(-end, -12, place, shortened(row.track, 25), QUIET_TEXT)
        _draw_row(axes, row, place, end)
        for x, key in VALUE_COLUMNS.items():
            value = row.estimates.get(key, Estimate(None)).value
            text = "-" if value is None or math.isnan(value) else f"{value:.3g}"
            write_at(end, x, place, text, TEXT if key == "generated" else QUIET_TEXT)
    save_figure(figure, path)


def _writer(axes: Any, pixel: float) -> Callable[..., None]:
    """A function that sets text so many pixels right of an x of the axes; `pixel` is the width of one in its units."""

    def write_at(x: float, right: float, y: float, text: str, colour: str, ha: str = "right") -> None:
        style = {"size": 9.5, "family": FONT, "va": "center", "parse_math": False, "clip_on": False}
        axes.text(x + right * pixel, y, text, color=colour, ha=ha, **style)

    return write_at


def _distances(row: FigureRow) -> dict[str, tuple[float, float, float]]:
    """Value, low and high of each kind that has a figure, in spreads from the test songs; NaN for what there is not.

    Infinite where the test songs never differ and the value does.
    """
    origin = row.estimates.get("test", Estimate(None)).value
    if origin is None:
        return {}
    found = {key: (one.value, one.low, one.high) for key, one in row.estimates.items() if one.value is not None}
    moved = {key: tuple(_spreads(one, origin, row.spread) for one in three) for key, three in found.items()}
    return {key: (value, low, high) for key, (value, low, high) in moved.items() if not math.isnan(value)}


def _spreads(value: float | None, origin: float, spread: float) -> float:
    if value is None or math.isnan(value) or math.isnan(spread):
        return math.nan
    if spread > 0:
        return (value - origin) / spread
    return 0.0 if value == origin else math.copysign(math.inf, value - origin)


def _draw_row(axes: Any, row: FigureRow, y: float, end: float) -> None:
    """The marks of one figure; generated music lies on top."""
    distances = _distances(row)
    for key in (one for one in ("test", *reversed(SCORED_SETS)) if one in distances):
        kind, (value, *interval) = PLOT_STYLES[key], distances[key]
        if key in ("test", "generated") and all(map(math.isfinite, interval)):
            ends = [max(-end, min(end, math.asinh(one))) for one in interval]
            colour, width = (mix(kind.colour, SURFACE, 0.6), 9.0) if key == "test" else (kind.colour, 1.6)
            axes.plot(ends, [y, y], color=colour, linewidth=width, solid_capstyle="butt")
        x = math.asinh(value) if abs(value) <= SPREADS[-1] else math.copysign(math.inf, value)
        beyond = abs(x) > end
        marker = (">" if x > 0 else "<") if beyond else kind.marker
        x = math.copysign(end * 0.99, x) if beyond else x
        axes.plot([x], [y], marker=marker, color=kind.colour, markersize=kind.size)


DRAWN = ("test", "generated", "training", "random")
"""The sets in the picture of distributions."""


def draw_report(directory: Path, sets: Mapping[str, MeasuredSet], report: Mapping[str, Any]) -> None:
    """Write `distributions.png` (every feature of the headline), `figures.png` (every figure) and `tells.png`.

    Parameters
    ----------
    directory
        Of the report.
    sets
        The test songs (`test`) and the sets held against them.
    report
        What `report.json` holds.
    """
    name, overlap = report["scored"]["name"], report["headline"]["overlap"]["generated"]["value"]
    panels = [
        FeaturePanel(feature, {one: sets[one].features[feature].numpy() for one in DRAWN})
        for feature in report["features"]
    ]
    draw_distributions(
        directory / "distributions.png", panels, f"{name}: mean overlap with the test songs {overlap:.3f}"
    )
    rows = []
    for key, figure in report["figures"].items():
        values = sets["test"].figures[key]
        values = values[~values.isnan()]
        spread = float(values.std()) if len(values) > 1 else 0.0
        estimates = {one: Estimate(**figure[one]) for one in ("test", *sets_in(figure))}
        rows.append(FigureRow(figure["family"], row_name(key, figure["family"]), estimates, spread))
    draw_figures(directory / "figures.png", rows, f"{name}: figures beside the test songs")
    tells = [
        FigureRow(
            tell["name"],
            tell["track"],
            {one: Estimate(**tell[one]) for one in ("test", *sets_in(tell))},
            tell["spread"],
        )
        for tell in report["tells"].values()
    ]
    draw_figures(directory / "tells.png", tells, f"{name}: musical tells beside the test songs")


def row_name(key: str, family: str) -> str:
    """`Piano` of `empty_bars/Piano`, and `in best scale, Piano` of a figure that has not the name of its family."""
    name, _, track = key.partition("/")
    name = name.replace("_", " ")
    return ", ".join(part for part in ("" if name == family else name, track) if part)


NUM_ACCOMPANIED = 4
"""Phrases in the picture of accompaniments, a column each."""
DENSITY_PANEL_SIZE = (236, 236)
DENSITY_PANEL_COLUMNS = 5


def draw_accompaniments(path: Path, pair: AccompaniedPhrases, spec: RollSpec, name: str) -> None:
    """Real phrases above, and below each what was generated for one of its tracks: 372 x 210 pixels a phrase."""
    count = min(NUM_ACCOMPANIED, len(pair.tracks))
    places = np.linspace(0, len(pair.tracks) - 1, count).round().astype(int).tolist()
    rolls = np.concatenate([side[places].numpy() for side in (pair.real, pair.generated)])
    given = ", ".join(spec.names[int(pair.tracks[place])] for place in places)
    draw_samples(path, rolls, spec, f"{name}: test phrases, and below what was generated for {given}")


def draw_densities(path: Path, densities: TrackDensities, spec: RollSpec, name: str) -> None:
    """A panel of 236 x 236 pixels a track: notes a bar requested (across) and generated (up), a dot a phrase.

    On the line it is as requested. Both axes are `log(1 + notes a bar)`.
    """
    requested, generated = densities.requested, densities.generated
    columns = min(DENSITY_PANEL_COLUMNS, spec.num_tracks)
    width, height = DENSITY_PANEL_SIZE
    num_rows = -(-spec.num_tracks // columns)
    figure = new_figure(max(columns * width + 48, 640), HEADING_HEIGHT + 12 + num_rows * (height + 16))
    heading(
        figure, f"{name}: notes a bar requested and generated", "a dot a phrase; on the line it is as requested", []
    )
    most = max(1.0, float(requested.max()), float(generated.max()))
    ticks = [tick for tick in (0, 1, 3, 10, 30, 100) if tick <= most]
    for track, title in enumerate(spec.names):
        left, top = 52 + track % columns * width, HEADING_HEIGHT + 12 + track // columns * (height + 16)
        axes = plain_axes(figure, (left, top, left + width - 44, top + height - 44))
        end = float(np.log1p(most)) * 1.04
        axes.plot([0, end], [0, end], color=STRONG_LINE, linewidth=1)
        points = [np.log1p(values[:, track].numpy()) for values in (requested, generated)]
        axes.scatter(*points, s=9, color=track_colour(track), alpha=0.6, linewidths=0)
        axes.set_xlim(-0.04 * end, end)
        axes.set_ylim(-0.04 * end, end)
        for setter in (axes.set_xticks, axes.set_yticks):
            setter(np.log1p(ticks), [str(tick) for tick in ticks], family=FONT)
        style = {"size": 9.5, "family": FONT, "va": "bottom", "transform": axes.transAxes, "parse_math": False}
        axes.text(0, 1.02, shortened(title, 26), color=TEXT, **style)
    save_figure(figure, path)

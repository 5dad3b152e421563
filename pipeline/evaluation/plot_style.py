"""Plot style of the evaluator: how each kind of music is drawn, headings and axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pipeline.drawing.canvas import DPI
from pipeline.drawing.palette import FONT, LINE, QUIET_TEXT, SURFACE, TEXT, mix


@dataclass(frozen=True)
class PlotStyle:
    """How one kind of music is drawn in every picture; kinds differ by shape as well as by colour."""

    name: str
    colour: str
    marker: str
    size: float
    line: Any = "-"
    width: float = 1.1


PLOT_STYLES = {
    "test": PlotStyle("test songs", "#8c95a8", "|", 11),
    "generated": PlotStyle("generated", "#ffd166", "o", 7, width=2.2),
    "prior": PlotStyle("prior alone", "#ff9f40", "^", 6, (0, (3, 1))),
    "training": PlotStyle("training songs (floor)", "#5fd3c4", "D", 5),
    "shuffled": PlotStyle("tracks shuffled", "#c060a0", "s", 5, (0, (4, 2))),
    "random": PlotStyle("notes at random", "#f2725c", "X", 6, (0, (1, 1))),
}
"""The kinds of music that stand side by side, by key."""
HEADING_HEIGHT = 88


def heading(figure: Figure, title: str, subtitle: str, kinds: Sequence[Any]) -> None:
    """Title, subtitle and a legend of `kinds` (artists) at the top left of a figure, 88 pixels in all."""
    width, height = figure.get_figwidth() * DPI, figure.get_figheight() * DPI
    style: dict[str, Any] = {"family": FONT, "va": "center", "parse_math": False}
    figure.text(24 / width, 1 - 25 / height, title, size=14, weight="bold", color=TEXT, **style)
    figure.text(24 / width, 1 - 49 / height, subtitle, size=9.5, color=QUIET_TEXT, **style)
    if kinds:
        figure.legend(
            handles=list(kinds), loc="center left", bbox_to_anchor=(16 / width, 1 - 72 / height), ncols=len(kinds),
            frameon=False, labelcolor=TEXT, prop={"family": FONT, "size": 9.5}, handlelength=1.8, columnspacing=1.8,
        )  # fmt: skip


def plain_axes(figure: Figure, box: tuple[float, float, float, float]) -> Any:
    """Axes without a frame at left, top, right, bottom in pixels."""
    width, height = figure.get_figwidth() * DPI, figure.get_figheight() * DPI
    left, top, right, bottom = box
    axes = figure.add_axes((left / width, 1 - bottom / height, (right - left) / width, (bottom - top) / height))
    axes.set_facecolor(SURFACE)
    axes.tick_params(colors=QUIET_TEXT, labelsize=8, labelfontfamily=FONT, length=3)
    for spine in axes.spines.values():
        spine.set_color(LINE)
    return axes


def shortened(text: str, most: int) -> str:
    """`text` in at most so many letters."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def swatch(key: str) -> Any:
    """A legend entry of a histogram."""
    kind = PLOT_STYLES[key]
    if key == "test":
        return Patch(facecolor=mix(kind.colour, SURFACE, 0.45), edgecolor=kind.colour, label=kind.name)
    return Line2D([], [], color=kind.colour, linewidth=kind.width, linestyle=kind.line, label=kind.name)


def dot(key: str) -> Any:
    """A legend entry of a dot; the test songs are a bar."""
    kind = PLOT_STYLES[key]
    if key == "test":
        return swatch(key)
    return Line2D([], [], color=kind.colour, marker=kind.marker, markersize=kind.size, linestyle="", label=kind.name)

"""Pictures with text on them: matplotlib's Agg, no global state, one atomic write, the same bytes each time."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.drawing.palette import BACKGROUND, FONT, TEXT, rgb
from pipeline.files import atomic_path

Image = NDArray[np.uint8]
"""RGB, `[height, width, 3]`."""
DPI = 100


class Canvas:
    """A picture of whole pixels, origin top left, on which text is set."""

    def __init__(self, width: int, height: int, colour: str = BACKGROUND) -> None:
        self.pixels: Image = np.empty((height, width, 3), dtype=np.uint8)
        self.pixels[:] = rgb(colour)
        self.figure = new_figure(width, height)

    def text(self, x: float, y: float, text: str, size: float = 10, colour: str = TEXT, **more: Any) -> float:
        """Set text at pixel (x, y) and return its left edge; `more` goes to matplotlib. Sizes are in points."""
        height, width = self.pixels.shape[:2]
        style = {"family": FONT, "va": "center"} | more
        artist = self.figure.text(x / width, 1 - y / height, text, size=size, color=colour, parse_math=False, **style)
        return float(artist.get_window_extent().x0)

    def save(self, path: Path) -> None:
        """Write the PNG."""
        self.figure.figimage(self.pixels, 0, 0, origin="upper")
        save_figure(self.figure, path)


def new_figure(width: int, height: int) -> Figure:
    """An empty figure of so many pixels."""
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` as PNG, without a date or a version in it."""
    with atomic_path(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a title in a script that no font here has
        figure.savefig(temporary, format="png", dpi=DPI, metadata={"Software": None})

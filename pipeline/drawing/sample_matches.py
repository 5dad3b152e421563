"""Picture of a sample in a song: how much each moment of the song sounds like it, and where it plays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import LINE, QUIET_TEXT, STRONG_LINE, SURFACE, mix, rgb

WIDTH, HEIGHT = 1200, 150
LEFT, RIGHT, TOP, BOTTOM = 16, 16, 12, 28
PLAYS, RESTS = "#ffd166", "#59606f"
LABEL_PIXELS = 40
"""Bar numbers stand at least so far apart."""


def draw_sample_match(
    path: Path, curve: Sequence[float], level: float, seconds: float, lines: Sequence[float], is_sure: bool
) -> None:
    """Draw one pair as PNG.

    Parameters
    ----------
    path
        Written atomically.
    curve
        The similarity above chance, evenly spaced along the song.
    level
        From which on the sample plays.
    seconds
        How long the song is.
    lines
        Its bar lines, seconds.
    is_sure
        Whether the moments in which the sample plays are bright.
    """
    canvas = Canvas(WIDTH, HEIGHT)
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    canvas.pixels[TOP : TOP + height, LEFT : LEFT + width] = rgb(SURFACE)
    columns = LEFT + np.rint(np.asarray(lines) / max(seconds, 1e-6) * (width - 1)).astype(int)
    inside = (columns >= LEFT) & (columns < LEFT + width)
    canvas.pixels[TOP : TOP + height, columns[inside]] = rgb(LINE)
    values = np.interp(np.arange(width), np.linspace(0, width - 1, len(curve)), np.asarray(curve))
    top = max(float(values.max()), 2 * level, 1e-6)
    tall = np.rint(values.clip(0) / top * height).astype(int)
    for column in range(width):
        plays = is_sure and values[column] > level
        if tall[column]:
            canvas.pixels[TOP + height - tall[column] : TOP + height, LEFT + column] = rgb(PLAYS if plays else RESTS)
    threshold = TOP + height - round(level / top * height)
    canvas.pixels[threshold, LEFT : LEFT + width] = rgb(mix(STRONG_LINE, PLAYS, 0.3))
    last = -LABEL_PIXELS
    for number, column in enumerate(columns.tolist(), start=1):
        if LEFT <= column < LEFT + width - LABEL_PIXELS // 2 and column - last >= LABEL_PIXELS and number % 4 == 1:
            canvas.text(column, HEIGHT - BOTTOM / 2, str(number), size=8.5, colour=QUIET_TEXT)
            last = column
    canvas.save(path)

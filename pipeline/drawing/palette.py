"""The colours and letters that pictures, cover and page share.

Tracks differ in lightness as well as in hue, so that they stay apart for colour-blind eyes and in grey.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TRACK_COLOURS = ("#ffd166", "#f2725c", "#5fd3c4", "#6f8ff7", "#f4ede0", "#c060a0", "#7a4ff0", "#a8793e")
"""By track, in order; more tracks start again."""
BACKGROUND = "#14161c"
SURFACE = "#1c1f27"
"""Where notes lie."""
LINE = "#2c303b"
STRONG_LINE = "#59606f"
TEXT = "#ece8df"
QUIET_TEXT = "#a3a8b4"
FONT = "DejaVu Sans"
"""Ships with matplotlib."""

Colour = NDArray[np.uint8]


def rgb(colour: str) -> Colour:
    """`#rrggbb` as uint8 `[3]`."""
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], dtype=np.uint8)


def mix(colour: str, other: str, share: float) -> str:
    """`colour` with `share` (0 to 1) of `other` in it."""
    blended = rgb(colour) * (1 - share) + rgb(other) * share
    return "#" + "".join(f"{round(value):02x}" for value in blended)


def track_colour(index: int) -> str:
    """The colour of track `index` in every picture and on the page."""
    return TRACK_COLOURS[index % len(TRACK_COLOURS)]

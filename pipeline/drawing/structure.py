"""Self-similarity matrices of an album's songs, bar beside bar, above those of songs that people made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.drawing.canvas import Canvas, Image
from pipeline.drawing.palette import QUIET_TEXT, SURFACE, TEXT, rgb, track_colour

SIDE, STRIP, GAP = 222, 8, 26
"""Pixels of a matrix, of the strip that shows its sections, and between two."""
COLUMNS = 6
MARGIN, HEAD, ROW_HEAD, LABELS = 34, 58, 40, 34
BRIGHT = "#ffd166"
"""The colour of bars that are the same."""


@dataclass(frozen=True)
class SongStructure:
    """One song: its title, how alike its bars are `[bars, bars]`, how much comes back, and its sections.

    A section is (role, first bar, bars); a real song has none.
    """

    title: str
    alike: NDArray[np.float64]
    recurrence: float
    sections: Sequence[tuple[str, int, int]] = ()


def draw_structure(path: Path, made: Sequence[SongStructure], real: Sequence[SongStructure]) -> None:
    """A matrix a song, those that were made above the real ones; two bars that are alike make a bright point.

    Parameters
    ----------
    path
        The PNG to write; six songs in a row.
    made, real
        At least one song in all.
    """
    columns = min(COLUMNS, max(len(made), len(real)))
    cell = SIDE + STRIP + GAP
    rows = [-(-len(group) // columns) for group in (made, real)]
    height = HEAD + sum(ROW_HEAD + count * (SIDE + STRIP + LABELS + 14) for count in rows if count)
    canvas = Canvas(max(2 * MARGIN + columns * cell - GAP, 620), height + 8)
    canvas.text(MARGIN, 28, "What returns: each bar beside each other bar of its song", size=15, weight="bold")
    top = HEAD
    for heading, group, count in (("made", made, rows[0]), ("songs it learnt from", real, rows[1])):
        if not count:
            continue
        known = [song.recurrence for song in group if np.isfinite(song.recurrence)]
        share = f": {np.mean(known):.2f} of a bar, on average, comes back" if known else ""
        canvas.text(MARGIN, top + 12, f"{heading}{share}", colour=QUIET_TEXT)
        top += ROW_HEAD
        for index, song in enumerate(group):
            left = MARGIN + index % columns * cell
            _draw(canvas, left, top + index // columns * (SIDE + STRIP + LABELS + 14), song)
        top += count * (SIDE + STRIP + LABELS + 14)
    canvas.save(path)


def _draw(canvas: Canvas, left: int, top: int, song: SongStructure) -> None:
    """One matrix with its sections above and beside it, and its title below."""
    bars = len(song.alike)
    place = (np.arange(SIDE) * bars // SIDE).clip(0, bars - 1)
    right, below = left + STRIP + 2, top + STRIP + 2
    canvas.pixels[below : below + SIDE, right : right + SIDE] = _shade(song.alike[np.ix_(place, place)])
    colours: dict[str, int] = {}
    for role, first, count in song.sections:
        start, end = first * SIDE // bars, (first + count) * SIDE // bars
        colour = rgb(track_colour(colours.setdefault(role, len(colours))))
        canvas.pixels[top : top + STRIP, right + start : right + end - 1] = colour
        canvas.pixels[below + start : below + end - 1, left : left + STRIP] = colour
    shown = song.title if len(song.title) <= 24 else song.title[:23].rstrip() + "…"
    canvas.text(right, below + SIDE + 14, shown, size=9.5, colour=TEXT)
    canvas.text(right + SIDE, below + SIDE + 14, f"{song.recurrence:.2f}", size=9.5, colour=QUIET_TEXT, ha="right")


def _shade(values: NDArray[np.float64]) -> Image:
    """Values from 0 to 1 as colours; the middle is kept dark, so that what is the same stands out."""
    share = (values**1.5)[:, :, None]
    return np.rint(rgb(SURFACE) * (1 - share) + rgb(BRIGHT) * share).astype(np.uint8)

"""The album's cover: threads between the lines of its voices, in colours that its key chooses."""

from __future__ import annotations

import itertools
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.drawing.canvas import new_figure, save_figure
from pipeline.scores.notes import Planes

SIZE = 1400
"""Pixels on each side: what record shops ask for."""
FONTS = ["STIXGeneral", "DejaVu Serif", "DejaVu Sans"]
"""The first that has the letter; all come with matplotlib."""
THREADS = 30
"""Lines between two voices."""
POINTS = 1400
SMOOTHING_POINTS = POINTS / 90
"""Standard deviation of the smoothing: the sleeve is seen from across the shop."""
BUSY_NOTES_PER_BAR = 12
"""From here on the sleeve is dark."""


@dataclass(frozen=True)
class Theme:
    """Colours of a sleeve: paper and ink by day and by night, and threads from the highest voice to the lowest."""

    paper: str
    ink: str
    night: str
    light: str
    threads: tuple[str, str, str, str]


THEMES = (
    Theme("#f3ead9", "#23303d", "#131a2b", "#f3ead9", ("#e4576a", "#f0b455", "#1c9aa8", "#3d5a80")),
    Theme("#efe9dc", "#1d3b3a", "#0d2b2e", "#f4e9cd", ("#e9c46a", "#ee8f4b", "#e5562f", "#4fae9b")),
    Theme("#f6efe3", "#3a2140", "#1d1330", "#f6e9d8", ("#f2a65a", "#e2647f", "#9c4f96", "#4b6cc1")),
    Theme("#eef0e6", "#1f3326", "#14241c", "#eef0df", ("#c9b13c", "#7fa650", "#2f8f83", "#2b5d8a")),
    Theme("#f7ece4", "#4a1c1c", "#2a1014", "#fbeadb", ("#f4c06a", "#ef7d57", "#c73e4d", "#7b2d5b")),
    Theme("#e9eef1", "#16293f", "#0c1a2b", "#e8f1f5", ("#5cc8d7", "#3f8fd2", "#5b5fc7", "#c65b9b")),
)

Curves = NDArray[np.float64]


def draw_cover(path: Path, planes_of_songs: Sequence[Planes], title: str, artist: str, seed: int) -> None:
    """The album cover, 1400 x 1400 pixels.

    Each track is one line: its mean pitch over the whole album, smoothed; threads fill the space from line to line.
    The most frequent pitch class chooses the colours, many notes a bar make the sleeve dark.

    Parameters
    ----------
    path
        The PNG to write.
    planes_of_songs
        For each song bool `[2, tracks, bars, steps, pitches]`; all with the same tracks and pitches.
    title, artist
        Set on the sleeve.
    seed
        Another one takes other colours.
    """
    theme, dark = theme_of(planes_of_songs, seed)
    background, ink = (theme.night, theme.light) if dark else (theme.paper, theme.ink)
    figure = new_figure(SIZE, SIZE)
    figure.set_facecolor(background)
    bottom = _write(figure, title, artist, ink)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    rows = _fabric(_lines(planes_of_songs))
    heights = 0.055 + (bottom - 0.11) * rows
    across = np.linspace(-0.01, 1.01, POINTS)
    colours = LinearSegmentedColormap.from_list("threads", theme.threads)(np.linspace(0, 1, len(rows)))
    threads = [np.column_stack([across, height]) for height in heights]
    axes.add_collection(LineCollection(threads, colors=colours, alpha=0.88, linewidths=1.5 if dark else 1.7))
    save_figure(figure, path)


def theme_of(planes_of_songs: Sequence[Planes], seed: int) -> tuple[Theme, bool]:
    """The colours that the music chooses, and whether the sleeve is dark."""
    onsets = sum((planes[0].sum((0, 1, 2)) for planes in planes_of_songs), np.zeros(1))
    classes = np.bincount(np.arange(len(onsets)) % 12, weights=onsets, minlength=12)
    num_bars = max(1, sum(planes.shape[2] for planes in planes_of_songs))
    return THEMES[(int(classes.argmax()) * 7 + seed) % len(THEMES)], bool(onsets.sum() / num_bars >= BUSY_NOTES_PER_BAR)


def _lines(planes_of_songs: Sequence[Planes]) -> Curves:
    """The smoothed mean pitch of each sounding track over the album, `[lines, POINTS]`, highest first; at least two."""
    curves = []
    for track in range(planes_of_songs[0].shape[1]):
        sounding = np.concatenate([planes[:, track].any(0).reshape(-1, planes.shape[-1]) for planes in planes_of_songs])
        voices = sounding.sum(1)
        heard = np.flatnonzero(voices)
        if len(heard):
            mean_pitch = sounding[heard] @ np.arange(sounding.shape[1]) / voices[heard]
            line = np.interp(np.linspace(0, len(voices), POINTS, endpoint=False), heard, mean_pitch)
            curves.append(_smoothed(line, SMOOTHING_POINTS))
    curves.sort(key=lambda curve: -float(curve.mean()))
    while len(curves) < 2:  # one line alone hangs over an even ground
        curves.append(np.full(POINTS, float(curves[0].min()) - 6 if curves else 0.0))
    return np.stack(curves)


def _smoothed(curve: Curves, width: float) -> Curves:
    """`curve` under a Gaussian of standard deviation `width` points, its ends held."""
    reach = int(4 * width)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    return np.convolve(np.pad(curve, reach, mode="edge"), kernel / kernel.sum(), "valid")


def _fabric(lines: Curves) -> Curves:
    """Threads from line to line, `[threads, POINTS]`, scaled to 0 (lowest) to 1 (highest)."""
    share = np.arange(THREADS)[:, None] / THREADS
    threads = [above + (below - above) * share for above, below in itertools.pairwise(lines)]
    rows = np.concatenate([*threads, lines[-1:]])
    return np.asarray((rows - rows.min()) / max(1e-9, rows.max() - rows.min()))


def _write(figure: Figure, title: str, artist: str, ink: str) -> float:
    """Set title and artist at the top; returns where they end, as a share of the height from below."""
    style: dict[str, Any] = {"color": ink, "family": FONTS, "va": "top", "parse_math": False}
    credit = figure.text(0.94, 0.928, artist, size=27, ha="right", **style)
    words = figure.text(0.06, 0.94, "", size=88, linespacing=1.0, **style)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # as in `save_figure`
        room = credit.get_window_extent().x0 / SIZE - 0.06
        for width, size in ((14, 88), (18, 72), (24, 58), (32, 44), (48, 32), (64, 24)):
            words.set_text("\n".join(_balanced(title, width)))
            words.set_fontsize(size)
            box = words.get_window_extent()
            if box.x1 / SIZE < room and box.height / SIZE < 0.2:
                break
    return float(box.y0) / SIZE


def _balanced(title: str, width: int) -> list[str]:
    """The title on as few lines of `width` letters as it needs, all of about one length."""
    count = len(textwrap.wrap(title, width))
    return next(lines for narrow in range(1, width + 1) if len(lines := textwrap.wrap(title, narrow)) <= count)

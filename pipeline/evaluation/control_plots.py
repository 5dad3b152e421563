"""Pictures of what a generator made of requests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gan.spec import RollSpec
from pipeline.drawing.canvas import new_figure, save_figure
from pipeline.drawing.palette import FONT, STRONG_LINE, TEXT, track_colour
from pipeline.drawing.piano_rolls import draw_samples
from pipeline.evaluation.accompaniment import Accompanied
from pipeline.evaluation.control import Densities
from pipeline.evaluation.plot_style import HEADING_HEIGHT, heading, plain_axes, shortened

NUM_ACCOMPANIED = 4
"""Phrases in the picture of accompaniments, a column each."""
PANEL_SIZE = (236, 236)
PANEL_COLUMNS = 5


def draw_accompaniments(path: Path, pair: Accompanied, spec: RollSpec, name: str) -> None:
    """Real phrases above, and below each what was made for one of its tracks: 372 x 210 pixels a phrase."""
    count = min(NUM_ACCOMPANIED, len(pair.tracks))
    places = np.linspace(0, len(pair.tracks) - 1, count).round().astype(int).tolist()
    rolls = np.concatenate([side[places].numpy() for side in (pair.real, pair.made)])
    given = ", ".join(spec.names[int(pair.tracks[place])] for place in places)
    draw_samples(path, rolls, spec, f"{name}: test phrases, and below what was made for {given}")


def draw_densities(path: Path, densities: Densities, spec: RollSpec, name: str) -> None:
    """A panel of 236 x 236 pixels a track: notes a bar asked for (across) and made (up), a dot a phrase.

    On the line it is as asked. Both axes are `log(1 + notes a bar)`.
    """
    asked, made = densities.asked, densities.made
    columns = min(PANEL_COLUMNS, spec.num_tracks)
    width, height = PANEL_SIZE
    num_rows = -(-spec.num_tracks // columns)
    figure = new_figure(max(columns * width + 48, 640), HEADING_HEIGHT + 12 + num_rows * (height + 16))
    heading(figure, f"{name}: notes a bar asked for, and made", "a dot a phrase; on the line it is as asked", [])
    most = max(1.0, float(asked.max()), float(made.max()))
    ticks = [tick for tick in (0, 1, 3, 10, 30, 100) if tick <= most]
    for track, title in enumerate(spec.names):
        left, top = 52 + track % columns * width, HEADING_HEIGHT + 12 + track // columns * (height + 16)
        axes = plain_axes(figure, (left, top, left + width - 44, top + height - 44))
        end = float(np.log1p(most)) * 1.04
        axes.plot([0, end], [0, end], color=STRONG_LINE, linewidth=1)
        points = [np.log1p(values[:, track].numpy()) for values in (asked, made)]
        axes.scatter(*points, s=9, color=track_colour(track), alpha=0.6, linewidths=0)
        axes.set_xlim(-0.04 * end, end)
        axes.set_ylim(-0.04 * end, end)
        for setter in (axes.set_xticks, axes.set_yticks):
            setter(np.log1p(ticks), [str(tick) for tick in ticks], family=FONT)
        style = {"size": 9.5, "family": FONT, "va": "bottom", "transform": axes.transAxes, "parse_math": False}
        axes.text(0, 1.02, shortened(title, 26), color=TEXT, **style)
    save_figure(figure, path)

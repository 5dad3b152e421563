"""A picture of how a language model learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.drawing.canvas import new_figure, save_figure
from pipeline.drawing.palette import FONT, LINE, QUIET_TEXT, SURFACE, TEXT, track_colour

SIZE = (960, 460)
"""Width and height in pixels."""
HEADROOM = 1.25
"""The axis ends at so many times the dearest line that training is compared with; the first steps are above it."""


def draw_language_learning(path: Path, records: Sequence[Mapping[str, Any]], others: Mapping[str, float]) -> None:
    """Bits a character by step: on training text, on validation text, and what others need as dashed lines.

    Parameters
    ----------
    path
        The PNG to write.
    records
        Reports of training in order: `step`, `training_bits`, `validation_bits`.
    others
        Bits a character of the test text by name, such as a trigram model's and the finished model's own.
    """
    figure = new_figure(*SIZE)
    axes = figure.add_axes((0.07, 0.12, 0.74, 0.76))  # what others need is named beside it
    axes.set_facecolor(SURFACE)
    steps = [record["step"] for record in records]
    marker = "o" if len(steps) == 1 else ""
    for index, (key, label) in enumerate((("training_bits", "training text"), ("validation_bits", "validation text"))):
        values = [record[key] for record in records]
        axes.plot(steps, values, color=track_colour(index), linewidth=1.8, label=label, marker=marker)
    for name, bits in others.items():
        axes.axhline(bits, color=QUIET_TEXT, linewidth=1.1, linestyle=(0, (5, 3)))
        axes.annotate(
            f"{name} {bits:.2f}", (1, bits), xycoords=("axes fraction", "data"), xytext=(8, 0),
            textcoords="offset points", va="center", size=9, color=TEXT, family=FONT,
        )  # fmt: skip
    shown = [record[key] for record in records for key in ("training_bits", "validation_bits")] + [*others.values()]
    axes.set_ylim(0.9 * min(shown), min(max(shown), HEADROOM * max(others.values(), default=max(shown))) * 1.02)
    axes.set_title("Bits a character (less is better)", loc="left", color=TEXT, fontsize=12, family=FONT)
    axes.set_xlabel("steps", color=QUIET_TEXT, fontsize=9, family=FONT)
    axes.tick_params(colors=QUIET_TEXT, labelsize=9, length=3)
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    axes.grid(color=LINE, linewidth=0.7)
    axes.margins(x=0.01)
    for spine in axes.spines.values():
        spine.set_color(LINE)
    axes.legend(fontsize=9, frameon=False, labelcolor=TEXT, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    save_figure(figure, path)

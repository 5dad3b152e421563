"""Learning curves: of the GAN as small multiples, and of a language model.

Every function writes one PNG atomically; the same records give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.drawing.canvas import new_figure, save_figure
from pipeline.drawing.palette import FONT, LINE, QUIET_TEXT, SURFACE, TEXT, track_colour
from pipeline.progress import duration

PANEL_ORDER = ("overlap", "scale", "notes", "polyphony", "loss", "accuracy", "logit", "penalt")
"""Panels whose name holds one of these come in this order, then the others; `LAST_PANELS` last."""
LAST_PANELS = ("learning_rate",)
SHARED_PANELS = {"loss": "losses", "logit": "logits", "r1": "penalties", "r2": "penalties"}
"""Keys that hold one of these share a panel."""
SINGULAR = {"losses": "loss", "logits": "logit"}
PANEL_TITLES = {
    "overlap": "overlap of features with unseen songs",
    "scale_share": "share of notes that keep to a scale",
    "notes_per_bar": "notes a bar",
    "stepwise_share": "share of steps in the melody",
}
MAX_PANELS = 12


def draw_learning_curves(path: Path, records: Sequence[Mapping[str, Any]], data: Mapping[str, float]) -> None:
    """Learning curves as small multiples.

    Parameters
    ----------
    path
        The PNG to write; 480 x 250 pixels a panel, three in a row.
    records
        Lines of a metrics log. `step` is the horizontal axis; every other figure is drawn, `a/b` and nested mappings
        in one panel `a`; anything that is no finite number is passed over.
    data
        Values of real songs by the same keys, drawn as dashed reference lines.
    """
    curves = _curves([_flat(record) for record in records])
    panels: dict[str, list[str]] = {}
    for key in curves:
        panels.setdefault(_panel_of(key), []).append(key)
    chosen = sorted(panels, key=_panel_rank)[:MAX_PANELS]
    columns = min(3, max(1, len(chosen)))
    num_rows = max(1, -(-len(chosen) // columns))
    figure = new_figure(480 * columns + 40, 250 * num_rows + 50)
    total = curves_end(records)
    figure.text(
        0.012, 1 - 24 / (250 * num_rows + 50), total, size=13, weight="bold", color=TEXT, family=FONT, va="center"
    )
    grid = figure.add_gridspec(
        num_rows, columns, left=0.045, right=0.985, top=1 - 76 / (250 * num_rows + 50),
        bottom=34 / (250 * num_rows + 50), wspace=0.16, hspace=0.42,
    )  # fmt: skip
    reference = _flat(data)
    if any(key in reference for name in chosen for key in panels[name]):
        figure.text(
            0.985, 1 - 24 / (250 * num_rows + 50), "dashed: real songs", size=10, color=QUIET_TEXT, ha="right",
            va="center", family=FONT,
        )  # fmt: skip
    for index, name in enumerate(chosen):
        axes = figure.add_subplot(grid[index // columns, index % columns])
        _draw_panel(axes, name, {key: curves[key] for key in panels[name]}, reference)
    save_figure(figure, path)


def curves_end(records: Sequence[Mapping[str, Any]]) -> str:
    """The title of the learning curves: how far training came."""
    if not records:
        return "Learning: nothing recorded yet"
    step, seconds = records[-1].get("step"), records[-1].get("seconds")
    after = f" in {duration(float(seconds))}" if isinstance(seconds, int | float) else ""
    return f"Learning: {step:,} steps{after}" if isinstance(step, int) else "Learning"


def _draw_panel(axes: Any, name: str, curves: Mapping[str, Any], reference: Mapping[str, float]) -> None:
    """One panel: each curve faint as recorded and strong as a running mean, the data's value dashed."""
    axes.set_facecolor(SURFACE)
    for index, (key, (steps, values)) in enumerate(curves.items()):
        colour = track_colour(index)
        label = key.removeprefix(name).removesuffix(f"_{SINGULAR.get(name)}").strip("/").replace("_", " ")
        window = max(1, len(values) // 40)
        if window > 1:
            axes.plot(steps, values, color=colour, alpha=0.25, linewidth=0.8)
        kernel = np.ones(window)
        smooth = np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
        marker = "o" if len(values) == 1 else ""
        axes.plot(steps, smooth, color=colour, linewidth=1.8, label=label, marker=marker)
        if key in reference:
            axes.axhline(reference[key], color=colour, linewidth=1.1, linestyle=(0, (5, 3)))
    axes.set_title(PANEL_TITLES.get(name, name.replace("_", " ")), loc="left", color=TEXT, fontsize=10.5, family=FONT)
    axes.tick_params(colors=QUIET_TEXT, labelsize=8, length=3)
    axes.grid(color=LINE, linewidth=0.7)
    axes.ticklabel_format(axis="y", scilimits=(-2, 4))
    axes.yaxis.get_offset_text().set(color=QUIET_TEXT, size=8)
    axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
    axes.margins(x=0.01)
    for spine in axes.spines.values():
        spine.set_color(LINE)
    if len(curves) > 1:
        axes.legend(
            fontsize=8, frameon=False, labelcolor=TEXT, ncols=len(curves), loc="lower right", bbox_to_anchor=(1, 0.98),
            borderaxespad=0, handlelength=1.2, columnspacing=1, handletextpad=0.4,
        )  # fmt: skip


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """The finite numbers of a mapping, nested ones as `a/b`."""
    flat: dict[str, float] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}/")
        elif isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
            flat[prefix + key] = float(value)
    return flat


def _curves(records: Sequence[Mapping[str, float]]) -> dict[str, tuple[list[float], list[float]]]:
    """Steps and values by key."""
    curves: dict[str, tuple[list[float], list[float]]] = {}
    for place, record in enumerate(records):
        for key, value in record.items():
            if key not in ("step", "seconds"):
                steps, values = curves.setdefault(key, ([], []))
                steps.append(record.get("step", float(place)))
                values.append(value)
    return curves


def _panel_of(key: str) -> str:
    """The panel that a key is drawn in."""
    if "/" in key:
        return key.split("/")[0]
    parts = key.split("_")
    return next((panel for part, panel in SHARED_PANELS.items() if part in parts), key)


def _panel_rank(name: str) -> int:
    if name in LAST_PANELS:
        return len(PANEL_ORDER) + 1
    return next((rank for rank, part in enumerate(PANEL_ORDER) if part in name), len(PANEL_ORDER))


LANGUAGE_SIZE = (960, 460)
"""Width and height in pixels."""
HEADROOM = 1.25
"""The axis ends at so many times the dearest line that training is compared with; the first steps are above it."""


def draw_language_model_curves(path: Path, records: Sequence[Mapping[str, Any]], others: Mapping[str, float]) -> None:
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
    figure = new_figure(*LANGUAGE_SIZE)
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

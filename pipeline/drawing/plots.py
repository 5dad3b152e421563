"""Pictures of music and of learning, drawn with matplotlib's Agg without any global state.

Every function writes one PNG atomically; the same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.drawing.canvas import Sheet, new_figure, save_figure
from pipeline.drawing.palette import (
    FONT,
    LINE,
    QUIET_TEXT,
    STRONG_LINE,
    SURFACE,
    TEXT,
    mix,
    rgb,
    track_colour,
)
from pipeline.drawing.piano_rolls import GAP_PIXELS, Frame, paint
from pipeline.scores.notes import Planes, notes_from_roll

SONG_SIZE = (1600, 520)
"""Width and height of a song's picture in pixels."""
SONG_BOX = (64, 92, 1576, 480)
"""Where its roll lies: left, top, right, bottom; the page moves its playhead there."""
SAMPLE_COLUMNS = 4
SAMPLE_SIZE = (372, 210)
TICK_SECONDS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300)


def draw_samples(path: Path, rolls: Planes, spec: RollSpec, title: str) -> None:
    """A grid of phrases, to watch the generator learn.

    Parameters
    ----------
    path
        The PNG to write; 372 x 210 pixels a phrase, four in a row.
    rolls
        Bool `[count, 2, tracks, bars, steps, pitches]`, count at least 1.
    spec
        Their shape.
    title
        Set above the grid.
    """
    count = len(rolls)
    columns = min(SAMPLE_COLUMNS, count)
    width, height = SAMPLE_SIZE
    margin, gutter, top = 44, 10, 56
    sheet_width = max(margin + columns * (width + gutter) + 14, 560)
    sheet = Sheet(sheet_width, top + -(-count // columns) * (height + gutter) + 14)
    sheet.text(margin, 26, title, size=14, weight="bold")
    _legend(sheet, sheet_width - 24, 26, spec)
    num_steps = rolls.shape[3] * rolls.shape[4]
    notes = [notes_from_roll(roll, spec.lowest_pitch) for roll in rolls]
    frames = [Frame.around(each, spec, num_steps) for each in notes if len(each)]
    frame = Frame.around(notes[0], spec, num_steps)
    if frames:  # one pitch axis for all, so that they can be compared
        drums = sorted({pitch for each in frames for pitch in each.drums})
        frame = Frame(num_steps, min(each.low for each in frames), max(each.high for each in frames), tuple(drums))
    for index, each in enumerate(notes):
        left, above = margin + index % columns * (width + gutter), top + index // columns * (height + gutter)
        sheet.pixels[above : above + height, left : left + width] = paint(each, spec, frame, width, height)
        if not len(each):
            sheet.text(left + width / 2, above + height / 2, "silence", colour=QUIET_TEXT, ha="center")
        if index % columns == 0:
            pitch_labels(sheet, left, above, height, spec, frame, size=8)
    sheet.save(path)


def draw_song(
    path: Path,
    planes: Planes,
    spec: RollSpec,
    sections: Sequence[tuple[str, int, int]],
    title: str,
    tempo_bpm: float | Sequence[tuple[int, float]],
) -> None:
    """The piano roll of a whole song, 1600 x 520 pixels.

    Parameters
    ----------
    path
        The PNG to write.
    planes
        Bool `[2, tracks, bars, steps, pitches]` over all bars of the song.
    spec
        The tracks and the grid; its number of bars does not matter.
    sections
        Name, first bar and number of bars of each section.
    title
        Set above the roll.
    tempo_bpm
        Beats a minute, or (step, beats a minute) pairs as in `Song.tempo_map`: makes the time axis.
    """
    sheet = Sheet(*SONG_SIZE)
    left, top, right, bottom = SONG_BOX
    width, height = right - left, bottom - top
    num_bars = planes.shape[2]
    notes = notes_from_roll(planes, spec.lowest_pitch)
    frame = Frame.around(notes, spec, num_bars * spec.steps_per_bar)
    sheet.pixels[top:bottom, left:right] = paint(notes, spec, frame, width, height)
    sheet.text(left, 28, title, size=16, weight="bold")
    _legend(sheet, right, 28, spec)
    pitch_labels(sheet, left, top, height, spec, frame, size=9)
    tints: dict[str, str] = {}
    for name, first_bar, bars in sections:
        start = left + frame.column(first_bar * spec.steps_per_bar, width)
        end = left + frame.column((first_bar + bars) * spec.steps_per_bar, width)
        tint = tints.setdefault(name, mix(LINE, STRONG_LINE, 0.0 if len(tints) % 2 else 0.6))
        sheet.pixels[top - 32 : top - 6, start : end - 2] = rgb(tint)
        sheet.pixels[top:bottom, start : start + 1] = rgb(QUIET_TEXT)
        fitting = max(1, int((end - start - 8) / 7.5))
        label = name if len(name) <= fitting else name[: max(1, fitting - 1)].rstrip() + "…" * (fitting > 2)
        sheet.text((start + end - 2) / 2, top - 19, label, size=9.5, ha="center")
    seconds = _seconds(tempo_bpm, frame.num_steps, spec)
    every = next((step for step in TICK_SECONDS if seconds[-1] / step <= 14), TICK_SECONDS[-1])
    for second in range(0, int(seconds[-1]) + 1, every):
        x = left + frame.column(float(np.interp(second, seconds, np.arange(len(seconds)))), width)
        sheet.pixels[bottom : bottom + 6, min(x, right - 1)] = rgb(QUIET_TEXT)
        sheet.text(x, bottom + 17, f"{second // 60}:{second % 60:02d}", size=9, colour=QUIET_TEXT, ha="center")
    sheet.save(path)


def _seconds(tempo_bpm: float | Sequence[tuple[int, float]], num_steps: int, spec: RollSpec) -> NDArray[np.float64]:
    """When each step begins, and when the last one ends: `[num_steps + 1]`."""
    tempi = np.full(num_steps, tempo_bpm if isinstance(tempo_bpm, int | float) else 0.0)
    for step, tempo in () if isinstance(tempo_bpm, int | float) else tempo_bpm:
        tempi[step:] = tempo
    return np.concatenate([[0.0], np.cumsum(60 / tempi / spec.steps_per_beat)])


def _legend(sheet: Sheet, right: float, y: float, spec: RollSpec) -> None:
    """The tracks' names in their colours, ending at `right`."""
    for index in reversed(range(spec.num_tracks)):
        start, middle = round(sheet.text(right, y, spec.tracks[index].name, ha="right")) - 18, round(y)
        sheet.pixels[middle - 5 : middle + 6, max(0, start) : max(0, start + 11)] = rgb(track_colour(index))
        right = start - 18


def pitch_labels(sheet: Sheet, left: int, top: int, height: int, spec: RollSpec, frame: Frame, size: float) -> None:
    """C2, C3 ... and the drums, to the left of a roll."""
    drum_height = frame.drum_pixels(height, spec)
    pitched_height = height - drum_height
    for pitch in range(frame.low, frame.high + 1):
        if pitch % 12 == 0 and spec.pitched:
            y = top + (frame.row(pitch, pitched_height) + frame.row(pitch + 1, pitched_height)) / 2
            octave = pitch // 12 - 1
            sheet.text(left - 8, y, f"C{octave}", size=size, colour=QUIET_TEXT, ha="right")
    if drum_height:
        y = top + pitched_height + (drum_height + GAP_PIXELS) / 2
        sheet.text(left - 8, y, "drums", size=size - 1, colour=QUIET_TEXT, ha="right")


PANEL_ORDER = ("overlap", "scale", "notes", "polyphony", "loss", "told", "logit", "penalt")
"""Panels whose name holds one of these come in this order, then the others; `LAST_PANELS` last."""
LAST_PANELS = ("learning_rate", "noise")
SHARED_PANELS = {"loss": "losses", "logit": "logits", "r1": "penalties", "r2": "penalties"}
"""Keys that hold one of these share a panel."""
SINGULAR = {"losses": "loss", "logits": "logit"}
PANEL_TITLES = {
    "overlap": "overlap of features with unseen songs",
    "scale_share": "share of notes that keep to a scale",
    "told_apart": "share of pairs told apart",
    "notes_per_bar": "notes a bar",
    "stepwise_share": "share of steps in the melody",
}
MAX_PANELS = 12


def draw_learning(path: Path, records: Sequence[Mapping[str, Any]], data: Mapping[str, float]) -> None:
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
    from pipeline.progress import duration

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

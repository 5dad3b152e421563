"""Piano rolls: a song, samples of a training, and the pixels of any roll.

Notes are painted on whole pixels, so that short and repeated ones stay visible. Functions that write a PNG do so
atomically, and the same music gives the same bytes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.drawing.canvas import Canvas, Image
from pipeline.drawing.palette import (
    LINE,
    QUIET_TEXT,
    STRONG_LINE,
    SURFACE,
    TEXT,
    Colour,
    mix,
    rgb,
    track_colour,
)
from pipeline.scores.notes import Notes, Planes, notes_from_roll
from pipeline.scores.structure.flipped_loops import LoopEvent

SONG_SIZE = (1600, 520)
"""Width and height of a song's picture in pixels."""
SONG_BOX = (64, 92, 1576, 480)
"""Where its roll lies: left, top, right, bottom; the page moves its playhead there."""
CHORD_SIZE, CHARACTER_WIDTH = 8.0, 7.4
"""Of chord symbols: size of the type, and pixels of a character."""
SAMPLE_COLUMNS = 4
SAMPLE_SIZE = (372, 210)
TICK_SECONDS = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300)
DRUM_SHARE = 0.2
"""Of the height, where there is a drum track."""
LOOP_HEIGHT, FILTERED_TINT = 6, 0.4
"""Of the bars that show where loops of records play: pixels, and how strong they are where a loop is filtered."""
GAP_PIXELS = 6
"""Between pitches and drums."""


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
    canvas_width = max(margin + columns * (width + gutter) + 14, 560)
    canvas = Canvas(canvas_width, top + -(-count // columns) * (height + gutter) + 14)
    canvas.text(margin, 26, title, size=14, weight="bold")
    _legend(canvas, canvas_width - 24, 26, spec)
    num_steps = rolls.shape[3] * rolls.shape[4]
    notes = [notes_from_roll(roll, spec.lowest_pitch) for roll in rolls]
    frames = [RollFrame.around(each, spec, num_steps) for each in notes if len(each)]
    frame = RollFrame.around(notes[0], spec, num_steps)
    if frames:  # one pitch axis for all, so that they can be compared
        drums = sorted({pitch for each in frames for pitch in each.drums})
        frame = RollFrame(num_steps, min(each.low for each in frames), max(each.high for each in frames), tuple(drums))
    for index, each in enumerate(notes):
        left, above = margin + index % columns * (width + gutter), top + index // columns * (height + gutter)
        canvas.pixels[above : above + height, left : left + width] = paint_roll(each, spec, frame, width, height)
        if not len(each):
            canvas.text(left + width / 2, above + height / 2, "silence", colour=QUIET_TEXT, ha="center")
        if index % columns == 0:
            draw_pitch_axis(canvas, left, above, height, spec, frame, size=8)
    canvas.save(path)


def draw_song(
    path: Path,
    planes: Planes,
    spec: RollSpec,
    sections: Sequence[tuple[str, int, int]],
    title: str,
    tempo_bpm: float | Sequence[tuple[int, float]],
    chords: Sequence[tuple[int, str]] = (),
    loops: Sequence[LoopEvent] = (),
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
        Quarter notes a minute, or (step, quarter notes a minute) pairs as in `Song.tempo_map`: makes the time axis.
    chords
        The step at which each begins, and its symbol; those that have room are set above the sections.
    loops
        Where loops of old records play: bars along the upper edge, pale where they are filtered.
    """
    canvas = Canvas(*SONG_SIZE)
    left, top, right, bottom = SONG_BOX
    width, height = right - left, bottom - top
    num_bars = planes.shape[2]
    notes = notes_from_roll(planes, spec.lowest_pitch)
    frame = RollFrame.around(notes, spec, num_bars * spec.steps_per_bar)
    canvas.pixels[top:bottom, left:right] = paint_roll(notes, spec, frame, width, height)
    canvas.text(left, 28, title, size=16, weight="bold")
    _legend(canvas, right, 28, spec)
    draw_pitch_axis(canvas, left, top, height, spec, frame, size=9)
    tints: dict[str, str] = {}
    for name, first_bar, bars in sections:
        start = left + frame.column(first_bar * spec.steps_per_bar, width)
        end = left + frame.column((first_bar + bars) * spec.steps_per_bar, width)
        tint = tints.setdefault(name, mix(LINE, STRONG_LINE, 0.0 if len(tints) % 2 else 0.6))
        canvas.pixels[top - 32 : top - 6, start : end - 2] = rgb(tint)
        canvas.pixels[top:bottom, start : start + 1] = rgb(QUIET_TEXT)
        fitting = max(1, int((end - start - 8) / 7.5))
        label = name if len(name) <= fitting else name[: max(1, fitting - 1)].rstrip() + "…" * (fitting > 2)
        canvas.text((start + end - 2) / 2, top - 19, label, size=9.5, ha="center")
    for event in loops:
        start, end = (left + frame.column(step, width) for step in (event.step, event.end))
        colour = mix(LINE, TEXT, FILTERED_TINT if event.is_filtered else 1.0)
        canvas.pixels[top - LOOP_HEIGHT : top, start : max(end - 1, start + 1)] = rgb(colour)
    if loops:
        canvas.text(left - 6, top - LOOP_HEIGHT / 2, "record", size=9, colour=QUIET_TEXT, ha="right")
    free = float(left)
    for step, symbol in chords:
        x = left + frame.column(step, width)
        if x >= free and x + CHARACTER_WIDTH * len(symbol) <= right:
            canvas.text(x, top - 42, symbol, size=CHORD_SIZE, colour=QUIET_TEXT)
            free = x + CHARACTER_WIDTH * (len(symbol) + 1)
    seconds = _seconds(tempo_bpm, frame.num_steps, spec)
    every = next((step for step in TICK_SECONDS if seconds[-1] / step <= 14), TICK_SECONDS[-1])
    for second in range(0, int(seconds[-1]) + 1, every):
        x = left + frame.column(float(np.interp(second, seconds, np.arange(len(seconds)))), width)
        canvas.pixels[bottom : bottom + 6, min(x, right - 1)] = rgb(QUIET_TEXT)
        canvas.text(x, bottom + 17, f"{second // 60}:{second % 60:02d}", size=9, colour=QUIET_TEXT, ha="center")
    canvas.save(path)


def _seconds(tempo_bpm: float | Sequence[tuple[int, float]], num_steps: int, spec: RollSpec) -> NDArray[np.float64]:
    """When each step begins, and when the last one ends: `[num_steps + 1]`."""
    tempi = np.full(num_steps, tempo_bpm if isinstance(tempo_bpm, int | float) else 0.0)
    for step, tempo in () if isinstance(tempo_bpm, int | float) else tempo_bpm:
        tempi[step:] = tempo
    return np.concatenate([[0.0], np.cumsum(60 / tempi / spec.steps_per_quarter)])


def _legend(canvas: Canvas, right: float, y: float, spec: RollSpec) -> None:
    """The tracks' names in their colours, ending at `right`."""
    for index in reversed(range(spec.num_tracks)):
        start, middle = round(canvas.text(right, y, spec.tracks[index].name, ha="right")) - 18, round(y)
        canvas.pixels[middle - 5 : middle + 6, max(0, start) : max(0, start + 11)] = rgb(track_colour(index))
        right = start - 18


def draw_pitch_axis(
    canvas: Canvas, left: int, top: int, height: int, spec: RollSpec, frame: RollFrame, size: float
) -> None:
    """C2, C3 ... and the drums, to the left of a roll."""
    drum_height = frame.drum_pixels(height, spec)
    pitched_height = height - drum_height
    for pitch in range(frame.low, frame.high + 1):
        if pitch % 12 == 0 and spec.pitched:
            y = top + (frame.row(pitch, pitched_height) + frame.row(pitch + 1, pitched_height)) / 2
            octave = pitch // 12 - 1
            canvas.text(left - 8, y, f"C{octave}", size=size, colour=QUIET_TEXT, ha="right")
    if drum_height:
        y = top + pitched_height + (drum_height + GAP_PIXELS) / 2
        canvas.text(left - 8, y, "drums", size=size - 1, colour=QUIET_TEXT, ha="right")


@dataclass(frozen=True)
class RollFrame:
    """What part of a roll is shown: steps from 0, MIDI pitches `low` to `high` (included), and the drums' pitches."""

    num_steps: int
    low: int
    high: int
    drums: tuple[int, ...]

    @classmethod
    def around(cls, notes: Notes, spec: RollSpec, num_steps: int) -> RollFrame:
        """The frame that holds all `notes` with a pitch of margin; at least an octave."""
        is_pitched = np.isin(notes["track"], spec.pitched)
        pitches, hits = notes["pitch"][is_pitched], notes["pitch"][~is_pitched]
        middle = spec.lowest_pitch + spec.num_pitches // 2
        low, high = (int(pitches.min()), int(pitches.max())) if len(pitches) else (middle, middle)
        missing = max(0, 12 - (high - low))
        low, high = low - 1 - missing // 2, high + 1 + (missing + 1) // 2
        return cls(num_steps, low, high, tuple(int(pitch) for pitch in np.unique(hits)))

    def drum_pixels(self, height: int, spec: RollSpec) -> int:
        """Pixels at the bottom of `height` that belong to the drums, gap included; 0 without a drum track."""
        if not spec.pitched:
            return height
        return round(height * DRUM_SHARE) if len(spec.pitched) < spec.num_tracks else 0

    def column(self, step: float, width: int) -> int:
        """The pixel where `step` begins."""
        return round(step / self.num_steps * width)

    def row(self, pitch: float, height: int) -> int:
        """The pixel below the row of a MIDI pitch, in the pitched part of the height."""
        return round((self.high + 1 - pitch) / (self.high + 1 - self.low) * height)


def paint_roll(notes: Notes, spec: RollSpec, frame: RollFrame, width: int, height: int) -> Image:
    """The roll as RGB `[height, width, 3]`: pitches above, drums in a strip below.

    A note is a bar of its track's colour with a lighter head where it is struck and a gap where it ends; a hit has no
    head. Voices in unison share the height of the row; thin lines lead from note to note where a track plays a single
    line.
    """
    image = np.empty((height, width, 3), dtype=np.uint8)
    image[:] = rgb(SURFACE)
    drum_height = frame.drum_pixels(height, spec)
    pitched = image[: height - drum_height]
    if len(pitched):
        _paint_keys(pitched, frame)
        image[len(pitched) : len(pitched) + GAP_PIXELS] = rgb(LINE)
    _paint_bars(image, spec, frame)
    melodic = notes[np.isin(notes["track"], spec.pitched)]
    for track in spec.pitched:
        _paint_line(pitched, melodic[melodic["track"] == track], frame, rgb(mix(track_colour(track), SURFACE, 0.5)))
    rows = _rows(melodic, frame, len(pitched))
    rows |= _drum_rows(frame, height - drum_height + (GAP_PIXELS if len(pitched) else 0), height)
    colours = [
        (rgb(mix(track_colour(i), SURFACE, 0.18)), rgb(mix(track_colour(i), "#ffffff", 0.5)))
        for i in range(spec.num_tracks)
    ]
    step_width = width / frame.num_steps
    for track, pitch, onset, length in notes.tolist():
        top, bottom = rows[(pitch,) if spec.tracks[track].is_drum else (track, pitch, onset)]
        left, right = frame.column(onset, width), frame.column(onset + length, width)
        gap = 0 if right - left < 2 else 1 if right - left < 12 else 2
        right = max(left + 1, right - gap)
        head = 0 if spec.tracks[track].is_drum else min(right - left, max(2, round(step_width * 0.3)))
        body_colour, head_colour = colours[track]
        image[top:bottom, left:right] = body_colour
        image[top:bottom, left : left + head] = head_colour
    return image


def _paint_keys(image: Image, frame: RollFrame) -> None:
    """Black keys a shade darker, a line under each C."""
    height = len(image)
    dark = rgb(mix(SURFACE, "#000000", 0.16))
    for pitch in range(frame.low, frame.high + 1):
        if pitch % 12 in (1, 3, 6, 8, 10):
            image[frame.row(pitch + 1, height) : frame.row(pitch, height)] = dark
        if pitch % 12 == 0:
            image[min(height - 1, frame.row(pitch, height))] = rgb(STRONG_LINE)


def _paint_bars(image: Image, spec: RollSpec, frame: RollFrame) -> None:
    """A line at each bar, a stronger one every fourth; none where they would be a fence."""
    width = image.shape[1]
    for bar in range(1, -(-frame.num_steps // spec.steps_per_bar)):
        strong = bar % 4 == 0
        if strong or frame.column(spec.steps_per_bar, width) >= 8:
            image[:, frame.column(bar * spec.steps_per_bar, width)] = rgb(STRONG_LINE if strong else LINE)


def _paint_line(image: Image, notes: Notes, frame: RollFrame, colour: Colour) -> None:
    """Lines from each note of one track to the next where one begins as the other ends and both sound alone."""
    height, width = image.shape[:2]
    for before, note in itertools.pairwise(notes):
        if before["onset"] < note["onset"] == before["onset"] + before["length"]:
            x = frame.column(note["onset"], width)
            middles = [(frame.row(p, height) + frame.row(p + 1, height)) // 2 for p in (before["pitch"], note["pitch"])]
            image[min(middles) : max(middles), x : x + 1] = colour


PixelRows = tuple[int, int]
"""Top and bottom of a note in pixels."""


def _rows(notes: Notes, frame: RollFrame, height: int) -> dict[tuple[int, ...], PixelRows]:
    """Where each pitched note lies, by (track, pitch, onset); those that sound in unison share the row's height."""
    tracks = np.unique(notes["track"]).tolist()
    sounding = np.zeros((len(tracks), 128, frame.num_steps), dtype=bool)
    columns = [(tracks.index(track), *rest) for track, *rest in notes.tolist()]
    for rank, pitch, onset, length in columns:
        sounding[rank, pitch, onset : onset + length] = True
    voices = sounding.sum(0)
    places: dict[tuple[int, ...], PixelRows] = {}
    for rank, pitch, onset, length in columns:
        top, bottom = frame.row(pitch + 1, height), frame.row(pitch, height)
        bottom = max(top + 1, bottom - (bottom - top > 3))
        together = int(voices[pitch, onset : onset + length].max())
        if 1 < together <= bottom - top:
            above = int(sounding[:rank, pitch, onset : onset + length].sum(0).max(initial=0))
            inner = bottom - top
            top, bottom = top + inner * above // together, top + inner * (above + 1) // together
        places[tracks[rank], pitch, onset] = (top, bottom)
    return places


def _drum_rows(frame: RollFrame, top: int, bottom: int) -> dict[tuple[int, ...], PixelRows]:
    """Where the hits of each drum lie, by (pitch,): the lowest drum at the bottom."""
    count = max(1, len(frame.drums))
    edges = [bottom - round(row / count * (bottom - top)) for row in range(count + 1)]
    return {
        (pitch,): (edges[row + 1], max(edges[row + 1] + 1, edges[row] - 1)) for row, pitch in enumerate(frame.drums)
    }

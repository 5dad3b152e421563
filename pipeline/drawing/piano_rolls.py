"""Piano rolls as pixels: notes are painted on whole pixels, so that short and repeated ones stay visible."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.drawing.palette import LINE, STRONG_LINE, SURFACE, Colour, mix, rgb, track_colour
from pipeline.scores.notes import Notes

Image = NDArray[np.uint8]

DRUM_SHARE = 0.2
"""Of the height, where there is a drum track."""
GAP_PIXELS = 6
"""Between pitches and drums."""


@dataclass(frozen=True)
class Frame:
    """What part of a roll is shown: steps from 0, MIDI pitches `low` to `high` (included), and the drums' pitches."""

    num_steps: int
    low: int
    high: int
    drums: tuple[int, ...]

    @classmethod
    def around(cls, notes: Notes, spec: RollSpec, num_steps: int) -> Frame:
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


def paint(notes: Notes, spec: RollSpec, frame: Frame, width: int, height: int) -> Image:
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


def _paint_keys(image: Image, frame: Frame) -> None:
    """Black keys a shade darker, a line under each C."""
    height = len(image)
    dark = rgb(mix(SURFACE, "#000000", 0.16))
    for pitch in range(frame.low, frame.high + 1):
        if pitch % 12 in (1, 3, 6, 8, 10):
            image[frame.row(pitch + 1, height) : frame.row(pitch, height)] = dark
        if pitch % 12 == 0:
            image[min(height - 1, frame.row(pitch, height))] = rgb(STRONG_LINE)


def _paint_bars(image: Image, spec: RollSpec, frame: Frame) -> None:
    """A line at each bar, a stronger one every fourth; none where they would be a fence."""
    width = image.shape[1]
    for bar in range(1, -(-frame.num_steps // spec.steps_per_bar)):
        strong = bar % 4 == 0
        if strong or frame.column(spec.steps_per_bar, width) >= 8:
            image[:, frame.column(bar * spec.steps_per_bar, width)] = rgb(STRONG_LINE if strong else LINE)


def _paint_line(image: Image, notes: Notes, frame: Frame, colour: Colour) -> None:
    """Lines from each note of one track to the next where one begins as the other ends and both sound alone."""
    height, width = image.shape[:2]
    for before, note in itertools.pairwise(notes):
        if before["onset"] < note["onset"] == before["onset"] + before["length"]:
            x = frame.column(note["onset"], width)
            middles = [(frame.row(p, height) + frame.row(p + 1, height)) // 2 for p in (before["pitch"], note["pitch"])]
            image[min(middles) : max(middles), x : x + 1] = colour


Place = tuple[int, int]
"""Top and bottom of a note in pixels."""


def _rows(notes: Notes, frame: Frame, height: int) -> dict[tuple[int, ...], Place]:
    """Where each pitched note lies, by (track, pitch, onset); those that sound in unison share the row's height."""
    tracks = np.unique(notes["track"]).tolist()
    sounding = np.zeros((len(tracks), 128, frame.num_steps), dtype=bool)
    columns = [(tracks.index(track), *rest) for track, *rest in notes.tolist()]
    for rank, pitch, onset, length in columns:
        sounding[rank, pitch, onset : onset + length] = True
    voices = sounding.sum(0)
    places: dict[tuple[int, ...], Place] = {}
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


def _drum_rows(frame: Frame, top: int, bottom: int) -> dict[tuple[int, ...], Place]:
    """Where the hits of each drum lie, by (pitch,): the lowest drum at the bottom."""
    count = max(1, len(frame.drums))
    edges = [bottom - round(row / count * (bottom - top)) for row in range(count + 1)]
    return {
        (pitch,): (edges[row + 1], max(edges[row + 1] + 1, edges[row] - 1)) for row, pitch in enumerate(frame.drums)
    }

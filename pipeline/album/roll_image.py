"""Piano rolls as pixels: notes are painted on whole pixels, so that short and repeated ones stay visible."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gan.spec import HOLD, ONSET, RollSpec
from pipeline.album.palette import LINE, STRONG_LINE, SURFACE, mix, rgb, track_colour

Planes = NDArray[np.bool_]
Image = NDArray[np.uint8]

DRUM_SHARE = 0.2
"""Of the height, where there is a drum track."""
GAP_PIXELS = 6
"""Between pitches and drums."""


@dataclass(frozen=True)
class Notes:
    """Notes as columns of equal length: track index, first step, length in steps, pitch index."""

    track: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    pitch: NDArray[np.int64]

    def of(self, tracks: tuple[int, ...]) -> Notes:
        """Those of some tracks."""
        chosen = np.isin(self.track, tracks)
        return Notes(self.track[chosen], self.start[chosen], self.length[chosen], self.pitch[chosen])


def notes_of(planes: Planes) -> Notes:
    """The notes of bool planes `[2, tracks, bars, steps, pitches]`; a hold that follows nothing starts a note."""
    _, num_tracks, bars, steps, num_pitches = planes.shape
    rows = planes.reshape(2, num_tracks, bars * steps, num_pitches).transpose(0, 1, 3, 2)
    rows = np.pad(rows, ((0, 0), (0, 0), (0, 0), (1, 1)))  # silence at both ends keeps the rows apart
    sounding = rows[ONSET] | rows[HOLD]
    flat = sounding.ravel()
    before = np.concatenate([[False], flat[:-1]])
    starts = rows[ONSET].ravel() | (flat & ~before)
    stops = before & (~flat | starts)
    first, last = np.flatnonzero(starts), np.flatnonzero(stops)
    track, pitch, step = np.unravel_index(first, sounding.shape)
    return Notes(track, step - 1, last - first, pitch)


@dataclass(frozen=True)
class Frame:
    """What part of a roll is shown: steps from 0, pitch indices `low` to `high` (included), and the drums' rows."""

    num_steps: int
    low: int
    high: int
    drums: tuple[int, ...]

    @classmethod
    def around(cls, notes: Notes, spec: RollSpec, num_steps: int) -> Frame:
        """The frame that holds all `notes` with a pitch of margin; at least an octave."""
        drum_tracks = tuple(index for index, track in enumerate(spec.tracks) if track.is_drum)
        pitches, hits = notes.of(spec.pitched).pitch, notes.of(drum_tracks).pitch
        middle = spec.num_pitches // 2
        low, high = (int(pitches.min()), int(pitches.max())) if len(pitches) else (middle, middle)
        missing = max(0, 12 - (high - low))
        low, high = max(0, low - 1 - missing // 2), min(spec.num_pitches - 1, high + 1 + (missing + 1) // 2)
        return cls(num_steps, low, high, tuple(int(pitch) for pitch in np.unique(hits)))

    def drum_pixels(self, height: int, spec: RollSpec) -> int:
        """Pixels at the bottom of `height` that belong to the drums, gap included; 0 without a drum track."""
        return round(height * DRUM_SHARE) if len(spec.pitched) < spec.num_tracks and spec.pitched else 0

    def column(self, step: float, width: int) -> int:
        """The pixel where `step` begins."""
        return round(step / self.num_steps * width)

    def row(self, pitch: float, height: int) -> int:
        """The pixel below the row of a pitch index, in the pitched part of the height."""
        return round((self.high + 1 - pitch) / (self.high + 1 - self.low) * height)


def paint(notes: Notes, spec: RollSpec, frame: Frame, width: int, height: int) -> Image:
    """The roll as RGB `[height, width, 3]`: pitches above, drums in a strip below.

    A note is a bar of its track's colour with a lighter head where it is struck and a gap where it ends. Voices in
    unison share the height of the row.
    """
    image = np.empty((height, width, 3), dtype=np.uint8)
    image[:] = rgb(SURFACE)
    drum_height = frame.drum_pixels(height, spec)
    pitched_height = height - drum_height
    if not spec.pitched:
        drum_height, pitched_height = height, 0
    if pitched_height:
        _paint_keys(image[:pitched_height], spec, frame)
    if drum_height and pitched_height:
        image[pitched_height : pitched_height + GAP_PIXELS] = rgb(LINE)
    _paint_bars(image, spec, frame)
    drum_rows = {pitch: row for row, pitch in enumerate(frame.drums)}
    drum_part = max(1, drum_height - GAP_PIXELS)
    lanes = _lanes(notes.of(spec.pitched), spec.num_pitches, frame.num_steps)
    for track, start, length, pitch in zip(notes.track, notes.start, notes.length, notes.pitch, strict=True):
        left, right = frame.column(start, width), frame.column(start + length, width)
        if spec.tracks[track].is_drum:
            row = drum_rows[pitch]
            top = height - round((row + 1) / len(drum_rows) * drum_part)
            bottom = height - round(row / len(drum_rows) * drum_part) - (drum_part > 3 * len(drum_rows))
        else:
            top, bottom = frame.row(pitch + 1, pitched_height), frame.row(pitch, pitched_height)
            rank, voices = lanes.get((track, start, pitch), (0, 1))
            inner = bottom - top - (bottom - top > 3)
            if inner >= 2 * voices:
                top, bottom = top + inner * rank // voices, top + inner * (rank + 1) // voices
            else:
                bottom = top + max(1, inner)
        _paint_note(image, track_colour(track), left, right, top, bottom, width / frame.num_steps)
    return image


def _paint_note(image: Image, colour: str, left: int, right: int, top: int, bottom: int, step_width: float) -> None:
    """One note: a body, a lighter head, and a pixel or two left free at its end."""
    gap = 0 if right - left < 2 else 1 if right - left < 12 else 2
    right = max(left + 1, right - gap)
    head = min(right - left, max(2, round(step_width * 0.3)))
    image[top:bottom, left:right] = rgb(mix(colour, SURFACE, 0.22))
    image[top:bottom, left : left + head] = rgb(mix(colour, "#ffffff", 0.45))


def _paint_keys(image: Image, spec: RollSpec, frame: Frame) -> None:
    """Black keys a shade darker, a line under each C."""
    height = len(image)
    for pitch in range(frame.low, frame.high + 1):
        key = (pitch + spec.lowest_pitch) % 12
        if key in (1, 3, 6, 8, 10):
            image[frame.row(pitch + 1, height) : frame.row(pitch, height)] = rgb(mix(SURFACE, "#000000", 0.16))
        if key == 0:
            image[min(height - 1, frame.row(pitch, height))] = rgb(STRONG_LINE)


def _paint_bars(image: Image, spec: RollSpec, frame: Frame) -> None:
    """A line at each bar, a stronger one every fourth; none where they would be a fence."""
    width = image.shape[1]
    for bar in range(1, -(-frame.num_steps // spec.steps_per_bar)):
        strong = bar % 4 == 0
        if strong or frame.column(spec.steps_per_bar, width) >= 8:
            image[:, frame.column(bar * spec.steps_per_bar, width)] = rgb(STRONG_LINE if strong else LINE)


def _lanes(notes: Notes, num_pitches: int, num_steps: int) -> dict[tuple[int, int, int], tuple[int, int]]:
    """For the notes that share pitch and time with another track: (track, start, pitch) to (rank, voices)."""
    tracks = np.unique(notes.track)
    sounding = np.zeros((len(tracks), num_pitches, num_steps), dtype=bool)
    rank_of = {int(track): rank for rank, track in enumerate(tracks)}
    columns = list(zip(notes.track, notes.start, notes.length, notes.pitch, strict=True))
    for track, start, length, pitch in columns:
        sounding[rank_of[int(track)], pitch, start : start + length] = True
    voices = sounding.sum(0)
    found = {}
    for track, start, length, pitch in columns:
        together = int(voices[pitch, start : start + length].max())
        if together > 1:
            below = int(sounding[: rank_of[int(track)], pitch, start : start + length].sum(0).max(initial=0))
            found[int(track), int(start), int(pitch)] = (below, together)
    return found

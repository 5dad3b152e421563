"""Picture of a record's loops: its mel spectrogram in rows like a score, with bar lines, and each loop as a bracket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.drawing.canvas import Canvas, Image
from pipeline.drawing.palette import BACKGROUND, QUIET_TEXT, STRONG_LINE, SURFACE, mix, rgb, track_colour

WIDTH, LEFT, RIGHT, TOP = 1600, 56, 16, 58
ROW_SECONDS = 40.0
MOST_ROWS = 12
"""Longer records have more seconds in a row."""
BANDS, PIXELS_PER_BAND = 48, 2
LANE = 18
"""Height of a line of brackets above the spectrogram."""
BELOW = 24
"""Pixels below it, for bar numbers."""
NUMBERED_BARS = 4
"""Every so many bars the number of one is written."""
FRAME = 2048
LOWEST_HZ, HIGHEST_HZ = 60.0, 8000.0
LOUD_SHARE, RANGE_DB = 0.999, 60.0
"""White is what this share of the spectrogram stays below; black is so many decibels less."""
TINT = 0.35
"""How much of a loop's colour covers its spectrogram."""


@dataclass(frozen=True)
class LoopMark:
    """A loop in the picture: its number, from 1, and its seconds."""

    number: int
    start: float
    end: float


@dataclass(frozen=True)
class LoopRow:
    """One row of the picture: its seconds, and the first pixel of its spectrogram from the top."""

    start: float
    end: float
    top: int

    def columns(self, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
        """The pixels of moments, which may lie outside."""
        share = (seconds - self.start) / (self.end - self.start)
        return LEFT + np.rint(share * (WIDTH - LEFT - RIGHT)).astype(np.int64)


def draw_loops(
    path: Path,
    title: str,
    mono: NDArray[np.float32],
    rate_hz: int,
    bar_seconds: NDArray[np.float64],
    loops: Sequence[LoopMark],
) -> None:
    """Write the picture as PNG.

    Parameters
    ----------
    path
        Where to; written atomically.
    title
        Set above it.
    mono
        The sound of the record, float32 `[samples]`.
    rate_hz
        Its sampling rate, 16,000 Hz at least.
    bar_seconds
        Where each bar begins and the last ends, in seconds.
    loops
        What is marked; loops that overlap have brackets one above the other.
    """
    seconds = len(mono) / rate_hz
    lanes = _lanes(loops)
    head = LANE * max(1, 1 + max(lanes, default=0))
    height = head + BANDS * PIXELS_PER_BAND + BELOW
    num_rows = min(MOST_ROWS, max(1, int(np.ceil(seconds / ROW_SECONDS))))
    length = max(min(ROW_SECONDS, seconds), seconds / num_rows)
    rows = [LoopRow(one * length, (one + 1) * length, TOP + one * height + head) for one in range(num_rows)]
    canvas = Canvas(WIDTH, TOP + num_rows * height)
    canvas.text(LEFT, 28, title, size=14, weight="bold")
    spectra = [_mel_spectrum(mono, rate_hz, row) for row in rows]
    loud = float(np.quantile(np.concatenate(spectra, axis=1), LOUD_SHARE))
    for row, spectrum in zip(rows, spectra, strict=True):
        shade = np.clip(1 + (spectrum - loud) / RANGE_DB, 0, 1)[..., None] ** 1.5
        area = canvas.pixels[row.top : row.top + BANDS * PIXELS_PER_BAND, LEFT : WIDTH - RIGHT]
        area[:] = np.rint(rgb(SURFACE) * (1 - shade) + 200.0 * shade).astype(np.uint8).repeat(PIXELS_PER_BAND, axis=0)
        for loop, lane in zip(loops, lanes, strict=True):
            _mark(canvas, row, loop, lane)
        _bar_lines(canvas, row, bar_seconds)
        canvas.text(
            LEFT - 6,
            row.top + 8,
            f"{int(row.start) // 60}:{int(row.start) % 60:02d}",
            size=8,
            colour=QUIET_TEXT,
            ha="right",
        )
    canvas.save(path)


def _lanes(loops: Sequence[LoopMark]) -> list[int]:
    """The line of each loop's bracket: the lowest in which no loop before it in the list overlaps it."""
    lanes: list[int] = []
    for index, loop in enumerate(loops):
        taken = {
            lanes[other]
            for other in range(index)
            if loops[other].start < loop.end - 0.1 and loop.start < loops[other].end - 0.1
        }
        lanes.append(next(lane for lane in range(len(loops)) if lane not in taken))
    return lanes


def _mel_spectrum(mono: NDArray[np.float32], rate_hz: int, row: LoopRow) -> NDArray[np.float64]:
    """Decibels of a row in mel bands, the highest first, `[BANDS, columns]`."""
    from librosa.filters import mel

    width = WIDTH - LEFT - RIGHT
    moments = row.start + (np.arange(width) + 0.5) / width * (row.end - row.start)
    padded = np.pad(mono, FRAME // 2 + 1)
    starts = np.minimum(np.rint(moments * rate_hz).astype(int), len(padded) - FRAME)
    frames = padded[starts[:, None] + np.arange(FRAME)] * np.hanning(FRAME)
    bands = mel(sr=rate_hz, n_fft=FRAME, n_mels=BANDS, fmin=LOWEST_HZ, fmax=HIGHEST_HZ)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 @ bands.T
    decibels: NDArray[np.float64] = 10 * np.log10(power.T[::-1] + 1e-9)
    return decibels


def _mark(canvas: Canvas, row: LoopRow, loop: LoopMark, lane: int) -> None:
    """The part of a loop that lies in a row: its colour over the spectrogram, a bracket above, its number."""
    begin, end = row.columns(np.array([loop.start, loop.end])).tolist()
    first, last = max(begin, LEFT), min(end, WIDTH - RIGHT)
    if last <= first:
        return
    colour = track_colour(loop.number - 1)
    pixels: Image = canvas.pixels
    area = pixels[row.top : row.top + BANDS * PIXELS_PER_BAND, first:last]
    area[:] = np.rint(rgb(colour) * TINT + area * (1 - TINT)).astype(np.uint8)
    top = row.top - LANE * (lane + 1)
    pixels[top + 2 : top + LANE - 2, first : last - 1] = rgb(colour)
    if begin >= LEFT or last - first > LANE:
        canvas.text(first + 4, top + LANE / 2, str(loop.number), size=9, colour=BACKGROUND, weight="bold")


def _bar_lines(canvas: Canvas, row: LoopRow, bar_seconds: NDArray[np.float64]) -> None:
    """A line a bar, with the number of every fourth below."""
    columns = row.columns(bar_seconds)
    bottom = row.top + BANDS * PIXELS_PER_BAND
    for bar in np.flatnonzero((columns >= LEFT) & (columns < WIDTH - RIGHT)).tolist():
        numbered = bar % NUMBERED_BARS == 0
        column = int(columns[bar])
        canvas.pixels[row.top : bottom + (5 if numbered else 0), column] = rgb(mix(STRONG_LINE, SURFACE, 0.3))
        if numbered and bar < len(bar_seconds) - 1:
            canvas.text(column + 2, bottom + 9, str(bar + 1), size=7.5, colour=QUIET_TEXT)

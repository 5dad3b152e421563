"""Picture of a transcription: its notes over the recording's own spectrogram, to see how well they fit.

Time runs from left to right in rows, like a score. Each row has pitches above and drums in a strip below, with a line
a beat and a stronger one a bar. Chords stand above it, bars that were heard with little confidence are shaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.drawing.canvas import Canvas, Image
from pipeline.drawing.palette import QUIET_TEXT, STRONG_LINE, SURFACE, mix, rgb, track_colour
from pipeline.progress import counted
from pipeline.scores.score import Part
from pipeline.transcription.midi import chord_markers
from pipeline.transcription.transcriber import Transcription

WIDTH, LEFT, RIGHT, TOP = 1600, 56, 16, 64
ROW_SECONDS = 20.0
MOST_ROWS = 12
"""Longer recordings have more seconds in a row."""
PIXELS_PER_PITCH = 4
DRUM_PIXELS = 7
"""Height of one drum's line."""
GAP, BETWEEN = 4, 26
"""Pixels between pitches and drums, and between rows."""
CHORD_LINE, CHORD_LETTER = 15, 7
"""Height of a line of chords, and the width of a letter of one."""
DOUBTFUL = 0.5
"""Bars that were heard with less confidence are shaded."""
SHADE, SHADE_SHARE = "#b3262e", 0.2
"""The colour of the shade, and how much of what lies under it is covered."""
PART_COLOURS = {"Drums": 0, "Bass": 1, "Piano": 2, "Lead": 3, "Guitar": 4, "Strings": 5}
"""By name, as numbers of the palette; other parts are grey."""

FRAME = 8192
"""Samples of one spectrum."""
LOUD_SHARE, RANGE_DB = 0.999, 60.0
"""White is what this share of the spectrum stays below; black is so many decibels less."""
NOTE_SHARE = 0.6
"""How much of a note's colour covers the spectrum."""


@dataclass(frozen=True)
class PictureRow:
    """One row of the picture: its seconds, and its place in pixels from the top."""

    start: float
    end: float
    top: int

    def column(self, seconds: NDArray[np.float64] | float) -> NDArray[np.int64]:
        """The pixel of a moment."""
        share = (np.asarray(seconds, float) - self.start) / (self.end - self.start)
        return LEFT + np.rint(share * (WIDTH - LEFT - RIGHT)).astype(np.int64)


def draw_transcription(path: Path, samples: NDArray[np.float32], transcription: Transcription, title: str) -> None:
    """Write the picture as PNG.

    Parameters
    ----------
    path
        Where to; written atomically.
    samples
        The recording, float32 `[samples]` at 44,100 Hz.
    transcription
        What was found in it.
    title
        Set above it.
    """
    pitched = [notes for part, notes in _timed_parts(transcription) if not part.is_drum]
    pitches = np.concatenate([notes["pitch"] for notes in pitched]) if pitched else np.array([60])
    low, high = int(pitches.min()) - 3, int(pitches.max()) + 12
    drums = sorted({int(one) for part, notes in _timed_parts(transcription) if part.is_drum for one in notes["pitch"]})
    tall = (high - low + 1) * PIXELS_PER_PITCH
    height = tall + (GAP + len(drums) * DRUM_PIXELS if drums else 0)
    num_rows = min(MOST_ROWS, max(1, int(np.ceil(transcription.seconds / ROW_SECONDS))))
    length = max(ROW_SECONDS, transcription.seconds / num_rows)
    between = BETWEEN + (CHORD_LINE if len(transcription.chords) else 0)
    tops = [TOP + between - BETWEEN + one * (height + between) for one in range(num_rows)]
    rows = [PictureRow(one * length, (one + 1) * length, top) for one, top in enumerate(tops)]
    canvas = Canvas(WIDTH, TOP + num_rows * (height + between))
    canvas.text(LEFT, 26, title, size=14, weight="bold")
    _legend(canvas, transcription)
    spectra = [_spectrum(samples, row, low, high) for row in rows]
    loud = float(np.quantile(np.concatenate([one.ravel() for one in spectra]), LOUD_SHARE))
    for row, spectrum in zip(rows, spectra, strict=True):
        shade = np.clip(1 + (spectrum - loud) / RANGE_DB, 0, 1)[..., None] ** 1.5
        area = canvas.pixels[row.top : row.top + tall, LEFT : WIDTH - RIGHT]
        area[:] = np.rint(rgb(SURFACE) * (1 - shade) + 190.0 * shade).astype(np.uint8)
        canvas.pixels[row.top + tall + GAP : row.top + height, LEFT : WIDTH - RIGHT] = rgb(SURFACE)
        _shades(canvas.pixels, row, height, transcription)
        _beat_lines(canvas.pixels, row, height, transcription)
        for part, notes in _timed_parts(transcription):
            _notes(canvas.pixels, row, part, notes, _colour(part), high, tall, drums)
        _labels(canvas, row, low, high, transcription)
        _chords(canvas, row, transcription)
    canvas.save(path)


def _timed_parts(transcription: Transcription) -> list[tuple[Part, NDArray[np.void]]]:
    """The parts and their notes in seconds."""
    return list(zip(transcription.parts, transcription.timed_notes, strict=True))


def _colour(part: Part) -> str:
    """The same for a part in every picture."""
    return track_colour(PART_COLOURS[part.name]) if part.name in PART_COLOURS else QUIET_TEXT


def _spectrum(samples: NDArray[np.float32], row: PictureRow, low: int, high: int) -> NDArray[np.float32]:
    """Spectrogram of a row on the scale of pitches, decibels `[pixels, columns]`, the highest pitch first."""
    width = WIDTH - LEFT - RIGHT
    centres = np.rint((row.start + (np.arange(width) + 0.5) / width * (row.end - row.start)) * SAMPLE_RATE_HZ)
    window = np.hanning(FRAME).astype(np.float32)
    pixels = np.arange((high - low + 1) * PIXELS_PER_PITCH)
    pitch = high + 0.5 - (pixels + 0.5) / PIXELS_PER_PITCH
    bins = 440 * 2 ** ((pitch - 69) / 12) * FRAME / SAMPLE_RATE_HZ
    below = np.floor(bins).astype(int)
    share = (bins - below).astype(np.float32)[:, None]
    begin = round(row.start * SAMPLE_RATE_HZ) - FRAME
    own = samples[max(begin, 0) : round(row.end * SAMPLE_RATE_HZ) + FRAME]
    padded = np.pad(own, (max(-begin, 0), FRAME))
    columns = []
    for start in range(0, width, 128):
        first = centres[start : start + 128].astype(int) - begin - FRAME // 2
        inside = np.minimum(first, len(padded) - FRAME)
        power = np.abs(np.fft.rfft(padded[inside[:, None] + np.arange(FRAME)] * window, axis=1)).T.astype(np.float32)
        columns.append(power[below] * (1 - share) + power[below + 1] * share)
    decibels: NDArray[np.float32] = 20 * np.log10(np.concatenate(columns, axis=1) + 1e-6)
    return decibels


def _shades(pixels: Image, row: PictureRow, height: int, transcription: Transcription) -> None:
    """A translucent shade over bars that were heard with little confidence."""
    for begin, end in doubtful_seconds(transcription):
        first, last = np.clip(row.column(np.array([begin, end])), LEFT, WIDTH - RIGHT).tolist()
        area = pixels[row.top : row.top + height, first:last]
        area[:] = np.rint(rgb(SHADE) * SHADE_SHARE + area * (1 - SHADE_SHARE)).astype(np.uint8)


def doubtful_seconds(transcription: Transcription) -> list[tuple[float, float]]:
    """When each bar that was heard with little confidence begins and ends, in seconds."""
    lines = transcription.beats.seconds[:: transcription.beats.beats_per_bar].tolist()
    lines.append(max(lines[-1], transcription.seconds))
    bars = zip(np.round(transcription.confidence, 2).tolist(), lines[:-1], lines[1:], strict=False)
    return [(begin, end) for confidence, begin, end in bars if confidence < DOUBTFUL]


def _beat_lines(pixels: Image, row: PictureRow, height: int, transcription: Transcription) -> None:
    """A line a beat, a stronger one a bar."""
    beats = transcription.beats
    at = row.column(beats.seconds)
    for number in np.flatnonzero((at >= LEFT) & (at < WIDTH - RIGHT)).tolist():
        is_bar = number % beats.beats_per_bar == 0
        column = pixels[row.top : row.top + height, at[number]]
        column[:] = rgb(mix(STRONG_LINE, "#ffffff", 0.35) if is_bar else STRONG_LINE)


def _notes(
    pixels: Image,
    row: PictureRow,
    part: Part,
    notes: NDArray[np.void],
    colour: str,
    high: int,
    tall: int,
    drums: list[int],
) -> None:
    """The notes of one part: bright where they begin."""
    begins = row.column(notes["start"])
    ends = begins + 4 if part.is_drum else np.maximum(row.column(notes["end"]), begins + 3)
    for begin, end, pitch in zip(begins.tolist(), ends.tolist(), notes["pitch"].tolist(), strict=True):
        first, last = max(begin, LEFT), min(end, WIDTH - RIGHT)
        if last <= first:
            continue
        if part.is_drum:
            top = row.top + tall + GAP + (len(drums) - 1 - drums.index(pitch)) * DRUM_PIXELS
            bottom = top + DRUM_PIXELS - 1
        else:
            top = row.top + (high - pitch) * PIXELS_PER_PITCH
            bottom = top + PIXELS_PER_PITCH
        box = pixels[top:bottom, first:last]
        box[:] = np.rint(rgb(colour) * NOTE_SHARE + box * (1 - NOTE_SHARE)).astype(np.uint8)
        if begin >= LEFT:
            pixels[top:bottom, first : first + 3] = rgb(colour)


def _labels(canvas: Canvas, row: PictureRow, low: int, high: int, transcription: Transcription) -> None:
    """The octaves at the left, and the number of each bar that begins in the row above it."""
    for pitch in range(-(-low // 12) * 12, high + 1, 12):
        y = row.top + (high - pitch + 0.5) * PIXELS_PER_PITCH
        canvas.text(LEFT - 8, y, f"C{pitch // 12 - 1}", size=8, colour=QUIET_TEXT, ha="right")
    bars = transcription.beats.seconds[:: transcription.beats.beats_per_bar]
    for number, x in enumerate(row.column(bars).tolist(), start=1):
        if LEFT <= x < WIDTH - RIGHT - 8:
            canvas.text(x, row.top - 8, str(number), size=7, colour=QUIET_TEXT, ha="left")


def _chords(canvas: Canvas, row: PictureRow, transcription: Transcription) -> None:
    """The chords of a row where they change, as far as there is room."""
    seconds, free = transcription.beats.seconds, LEFT
    for beat, symbol in chord_markers(transcription):
        x = int(row.column(seconds[beat])) if beat < len(seconds) else WIDTH
        if free <= x < WIDTH - RIGHT:
            canvas.text(x, row.top - 8 - CHORD_LINE, symbol, size=8, ha="left")
            free = x + CHORD_LETTER * (len(symbol) + 1)


def _legend(canvas: Canvas, transcription: Transcription) -> None:
    """The parts by colour, and what is shaded, at the right."""
    entries = [(f"{part.name} ({len(part.events)})", _colour(part)) for part in transcription.parts]
    doubtful = len(doubtful_seconds(transcription))
    if doubtful:
        entries.append((f"heard badly ({counted(doubtful, 'bar')})", mix(SURFACE, SHADE, 3 * SHADE_SHARE)))
    right = WIDTH - RIGHT
    for text, colour in reversed(entries):
        left = round(canvas.text(right, 26, text, size=10, ha="right")) - 16
        canvas.pixels[21:31, left : left + 10] = rgb(colour)
        right = left - 16

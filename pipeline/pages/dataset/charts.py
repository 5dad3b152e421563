"""The charts of a prepared set's page: SVG inside the page, the same text for the same music.

They scale with the page, so a phone shows them as well as a wide screen, and hold text that can be read aloud. Each is
drawn on the dark ground of the other pictures, in the colours of the tracks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup, escape

from pipeline.drawing.palette import LINE, QUIET_TEXT, STRONG_LINE, SURFACE, TEXT, mix, track_colour
from pipeline.pages.dataset.counts import MusicCounts
from pipeline.progress import counted

WIDTH = 400
"""Of every chart, in its own units; the page scales it."""
LEFT, RIGHT = 84, 396
"""Between them lie the rows of a chart that has a row a track."""
MAJOR, MINOR = "#ffd166", "#6f8ff7"
BAR = "#5fd3c4"
FIFTHS = ("C", "G", "D", "A", "E", "B", "F#", "Db", "Ab", "Eb", "Bb", "F")
"""Major keys around the circle."""
RELATIVES = ("A", "E", "B", "F#", "C#", "G#", "Eb", "Bb", "F", "C", "G", "D")
"""The minor key that has the same accidentals."""
CLASSES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
FLATS = {"Db": "C#", "D#": "Eb", "Gb": "F#", "G#": "Ab", "A#": "Bb", "Cb": "B", "B#": "C", "Fb": "E", "E#": "F"}
"""Other names of `CLASSES`."""
BLACK = (1, 3, 6, 8, 10)
WIDTHS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
"""Of a histogram's bars, and between the numbers below them."""


class SvgDrawing:
    """An SVG picture out of simple parts; the origin is top left, text is escaped."""

    def __init__(self, height: float) -> None:
        self.height = height
        self.parts: list[str] = []

    def rect(self, x: float, y: float, width: float, height: float, fill: str, hint: str = "", **more: object) -> None:
        """A filled box; `hint` is shown under the pointer."""
        inside = f"<title>{escape(hint)}</title>" if hint else ""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" fill="{fill}"'
            f"{_attributes(more)}>{inside}</rect>"
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str = LINE) -> None:
        """A thin line."""
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{stroke}"/>')

    def text(
        self, x: float, y: float, text: str, fill: str = QUIET_TEXT, anchor: str = "middle", **more: object
    ) -> None:
        """Text whose line is centred on `y`."""
        place = f'x="{x:.1f}" y="{y:.1f}" fill="{fill}" text-anchor="{anchor}"'
        self.parts.append(f"<text {place}{_attributes(more)}>{escape(text)}</text>")

    def shape(self, path: str, fill: str, hint: str) -> None:
        """A filled path."""
        self.parts.append(f'<path d="{path}" fill="{fill}"><title>{escape(hint)}</title></path>')

    def circle(self, x: float, y: float, radius: float, fill: str, stroke: str = "none") -> None:
        """A circle."""
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{fill}" stroke="{stroke}"/>')

    def markup(self, label: str) -> Markup:
        """The picture; `label` says in words what it shows."""
        head = f'<svg viewBox="0 0 {WIDTH} {self.height:g}" role="img" aria-label="{escape(label)}">'
        return Markup(f"{head}{''.join(self.parts)}</svg>")


def _attributes(more: Mapping[str, object]) -> str:
    return "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())


def format_percent(share: float) -> str:
    """`12 %`, `0.4 %`, `< 0.1 %`."""
    if 0 < share < 0.001:
        return "< 0.1\N{NO-BREAK SPACE}%"
    return f"{100 * share:.{1 if 0 < share < 0.01 else 0}f}\N{NO-BREAK SPACE}%"


def histogram(values: Sequence[float], unit: str, thing: str) -> Markup:
    """How many of a `thing` (in the singular) lie at which value; at least one finite value."""
    low, high = min(values), max(values)
    width = next((one for one in WIDTHS if (high - low) / one <= 22), math.ceil((high - low) / 22) or 1)
    first, last = math.floor(low / width), math.floor(high / width)
    if last - first < 5:  # a few bars stand among empty ones rather than filling the picture
        first, last = max(0, first - 3), last + 3
    counts = np.bincount([math.floor(value / width) - first for value in values], minlength=last - first + 1)
    drawing, top, bottom = SvgDrawing(210), 14, 172
    scale, left, right = (bottom - top) / int(counts.max()), 42, 396
    for tick in _ticks(int(counts.max())):
        drawing.line(left, bottom - tick * scale, right, bottom - tick * scale)
        drawing.text(left - 8, bottom - tick * scale, f"{tick:,}", anchor="end")
    step = (right - left) / len(counts)
    every = next((round(one / width) for one in WIDTHS if _fits(one, width, len(counts))), len(counts))
    for index, count in enumerate(counts.tolist()):
        start, x = (first + index) * width, left + index * step
        hint = f"{start:g} to {start + width:g} {unit}: {counted(count, thing)}"
        drawing.rect(x + 1, bottom - count * scale, step - 2, count * scale, BAR, hint, rx=1.5)
        if (first + index) % every == 0:
            drawing.text(x, bottom + 15, f"{start:g}")
    drawing.line(left, bottom, right, bottom, STRONG_LINE)
    drawing.text(right, bottom + 31, unit, anchor="end")
    middle = float(np.median(values))
    return drawing.markup(f"{thing}s by {unit}: from {low:.4g} to {high:.4g}, half of them below {middle:.4g}")


def _fits(distance: float, width: float, bars: int) -> bool:
    """Whether numbers this far apart stand at the edges of bars, seven of them at most."""
    count = distance / width
    return abs(count - round(count)) < 1e-9 and bars <= 7 * count


def _ticks(highest: int) -> list[int]:
    """Two to four round numbers from above 0 to `highest`."""
    step = next(base * 10**power for power in range(12) for base in (1, 2, 5) if highest // (base * 10**power) <= 4)
    return list(range(step, highest + 1, step))


def key_circle(keys: Mapping[str, int]) -> Markup:
    """Circle of fifths: songs by key, each minor key beside the major key of its accidentals."""
    counts: Counter[tuple[int, str]] = Counter()
    for name, songs in keys.items():  # C# major and Db major are one
        tonic, mode = name.split()
        counts[CLASSES.index(FLATS.get(tonic, tonic)), mode] += songs
    most = max(counts.values(), default=1)
    drawing, x, y, inner, outer = SvgDrawing(384), WIDTH / 2, 192.0, 38.0, 148.0
    for share in (0.5, 1.0):
        drawing.circle(x, y, inner + share * (outer - inner), "none", LINE)
    for sector in range(12):
        for half, (tonic, mode) in enumerate(((FIFTHS[sector], "major"), (RELATIVES[sector], "minor"))):
            count = counts.get((CLASSES.index(FLATS.get(tonic, tonic)), mode), 0)
            middle = math.radians(30 * sector - 7 + 15 * half)
            radius = inner + (outer - inner) * count / most
            if count:
                hint = f"{tonic} {mode}: {counted(count, 'song')}"
                drawing.shape(_wedge(x, y, inner, radius, middle), MINOR if half else MAJOR, hint)
            label, colour = (f"{tonic}m", QUIET_TEXT) if half else (tonic, TEXT)
            place = outer + 17
            drawing.text(
                x + place * math.sin(middle), y - place * math.cos(middle), label, colour if count else STRONG_LINE
            )
    drawing.circle(x, y, inner - 2, SURFACE, LINE)
    drawing.text(WIDTH - 4, 376, f"outer ring: {most:,}", anchor="end")
    for at, (colour, name) in enumerate(((MAJOR, "major"), (MINOR, "minor"))):
        drawing.rect(8, 8 + 18 * at, 11, 11, colour, rx=2)
        drawing.text(25, 14 + 18 * at, name, TEXT, "start")
    named = ", ".join(f"{name} {count:,}" for name, count in sorted(keys.items(), key=lambda one: (-one[1], one[0])))
    return drawing.markup(f"Songs by key: {named}")


def _wedge(x: float, y: float, inner: float, outer: float, middle: float) -> str:
    """A piece of a ring, 13 degrees wide."""
    begin, end = middle - math.radians(6.5), middle + math.radians(6.5)
    corners = [
        (x + radius * math.sin(angle), y - radius * math.cos(angle))
        for radius, angle in ((inner, begin), (outer, begin), (outer, end), (inner, end))
    ]
    a, b, c, d = (f"{one:.1f} {other:.1f}" for one, other in corners)
    return f"M{a}L{b}A{outer:.1f} {outer:.1f} 0 0 1 {c}L{d}A{inner:.1f} {inner:.1f} 0 0 0 {a}Z"


def pitch_class_bars(music: MusicCounts) -> Markup:
    """The share of each of the twelve notes, whatever its octave."""
    counts = music.pitch_classes()
    shares = counts / max(counts.sum(), 1)
    drawing, top, bottom, left, right = SvgDrawing(210), 26, 172, 4, 396
    step, most = (right - left) / 12, max(float(shares.max()), 1e-9)
    for index, share in enumerate(shares.tolist()):
        x, height = left + index * step, (bottom - top) * share / most
        colour = mix(MAJOR, SURFACE, 0.55) if index in BLACK else MAJOR
        drawing.rect(
            x + 3, bottom - height, step - 6, height, colour, f"{CLASSES[index]}: {format_percent(share)}", rx=1.5
        )
        drawing.text(x + step / 2, bottom - height - 9, f"{100 * share:.0f}", font_size=11)
        drawing.text(x + step / 2, bottom + 16, CLASSES[index], TEXT if index not in BLACK else QUIET_TEXT)
    drawing.line(left, bottom, right, bottom, STRONG_LINE)
    drawing.text(right, bottom + 32, "% of notes", anchor="end")
    said = ", ".join(f"{name} {format_percent(share)}" for name, share in zip(CLASSES, shares.tolist(), strict=True))
    return drawing.markup(f"Share of each note: {said}")


def pitch_range_strips(music: MusicCounts) -> Markup:
    """A strip a pitched track over a keyboard: the brighter a key, the more of the track's notes lie there."""
    spec = music.spec
    used = np.flatnonzero(music.by_pitch[list(spec.pitched)].sum(axis=0))
    low, high = (int(used[0]), int(used[-1])) if len(used) else (0, spec.num_pitches - 1)
    low -= (spec.lowest_pitch + low) % 12  # begin on a C
    high = max(high, low + 23)
    row, key = 30, (RIGHT - LEFT) / (high - low + 1)
    drawing = SvgDrawing(8 + row * len(spec.pitched) + 46)
    for line, track in enumerate(spec.pitched):
        top, counts = 8 + line * row, music.by_pitch[track]
        drawing.text(LEFT - 10, top + row / 2 - 3, _short(spec.tracks[track].name), TEXT, "end")
        drawing.rect(LEFT, top, RIGHT - LEFT, row - 6, SURFACE)
        for pitch in range(max(low, 0), min(high, spec.num_pitches - 1) + 1):
            if counts[pitch]:
                name, count = note_name(pitch + spec.lowest_pitch), int(counts[pitch])
                strength = 0.12 + 0.88 * math.sqrt(count / int(counts.max()))
                drawing.rect(
                    LEFT + (pitch - low) * key, top, key + 0.15, row - 6, track_colour(track),
                    f"{name}: {format_percent(count / int(counts.sum()))}", fill_opacity=f"{strength:.2f}",
                )  # fmt: skip
    top = 10 + row * len(spec.pitched)
    for pitch in range(low, high + 1):
        midi, x = pitch + spec.lowest_pitch, LEFT + (pitch - low) * key
        drawing.rect(x + 0.2, top, key - 0.4, 18, "#050608" if midi % 12 in BLACK else "#d9d6cf")
        if midi % 12 == 0:
            drawing.text(x + key / 2, top + 30, note_name(midi))
    said = []
    for track in spec.pitched:
        found = music.pitch_range(track)
        between = "silent" if found is None else f"{note_name(found[0])} to {note_name(found[2])}"
        said.append(f"{spec.tracks[track].name} {between}")
    return drawing.markup(f"Pitches of each track: {', '.join(said)}")


def rhythm_rows(music: MusicCounts) -> Markup:
    """A row a track: how often a note begins at each step of the bar, beside the track's own busiest step."""
    spec = music.spec
    row, step = 42, (RIGHT - LEFT) / spec.steps_per_bar
    drawing = SvgDrawing(8 + row * spec.num_tracks + 26)
    bottom_of_all = 8 + row * spec.num_tracks
    for beat in range(spec.beats_per_bar):
        x = LEFT + beat * spec.steps_per_beat * step
        drawing.line(x, 4, x, bottom_of_all, STRONG_LINE if beat == 0 else LINE)
        drawing.text(x + step / 2, bottom_of_all + 13, f"{beat + 1}")
    for track in range(spec.num_tracks):
        bottom, counts = 8 + (track + 1) * row - 6, music.by_step[track]
        drawing.text(LEFT - 10, bottom - row / 2 + 6, _short(spec.tracks[track].name), TEXT, "end")
        drawing.line(LEFT, bottom, RIGHT, bottom)
        for place, count in enumerate(counts.tolist()):
            height = (row - 10) * count / max(int(counts.max()), 1)
            beat, part = divmod(place, spec.steps_per_beat)
            where = f"beat {beat + 1}" + (f" and {part}/{spec.steps_per_beat}" if part else "")
            hint = f"{where}: {format_percent(count / max(int(counts.sum()), 1))} of its notes"
            gap = min(1.0, step / 8)
            drawing.rect(LEFT + place * step + gap, bottom - height, step - 2 * gap, height, track_colour(track), hint)
    return drawing.markup("Where in the bar the notes of each track begin")


def together_rows(music: MusicCounts, most: int = 8) -> Markup:
    """The tracks that sound together in a phrase: a dot for each, and a bar for how often."""
    spec = music.spec
    found = music.together(most)
    left = 24 + 22 * spec.num_tracks
    rest = 1 - sum(share for _, share in found)
    drawing = SvgDrawing(12 + 27 * len(found) + 20 * (rest > 0.0005))
    for line, (tracks, share) in enumerate(found):
        y = 20 + 27 * line
        names = " + ".join(spec.tracks[track].name for track in tracks) or "silence"
        for track in range(spec.num_tracks):
            plays = track in tracks
            drawing.circle(20 + 22 * track, y, 7 if plays else 2.5, track_colour(track) if plays else STRONG_LINE)
        width = (WIDTH - 50 - left) * share / found[0][1]
        drawing.rect(left, y - 8, width, 16, mix(BAR, SURFACE, 0.25), f"{names}: {format_percent(share)}", rx=2)
        drawing.text(left + width + 8, y, format_percent(share), TEXT, "start")
    if rest > 0.0005:
        drawing.text(left, 20 + 27 * len(found), f"{format_percent(rest)} are others", anchor="start")
    said = "; ".join(
        f"{', '.join(spec.tracks[t].name for t in tracks)}: {format_percent(share)}" for tracks, share in found
    )
    return drawing.markup(f"Tracks that sound together, by share of phrases: {said}")


def note_name(pitch: int) -> str:
    """`C4` for MIDI pitch 60."""
    return f"{CLASSES[pitch % 12]}{pitch // 12 - 1}"


def _short(name: str) -> str:
    """A track's name in the room beside a row."""
    return name if len(name) <= 11 else f"{name[:10]}…"

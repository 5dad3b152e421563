"""Tempo, slowing down, mode and key of a song, and the key in which its instruments lie well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gan.spec import RollSpec
from pipeline.scores.keys import Key, into_range, transpose_notes
from pipeline.scores.notes import Notes

ACCIDENTALS = (0, 5, 2, 3, 4, 1, 6, 1, 4, 3, 2, 5)
"""Sharps or flats of the major key on each pitch class."""
INSTRUMENT_RANGES = {
    32: (28, 60), 33: (28, 60), 40: (55, 91), 41: (48, 84), 42: (36, 72), 43: (28, 60), 56: (54, 82), 57: (40, 70),
    58: (26, 58), 60: (41, 77), 65: (49, 81), 68: (58, 86), 70: (34, 70), 71: (50, 84), 73: (60, 91),
}  # fmt: skip
"""Comfortable MIDI pitches of General MIDI programs (0 to 127) whose instruments have narrow ones."""
MARGIN = 2
"""Semitones that a track may leave the range it has in the data."""
TEMPO_SPREAD = 0.12
"""Share by which tempi of songs differ where the data set names just one."""


def draw_mode(modes: Mapping[str, int], random: np.random.Generator) -> bool:
    """Whether a song is in minor, as often as the data's songs are."""
    major, minor = modes.get("major", 0), modes.get("minor", 0)
    return bool(random.random() * max(1, major + minor) < minor)


def draw_tempo(usual_bpm: float | None, quantiles: Mapping[str, float], random: np.random.Generator) -> float:
    """A tempo: near the data set's usual one where it names one, else as the training songs' are spread."""
    if usual_bpm is not None:
        return usual_bpm * float(1 + TEMPO_SPREAD * random.uniform(-1, 1))
    shares = sorted((float(share), tempo) for share, tempo in quantiles.items())
    if not shares:
        return 100.0
    at = float(random.uniform(0.05, 0.95))
    tempo = float(np.interp(at, [share for share, _ in shares], [tempo for _, tempo in shares]))
    return float(np.clip(tempo, 40, 220))


def ritardando(tempo_bpm: float, num_bars: int, spec: RollSpec, amount: float) -> tuple[tuple[int, float], ...]:
    """The tempo map of a song that slows down in the bar before its last and holds its last chord.

    With `amount` 0 there is one tempo. At 1 the last bar is an eighth slower.
    """
    if amount == 0 or num_bars < 3:
        return ((0, tempo_bpm),)
    start = (num_bars - 2) * spec.steps_per_bar
    beats = spec.beats_per_bar
    slowing = [
        (start + beat * spec.steps_per_beat, tempo_bpm * (1 - 0.1 * amount * beat / beats)) for beat in range(1, beats)
    ]
    last = ((num_bars - 1) * spec.steps_per_bar, tempo_bpm * (1 - 0.125 * amount))
    return ((0, tempo_bpm), *slowing, last)


def comfortable_ranges(sounding: Any, programs: Sequence[int], spec: RollSpec) -> list[tuple[int, int]]:
    """Lowest and highest MIDI pitch at which each track sounds like itself.

    Parameters
    ----------
    sounding
        `[tracks][pitches]`, how often each pitch sounds in the data.
    programs, spec
        Instruments and tracks; an instrument's own range counts where it leaves an octave of the data's.
    """
    ranges = []
    for rates, program in zip(np.asarray(sounding, dtype=np.float64), programs, strict=True):
        share = np.cumsum(rates) / max(rates.sum(), 1e-12)
        low = int(np.searchsorted(share, 0.01)) + spec.lowest_pitch - MARGIN
        high = int(np.searchsorted(share, 0.99)) + spec.lowest_pitch + MARGIN
        least, most = INSTRUMENT_RANGES.get(program, (low, high))
        if min(high, most) - max(low, least) >= 12:
            low, high = max(low, least), min(high, most)
        ranges.append((low, high))
    return ranges


def share_out_of_range(notes: Notes, ranges: Sequence[tuple[int, int]], spec: RollSpec) -> float:
    """The largest share of a pitched track's notes that lie outside its range."""
    worst = 0.0
    for track in spec.pitched:
        pitches = notes["pitch"][notes["track"] == track]
        if len(pitches):
            low, high = ranges[track]
            worst = max(worst, float(np.mean((pitches < low) | (pitches > high))))
    return worst


def choose_shift(
    notes: Notes,
    home: Key,
    requested: Key | None,
    ranges: Sequence[tuple[int, int]],
    spec: RollSpec,
    random: np.random.Generator,
) -> int:
    """Semitones that move a song from its home key to its own.

    Parameters
    ----------
    notes, home
        The song and the key it was made in.
    requested
        The key requested, or None to draw one in which the tracks lie well, simple keys more often.
    ranges, spec
        Of the tracks, see `comfortable_ranges`.
    random
        Draws the key.
    """
    if requested is not None:
        up = (requested.tonic - home.tonic) % 12
        return min(
            (up, up - 12),
            key=lambda shift: (share_out_of_range(transpose_notes(notes, shift, spec), ranges, spec), abs(shift)),
        )
    shifts = np.arange(-6, 6)
    relative = 3 * home.is_minor  # a minor key has the accidentals of the major key three semitones higher
    costs = [
        8 * share_out_of_range(transpose_notes(notes, int(shift), spec), ranges, spec)
        + abs(int(shift)) / 12
        + ACCIDENTALS[(home.tonic + int(shift) + relative) % 12] / 4
        for shift in shifts
    ]
    weights = np.exp(-2 * np.array(costs))
    return int(random.choice(shifts, p=weights / weights.sum()))


def transpose_into_range(notes: Notes, shift: int, spec: RollSpec) -> Notes:
    """The notes moved by `shift` semitones; what would leave the roll is kept in it by octaves."""
    return into_range(transpose_notes(notes, shift, spec), spec)

"""Quantisation: which bars of a score are in the metre that is asked for, and their notes on the grid of steps."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from gan.spec import RollSpec
from pipeline.errors import UnusableError
from pipeline.scores.downbeats import estimate_downbeat
from pipeline.scores.notes import Notes, cut_columns
from pipeline.scores.score import MAX_BARS, Metre, Score
from pipeline.scores.tracks import AssignedPart

TINY = 1e-3
"""Quarter notes; differences below come from rounding in files."""


@dataclass(frozen=True)
class BarSpan:
    """Bars of one metre in a row."""

    start: float
    """Where its first bar starts, in quarter notes."""
    bars: int
    first_bar: int
    """How many bars of the song come before, a pickup not counted."""


def usable_spans(score: Score, spec: RollSpec, trust_metre: bool) -> list[BarSpan]:
    """The spans of at least `spec.bars` bars that have `spec.beats_per_bar` quarter notes a bar.

    2/2 counts as 4/4, but 6/8 is not 3/4: its bars are as long, its beats are others. Where a metre can't be trusted,
    the whole score is one span and its downbeat is estimated.

    Raises
    ------
    UnusableError
        There is none: another metre, too short, or longer than any music is.
    """
    bar_length = float(spec.beats_per_bar)
    end = score.end
    if end > MAX_BARS * bar_length:
        raise UnusableError(f"too long: {end / bar_length:,.0f} bars")
    if not trust_metre:
        start = estimate_downbeat(score, spec.beats_per_bar)
        metres: tuple[Metre, ...] = (Metre(start, spec.beats_per_bar, 4),)
    else:
        metres = merge_metres(score.metres)
    beats: defaultdict[str, float] = defaultdict(float)
    spans, first_bar = [], 0
    for metre, following in zip(metres, [*metres[1:], None], strict=True):
        stop = min(following.start, end) if following else end
        length = max(stop - metre.start, 0.0)
        beats[str(metre)] += length
        # the last bar of a song counts whole, what another metre cuts off does not
        bars = (
            int(np.ceil((length - TINY) / metre.bar_length))
            if stop == end
            else int((length + TINY) // metre.bar_length)
        )
        if abs(metre.bar_length - bar_length) < TINY and not metre.is_compound:
            spans.append(BarSpan(metre.start, max(bars, 0), first_bar))
        first_bar += max(bars, 0)
    if not spans or not any(one.bars for one in spans):
        wanted, found = f"{spec.beats_per_bar}/4", max(beats, key=lambda name: beats[name])
        if found != wanted:
            raise UnusableError(f"not {wanted} (is {found})")
    usable = [one for one in spans if one.bars >= spec.bars]
    if not usable:
        longest = max(one.bars for one in spans)
        raise UnusableError(f"too short: {longest} bar{'s' if longest != 1 else ''}")
    return usable


def merge_metres(metres: tuple[Metre, ...]) -> tuple[Metre, ...]:
    """Metres without those that only repeat the one before, on one of its bar lines, or last no time at all."""
    merged: list[Metre] = []
    for metre in metres:
        if merged and metre.start - merged[-1].start < TINY:
            merged.pop()
        if merged:
            bars = (metre.start - merged[-1].start) / merged[-1].bar_length
            on_line = abs(bars - round(bars)) * merged[-1].bar_length < TINY
            alike = metre.is_compound == merged[-1].is_compound
            if on_line and alike and abs(metre.bar_length - merged[-1].bar_length) < TINY:
                continue
        merged.append(metre)
    return tuple(merged)


def quantise(parts: list[AssignedPart], span: BarSpan, spec: RollSpec) -> Notes:
    """Quantised notes: those that start in `span`, onsets counted in steps from its first bar line, in canonical order.

    Onset and end go to the nearest step, and every note lasts a step at least. Notes of one track and pitch that
    touch stay two; where they overlap the later cuts the earlier. Drum hits last one step. Pitches may lie outside
    the range of `spec`.
    """
    first, duration = (np.concatenate([part.events[name] for part in parts]) for name in ("onset", "duration"))
    pitch = np.concatenate([part.events["pitch"] for part in parts], dtype=np.int64)
    counts = [len(part.events) for part in parts]
    num_steps = span.bars * spec.steps_per_bar
    first -= span.start
    onset = to_steps(first, spec)
    length = np.maximum(np.minimum(to_steps(first + duration, spec), num_steps) - onset, 1)
    track = np.repeat([part.track for part in parts], counts)
    for drum in (index for index, one in enumerate(spec.tracks) if one.is_drum):
        length[track == drum] = 1
    inside = (onset >= 0) & (onset < num_steps)
    if not inside.all():
        track, pitch, onset, length = (column[inside] for column in (track, pitch, onset, length))
    return cut_columns(track, pitch, onset, length)


def to_steps(
    quarters: np.ndarray[tuple[int], np.dtype[np.float64]], spec: RollSpec
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The nearest steps; what lies exactly between two goes to the later."""
    steps = quarters * spec.steps_per_beat
    steps += 0.5 + TINY
    return np.floor(steps, out=steps).astype(np.int64)

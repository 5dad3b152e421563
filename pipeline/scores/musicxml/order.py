"""The signs of all parts of a MusicXML score about the order of playing, measure by measure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.scores.musicxml.directions import WrittenMarks
from pipeline.scores.musicxml.measures import Measure
from pipeline.scores.repeats import MeasureMarks
from pipeline.scores.score import TINY


def measure_marks(columns: Sequence[Sequence[Measure | None]]) -> list[MeasureMarks]:
    """The repeats, endings and jumps of a score, put together from its parts; nothing where it has none.

    Some programs write a sign in every part, some in the first only. A coda sign of which nothing says what it means
    leads to the coda where it is the first of several, and begins it where it is the last.

    Parameters
    ----------
    columns
        For each measure what each part has there.
    """
    if all(measure is None or measure.marks == WrittenMarks() for column in columns for measure in column):
        return []
    count = len(columns)
    begins, times, after_jump = [False] * count, [0] * count, [False] * count
    names: list[dict[str, str]] = [{} for _ in columns]
    bare_codas: dict[int, bool] = {}
    for index, column in enumerate(columns):
        for measure in column:
            if measure is None:
                continue
            marks = measure.marks
            begins[index] |= marks.begins_repeat
            if marks.begins_next and index + 1 < count:
                begins[index + 1] = True
            times[index] = max(times[index], marks.times)
            if index:
                times[index - 1] = max(times[index - 1], marks.ends_last)
            after_jump[index] |= marks.repeats_after_jump
            for kind, (name, at) in marks.jumps.items():
                at_end = kind in ("segno", "coda") and at > measure.length - TINY and measure.length > 0
                names[min(index + at_end, count - 1)].setdefault(kind, name)
            for at in marks.bare_codas:
                bare_codas[index] = at < TINY
    _place_codas(names, bare_codas)
    endings = _endings(columns, times)
    return [
        MeasureMarks(
            begins[index],
            times[index],
            endings[index],
            segno=own.get("segno", ""),
            coda=own.get("coda", ""),
            to_coda=own.get("to_coda", ""),
            dal_segno=own.get("dal_segno", ""),
            da_capo="da_capo" in own,
            fine="fine" in own,
            repeats_after_jump=after_jump[index],
        )
        for index, own in enumerate(names)
    ]


def _place_codas(names: list[dict[str, str]], bare: dict[int, bool]) -> None:
    """Say what bare coda signs mean; `bare` has their measures, and whether they stand at the beginning of them."""
    leads = any("to_coda" in own for own in names)
    places = sorted(bare)
    for index in places[:-1] if not leads else []:
        # a sign at a measure's beginning stands on the bar line before it
        names[max(index - bare[index], 0)].setdefault("to_coda", "1")
    if len(places) > 1 or (places and leads):
        names[places[-1]].setdefault("coda", "1")


def _endings(columns: Sequence[Sequence[Measure | None]], times: list[int]) -> list[frozenset[int]]:
    """The numbers of the bracket over each measure."""
    starts: list[str | None] = [None] * len(columns)
    stops = [False] * len(columns)
    for index, column in enumerate(columns):
        for measure in column:
            if measure is not None:
                starts[index] = starts[index] if measure.marks.ending is None else measure.marks.ending
                stops[index] |= measure.marks.stops_ending
                if index:
                    stops[index - 1] |= measure.marks.stops_last_ending
    found: list[frozenset[int]] = [frozenset()] * len(columns)
    for first, text in enumerate(starts):
        if text is None:
            continue
        following = next((at for at in range(first + 1, len(columns)) if starts[at] is not None), len(columns))
        under = range(first, following)
        ends = [at for at in under if stops[at]] or [at for at in under if times[at]]
        last = ends[0] if ends else first
        if following < len(columns) and times[following - 1] and not any(times[first:last]):
            last = following - 1  # a bracket that is drawn too short, up to the next one
        numbers = _numbers(text) or frozenset({max(found[first - 1], default=0) + 1 if first else 1})
        found[first : last + 1] = [numbers] * (last + 1 - first)
    return found


def _numbers(text: str) -> frozenset[int]:
    """The times through a passage that a bracket names: `1`, `1, 2`, `1.-3.`."""
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:\s*\.?\s*[-\u2013]\s*(\d+))?", text):
        low, high = int(first), int(last or first)
        numbers |= set(range(low, high + 1)) if 0 < low <= high < 100 else set()
    return frozenset(numbers)

"""ABC tunes to scores, by music21."""

from __future__ import annotations

import re
import warnings
from typing import Any

from pipeline.errors import UnusableError
from pipeline.formats import printable
from pipeline.scores.score import Metre, Part, Score, make_events

COMMON_TIME = (Metre(0.0, 4, 4),)
"""The metre of a tune that names none."""


def read_abc(content: bytes, title: str, limit: int) -> list[Score]:
    """The tunes in the bytes of an ABC file; a tune that can't be read is left out while another can.

    Raises
    ------
    UnusableError
        No tune can be read.
    """
    text = content.decode("utf-8", "replace")
    if not re.search(r"^K:", text, re.MULTILINE):
        raise UnusableError("broken file: no ABC tune (no K: line)")
    heads = [match.start() for match in re.finditer(r"^X:", text, re.MULTILINE)] or [0]
    tunes = [text[start:end] for start, end in zip(heads, [*heads[1:], len(text)], strict=True)]
    scores = []
    reason = "no notes"
    for tune in tunes:
        try:
            scores.append(_read_tune(tune, title))
        except Exception as error:  # music21 raises dozens of kinds on damaged tunes
            lines = str(error).strip().splitlines()
            reason = printable(lines[0])[:100] if lines else type(error).__name__
    if not scores:
        raise UnusableError(f"broken file: {reason}")
    return scores


def _read_tune(text: str, title: str) -> Score:
    """One tune, its ties joined."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from music21 import converter

        stream = converter.parseData(text, format="abc")
        parts = tuple(_part(part) for part in (stream.parts or [stream]))
        marks = stream.recurse().getElementsByClass("MetronomeMark")
        tempos = [(float(mark.getOffsetInHierarchy(stream)), mark.getQuarterBPM()) for mark in marks]
        first = (stream.parts or [stream])[0]
        metres = _metres(first)
    named = re.search(r"^T:(.*)$", text, re.MULTILINE)
    fixed = tuple((start, float(bpm)) for start, bpm in sorted(tempos) if bpm and 1 < bpm < 2000)
    return Score((printable(named[1]) if named else "") or title, parts, metres, fixed)


def _part(part: Any) -> Part:
    rows = []
    flat = part.stripTies().flatten()
    for note in flat.notes:
        if note.duration.isGrace or type(note).__name__ == "ChordSymbol":
            continue
        rows += [(float(note.offset), float(note.quarterLength), pitch.midi, 80) for pitch in note.pitches]
    columns = tuple(zip(*rows, strict=True)) if rows else ((), (), (), ())
    return Part(printable(part.partName or ""), 0, False, make_events(*columns))


def _metres(part: Any) -> tuple[Metre, ...]:
    from pipeline.scores.score import bar_lines

    measures = []
    numerator, denominator = 4, 4
    for measure in part.getElementsByClass("Measure"):
        if measure.timeSignature is not None:
            numerator, denominator = measure.timeSignature.numerator, measure.timeSignature.denominator
        measures.append((float(measure.offset), float(measure.duration.quarterLength), numerator, denominator))
    if not measures:  # music21 makes none of a tune with hardly a bar line
        signatures = part.getElementsByClass("TimeSignature")
        return tuple(Metre(float(one.offset), one.numerator, one.denominator) for one in signatures) or COMMON_TIME
    return tuple(bar_lines(measures))

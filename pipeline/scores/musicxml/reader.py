"""MusicXML files (plain or zipped) to scores: the notes of all parts on one time line.

Only what sounds is read: notes, ties, chords, voices, transposing instruments, percussion, metres and tempos. Repeats,
endings and jumps are played out where that is asked for; grace notes and cue notes are left out.
"""

from __future__ import annotations

import gc
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from xml.etree.ElementTree import Element

import numpy as np

from pipeline.errors import UnusableError
from pipeline.formats import printable
from pipeline.scores.chords.symbols import Chord
from pipeline.scores.musicxml.container import read_root
from pipeline.scores.musicxml.measures import START, STOP, Measure, MeasureReader, WrittenNote
from pipeline.scores.musicxml.order import measure_marks
from pipeline.scores.musicxml.part_list import PartHead, read_part_list
from pipeline.scores.repeats import playing_order
from pipeline.scores.score import (
    DEFAULT_BPM,
    NAMED_INSTRUMENTS,
    TINY,
    Metre,
    Part,
    Score,
    WrittenVoices,
    bar_lines,
    make_events,
)

VELOCITY = 80
"""Of all notes: what is drawn says little about it."""
MOST_KNOCKS = 0.1
"""Share of the notes of a part; with more of them it is one of percussion too."""
VOICES = (52, 53, 54)
"""Programs of voices; a part that is called after one needs no instrument."""


def read_musicxml(content: bytes, title: str, limit: int, play_repeats: bool = True) -> list[Score]:
    """The score in the bytes of a MusicXML file.

    Parameters
    ----------
    content, title
        The file, and how the score is called where it does not say so.
    limit
        Bytes at most when unzipped.
    play_repeats
        Repeats, endings and jumps are played out; false leaves the measures as they are written.

    Raises
    ------
    UnusableError
        The bytes are not those of a MusicXML file.
    """
    with _without_garbage_collection():
        return [_read(content, title, limit, play_repeats)]


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """No search for circles of references: thousands of elements set it off, and there are none in them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read(content: bytes, title: str, limit: int, play_repeats: bool) -> Score:
    root, remarks = read_root(content, limit)
    try:
        heads, mended = read_part_list(root)
        readers = [MeasureReader(heads.get(name) or PartHead(""), measures) for name, measures in _parts_of(root)]
    except (ValueError, ZeroDivisionError, KeyError) as error:
        raise UnusableError(f"broken file: a number in it makes no sense ({printable(str(error))})") from error
    mended += _leave_out_knocks(readers)
    columns = _aligned([reader.measures for reader in readers])
    if not columns:
        raise UnusableError("no notes")
    order = list(range(len(columns)))
    marks = measure_marks(columns) if play_repeats else []
    try:
        order = playing_order(marks) if marks else order
    except ValueError as error:
        mended += (f"its repeats are left as written ({error})",)
    timeline = _Timeline(columns, order)
    parts = tuple(
        part
        for index, reader in enumerate(readers)
        for part in _sounding_parts(index, reader.head, timeline.notes_of(index), timeline.rests_of(index))
    )
    named = root.findtext("work/work-title") or root.findtext("movement-title") or ""
    named = re.sub(r"\.(mxl|xml|musicxml)$", "", printable(named))
    remarks += mended + _remarks(readers)
    sung = {onset for index in range(len(readers)) for onset, note in timeline.notes_of(index) if note.is_sung}
    return Score(
        title=named or title,
        parts=parts,
        metres=timeline.metres(),
        tempos=timeline.tempos(),
        remarks=remarks,
        syllables=tuple(sorted(sung)),
        chords=timeline.chords(),
    )


def _parts_of(root: Element) -> list[tuple[str, list[tuple[Element, Element]]]]:
    """The id of each part, and its measures: the elements with their attributes and with their content."""
    if root.tag == "score-partwise":
        return [(part.get("id", ""), [(one, one) for one in part.findall("measure")]) for part in root.findall("part")]
    parts: dict[str, list[tuple[Element, Element]]] = {}
    for measure in root.findall("measure"):
        for part in measure.findall("part"):
            parts.setdefault(part.get("id", ""), []).append((measure, part))
    return list(parts.items())


Column = Sequence[Measure | None]
"""The same measure in all parts; None in those that end before or leave it out."""


def _aligned(parts: list[list[Measure]]) -> list[Column]:
    """The measures of all parts side by side: in turn, or by their numbers where a part leaves some out."""
    longest = max(parts, key=len, default=[])
    places = {measure.number: index for index, measure in enumerate(longest)}
    columns: list[list[Measure | None]] = [[None] * len(parts) for _ in longest]
    for part, measures in enumerate(parts):
        numbers = [measure.number for measure in measures]
        at = list(range(len(measures)))
        if len(measures) < len(longest) == len(places) and len(set(numbers)) == len(numbers):
            at = [places[number] for number in numbers] if places.keys() >= set(numbers) else at
        for place, measure in zip(at, measures, strict=True):
            columns[place][part] = measure
    return list(columns)


Sounding = tuple[float, WrittenNote]
"""Where a note begins on the time line, and what is written."""


class _Timeline:
    """Measures in the order of playing, and where each starts in quarter notes."""

    def __init__(self, columns: list[Column], order: list[int]) -> None:
        self.columns, self.order = columns, order
        self.heads = [next(measure for measure in column if measure is not None) for column in columns]
        self.lengths = [_length(column, head) for column, head in zip(columns, self.heads, strict=True)]
        self.starts: list[float] = []
        now = 0.0
        for index in order:
            self.starts.append(now)
            now += self.lengths[index]

    def metres(self) -> tuple[Metre, ...]:
        """Where bars are counted from; a measure without a metre is a bar of its own length."""
        return tuple(
            bar_lines(
                [
                    (start, self.lengths[index], *_metre_of(self.heads[index], self.lengths[index]))
                    for start, index in zip(self.starts, self.order, strict=True)
                ]
            )
        )

    def tempos(self) -> tuple[tuple[float, float], ...]:
        """Quarter notes a minute and from where on; after a repeat or a jump the tempo of the place gone to."""
        written, before = self._written_tempos()
        found: list[tuple[float, float]] = []
        for visit, (start, index) in enumerate(zip(self.starts, self.order, strict=True)):
            came_by_jump = visit > 0 and index != self.order[visit - 1] + 1
            now = before[index]
            if came_by_jump and now is not None and found and found[-1][1] != now:
                found.append((start, now))
            found += [(start + at, bpm) for at, bpm in written[index]]
        return tuple(sorted(found, key=lambda one: one[0]))

    def chords(self) -> tuple[tuple[float, Chord | None], ...]:
        """The chord symbols of the part that has most; after a repeat or a jump the chord of the place gone to."""
        of_parts = [
            [[] if measure is None else measure.chords for measure in part] for part in zip(*self.columns, strict=True)
        ]
        written = max(of_parts, key=lambda part: sum(map(len, part)))
        before: list[Chord | None] = []
        current: Chord | None = None
        for own in written:
            before.append(current)
            current = own[-1][1] if own else current
        found: list[tuple[float, Chord | None]] = []
        for visit, (start, index) in enumerate(zip(self.starts, self.order, strict=True)):
            came_by_jump = visit > 0 and index != self.order[visit - 1] + 1
            if came_by_jump and before[index] is not None and not (written[index] and written[index][0][0] < TINY):
                found.append((start, before[index]))
            found += [(start + at, chord) for at, chord in written[index]]
        return tuple(sorted(found, key=lambda one: one[0]))

    def _written_tempos(self) -> tuple[list[list[tuple[float, float]]], list[float | None]]:
        """The tempos of each measure as written, and the one that holds when it begins."""
        current: float | None = None
        written: list[list[tuple[float, float]]] = []
        before = []
        for column in self.columns:
            before.append(current)
            marks = [mark for measure in column if measure is not None for mark in measure.tempos]
            own: dict[float, float] = {}
            # what is meant for playing comes last and so wins over what is drawn at the same place
            for mark in sorted(marks, key=lambda mark: (round(mark.at, 6), mark.is_sound)):
                bpm = mark.bpm if mark.bpm is not None else (current or DEFAULT_BPM) * mark.ratio
                at = round(mark.at, 6)
                if mark.bpm is None and at in own:
                    continue
                if 1 < bpm < 2000:
                    own[at] = current = bpm
            written.append(list(own.items()))
        return written, before

    def notes_of(self, part: int) -> list[Sounding]:
        """The notes of a part in the order of playing."""
        return [
            (start + note.onset, note)
            for start, index in zip(self.starts, self.order, strict=True)
            if (measure := self.columns[index][part]) is not None
            for note in measure.notes
        ]

    def rests_of(self, part: int) -> list[tuple[float, float, str, str]]:
        """The drawn rests of a part: onset, length, staff and voice."""
        return [
            (start + rest.onset, rest.length, rest.staff, rest.voice)
            for start, index in zip(self.starts, self.order, strict=True)
            if (measure := self.columns[index][part]) is not None
            for rest in measure.rests
        ]


def _length(column: Column, head: Measure) -> float:
    """How long a measure is that the parts fill differently: that of its metre where a part fills it, else of most.

    Parts that rest count where all do; a rest may be written longer than the bar it fills.
    """
    lengths = [measure.length for measure in column if measure is not None and measure.notes]
    rests = [measure.length for measure in column if measure is not None and measure.length > 0]
    if not lengths and head.is_free:
        return max(rests, default=0.0)
    if not lengths:
        lengths = [min(length, head.bar_length) for length in rests]
    if not lengths:
        return 0.0 if head.is_implicit else head.bar_length
    if any(abs(length - head.bar_length) < TINY for length in lengths):
        return head.bar_length
    counts = Counter(round(length, 6) for length in lengths)
    most = max(counts.values())
    return max(length for length in lengths if counts[round(length, 6)] == most)


def _metre_of(measure: Measure, length: float) -> tuple[int, int]:
    if not measure.is_free or length <= 0:
        return measure.numerator, measure.denominator
    unit = next((unit for unit in (4, 8, 16, 32) if abs(length * unit / 4 - round(length * unit / 4)) < 1e-3), 64)
    return max(round(length * unit / 4), 1), unit


def _sounding_parts(
    index: int, head: PartHead, notes: list[Sounding], rests: list[tuple[float, float, str, str]]
) -> Iterator[Part]:
    """A written part as one part for each instrument in it: what is struck apart from what has a pitch."""
    kinds = {(sound.program, sound.is_drum) for sound in head.sounds}
    by_sound: dict[tuple[int, bool], list[Sounding]] = {}
    if len(kinds) == 1:
        by_sound[kinds.pop()] = notes
    else:
        for one in notes:
            by_sound.setdefault((one[1].sound.program, one[1].sound.is_drum), []).append(one)
    if not by_sound:
        sound = head.sound("", is_unpitched=False)
        by_sound[sound.program, sound.is_drum] = []
    group = index if len(by_sound) > 1 else None
    tied = {kind: _tied(own) for kind, own in by_sound.items()}
    staves, voices = (_numbered({row[column] for rows in tied.values() for row in rows}) for column in (4, 5))
    for (program, is_drum), rows in tied.items():
        events = make_events(*list(zip(*rows, strict=True))[:4]) if rows else make_events((), (), (), ())
        written = None if is_drum or not rows else _written(rows, rests, staves, voices)
        yield Part(head.name, program, is_drum, events, written, group)


Row = tuple[float, float, int, int, str, str]
"""Onset, duration, pitch, velocity, staff and voice."""


def _tied(notes: Sequence[Sounding]) -> list[Row]:
    """Notes in the order of playing with those that ties bind made one."""
    rows: list[Row] = []
    bound: dict[int, list[int]] = {}  # pitch to the rows that a tie continues
    for onset, note in notes:
        held = None
        if note.ties & STOP:
            candidates = bound.get(note.pitch, [])
            fitting = [at for at in candidates if abs(rows[at][0] + rows[at][1] - onset) < TINY]
            held = next((at for at in fitting if rows[at][5] == note.voice), next(iter(fitting), None))
            if held is not None:
                candidates.remove(held)
        if held is None:
            held = len(rows)
            rows.append((onset, note.length, note.pitch, VELOCITY, note.staff, note.voice))
        else:
            start, before, pitch, velocity, staff, voice = rows[held]
            rows[held] = (start, before + note.length, pitch, velocity, staff, voice)
        if note.ties & START:
            bound.setdefault(note.pitch, []).append(held)
    return rows


def _numbered(names: set[object]) -> dict[object, int]:
    return {name: number for number, name in enumerate(sorted(names, key=str))}


def _written(
    rows: list[Row], rests: list[tuple[float, float, str, str]], staves: dict[object, int], voices: dict[object, int]
) -> WrittenVoices:
    """Staves and voices by number; rests of voices that have no notes count for nothing."""
    drawn = [
        (onset, length, staves[staff], voices[voice])
        for onset, length, staff, voice in rests
        if staff in staves and voice in voices
    ]
    return WrittenVoices(
        np.array([staves[row[4]] for row in rows], np.int64),
        np.array([voices[row[5]] for row in rows], np.int64),
        np.array(drawn, np.float64).reshape(-1, 4),
    )


def _leave_out_knocks(readers: Sequence[MeasureReader]) -> tuple[str, ...]:
    """Take single knocks and claps, of which nothing says what they are struck on, out of parts of pitches."""
    left_out = 0
    for reader in readers:
        if len({sound.is_drum for sound in reader.head.sounds}) < 2:
            continue
        notes = [note for measure in reader.measures for note in measure.notes]
        struck = [note for note in notes if note.sound.is_drum]
        if not 0 < len(struck) < MOST_KNOCKS * len(notes) or any(note.sound.key is not None for note in struck):
            continue
        left_out += len(struck)
        for measure in reader.measures:
            measure.notes = [note for note in measure.notes if not note.sound.is_drum]
    return (f"knocks in a part of pitches were left out: {left_out}",) if left_out else ()


def _remarks(readers: Sequence[MeasureReader]) -> tuple[str, ...]:
    """What was guessed where the file does not say it."""
    named = {
        reader.head.name
        for reader in readers
        for sound in reader.head.sounds
        if sound.is_named and sound.program != 0 and sound.program not in VOICES
    }
    remarks = []
    if named:
        remarks.append(f"{NAMED_INSTRUMENTS} parts: {', '.join(sorted(named))[:120]}")
    slashes = sum(reader.num_slashes for reader in readers)
    if slashes:
        remarks.append(f"beats drawn as slashes were left out: {slashes}")
    guessed = sum(reader.num_guessed_lengths for reader in readers)
    if guessed:
        remarks.append(f"notes without a duration got that of their note value: {guessed}")
    return tuple(remarks)

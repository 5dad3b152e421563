"""Events of a MIDI track, read one by one as players read them, with what is wrong in them mended.

Running status lasts through meta and system-exclusive events, data bytes above 127 count as 127, and a track lasts
until its end-of-track event, whatever its length says. The loops over bytes and notes are compiled by numba.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UnusableError

DRUM_CHANNEL = 9
"""Counted from 0: the tenth channel is General MIDI's drum set unless messages say otherwise."""
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM, PRESSURE, PITCH_BEND = 0x80, 0x90, 0xB0, 0xC0, 0xD0, 0xE0
SYSEX, SYSEX_GOES_ON, META = 0xF0, 0xF7, 0xFF
BANK, DATA_ENTRY, SUSTAIN, NRPN_LSB, NRPN_MSB, RPN_LSB, RPN_MSB = 0, 6, 64, 98, 99, 100, 101
"""Controllers: bank select and data entry (most significant bytes), the sustain pedal, and which parameter is meant."""
ALL_SOUND_OFF, ALL_NOTES_OFF = 120, 123
"""Controllers that end all notes of a channel."""
COARSE_TUNING_MSB, COARSE_TUNING_LSB, NO_PARAMETER = 0, 2, -1
"""The registered parameter that transposes a channel by semitones."""
END = 0x2F
"""The type of the meta event that ends a track."""
LONGEST_NUMBER = 4
"""Bytes of a distance or a length."""
FINE, CUT_OFF, LONG_NUMBER, NO_EVENT = 0, 1, 2, 3
"""How the reading of a track ends."""
PROBLEMS = {
    CUT_OFF: "it is cut off or its lengths are wrong",
    LONG_NUMBER: "a distance between events has more than four bytes",
    NO_EVENT: "a track begins with data of no event",
}
TICK, PLACE, CHANNEL, WHAT, VALUE = range(5)
"""Columns: the number of the event in its track is its place."""
SMALLEST_EVENT = 2
"""Bytes, with the distance before it."""
SMALLEST_ROOM, LARGEST_ROOM = 1 << 15, 1 << 18
"""Rows of the tables that are kept from file to file."""

Rows = NDArray[np.int64]


@dataclass
class TrackEvents:
    """What happens in a track."""

    content: bytes
    """The file."""
    notes: Rows
    """`[events, 5]`: tick, place, channel, pitch, velocity; one of 0 ends the note, one above 127 is damaged."""
    first_note: int
    """The row of the table of notes in `TABLES` where they begin."""
    choices: Rows
    """`[events, 5]`: tick, place, channel, what and value of those that choose what a channel plays: `PROGRAM`, `BANK`,
    or `DATA_ENTRY` of its coarse tuning."""
    pedals: Rows
    """`[events, 5]`: the same for the sustain pedal."""
    silences: Rows
    """`[events, 5]`: the same for controllers that end all notes of a channel."""
    spans: Rows
    """`[events, 5]`: tick, place, kind (`SYSEX`, `SYSEX_GOES_ON` or the type of a meta event), and where its body is in
    the file, from and to."""
    end: int
    """The tick at which it ends."""
    stop: int
    """Where its bytes end."""
    has_end: bool
    """Whether an end-of-track event says so."""
    num_events: int
    """On channels."""
    clipped: int
    """Of them, those with data bytes above 127."""

    @cached_property
    def _by_kind(self) -> dict[int, list[tuple[int, int, bytes]]]:
        """Tick, place and body of meta and system-exclusive events, by their kind."""
        found: dict[int, list[tuple[int, int, bytes]]] = {}
        for tick, place, kind, start, stop in self.spans.tolist():
            body = self.content[start:stop]
            if kind != SYSEX_GOES_ON:
                found.setdefault(kind, []).append((tick, place, body))
            elif (messages := found.get(SYSEX)) and not messages[-1][2].endswith(b"\xf7"):  # a long one goes on
                messages[-1] = (*messages[-1][:2], messages[-1][2] + body)
        return found

    def metas(self, kind: int) -> list[tuple[int, int, bytes]]:
        """Tick, place and body of the meta events of a type."""
        return self._by_kind.get(kind, [])

    def sysex(self) -> list[tuple[int, int, bytes]]:
        """Tick, place and body of the system-exclusive messages, without their first byte."""
        return self._by_kind.get(SYSEX, [])


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of numbers and arrays as machine code, which is kept on disk for the next process where it can be."""
    import numba

    try:
        machine_code: Callable[..., Any] = numba.njit(cache=True)(function)
    except RuntimeError:  # no folder can be written to
        machine_code = numba.njit()(function)
    return machine_code


class EventTables(threading.local):
    """Tables that the events of a file are written to, track after track, before their number is known.

    Each thread keeps its own from file to file, since fresh memory costs more than filling it: what `read_events` gives
    lasts until the next file is begun.
    """

    def __init__(self) -> None:
        self.num_rows = 0
        self.counts = np.zeros(5, np.int64)
        """Rows of each table that are written."""

    def begin(self, content: bytes) -> None:
        """Forget all events; make room for those of a file."""
        self.counts[:] = 0
        most = len(content) // SMALLEST_EVENT + 1
        if not most <= self.num_rows <= LARGEST_ROOM:
            self.num_rows = max(most, SMALLEST_ROOM)
            self.tables = [np.empty((self.num_rows, 5), np.int64) for _ in range(5)]
            """Notes, choices, pedals, silences, spans: see `TrackEvents`."""
            self.paired, self.heard = (np.empty((self.num_rows, 6), np.int64) for _ in range(2))
            """Notes with their ends, and those of the parts: see `pipeline.scores.midi.parts`."""


TABLES = EventTables()


def read_events(content: bytes, start: int, stop: int) -> TrackEvents:
    """The events of the track whose first byte is at `start`, until its end-of-track event or `stop`.

    Before the first track of a file `TABLES.begin` makes room.

    Raises
    ------
    UnusableError
        An event ends behind `stop`, or data comes where no event has begun.
    """
    data, begins = np.frombuffer(content, np.uint8), TABLES.counts.tolist()
    tick, at, has_end, num_events, clipped, problem = compiled(scan_events)(
        data, start, min(stop, len(content)), *TABLES.tables, TABLES.counts
    )
    if problem != FINE:
        raise UnusableError(f"broken file: {PROBLEMS[problem]}")
    notes, choices, pedals, silences, spans = (
        table[begin:end] for table, begin, end in zip(TABLES.tables, begins, TABLES.counts.tolist(), strict=True)
    )
    end = (tick, at, has_end, num_events, clipped)
    return TrackEvents(content, notes, begins[0], choices, pedals, silences, spans, *end)


def scan_events(
    data: NDArray[np.uint8],
    start: int,
    stop: int,
    notes: Rows,
    choices: Rows,
    pedals: Rows,
    silences: Rows,
    spans: Rows,
    counts: NDArray[np.int64],
) -> tuple[int, int, bool, int, int, int]:
    """Write the events of a track behind the rows that tables have, and add them to `counts`; `numba` compiles this.

    Returns
    -------
    Tick and place in `data` of the end; whether an end-of-track event was there; how many events on channels there
    were, and with data bytes above 127; the problem that ended the reading, `FINE` without one.
    """
    at, tick, status, place = start, 0, 0, 0
    num_notes, num_choices, num_pedals, num_silences, num_spans = counts[0], counts[1], counts[2], counts[3], counts[4]
    num_events, clipped, has_end = 0, 0, False
    parameters = np.full((16, 2), NO_PARAMETER)
    while at < stop:
        distance, num_bytes = 0, 0
        while True:
            if at >= stop:
                return tick, at, has_end, num_events, clipped, CUT_OFF
            if num_bytes == LONGEST_NUMBER:
                return tick, at, has_end, num_events, clipped, LONG_NUMBER
            byte = int(data[at])
            at += 1
            num_bytes += 1
            distance = distance << 7 | byte & 0x7F
            if byte < 0x80:
                break
        tick += distance
        if at >= stop:
            return tick, at, has_end, num_events, clipped, CUT_OFF
        first = int(data[at])
        at += 1
        place += 1
        if first >= SYSEX:
            kind = first
            if kind not in (META, SYSEX, SYSEX_GOES_ON):  # system messages that have no place in files
                at += 2 if kind == 0xF2 else int(kind in (0xF1, 0xF3))
                continue
            if kind == META:
                if at >= stop:
                    return tick, at, has_end, num_events, clipped, CUT_OFF
                kind = int(data[at])
                at += 1
            length, num_bytes = 0, 0
            while True:
                if at >= stop:
                    return tick, at, has_end, num_events, clipped, CUT_OFF
                if num_bytes == LONGEST_NUMBER:
                    return tick, at, has_end, num_events, clipped, LONG_NUMBER
                byte = int(data[at])
                at += 1
                num_bytes += 1
                length = length << 7 | byte & 0x7F
                if byte < 0x80:
                    break
            if first == META and kind == END:
                has_end = True
                at = min(at + length, stop)
                break
            if at + length > stop:
                return tick, at, has_end, num_events, clipped, CUT_OFF
            if first != META or kind < 0x80:
                row = spans[num_spans]
                row[0], row[1], row[2], row[3], row[4] = tick, place, kind, at, at + length
                num_spans += 1
            at += length
            continue
        if first >= 0x80:
            status = first
            if at >= stop:
                return tick, at, has_end, num_events, clipped, CUT_OFF
            first = int(data[at])
            at += 1
        elif not status:
            return tick, at, has_end, num_events, clipped, NO_EVENT
        kind, second = status & 0xF0, 0
        num_events += 1
        if kind not in (PROGRAM, PRESSURE):
            if at >= stop:
                return tick, at, has_end, num_events, clipped, CUT_OFF
            second = int(data[at])
            at += 1
        if first > 127 or second > 127:
            clipped += 1
            first = min(first, 127)
            if kind != NOTE_ON:
                second = min(second, 127)
        if kind <= NOTE_ON:
            row = notes[num_notes]
            row[0], row[1], row[2], row[3], row[4] = tick, place, status & 15, first, second if kind == NOTE_ON else 0
            num_notes += 1
        elif kind == PROGRAM:
            row = choices[num_choices]
            row[0], row[1], row[2], row[3], row[4] = tick, place, status & 15, PROGRAM, first
            num_choices += 1
        elif kind == CONTROL and first == SUSTAIN:
            row = pedals[num_pedals]
            row[0], row[1], row[2], row[3], row[4] = tick, place, status & 15, first, second
            num_pedals += 1
        elif kind == CONTROL and first in (ALL_SOUND_OFF, ALL_NOTES_OFF):
            row = silences[num_silences]
            row[0], row[1], row[2], row[3], row[4] = tick, place, status & 15, first, second
            num_silences += 1
        elif kind == CONTROL and first in (NRPN_LSB, NRPN_MSB, RPN_LSB, RPN_MSB):
            if first == RPN_MSB:
                parameters[status & 15, 0] = second
            elif first == RPN_LSB:
                parameters[status & 15, 1] = second
            else:
                parameters[status & 15] = NO_PARAMETER
        elif kind == CONTROL and (
            first == BANK
            or (
                first == DATA_ENTRY
                and parameters[status & 15, 0] == COARSE_TUNING_MSB
                and parameters[status & 15, 1] == COARSE_TUNING_LSB
            )
        ):
            row = choices[num_choices]
            row[0], row[1], row[2], row[3], row[4] = tick, place, status & 15, first, second
            num_choices += 1
    counts[0], counts[1], counts[2], counts[3], counts[4] = num_notes, num_choices, num_pedals, num_silences, num_spans
    return tick, at, has_end, num_events, clipped, FINE

"""Events of a MIDI track, read one by one as players read them, with what is wrong in them mended.

Running status lasts through meta and system-exclusive events, data bytes above 127 count as 127, and a track lasts
until its end-of-track event, whatever its length says.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.errors import UnusableError

DRUM_CHANNEL = 9
"""Counted from 0: the tenth channel is General MIDI's drum set unless messages say otherwise."""
NOTE_OFF, NOTE_ON, CONTROL, PROGRAM, PRESSURE, PITCH_BEND = 0x80, 0x90, 0xB0, 0xC0, 0xD0, 0xE0
SYSEX, SYSEX_GOES_ON, META = 0xF0, 0xF7, 0xFF
END = 0x2F
"""The type of the meta event that ends a track."""
DATA_BYTES_OF_SYSTEM = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""Of system messages that have no place in files."""
LONGEST_DELTA = 4
"""Bytes."""


@dataclass
class TrackEvents:
    """What happens in a track; each row begins with its tick and its place in the track."""

    notes: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    """Tick, place, channel, pitch, velocity; one of 0 ends the note, one above 127 is damaged."""
    controls: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    """Tick, place, channel, controller, value; the controller is `PROGRAM` where a program is chosen."""
    sysex: list[tuple[int, int, bytes]] = field(default_factory=list)
    """Tick, place, message without its first byte."""
    metas: list[tuple[int, int, bytes]] = field(default_factory=list)
    """Tick, type, data."""
    end: int = 0
    """The tick at which it ends."""
    stop: int = 0
    """Where its bytes end."""
    has_end: bool = False
    """Whether an end-of-track event says so."""
    clipped: int = 0
    """Events with data bytes above 127."""


def read_events(content: bytes, start: int, stop: int) -> TrackEvents:
    """The events of the track whose first byte is at `start`, until its end-of-track event or `stop`.

    Raises
    ------
    UnusableError
        An event ends behind `stop`, or data comes where no event has begun.
    """
    found = TrackEvents()
    notes, controls = found.notes, found.controls
    data = content[start:stop]
    at, tick, status, place, size = 0, 0, 0, 0, len(data)
    try:
        while at < size:
            first = data[at]
            at += 1
            if first >= 0x80:
                at, first = _rest_of_number(data, at, first)
            tick += first
            first = data[at]
            at += 1
            place += 1
            if first >= SYSEX:
                at = _system_event(found, data, at, first, tick, place)
                if found.has_end:
                    break
                continue
            if first >= 0x80:
                status = first
                first = data[at]
                at += 1
            elif not status:
                raise UnusableError("broken file: a track begins with data of no event")
            kind = status & 0xF0
            if kind in (PROGRAM, PRESSURE):
                second = 0
            else:
                second = data[at]
                at += 1
            if first > 127 or second > 127:
                found.clipped += 1
                first, second = min(first, 127), second if kind == NOTE_ON else min(second, 127)
            if kind == NOTE_ON:
                notes.append((tick, place, status & 15, first, second))
            elif kind == NOTE_OFF:
                notes.append((tick, place, status & 15, first, 0))
            elif kind == CONTROL:
                controls.append((tick, place, status & 15, first, second))
            elif kind == PROGRAM:
                controls.append((tick, place, status & 15, PROGRAM, first))
    except IndexError:
        raise UnusableError("broken file: it is cut off or its lengths are wrong") from None
    found.end, found.stop = tick, start + at
    return found


def _rest_of_number(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Where a number of several bytes ends, and the number. Raises `UnusableError` where it is too long."""
    value = first & 0x7F
    for _ in range(LONGEST_DELTA - 1):
        byte = data[at]
        at += 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return at, value
    raise UnusableError("broken file: a distance between events has more than four bytes")


def _system_event(found: TrackEvents, data: bytes, at: int, kind: int, tick: int, place: int) -> int:
    """Take in an event that begins with `kind`, the byte before `at`; where it ends."""
    if kind not in (META, SYSEX, SYSEX_GOES_ON):
        return at + DATA_BYTES_OF_SYSTEM.get(kind, 0)
    meta = data[at] if kind == META else 0
    at += kind == META
    length = data[at]
    at += 1
    if length >= 0x80:
        at, length = _rest_of_number(data, at, length)
    body = data[at : at + length]
    if kind == META:
        if meta == END:
            found.has_end = True
            return min(at + length, len(data))
        if len(body) < length:
            raise IndexError
        found.metas.append((tick, meta, body))
    elif len(body) < length:
        raise IndexError
    elif kind == SYSEX:
        found.sysex.append((tick, place, body))
    elif found.sysex and not found.sysex[-1][2].endswith(b"\xf7"):  # a long message goes on
        found.sysex[-1] = (*found.sysex[-1][:2], found.sysex[-1][2] + body)
    return at + length

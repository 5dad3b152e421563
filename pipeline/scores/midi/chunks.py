"""Chunks of MIDI files: the header, and where tracks begin and end, in files that something was put before or between.

A file may lie in a RIFF file (`.rmi`), behind a MacBinary header or other bytes, and have chunks of other kinds among
its tracks. Lengths of tracks are often wrong: a track lasts until its end-of-track event.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import UnusableError

HEADER, TRACK = b"MThd", b"MTrk"
FARTHEST_HEADER = 4096
"""Bytes; where a header that follows other things is looked for."""
CODED_TIME = 0x8000
"""The bit of the division that means SMPTE time code."""
FRAMES = {24: 24.0, 25: 25.0, 29: 30000 / 1001, 30: 30.0}
"""Frames a second by what time code calls them: 29 is 30 with frames dropped."""


@dataclass(frozen=True)
class Header:
    """The header chunk of a MIDI file."""

    format: int
    """0: one track, 1: tracks that sound together, 2: songs in turn."""
    num_tracks: int
    division: int
    """Ticks a quarter note, or time code where `CODED_TIME` is set."""
    end: int
    """Where the chunk ends."""

    @property
    def ticks_per_second(self) -> float:
        """Of time code; 0 where ticks are parts of quarter notes, or the time code is none."""
        if self.division < CODED_TIME:
            return 0.0
        return FRAMES.get(256 - (self.division >> 8), 0.0) * (self.division & 0xFF)


def unwrap(content: bytes) -> bytes:
    """A MIDI file without what lies before it: the head of a RIFF file, MacBinary, lines of mail.

    Raises
    ------
    UnusableError
        There is no MIDI file in the bytes.
    """
    if content.startswith(HEADER):
        return content
    reach = len(content) if content.startswith(b"RIFF") else FARTHEST_HEADER
    start = content.find(HEADER + b"\x00\x00\x00", 0, reach)
    if start < 0:
        raise UnusableError("broken file: it does not begin like a MIDI file")
    return content[start:]


def read_header(content: bytes) -> Header:
    """The header chunk that a file begins with.

    Raises
    ------
    UnusableError
        It is cut off, is of an unknown format, or gives time no measure.
    """
    if len(content) < 14:
        raise UnusableError("broken file: it is cut off or its lengths are wrong")
    length, kind, num_tracks, division = (
        int.from_bytes(content[start:stop], "big") for start, stop in ((4, 8), (8, 10), (10, 12), (12, 14))
    )
    header = Header(kind, num_tracks, division, 8 + max(length, 6) if length < FARTHEST_HEADER else 14)
    if kind > 2:
        raise UnusableError(f"broken file: its header names a format {kind}, where 2 is the last")
    if not division:
        raise UnusableError("broken file: it counts no ticks a beat")
    if division >= CODED_TIME and not header.ticks_per_second:
        raise UnusableError("broken file: its header names a time code that there is not")
    return header

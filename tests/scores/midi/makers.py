"""The smallest MIDI files of each kind, out of bytes."""

from __future__ import annotations

from pipeline.scores.midi.reading import read_midi
from pipeline.scores.score import Part, Score

BEAT = 96
"""Ticks."""
END = b"\x00\xff\x2f\x00"
GM_ON = bytes.fromhex("00 f0 05 7e 7f 09 01 f7")
GM2_ON = bytes.fromhex("00 f0 05 7e 7f 09 03 f7")
GS_ON = bytes.fromhex("00 f0 0a 41 10 42 12 40 00 7f 00 41 f7")
XG_ON = bytes.fromhex("00 f0 08 43 10 4c 00 00 7e 00 f7")


def delta(ticks: int) -> bytes:
    """A distance between events."""
    rest = bytes([ticks & 0x7F])
    while ticks := ticks >> 7:
        rest = bytes([ticks & 0x7F | 0x80]) + rest
    return rest


def note(channel: int, pitch: int, wait: int = 0, length: int = BEAT, velocity: int = 80) -> bytes:
    """A note of a beat, after a wait."""
    return delta(wait) + bytes((0x90 | channel, pitch, velocity)) + delta(length) + bytes((0x80 | channel, pitch, 0))


def program(channel: int, number: int, wait: int = 0) -> bytes:
    return delta(wait) + bytes((0xC0 | channel, number))


def control(channel: int, number: int, value: int, wait: int = 0) -> bytes:
    return delta(wait) + bytes((0xB0 | channel, number, value))


def meta(kind: int, text: bytes, wait: int = 0) -> bytes:
    return delta(wait) + bytes((0xFF, kind, len(text))) + text


def named(text: str) -> bytes:
    return meta(3, text.encode())


def rhythm_part(part: int, mode: int) -> bytes:
    """GS: use for rhythm part; `part` is 0 for the tenth, 1 to 9, A to F for the others."""
    return bytes((0, 0xF0, 10, 0x41, 0x10, 0x42, 0x12, 0x40, 0x10 | part, 0x15, mode, 0x1B, 0xF7))


def chunk(name: bytes, body: bytes) -> bytes:
    return name + len(body).to_bytes(4, "big") + body


def midi(*tracks: bytes, kind: int = 1, division: int = BEAT, count: int | None = None) -> bytes:
    """A file of tracks, given without their ends."""
    numbers = (kind, len(tracks) if count is None else count, division)
    head = chunk(b"MThd", b"".join(number.to_bytes(2, "big") for number in numbers))
    return head + b"".join(chunk(b"MTrk", track + END) for track in tracks)


def read(content: bytes) -> Score:
    """The first score in a file."""
    return read_midi(content, "piece", 10**6)[0]


def heard(part: Part) -> list[tuple[float, float, int]]:
    """Onset, duration and pitch of its notes, in order."""
    columns = (part.events[name].round(4).tolist() for name in ("onset", "duration", "pitch"))
    return sorted(zip(*columns, strict=True))


def sounds(content: bytes) -> list[tuple[int | str, int]]:
    """Program (or drums) and first pitch of each part."""
    return [("drums" if one.is_drum else one.program, int(one.events["pitch"][0])) for one in read(content).parts]

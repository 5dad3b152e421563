"""System-exclusive messages that choose drums or transpose: GM, GM2, Roland GS and Yamaha XG."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.scores.midi.events import DRUM_CHANNEL

GENERAL_MIDI, GM2, GS, XG = "General MIDI", "GM2", "GS", "XG"

Kind = Literal["system", "drums", "transposition"]


@dataclass(frozen=True)
class Effect:
    """What a message does: choose a system, make a channel play drums, or transpose it."""

    kind: Kind
    channel: int | None = None
    """0 to 15, or None for all."""
    value: int = 0
    """Whether it plays drums, or semitones."""
    system: str = ""


def effects(body: bytes) -> list[Effect]:
    """The effects of a message, given without its first byte F0; none of most."""
    if body[:1] == b"\x7e" and body[2:3] == b"\x09":
        return [Effect("system", system=GM2 if body[3:4] == b"\x03" else GENERAL_MIDI)]
    if body[:1] == b"\x7f" and body[2:4] == b"\x04\x04" and len(body) > 5:
        return [Effect("transposition", None, body[5] - 64)]
    if body[:1] == b"\x41" and body[2:4] == b"\x42\x12":
        return _roland(body[4:7], body[7:].rstrip(b"\xf7")[:-1])
    if body[:1] == b"\x43" and body[2:3] == b"\x4c":
        if body[1] >> 4 == 1:
            return _yamaha(body[3:6], body[6:].rstrip(b"\xf7"))
        if body[1] >> 4 == 0:  # a dump: its count of bytes comes first, a checksum last
            return _yamaha(body[5:8], body[8:].rstrip(b"\xf7")[:-1])
    return []


def _roland(address: bytes, data: bytes) -> list[Effect]:
    """Of a GS message that sets the values from an address on."""
    if address in (b"\x40\x00\x7f", b"\x00\x00\x7f"):
        return [Effect("system", system=GS)]
    if len(address) < 3 or address[0] != 0x40 or address[1] >> 4 != 1:
        return []
    part = address[1] & 15
    channel = DRUM_CHANNEL if part == 0 else part - 1 if part < 10 else part
    return _of_part(channel, address[2], data, 0x15, 0x16)


def _yamaha(address: bytes, data: bytes) -> list[Effect]:
    """Of an XG message that sets the values from an address on."""
    if address in (b"\x00\x00\x7e", b"\x00\x00\x7f"):
        return [Effect("system", system=XG)]
    if len(address) < 3 or address[0] != 0x08 or address[1] > 15:
        return []
    return _of_part(address[1], address[2], data, 0x07, 0x08)


def _of_part(channel: int, first: int, data: bytes, mode: int, shift: int) -> list[Effect]:
    """Of values of a part from address `first` on, where `mode` says whether it plays drums and `shift` transposes."""
    found = []
    if first <= mode < first + len(data):
        found.append(Effect("drums", channel, int(data[mode - first] > 0)))
    if first <= shift < first + len(data):
        found.append(Effect("transposition", channel, data[shift - first] - 64))
    return found

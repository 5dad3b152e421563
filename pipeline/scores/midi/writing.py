"""MIDI files written from events by mido."""

from __future__ import annotations

import io
from collections.abc import Iterable

from mido import Message, MetaMessage, MidiFile, MidiTrack  # type: ignore[import-untyped]

MidiEvent = tuple[int, Message | MetaMessage]
"""What is written: a tick counted from the beginning of the file, and a message."""


def note_events(
    channel: int, starts: Iterable[int], ends: Iterable[int], pitches: Iterable[int], velocities: Iterable[int]
) -> list[MidiEvent]:
    """Note-ons and note-offs in their order, of notes whose starts and ends are ticks.

    At the same tick notes end before others begin, so that a repeated note stays two.
    """
    rows: list[tuple[int, str, int, int]] = []
    for start, end, pitch, velocity in zip(starts, ends, pitches, velocities, strict=True):
        rows += [(start, "note_on", pitch, velocity), (end, "note_off", pitch, 0)]
    return [
        (tick, Message(kind, channel=channel, note=pitch, velocity=velocity))
        for tick, kind, pitch, velocity in sorted(rows)  # "note_off" comes before "note_on" in the alphabet too
    ]


def midi_track(events: Iterable[MidiEvent], end: int | None = None) -> MidiTrack:
    """Events in the order given as a track, each with its distance from the one before.

    With `end` the track lasts until that tick; without, until its last event.
    """
    track, now = MidiTrack(), 0
    closing = [] if end is None else [(end, MetaMessage("end_of_track"))]
    for tick, message in (*events, *closing):
        message.time = max(0, tick - now)
        track.append(message)
        now += message.time
    return track


def midi_file(tracks: Iterable[MidiTrack], ticks_per_beat: int) -> bytes:
    """A MIDI file of type 1; its texts are UTF-8."""
    file, target = MidiFile(type=1, ticks_per_beat=ticks_per_beat, charset="utf-8", tracks=list(tracks)), io.BytesIO()
    file.save(file=target)
    return target.getvalue()

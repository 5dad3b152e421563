"""The writer of MIDI: when what happens, as mido reads the bytes back."""

from __future__ import annotations

import io

import mido
from mido import MetaMessage

from pipeline.scores.midi import DRUM_CHANNEL, midi_file, midi_track, note_events

Happening = tuple[int, str, int]


def read_back(content: bytes, track: int = 0) -> list[Happening]:
    """Tick, kind and pitch (or text) of all that a track holds."""
    file, now, found = mido.MidiFile(file=io.BytesIO(content)), 0, []
    assert (file.type, file.ticks_per_beat) == (1, 480)
    for message in file.tracks[track]:
        now += message.time
        found.append((now, message.type, message.note if "note" in message.type else 0))
    return found


def test_notes_begin_and_end_at_their_ticks_and_a_repeated_note_stays_two() -> None:
    events = note_events(0, [120, 0, 60], [240, 120, 180], [60, 60, 64], [90, 80, 70])
    assert read_back(midi_file([midi_track(events, 960)], 480)) == [
        (0, "note_on", 60),
        (60, "note_on", 64),
        (120, "note_off", 60),
        (120, "note_on", 60),
        (180, "note_off", 64),
        (240, "note_off", 60),
        (960, "end_of_track", 0),
    ]


def test_drums_are_on_the_tenth_channel() -> None:
    content = midi_file([midi_track(note_events(DRUM_CHANNEL, [0], [30], [36], [100]))], 480)
    assert bytes((0x99, 36, 100)) in content and bytes((0x89, 36, 0)) in content, "9 is the tenth, counted from 0"


def test_what_comes_too_late_to_its_order_happens_at_once() -> None:
    events = [(20, MetaMessage("lyrics", text="a")), (10, MetaMessage("lyrics", text="b")), (30, MetaMessage("text"))]
    found = read_back(midi_file([midi_track(events, 25)], 480))
    assert [tick for tick, _, _ in found] == [20, 20, 30, 30]


def test_titles_of_any_script_are_written() -> None:
    content = midi_file([midi_track([(0, MetaMessage("track_name", name="Où 雨"))])], 480)
    assert mido.MidiFile(file=io.BytesIO(content), charset="utf-8").tracks[0].name == "Où 雨"

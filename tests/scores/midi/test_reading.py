"""MIDI read and written: the notes of files that mido wrote, and when what happens in bytes that mido reads back."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import mido
import pretty_midi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mido import MetaMessage

from pipeline.scores.midi.events import DRUM_CHANNEL
from pipeline.scores.midi.writing import midi_file, midi_track, note_events
from tests.music_makers import note_rows, read_one, write_midi

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


ticks_and_pitches = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(1, 2000), st.integers(0, 127)), min_size=1, max_size=30
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(ticks_and_pitches)
def test_notes_written_by_mido_are_read_to_the_tick(tmp_path: Path, notes: list[tuple[int, int, int]]) -> None:
    # one note a pitch: what overlapping notes of one pitch mean the format does not say
    notes = list({pitch: (tick, length, pitch) for tick, length, pitch in notes}.values())
    wanted = sorted((round(tick / 480, 6), round(length / 480, 6), pitch) for tick, length, pitch in notes)
    path = write_midi(tmp_path / "a.mid", {(0, 0, "x"): wanted})
    assert note_rows(read_one(path)) == wanted


def test_notes_written_by_pretty_midi_are_read(tmp_path: Path) -> None:
    file = pretty_midi.PrettyMIDI(initial_tempo=90)
    piano, drums = pretty_midi.Instrument(5, name="keys"), pretty_midi.Instrument(0, is_drum=True)
    beat = 60 / 90
    piano.notes = [pretty_midi.Note(70, 60 + i, i * beat, (i + 1) * beat) for i in range(4)]
    drums.notes = [pretty_midi.Note(90, 36, 0, beat)]
    file.instruments = [piano, drums]
    file.write(str(tmp_path / "a.mid"))
    found = read_one(tmp_path / "a.mid")
    assert [(round(onset, 2), round(length, 2), pitch) for onset, length, pitch in note_rows(found)] == [
        (i, 1, 60 + i) for i in range(4)
    ]
    assert (found.parts[0].name, found.parts[0].program, found.parts[0].is_drum) == ("keys", 5, False)
    assert found.parts[1].is_drum
    assert found.mean_bpm == pytest.approx(90, rel=1e-4)


def test_repeated_notes_stay_separate_when_read(tmp_path: Path) -> None:
    path = write_midi(tmp_path / "a.mid", {(0, 0, "x"): [(0, 1, 60), (1, 1, 60), (2, 1, 60)]})
    assert note_rows(read_one(path)) == [(0, 1, 60), (1, 1, 60), (2, 1, 60)]


def test_notes_at_a_huge_tick_are_read_without_its_bars(tmp_path: Path) -> None:
    events = b"\x00\x90\x3c\x50" + b"\x83\x60\x80\x3c\x00" + b"\xff\xff\xff\x7f\x90\x3e\x50" + b"\x83\x60\x80\x3e\x00"
    events += 3 * (b"\x00\x90\x3e\x50" + b"\x83\x60\x80\x3e\x00")
    track = events + b"\x00\xff\x2f\x00"
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480)
    (tmp_path / "a.mid").write_bytes(head + b"MTrk" + struct.pack(">I", len(track)) + track)
    found = read_one(tmp_path / "a.mid")
    assert found.end > 500_000


def pedal_midi(path: Path, moves: list[tuple[int, int]], channel: int = 0) -> Path:
    """Pitch 60 at beats 0 and 2, 64 at 1, each for half a beat; pedal movements in ticks of 1/480 beat and values."""
    events: list[tuple[int, mido.Message]] = []
    for tick, pitch in ((0, 60), (480, 64), (960, 60)):
        events.append((tick, mido.Message("note_on", note=pitch, velocity=80, channel=channel)))
        events.append((tick + 240, mido.Message("note_off", note=pitch, channel=channel)))
    for tick, value in moves:
        events.append((tick, mido.Message("control_change", control=64, value=value, channel=channel)))
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(events, key=lambda one: one[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(track)
    file.save(path)
    return path


def test_the_pedal_holds_notes_until_it_is_lifted_or_they_are_struck_again(tmp_path: Path) -> None:
    path = pedal_midi(tmp_path / "a.mid", [(100, 127), (1440, 0)])
    assert note_rows(read_one(path)) == [(0, 2, 60), (1, 2, 64), (2, 1, 60)]


def test_a_pedal_less_than_half_down_holds_nothing(tmp_path: Path) -> None:
    path = pedal_midi(tmp_path / "a.mid", [(100, 63), (1440, 0)])
    assert note_rows(read_one(path)) == [(0, 0.5, 60), (1, 0.5, 64), (2, 0.5, 60)]


@pytest.mark.parametrize("moves", [[(100, 127)], [(100, 127), (100 + 17 * 480, 0)]])
def test_a_forgotten_pedal_holds_nothing(tmp_path: Path, moves: list[tuple[int, int]]) -> None:
    path = pedal_midi(tmp_path / "a.mid", moves)
    assert note_rows(read_one(path)) == [(0, 0.5, 60), (1, 0.5, 64), (2, 0.5, 60)]


def test_a_pedal_lifted_before_the_key_changes_nothing(tmp_path: Path) -> None:
    path = pedal_midi(tmp_path / "a.mid", [(10, 127), (200, 0)])
    assert note_rows(read_one(path)) == [(0, 0.5, 60), (1, 0.5, 64), (2, 0.5, 60)]


def test_drums_have_no_pedal(tmp_path: Path) -> None:
    path = pedal_midi(tmp_path / "a.mid", [(100, 127), (1440, 0)], channel=9)
    assert note_rows(read_one(path)) == [(0, 0.5, 60), (1, 0.5, 64), (2, 0.5, 60)]


def test_overlapping_notes_of_one_pitch_end_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    track = mido.MidiTrack()
    for kind, wait in (("note_on", 0), ("note_on", 240), ("note_off", 240), ("note_off", 480)):
        track.append(mido.Message(kind, note=60, velocity=80, time=wait))
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(track)
    file.save(tmp_path / "a.mid")
    assert note_rows(read_one(tmp_path / "a.mid")) == [(0, 1, 60), (0.5, 1.5, 60)]

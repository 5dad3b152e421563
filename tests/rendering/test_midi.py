"""MIDI files of songs, as another library (pretty_midi) reads them."""

from __future__ import annotations

import io

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan.spec import RollSpec, Track
from pipeline.errors import UserError
from pipeline.rendering.midi import channels_of, midi_bytes, selection_bytes
from pipeline.scores.chords.symbols import chord_of_row, read_progression
from pipeline.scores.midi.event_reading import read_by_events
from pipeline.scores.notes import Planes, make_notes, roll_from_notes
from pipeline.songs.song import TICKS_PER_BEAT, Song
from tests.song_makers import BAND, JIG, random_planes, song_of


def read_midi(song: Song, **options: object) -> pretty_midi.PrettyMIDI:
    return pretty_midi.PrettyMIDI(io.BytesIO(midi_bytes(song, **options)))  # type: ignore[arg-type]


def roll_read_back(song: Song) -> Planes:
    """The roll that pretty_midi's notes make when each start and end goes to the nearest step."""
    score, rows = read_midi(song), []
    names = {name: index for index, name in enumerate(song.spec.names)}
    for instrument in score.instruments:
        for note in instrument.notes:
            start, end = (round(score.time_to_tick(one) / song.ticks_per_step) for one in (note.start, note.end))
            rows.append((names[instrument.name], note.pitch, start, end - start))
    assert len(rows) == len(song.notes)
    return roll_from_notes(make_notes(*zip(*rows, strict=True)), song.spec, song.num_bars)


def test_drums_go_to_channel_10_and_other_tracks_have_channels_of_their_own() -> None:
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(song_of())))
    used = {track.name: {message.channel for message in track if message.type == "note_on"} for track in file.tracks}
    assert used["Drums"] == {9}
    assert used["Piano"] == {0} and used["Bass"] == {1}
    score = read_midi(song_of())
    assert [(one.name, one.is_drum) for one in score.instruments] == [
        ("Drums", True),
        ("Piano", False),
        ("Bass", False),
    ]


def test_many_tracks_skip_the_drum_channel_and_more_than_fifteen_are_refused() -> None:
    spec = RollSpec(tuple(Track(str(number)) for number in range(15)))
    assert channels_of(spec) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15]
    with pytest.raises(UserError, match="15 channels"):
        channels_of(RollSpec(tuple(Track(str(number)) for number in range(16))))


def test_programs_names_tempo_metre_key_volume_and_pan_are_written() -> None:
    song = song_of(tempo_map=((0, 96.0), (16, 90.0)), key="F# minor", pans=(0.0, -1.0, 1.0), volumes=(1.0, 0.5, 0.0))
    score = read_midi(song, title="Salt")
    assert [one.program for one in score.instruments] == [0, 0, 33]
    times, tempi = score.get_tempo_changes()
    assert np.allclose(tempi, [96, 90], atol=0.01) and np.isclose(times[1], 2.5, atol=1e-3)
    assert (score.time_signature_changes[0].numerator, score.time_signature_changes[0].denominator) == (4, 4)
    assert pretty_midi.key_number_to_key_name(score.key_signature_changes[0].key_number) == "F# minor"
    controls = [{change.number: change.value for change in one.control_changes} for one in score.instruments]
    assert controls == [{7: 127, 10: 64}, {7: 64, 10: 0}, {7: 0, 10: 127}]
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(song, "Salt")))
    assert file.tracks[0].name == "Salt"
    assert [message.text for message in file.tracks[0] if message.type == "marker"] == [*("verse", "C", "chorus", "G")]


def test_chords_written_as_markers_are_read_back() -> None:
    chords = read_progression("C Am | F/A N.C.")
    content = midi_bytes(song_of(composed_chords=chords))
    (score,) = read_by_events(content, "song")
    assert score.chords == tuple((2.0 * index, chord_of_row(row)) for index, row in enumerate(chords))


def test_onsets_land_on_the_right_second() -> None:
    bass = next(one for one in read_midi(song_of()).instruments if one.name == "Bass")
    assert np.allclose([note.start for note in bass.notes], [0, 0.5, 1, 1.5, 2])  # 120 beats a minute
    slower = read_midi(song_of(tempo_map=((0, 120.0), (16, 60.0))))
    bass = next(one for one in slower.instruments if one.name == "Bass")
    assert np.isclose(bass.notes[-1].start, 2) and np.isclose(bass.notes[-1].end, 5)


def test_notes_are_written_at_the_ticks_of_their_steps() -> None:
    """Step 5 of four a beat begins five quarters of a beat after the first bar line, not a step sooner or later."""
    song = song_of([(2, 36, 5, 2), (2, 40, 31, 1)])
    bass = mido.MidiFile(file=io.BytesIO(midi_bytes(song))).tracks[-1]
    now, found = 0, []
    for message in bass:
        now += message.time
        if message.type in ("note_on", "note_off"):
            found.append((message.type, message.note, now / TICKS_PER_BEAT))
    assert found == [("note_on", 36, 1.25), ("note_off", 36, 1.75), ("note_on", 40, 7.75), ("note_off", 40, 8.0)]


def test_a_jig_says_six_eight_and_its_quarter_notes_a_minute() -> None:
    """Step 6 is the second beat, a dotted quarter note after the first; at 90 quarter notes a minute, one second."""
    song = song_of([(2, 36, 0, 6), (2, 40, 6, 2), (2, 43, 12, 12)], JIG, tempo_map=((0, 90.0),))
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(song)))
    (metre,) = [message for message in file.tracks[0] if message.type == "time_signature"]
    assert (metre.numerator, metre.denominator, metre.clocks_per_click) == (6, 8, 36)
    bass = read_midi(song).instruments[-1]
    assert np.allclose([note.start for note in bass.notes], [0, 1, 2], atol=1e-3)
    assert np.allclose([note.end for note in bass.notes], [1, 4 / 3, 4], atol=1e-3)
    assert np.allclose(song.seconds_at([6, 12, 24]), [1, 2, 4]) and song.seconds == 4


def test_repeated_notes_stay_separate() -> None:
    for humanized in (0.0, 1.0):
        song = song_of([(1, 60, step, 1) for step in range(32)], humanized=humanized)
        assert np.array_equal(roll_read_back(song), song.planes)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    density=st.floats(0.02, 0.7),
    steps=st.sampled_from([1, 2, 4, 12, 24]),
    humanized=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_midi_read_by_another_library_equals_the_roll(seed: int, density: float, steps: int, humanized: float) -> None:
    spec = RollSpec(BAND.tracks, steps_per_beat=steps, num_pitches=7, lowest_pitch=35)
    planes = random_planes(spec, 2, density, seed)
    planes[0, 1, 0, 0, 3] = True  # never empty
    song = song_of(planes, spec, humanized=humanized, seed=seed)
    assert np.array_equal(roll_read_back(song), song.planes)


def test_only_one_track_is_written_when_one_is_asked_for() -> None:
    score = read_midi(song_of(), only_track=2, tail_beats=8)
    assert [one.name for one in score.instruments] == ["Bass"]
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(song_of(), only_track=2, tail_beats=8)))
    assert np.isclose(file.length, 4 + 4)  # two bars and eight beats at 120


def test_a_selection_holds_only_its_tracks_and_bars_with_their_markers_and_tempi() -> None:
    chords = read_progression("C Am | F G")
    song = song_of(tempo_map=((0, 120.0), (16, 60.0), (24, 40.0)), composed_chords=chords, humanized=1.0)
    file = mido.MidiFile(file=io.BytesIO(selection_bytes(song, (2,), 1, 2, "Salt")))
    assert [track.name for track in file.tracks] == ["Salt", "Bass"]
    conductor, bass = file.tracks
    assert [message.text for message in conductor if message.type == "marker"] == ["chorus", "F", "G"]
    assert [round(mido.tempo2bpm(message.tempo)) for message in conductor if message.type == "set_tempo"] == [60, 40]
    assert [(message.channel, message.program) for message in bass if message.type == "program_change"] == [(1, 33)]
    assert [message.note for message in bass if message.type == "note_on"] == [43]
    assert np.isclose(file.length, song.seconds - song.seconds_at(16), atol=1e-3)


def test_a_first_note_that_is_played_early_begins_with_the_selection() -> None:
    song = song_of([(2, 36, 16, 4)], timing_ticks=np.array([-20], np.int16))
    score = pretty_midi.PrettyMIDI(io.BytesIO(selection_bytes(song, (2,), 1, 2)))
    assert [note.start for note in score.instruments[0].notes] == [0]


def test_a_selection_of_everything_is_the_file_of_the_song() -> None:
    song = song_of(humanized=1.0, swing=0.6)
    assert selection_bytes(song, range(3), title="Salt") == midi_bytes(song, "Salt")

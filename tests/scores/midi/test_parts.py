"""Parts without programs: what their names say, and what is said of them."""

from __future__ import annotations

from tests.scores.midi.makers import BEAT, control, heard, meta, midi, named, note, program, read, sounds

BY_NAME = "instruments by the names of tracks, as there are no programs: "


def test_names_of_tracks_decide_where_no_program_does() -> None:
    tracks = [named("Drum Rack") + note(0, 36), named("Bass") + note(0, 40), named("Rhodes") + note(0, 60)]
    content = midi(named("Arrangement"), *tracks)
    assert sounds(content) == [("drums", 36), (33, 40), (4, 60)]
    assert read(content).remarks == (f"{BY_NAME}Drum Rack, Bass, Rhodes",)


def test_a_program_wins_over_a_name() -> None:
    content = midi(named("Bass") + program(0, 48) + note(0, 40), named("Drums") + program(1, 24) + note(1, 60))
    assert sounds(content) == [(48, 40), (24, 60)]
    assert sounds(midi(program(0, 48), named("Bass") + note(0, 40))) == [(48, 40)]
    assert not read(content).remarks


def test_the_name_of_an_instrument_wins_over_that_of_the_track() -> None:
    assert sounds(midi(named("Bass") + meta(4, b"Violin") + note(0, 70))) == [(40, 70)]


def test_the_tenth_channel_is_drums_whatever_it_is_called() -> None:
    assert sounds(midi(named("Piano") + note(9, 36))) == [("drums", 36)]


def test_drums_by_name_lie_where_drums_lie() -> None:
    assert sounds(midi(named("Drums") + note(0, 100))) == [(0, 100)]


def test_steel_drums_are_none() -> None:
    assert sounds(midi(named("Steel Drums") + note(0, 60))) == [(114, 60)]


def test_unknown_names_are_piano_which_is_said_where_there_are_several() -> None:
    tracks = [named("Foo") + note(0, 60), named("Quux") + note(1, 50)]
    assert read(midi(*tracks)).remarks == ("tracks with neither a program nor a known name are piano: Foo, Quux",)
    assert not read(midi(tracks[0])).remarks
    assert not read(midi(named("Piano left") + note(0, 40), named("Piano right") + note(0, 60))).remarks


def test_names_in_latin_1_are_read() -> None:
    assert read(midi(meta(3, b"Fl\xf6te") + program(0, 73) + note(0, 60))).parts[0].name == "Flöte"
    assert sounds(midi(meta(3, b"Fl\xf6te") + note(0, 70))) == [(73, 70)]


def test_the_pedal_of_a_channel_holds_through_a_program_change() -> None:
    track = program(0, 0) + control(0, 64, 127) + note(0, 60) + program(0, 48) + note(0, 64)
    parts = read(midi(track + control(0, 64, 0, 2 * BEAT), program(1, 5), note(1, 50))).parts
    assert heard(parts[0]) == [(0, 4, 60)] and heard(parts[1]) == [(1, 3, 64)]


def everything_on_the_first_program(*names: str) -> bytes:
    """A file whose tracks set the piano's program on channels of their own."""
    return midi(
        *(named(name) + program(number, 0) + note(number, 38) + note(number, 42) for number, name in enumerate(names))
    )


def test_names_of_tracks_decide_where_all_have_the_first_program() -> None:
    score = read(everything_on_the_first_program("Drums", "Bass", "Guitar", "Piano"))
    assert [(part.program, part.is_drum) for part in score.parts] == [(0, True), (33, False), (25, False), (0, False)]
    assert score.remarks == ("instruments by the names of tracks, as all have the first program: Drums, Bass, Guitar",)


def test_staves_and_singers_on_the_piano_stay_a_piano() -> None:
    for names in (("Treble", "Bass"), ("Soprano", "Alto", "Tenor", "Bass"), ("Right hand", "Left hand"), ("", "")):
        score = read(everything_on_the_first_program(*names))
        assert {(part.program, part.is_drum) for part in score.parts} == {(0, False)} and not score.remarks


def test_all_notes_off_ends_notes_that_have_no_end_of_their_own() -> None:
    begins = bytes((0, 0x90, 60, 80)) + bytes((0, 0x90, 64, 80))
    score = read(midi(program(0, 0) + begins + control(0, 123, 0, wait=BEAT) + note(0, 62, wait=BEAT)))
    events = score.parts[0].events
    assert {int(event["pitch"]): float(event["duration"]) for event in events} == {60: 1.0, 64: 1.0, 62: 1.0}
    assert not score.remarks

"""Files that only a reading by events tells right: songs in turn, time code, damage that players do not mind."""

from __future__ import annotations

import pytest

from pipeline.errors import UnusableError
from pipeline.scores.midi.reading import read_midi
from tests.scores.midi.makers import BEAT, END, chunk, control, heard, meta, midi, named, note, program, read

TUNE = program(0, 24) + note(0, 60) + note(0, 64)
HEARD = [(0, 1, 60), (1, 1, 64)]


def test_format_2_is_songs_in_turn_each_with_its_tempo_and_metre() -> None:
    first = named("Verse") + meta(0x51, (500_000).to_bytes(3, "big")) + meta(0x58, bytes((3, 2, 24, 8))) + TUNE
    second = named("Chorus") + meta(0x51, (1_000_000).to_bytes(3, "big")) + note(0, 50)
    songs = read_midi(midi(first, named("nothing"), second, kind=2), "Set", 10**6)
    assert [(one.title, one.mean_bpm, str(one.metres[0])) for one in songs] == [
        ("Set 1 Verse", 120, "3/4"),
        ("Set 2 Chorus", 60, "4/4"),
    ]
    assert [heard(one.parts[0]) for one in songs] == [HEARD, [(0, 1, 50)]]


@pytest.mark.parametrize(
    "interruption", [meta(1, b"la"), bytes.fromhex("00 f0 03 7d 01 f7"), bytes.fromhex("00 f7 01 00")]
)
def test_running_status_goes_on_after_text_and_exclusive_messages(interruption: bytes) -> None:
    track = program(0, 24) + b"\x00\x90\x3c\x50" + interruption + b"\x60\x3c\x00" + interruption
    track += b"\x00\x40\x50" + interruption + b"\x60\x40\x00"
    assert heard(read(midi(track)).parts[0]) == HEARD


def test_notes_that_never_end_last_until_the_end_of_their_bar() -> None:
    last = b"\x00\x90\x43\x50\x00\x40\x50"
    for wait in (b"", meta(1, b"end", 2 * BEAT), meta(1, b"end", 40 * BEAT)):
        score = read(midi(TUNE + last + wait))
        assert heard(score.parts[0]) == [*HEARD, (2, 2, 64), (2, 2, 67)]
        assert score.remarks == (
            "notes that are never switched off end with their bar or where they are struck again (2)",
        )


def test_a_note_that_never_ends_in_mid_song_does_not_change_what_follows() -> None:
    stuck = b"\x00\x90\x3c\x50"
    again = read(midi(program(0, 24) + stuck + note(0, 64) + note(0, 60, BEAT) + note(0, 60, 2 * BEAT)))
    assert heard(again.parts[0]) == [(0, 1, 64), (0, 2, 60), (2, 1, 60), (5, 1, 60)]
    alone = read(midi(program(0, 24) + note(0, 64) + stuck + note(0, 64, 8 * BEAT)))
    assert heard(alone.parts[0]) == [(0, 1, 64), (1, 3, 60), (9, 1, 64)]


def test_a_note_written_twice_is_one() -> None:
    track = program(0, 24) + b"\x00\x90\x3c\x50" + note(0, 60) + note(0, 60, BEAT) + note(0, 60, BEAT)
    score = read(midi(track))
    assert heard(score.parts[0]) == [(0, 1, 60), (2, 1, 60), (4, 1, 60)]
    assert not score.remarks


def test_values_above_127_are_clipped() -> None:
    track = program(0, 24) + control(0, 7, 255) + note(0, 60, velocity=200) + note(0, 64)
    score = read(midi(track))
    assert heard(score.parts[0]) == HEARD and score.parts[0].events["velocity"].tolist() == [127, 80]
    assert score.remarks == ("data bytes above 127 were taken for 127 (2)",)


def test_a_track_of_values_above_127_is_no_music() -> None:
    with pytest.raises(UnusableError, match="20 events of a track have data bytes above 127"):
        read(midi(program(0, 24) + 20 * control(0, 7, 255) + 20 * note(0, 60)))


def test_a_damaged_velocity_ends_a_note_that_sounds() -> None:
    track = program(0, 24) + b"\x00\x90\x3c\x50" + b"\x60\x90\x3c\xc8" + note(0, 64)
    assert heard(read(midi(track)).parts[0]) == HEARD


def test_bytes_before_between_and_behind_tracks_are_passed_over() -> None:
    whole = midi(named("x"), TUNE)
    second = whole.rindex(b"MTrk")
    alien = chunk(b"XFIH", b"12345")
    for content in (
        bytes([0, 4]) + b"name" + bytes(122) + whole,
        b"RIFF\x00\x00\x00\x00RMIDdata\x00\x00\x00\x00" + whole + b"LIST",
        b"\r\n" + whole,
        whole + bytes(300),
        whole + b"junk",
        whole[:second] + alien + whole[second:] + alien,
    ):
        assert heard(read(content).parts[0]) == HEARD and not read(content).remarks
    score = read(whole[:second] + b"\x00\x00\x00" + whole[second:])
    assert heard(score.parts[0]) == HEARD and score.remarks == ("bytes between tracks were passed over (3)",)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0, 5, 40, 100_000])
def test_tracks_last_until_their_end_whatever_their_length_says(length: int) -> None:
    whole = midi(TUNE, program(1, 33) + note(1, 40))
    first = whole.index(b"MTrk") + 4
    score = read(whole[:first] + length.to_bytes(4, "big") + whole[first + 4 :])
    assert [heard(one) for one in score.parts] == [HEARD, [(0, 1, 40)]]
    assert score.remarks == ("lengths of tracks in the file were wrong",)


def test_the_header_may_count_other_tracks_than_there_are() -> None:
    for count in (1, 9):
        score = read(midi(TUNE, program(1, 33) + note(1, 40), count=count))
        assert [one.program for one in score.parts] == [24, 33]
        assert score.remarks == (f"its header counts other tracks than there are ({count} instead of 2)",)


def test_a_track_may_lack_its_end() -> None:
    whole = midi(TUNE)
    assert heard(read(whole[: -len(END)]).parts[0]) == HEARD
    with pytest.raises(UnusableError, match="cut off"):
        read(whole[: -len(END) - 1])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (midi(TUNE, division=0), "no ticks a beat"),
        (midi(TUNE, kind=7), "names a format 7"),
        (midi(TUNE, division=0x8000), "time code that there is not"),
        (midi(), "no track"),
        (midi(b"\x00\x3c\x50"), "data of no event"),
        (b"MThd\x00\x00\x00\x06", "cut off"),
    ],
)
def test_what_is_too_damaged_is_told(content: bytes, words: str) -> None:
    with pytest.raises(UnusableError, match=words):
        read(content)


@pytest.mark.parametrize(("frames", "second"), [(25, 1000), (24, 960), (30, 1200)])
def test_time_code_is_read_at_the_tempo_whose_beats_fit(frames: int, second: int) -> None:
    division = (256 - frames) << 8 | 40
    for bpm, tempo in ((120, b""), (100, meta(0x51, (600_000).to_bytes(3, "big")))):
        beat = second * 60 // bpm
        track = tempo + program(0, 24) + note(0, 60, length=beat) + note(0, 64, length=beat)
        score = read(midi(track, division=division))
        assert heard(score.parts[0]) == HEARD and score.mean_bpm == bpm
        assert score.remarks == (f"it counts time code, not beats, and was read at a tempo ({bpm} beats a minute)",)


@pytest.mark.parametrize("bpm", [72, 90, 97.5, 133])
def test_time_code_that_fits_neither_its_tempo_nor_the_default_has_one_that_does(bpm: float) -> None:
    places = [round(eighth * 30_000 / bpm) for eighth in (0, 2, 3, 4, 6, 8, 9, 10, 12, 14, 16, 18, 20, 21, 22, 24)]
    events = b"".join(
        note(0, 60, wait=place - before - 100 if number else place, length=100)
        for number, (before, place) in enumerate(zip([0, *places], places, strict=False))
    )
    score = read(midi(events, division=(256 - 25) << 8 | 40))
    assert score.mean_bpm == bpm
    assert score.parts[0].events["onset"][:4] == pytest.approx([0, 1, 1.5, 2], abs=0.01)


def test_a_karaoke_file_has_its_own_title() -> None:
    texts = meta(1, b"@KMIDI KARAOKE FILE") + meta(1, b"@TThe Caf\xe9 by the Sea") + meta(1, b"@TNobody")
    assert read(midi(texts, TUNE)).title == "The Café by the Sea"
    assert read(midi(meta(1, b"@TNo karaoke"), TUNE)).title == "piece"


def test_markers_that_are_chords_are_chord_symbols_and_letters_of_sections_are_none() -> None:
    def marked(*texts: str) -> list[tuple[float, str]]:
        markers = b"".join(meta(6, text.encode(), 2 * BEAT if index else 0) for index, text in enumerate(texts))
        return [(start, str(chord)) for start, chord in read(midi(markers, note(0, 60))).chords]

    assert marked("Verse", "Am", "F", "C/E", "G7") == [(2, "Am"), (4, "F"), (6, "C/E"), (8, "G7")]
    assert not marked("A", "B", "A", "C", "A")
    assert not marked("Intro", "Verse", "Chorus", "Am", "End")


def test_few_markers_are_chords_where_the_last_says_that_none_is_known_from_there_on() -> None:
    def marked(*texts: str) -> list[tuple[float, str]]:
        markers = b"".join(meta(6, text.encode(), 4 * BEAT) for text in texts)
        return [(start, str(chord)) for start, chord in read(midi(markers, note(0, 60))).chords]

    assert marked("C", "?") == [(4, "C"), (8, "?")]
    assert marked("?", "Am", "?", "N.C.", "?") == [(4, "?"), (8, "Am"), (12, "?"), (16, "None"), (20, "?")]
    assert not marked("C", "A") and not marked("C", "?", "A"), "letters of sections"
    assert not marked("Verse", "C", "?")

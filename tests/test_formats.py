import os

import pytest

from pipeline.formats import (
    HEAD_BYTES,
    OTHERS,
    RECORDINGS,
    SCORES,
    TEXTS,
    count_others,
    format_of_content,
    other_content,
    other_format,
    printable,
)


def test_names_become_one_printable_line() -> None:
    assert printable("a\nb\tc  d 🎵") == "a b c d 🎵"
    assert printable(os.fsdecode(b"caf\xe9")) == "caf\\xe9"


def test_music_in_other_formats_is_known_by_name() -> None:
    assert other_format("My Waltz.MSCZ") == "MuseScore file (.mscz): export it as MusicXML or MIDI"
    assert other_format("photo.jpg") == other_format("readme.txt") == other_format("song.mid") == ""
    assert not set(OTHERS) & {*SCORES, *RECORDINGS, *TEXTS, ".zip"}


def test_other_formats_are_counted_in_a_sentence_each_kind() -> None:
    names = ("a.gp5", "b.gpx", "c.gp5", "d.krn", "e.mid")
    assert count_others(other_format(name) for name in names) == [
        "3 Guitar Pro files (.gp5 .gpx): export them as MusicXML or MIDI",
        "1 Humdrum file (.krn): export it as MusicXML or MIDI",
    ]
    assert count_others(["no notes", "odd (.gp5): thing"]) == []


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (b"MThd\0\0\0\6", ".mid"),
        (b"\0\x04song" + bytes(122) + b"MThd", ".mid"),
        (b"<score-partwise version='4.0'>", ".musicxml"),
        (b"<?xml version='1.0'?><opus/>", ""),
        (b"RF64\xff\xff\xff\xffWAVEds64", ".wav"),
        (b"Dear diary", ""),
    ],
)
def test_formats_are_known_by_their_first_bytes(head: bytes, suffix: str) -> None:
    assert format_of_content(head) == suffix


def test_a_damaged_file_is_no_stranger() -> None:
    for name, head in (
        ("a.mid", b"\x01\x02MThd"),
        ("a.mid", b"?"),
        ("a.mxl", b"PK\3\4 cut"),
        ("a.abc", b"T:Reel\nabc"),
    ):
        assert other_content(name, head) == ""
    assert other_content("a.mid", b"PK\3\4 cut") == "is a zip archive, not a MIDI file"
    assert other_content("a.mid", "Liebes Tagebuch, fr\u00fcher".encode("cp1252")) == "is plain text, not a MIDI file"
    assert other_content("a.mid", ("a" + "\u00e4" * 2000).encode()[:HEAD_BYTES]) == "is plain text, not a MIDI file"
    assert other_content("a.mp3", "Liebes Tagebuch, fr\u00fcher".encode()) == "is plain text, not a recording"

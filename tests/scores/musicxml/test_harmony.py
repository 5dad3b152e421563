"""Chord symbols of MusicXML: where they stand, how they are called, transposed and repeated."""

from __future__ import annotations

from pathlib import Path

from pipeline.scores.score import Score
from tests.music_makers import read_one
from tests.xml_makers import ATTRIBUTES, write_xml, xml_note

FOUR = xml_note("C", 4, 8)


def harmony(root: str, kind: str, more: str = "", alter: int = 0) -> str:
    lowered = f"<root-alter>{alter}</root-alter>" if alter else ""
    return f"<harmony><root><root-step>{root}</root-step>{lowered}</root><kind>{kind}</kind>{more}</harmony>"


def chords(score: Score) -> list[tuple[float, str]]:
    return [(start, str(chord)) for start, chord in score.chords]


def test_chord_symbols_stand_where_they_begin(tmp_path: Path) -> None:
    bass = "<bass><bass-step>E</bass-step></bass>"
    offset = "<offset>4</offset>"
    flat_five = "<degree><degree-value>5</degree-value><degree-alter>-1</degree-alter></degree>"
    path = write_xml(
        tmp_path / "a.xml",
        ATTRIBUTES.format("") + harmony("A", "minor-seventh") + harmony("C", "major", bass + offset) + FOUR,
        harmony("B", "dominant-ninth", alter=-1) + FOUR,
        harmony("B", "minor-seventh", flat_five) + xml_note("C", 4, 4) + harmony("G", "none") + xml_note("C", 4, 4),
        harmony("G", "Neapolitan") + FOUR,
    )
    assert chords(read_one(path)) == [(0, "Am7"), (2, "C/E"), (4, "Bb7"), (8, "Bm7b5"), (10, "None")]


def test_chords_return_with_a_repeat_and_sound_where_the_part_does(tmp_path: Path) -> None:
    in_b_flat = "<transpose><chromatic>-2</chromatic></transpose>"
    again = "<barline location='right'><repeat direction='backward'/></barline>"
    path = write_xml(
        tmp_path / "a.xml",
        ATTRIBUTES.format(in_b_flat) + harmony("D", "major") + FOUR,
        harmony("A", "dominant") + FOUR + again,
    )
    assert chords(read_one(path)) == [(0, "C"), (4, "G7"), (8, "C"), (12, "G7")]

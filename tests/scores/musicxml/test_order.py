"""Repeats, endings and jumps of MusicXML scores, played out."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Metre, Score
from tests.music_makers import note_rows, read_one
from tests.xml_makers import ATTRIBUTES, write_parts, write_xml, xml_note

SCALE = [("C", 4), ("D", 4), ("E", 4), ("F", 4), ("G", 4), ("A", 4), ("B", 4)]
OPEN = "<barline location='left'><repeat direction='forward'/></barline>"
CLOSE = "<barline location='right'><repeat direction='backward'/></barline>"


def bar(index: int, before: str = "", after: str = "") -> str:
    """A whole note, a different one for each bar."""
    return before + xml_note(*SCALE[index], 8) + after


def bars(*signs: tuple[str, str]) -> list[str]:
    """Bars with what stands before and behind their notes."""
    written = [bar(index, before, after) for index, (before, after) in enumerate(signs)]
    return [ATTRIBUTES.format("") + written[0], *written[1:]]


def ending(numbers: str, kind: str, repeat: str = "") -> str:
    side = "left" if kind == "start" else "right"
    return f"<barline location='{side}'><ending number='{numbers}' type='{kind}'/>{repeat}</barline>"


def sign(kind: str) -> str:
    return f"<direction><direction-type><{kind}/></direction-type></direction>"


def words(text: str) -> str:
    return f"<direction><direction-type><words>{text}</words></direction-type></direction>"


def sound(attribute: str) -> str:
    return f"<direction><direction-type><words>x</words></direction-type><sound {attribute}/></direction>"


def letters(found: Score) -> str:
    """The bars as letters of their notes."""
    names = {60: "C", 62: "D", 64: "E", 65: "F", 67: "G", 69: "A", 71: "B"}
    return "".join(names[pitch] for _, _, pitch in note_rows(found))


def test_repeats_and_endings_are_played_out_or_left(tmp_path: Path) -> None:
    back = "<repeat direction='backward'/>"
    path = write_xml(
        tmp_path / "a.xml",
        *bars(
            ("", ""),
            (OPEN, ""),
            (ending("1", "start"), ending("1", "stop", back)),
            (ending("2", "start"), ""),
            ("", ""),
        ),
    )
    assert letters(read_one(path)) == "CDEDFG"
    assert read_one(path).metres == (Metre(0.0, 4, 4),)
    assert letters(read_scores(path, 1, play_repeats=False)[0]) == "CDEFG"


def test_signs_stand_in_any_part_and_all_follow(tmp_path: Path) -> None:
    path = write_parts(
        tmp_path / "a.xml", ("", bars(("", ""), ("", CLOSE), ("", ""))), ("", bars(("", ""), ("", ""), ("", "")))
    )
    found = read_one(path)
    assert note_rows(found, 0) == note_rows(found, 1)
    assert letters(found) == "CDCDE"


def test_a_pickup_comes_again_with_the_repeat(tmp_path: Path) -> None:
    short = xml_note("F", 4, 6) + CLOSE
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + xml_note("G", 4, 2), bar(0), short)
    found = read_one(path)
    assert [onset for onset, _, _ in note_rows(found)] == [0, 1, 5, 8, 9, 13]
    assert found.metres == (Metre(1.0, 4, 4),)


def test_ties_bind_into_each_ending(tmp_path: Path) -> None:
    start, stop, back = "<tie type='start'/>", "<tie type='stop'/>", "<repeat direction='backward'/>"
    path = write_xml(
        tmp_path / "a.xml",
        ATTRIBUTES.format("") + xml_note("C", 4, 8, start),
        ending("1", "start") + xml_note("C", 4, 8, stop) + ending("1", "stop", back),
        ending("2", "start") + xml_note("C", 4, 4, stop) + xml_note("E", 4, 4),
    )
    assert note_rows(read_one(path)) == [(0, 8, 60), (8, 6, 60), (14, 2, 64)]


def test_the_tempo_of_a_passage_comes_again_with_it(tmp_path: Path) -> None:
    path = write_xml(
        tmp_path / "a.xml", *bars(("<sound tempo='80'/>", ""), (OPEN, ""), ("<sound tempo='160'/>", CLOSE), ("", ""))
    )
    assert read_one(path).tempos == ((0, 80), (8, 160), (12, 80), (16, 160))


@pytest.mark.parametrize(
    ("signs", "order"),
    [
        ([("", ""), ("", words("Fine")), ("", words("D.C. al Fine"))], "CDECD"),
        ([("", ""), ("", sound("fine='yes'")), ("", sound("dacapo='yes'"))], "CDECD"),
        ([("", ""), (sign("segno"), words("To Coda")), ("", words("D.S. al Coda")), (sign("coda"), "")], "CDEDF"),
        ([("", ""), (sign("segno"), sign("coda")), ("", words("Dal Segno al Coda")), (words("Coda"), "")], "CDEDF"),
        (
            [(sound("segno='s'"), ""), ("", sound("tocoda='c'")), ("", sound("dalsegno='s'")), (sound("coda='c'"), "")],
            "CDECDF",
        ),
        ([("", "<barline location='right'><repeat direction='backward' times='3'/></barline>"), ("", "")], "CCCD"),
        ([("", ""), ("", words("a fine day, D C"))], "CD"),
    ],
)
def test_jumps_by_words_and_signs(tmp_path: Path, signs: list[tuple[str, str]], order: str) -> None:
    assert letters(read_one(write_xml(tmp_path / "a.xml", *bars(*signs)))) == order


def test_repeats_that_make_no_sense_are_left_as_written_and_remarked(tmp_path: Path) -> None:
    path = write_xml(tmp_path / "a.xml", *bars(("", ""), (ending("3", "start"), ending("3", "stop")), ("", "")))
    found = read_one(path)
    assert letters(found) == "CDE"
    assert found.remarks == ("its repeats are left as written (bar 2 would never be played)",)

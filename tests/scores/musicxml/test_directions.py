"""Tempos above the staff."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.music_makers import read_one
from tests.xml_makers import ATTRIBUTES, write_xml, xml_note

BAR = xml_note("C", 4, 8)


def metronome(*content: str, sound: str = "") -> str:
    inside = "".join(content)
    return f"<direction><direction-type><metronome>{inside}</metronome></direction-type>{sound}</direction>"


def unit(name: str, dots: int = 0) -> str:
    return f"<beat-unit>{name}</beat-unit>" + "<beat-unit-dot/>" * dots


def per_minute(text: str) -> str:
    return f"<per-minute>{text}</per-minute>"


def words(text: str) -> str:
    return f"<direction><direction-type><words>{text}</words></direction-type></direction>"


@pytest.mark.parametrize(
    ("mark", "bpm"),
    [
        (metronome(unit("quarter"), per_minute("72")), 72),
        (metronome(unit("half"), per_minute("66")), 132),
        (metronome(unit("quarter", 1), per_minute("60")), 90),
        (metronome(unit("eighth"), per_minute("c. 180")), 90),
        (metronome(unit("quarter"), per_minute("72-80")), 76),
        (metronome(unit("quarter"), per_minute("104,5")), 104.5),
        (metronome(unit("quarter"), per_minute("72"), sound="<sound tempo='75'/>"), 75),
        (words("Swing ♩ = 120"), 120),
        (words("♩. = 60"), 90),
    ],
)
def test_metronome_marks_are_tempos_in_quarter_notes(tmp_path: Path, mark: str, bpm: float) -> None:
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + mark + BAR)
    assert read_one(path).tempos == ((0, bpm),)


@pytest.mark.parametrize("mark", [words("Allegro"), words("theme = 2"), metronome(unit("quarter"), per_minute("slow"))])
def test_words_are_no_tempos(tmp_path: Path, mark: str) -> None:
    assert read_one(write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + mark + BAR)).tempos == ()


def test_a_metric_modulation_keeps_the_length_of_the_first_value(tmp_path: Path) -> None:
    first = metronome(unit("quarter"), per_minute("80"))
    path = write_xml(
        tmp_path / "a.xml", ATTRIBUTES.format("") + first + BAR, metronome(unit("quarter", 1), unit("quarter")) + BAR
    )
    (_, before), (at, after) = read_one(path).tempos
    assert (before, at, round(after, 3)) == (80, 4, 53.333)


def test_what_is_to_be_played_counts_before_what_is_drawn(tmp_path: Path) -> None:
    path = write_xml(
        tmp_path / "a.xml",
        ATTRIBUTES.format("") + "<sound tempo='90'/>" + metronome(unit("quarter"), per_minute("100")) + BAR,
    )
    assert read_one(path).tempos == ((0, 90),)


def test_an_offset_moves_a_sound(tmp_path: Path) -> None:
    moved = "<offset sound='yes'>4</offset><sound tempo='90'/>"
    sound = f"<direction><direction-type><words>faster</words></direction-type>{moved}</direction>"
    assert read_one(write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + sound + BAR)).tempos == ((2, 90),)

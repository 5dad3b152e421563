"""General MIDI programs of MusicXML parts: by numbers, standard sounds or names."""

from __future__ import annotations

from pathlib import Path

from pipeline.scores.score import Score
from tests.music_makers import note_rows, read_one
from tests.xml_makers import ATTRIBUTES, write_parts, write_xml, xml_instrument, xml_note

BAR = ATTRIBUTES.format("") + xml_note("C", 4, 8)
FIRST = "<midi-channel>1</midi-channel><midi-program>1</midi-program>"


def programs(found: Score) -> list[int]:
    return [part.program for part in found.parts]


def called(name: str, instrument: str = "") -> tuple[str, list[str]]:
    """A part of one bar with a name."""
    return f"<part-name>{name}</part-name>{instrument}", [BAR]


def test_standard_sounds_and_names_say_the_instrument_where_no_program_does(tmp_path: Path) -> None:
    path = write_parts(
        tmp_path / "a.xml",
        called("Solo", xml_instrument("x", "A", sound="strings.cello")),
        called("Violin I"),
        called("Staff", xml_instrument("Flute", "C")),
        called("Part 4"),
    )
    found = read_one(path)
    assert programs(found) == [42, 40, 73, 0]
    assert found.remarks == ("instruments by the names of parts: Staff, Violin I",)


def test_names_decide_where_all_parts_have_the_first_program(tmp_path: Path) -> None:
    path = write_parts(
        tmp_path / "a.xml",
        called("Violin", xml_instrument("x", "A", FIRST)),
        called("Piano", xml_instrument("x", "B", FIRST)),
        called("Drums", xml_instrument("x", "C", FIRST)),
    )
    found = read_one(path)
    assert [(part.program, part.is_drum) for part in found.parts] == [(40, False), (0, False), (0, True)]
    trumpet = FIRST.replace("<midi-program>1<", "<midi-program>57<")
    mixed = (called("Violin", xml_instrument("x", "A", FIRST)), called("Lead", xml_instrument("x", "B", trumpet)))
    assert programs(read_one(write_parts(tmp_path / "b.xml", *mixed))) == [0, 56]


def test_parts_whose_instruments_are_all_called_piano_are_what_they_are_called(tmp_path: Path) -> None:
    path = write_parts(
        tmp_path / "a.xml",
        called("Violin", xml_instrument("Grand Piano", "A", FIRST)),
        called("Piano", xml_instrument("Grand Piano", "B", FIRST)),
        called("Clarinet in B", xml_instrument("Grand Piano", "C", FIRST)),
    )
    assert programs(read_one(path)) == [40, 0, 71]


def test_a_bass_in_a_choir_is_a_voice_and_in_a_band_a_guitar(tmp_path: Path) -> None:
    choir = write_parts(tmp_path / "a.xml", called("Soprano"), called("Alto"), called("Tenor"), called("Bass"))
    assert programs(read_one(choir)) == [52, 52, 52, 52]
    assert not read_one(choir).remarks
    band = write_parts(tmp_path / "b.xml", called("Vocals"), called("Guitar"), called("Bass"))
    assert programs(read_one(band))[2] == 33


def test_programs_that_count_from_zero_are_mended_by_the_names(tmp_path: Path) -> None:
    numbers = {"Piano": 0, "Violin": 40, "Flute": 73}
    parts = [
        called(name, xml_instrument(name, name, f"<midi-program>{number}</midi-program>"))
        for name, number in numbers.items()
    ]
    found = read_one(write_parts(tmp_path / "a.xml", *parts))
    assert programs(found) == [0, 40, 73]
    assert found.remarks == ("its programs count from 0",)


def test_a_player_who_changes_the_instrument_has_a_part_for_each(tmp_path: Path) -> None:
    head = xml_instrument("Flute", "A", "<midi-program>74</midi-program>")
    head += xml_instrument("Piccolo", "B", "<midi-program>73</midi-program>")
    notes = xml_note("C", 5, 4, after="<instrument id='A'/>") + xml_note("C", 6, 4, after="<instrument id='B'/>")
    found = read_one(write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + notes, head=head))
    assert programs(found) == [73, 72]
    assert [note_rows(found, 0), note_rows(found, 1)] == [[(0, 2, 72)], [(2, 2, 84)]]
    assert {part.group for part in found.parts} == {0}


def test_programs_change_in_mid_song(tmp_path: Path) -> None:
    head = xml_instrument("Strings", "A", "<midi-program>49</midi-program>")
    change = "<sound><midi-instrument id='A'><midi-program>46</midi-program></midi-instrument></sound>"
    flute = "<instrument-change id='A'><instrument-sound>wind.flutes.flute</instrument-sound></instrument-change>"
    path = write_xml(
        tmp_path / "a.xml",
        BAR + f"<direction><direction-type><words>pizz.</words></direction-type>{change}</direction>",
        xml_note("D", 4, 8),
        f"<sound>{flute}</sound>" + xml_note("E", 4, 8),
        head=head,
    )
    assert programs(read_one(path)) == [48, 45, 73]

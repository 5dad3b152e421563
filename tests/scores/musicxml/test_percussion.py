"""Notes without a pitch as General MIDI percussion."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.scores.musicxml.percussion import key_by_name
from tests.music_makers import note_rows, read_one
from tests.xml_makers import ATTRIBUTES, write_xml, xml_hit, xml_instrument, xml_note

CHANNEL = "<midi-channel>10</midi-channel><midi-program>1</midi-program>"


def drum(key: int, name: str = "x") -> str:
    """An instrument of a drum set whose MIDI key is one less than MusicXML writes."""
    return xml_instrument(name, f"I{key}", f"{CHANNEL}<midi-unpitched>{key + 1}</midi-unpitched>")


def keys(path: Path) -> list[int]:
    return [pitch for _, _, pitch in note_rows(read_one(path))]


def test_each_note_of_a_drum_set_names_its_instrument(tmp_path: Path) -> None:
    hits = xml_hit("F", 4, 2, "I36") + xml_hit("F", 4, 2, "I38") + xml_hit("G", 5, 2, "I46") + xml_hit("D", 4, 2, "I49")
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + hits, head="".join(map(drum, (36, 38, 46, 49))))
    found = read_one(path)
    assert keys(path) == [36, 38, 46, 49]
    assert found.parts[0].is_drum and not found.remarks


def test_names_say_the_key_where_no_number_does(tmp_path: Path) -> None:
    head = xml_instrument("Kick Drum", "A") + xml_instrument("x", "B", sound="metal.hi-hat")
    hits = xml_hit("B", 4, 4, "A") + xml_hit("B", 4, 4, "B")
    assert keys(write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + hits, head=head)) == [36, 42]


def test_the_staff_says_the_key_where_no_name_does(tmp_path: Path) -> None:
    hits = xml_hit("F", 4, 1) + xml_hit("C", 5, 1) + xml_hit("C", 5, 1, head="x") + xml_hit("G", 5, 1, head="x")
    hits += xml_hit("G", 5, 1, head="circle-x") + xml_hit("F", 5, 1, head="x") + xml_hit("A", 5, 1) + xml_hit("D", 4, 1)
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + hits)
    assert keys(path) == [36, 38, 37, 42, 46, 51, 49, 44]


def test_a_part_that_is_called_after_a_drum_is_that_drum(tmp_path: Path) -> None:
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + xml_hit("E", 4, 8))
    path.write_text(path.read_text("utf-8").replace("Voice", "Triangle"), "utf-8")
    assert keys(path) == [81]


PIANO = xml_instrument("Piano", "A", "<midi-channel>1</midi-channel><midi-program>1</midi-program>")


def test_one_knock_makes_no_drums_of_a_piano(tmp_path: Path) -> None:
    bar = "".join(xml_note("C", 4, 1) for _ in range(8))
    knock = "".join(xml_note("E", 4, 1) for _ in range(7)) + xml_hit("C", 5, 1, head="x")
    found = read_one(write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + bar, knock, head=PIANO))
    assert [(part.program, part.is_drum, len(part.events)) for part in found.parts] == [(0, False, 15)]
    assert found.remarks == ("knocks in a part of pitches were left out: 1",)


def test_pitches_and_drums_of_one_player_are_told_apart(tmp_path: Path) -> None:
    notes = xml_note("C", 4, 4) + xml_hit("C", 5, 2) + xml_note("E", 4, 2)
    found = read_one(write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + notes, head=PIANO))
    assert [(part.program, part.is_drum) for part in found.parts] == [(0, False), (0, True)]
    assert note_rows(found, 0) == [(0, 2, 60), (3, 1, 64)]
    assert note_rows(found, 1) == [(2, 1, 38)]


def test_pitches_on_channel_ten_are_keys_unless_the_part_is_called_otherwise(tmp_path: Path) -> None:
    notes = ATTRIBUTES.format("<transpose><chromatic>-2</chromatic></transpose>") + xml_note("D", 2, 8)
    drums = read_one(write_xml(tmp_path / "a.xml", notes, head=xml_instrument("Standard Kit", "A", CHANNEL)))
    assert (drums.parts[0].is_drum, note_rows(drums)) == (True, [(0, 4, 38)])
    violin = CHANNEL.replace("<midi-program>1<", "<midi-program>41<")
    tenth = read_one(write_xml(tmp_path / "b.xml", notes, head=xml_instrument("Violin", "A", violin)))
    assert (tenth.parts[0].is_drum, tenth.parts[0].program, note_rows(tenth)) == (False, 40, [(0, 4, 36)])


def test_pitches_under_a_percussion_clef_are_places_unless_they_are_as_low_as_keys(tmp_path: Path) -> None:
    clef = ATTRIBUTES.format("<clef><sign>percussion</sign></clef>")
    kit = xml_instrument("Drumset", "A", CHANNEL)
    places = clef + xml_note("F", 4, 4) + xml_note("C", 5, 2) + xml_note("G", 5, 2, after="<notehead>x</notehead>")
    assert keys(write_xml(tmp_path / "a.xml", places, head=kit)) == [36, 38, 42]
    numbers = clef + xml_note("C", 2, 4) + xml_note("D", 4, 4)
    assert keys(write_xml(tmp_path / "b.xml", numbers, head=kit)) == [36, 62]


def test_keys_that_count_from_zero_are_mended_by_the_names(tmp_path: Path) -> None:
    named = ((36, "Bass Drum 1"), (38, "Acoustic Snare"), (42, "Closed Hi-Hat"))
    head = "".join(drum(key - 1, name).replace(f"I{key - 1}", f"I{key}") for key, name in named)
    hits = "".join(xml_hit("C", 5, 2, f"I{key}") for key, _ in named)
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + hits, head=head)
    assert keys(path) == [36, 38, 42]
    assert read_one(path).remarks == ("its keys of drums count from 0",)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Acoustic Bass Drum", 35),
        ("Bass Drum 1", 36),
        ("Große Trommel", 36),
        ("Snare Drum [rim shot]", 37),
        ("Low-Mid Tom", 47),
        ("Hi-Hat (open)", 46),
        ("Pedal Hi-Hat", 44),
        ("Crash Cymbal 2", 57),
        ("Ride Cymbal 1", 51),
        ("Low Wood Block", 77),
        ("drum.snare-drum", 38),
        ("metal.cymbal.crash", 49),
        ("Drumset", None),
        ("Piano", None),
    ],
)
def test_names_of_drums(name: str, key: int | None) -> None:
    assert key_by_name(name) == key

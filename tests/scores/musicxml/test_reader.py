"""MusicXML files as scores: notes, ties, measures, transposition."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.scores.score import Metre
from tests.music_makers import note_rows, read_one, reason_against
from tests.xml_makers import ATTRIBUTES, BACK, write_parts, write_xml, xml_note

FOUR = xml_note("C", 4, 8)
"""A whole note."""


def test_musicxml_ties_chords_voices_and_pickup(tmp_path: Path) -> None:
    tie_start, tie_stop = "<tie type='start'/>", "<tie type='stop'/>"
    path = write_xml(
        tmp_path / "a.xml",
        ATTRIBUTES.format("") + xml_note("G", 4, 2),  # a pickup of one beat
        xml_note("C", 5, 4)
        + xml_note("E", 5, 4, "<chord/>")
        + xml_note("D", 5, 4, tie_start)
        + "<backup><duration>8</duration></backup>"
        + xml_note("C", 3, 8),
        xml_note("D", 5, 2, tie_stop) + xml_note("D", 5, 6),
    )
    found = read_one(path)
    assert found.title == "A Tune"
    assert note_rows(found) == [(0, 1, 67), (1, 2, 72), (1, 2, 76), (1, 4, 48), (3, 3, 74), (6, 3, 74)]
    assert found.metres == (Metre(1.0, 4, 4),)


def test_a_bar_that_a_repeat_sign_divides_keeps_the_bar_lines(tmp_path: Path) -> None:
    four = xml_note("C", 4, 8)
    path = write_xml(
        tmp_path / "a.xml", ATTRIBUTES.format("") + four, xml_note("C", 4, 6), xml_note("D", 4, 2), four, four
    )
    assert read_one(path).metres == (Metre(0.0, 4, 4),)


def test_bars_are_counted_anew_after_a_short_bar(tmp_path: Path) -> None:
    four = xml_note("C", 4, 8)
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + four, xml_note("D", 4, 4), four, four)
    assert read_one(path).metres == (Metre(0.0, 4, 4), Metre(6.0, 4, 4))


def test_a_transposing_instrument_sounds_where_it_sounds(tmp_path: Path) -> None:
    clarinet = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format(clarinet) + xml_note("C", 5, 8))
    assert note_rows(read_one(path)) == [(0, 4, 70)]


def test_our_musicxml_reader_agrees_with_music21_on_bach() -> None:
    from music21 import converter

    from pipeline.sources.catalog import locate

    for name in ("bwv66.6", "bwv10.7", "bwv277"):
        path = locate(f"music21:bach/{name}.mxl")
        found = read_one(path)
        stream = converter.parse(path, forceSource=True)
        for index, voice in enumerate(stream.parts):
            notes = voice.stripTies().flatten().notes
            wanted = sorted((float(one.offset), float(one.quarterLength), one.pitch.midi) for one in notes)
            assert note_rows(found, index) == wanted, (name, index)


def test_two_tied_notes_of_one_pitch_in_two_voices_stay_two(tmp_path: Path) -> None:
    start, stop = "<tie type='start'/>", "<tie type='stop'/>"
    first = ATTRIBUTES.format("") + xml_note("A", 4, 8, start, "<voice>1</voice>") + BACK
    second = xml_note("A", 4, 4, stop, "<voice>1</voice>") + "<backup><duration>4</duration></backup>"
    path = write_xml(
        tmp_path / "a.xml",
        first + xml_note("A", 4, 8, start, "<voice>2</voice>"),
        second + xml_note("A", 4, 8, stop, "<voice>2</voice>"),
    )
    assert note_rows(read_one(path)) == [(0, 6, 69), (0, 8, 69)]


def test_ties_that_are_only_drawn_bind_too(tmp_path: Path) -> None:
    drawn = "<notations><tied type='{}'/></notations>"
    path = write_xml(
        tmp_path / "a.xml",
        ATTRIBUTES.format("") + xml_note("A", 4, 8, after=drawn.format("start")),
        xml_note("A", 4, 4, after=drawn.format("stop")) + xml_note("A", 4, 4),
    )
    assert note_rows(read_one(path)) == [(0, 6, 69), (6, 2, 69)]


def test_parts_that_fill_a_measure_differently_stay_together(tmp_path: Path) -> None:
    whole_rest = "<note><rest/><duration>16</duration></note>"  # longer than its bar
    path = write_parts(
        tmp_path / "a.xml",
        ("<part-name>A</part-name>", [ATTRIBUTES.format("") + xml_note("C", 4, 6), FOUR, FOUR]),
        ("<part-name>B</part-name>", [ATTRIBUTES.format("") + FOUR, whole_rest, FOUR]),
    )
    found = read_one(path)
    assert note_rows(found, 0) == [(0, 3, 60), (4, 4, 60), (8, 4, 60)]
    assert note_rows(found, 1) == [(0, 4, 60), (8, 4, 60)]
    assert found.metres == (Metre(0.0, 4, 4),)


def test_a_measure_with_nothing_in_it_lasts_a_bar(tmp_path: Path) -> None:
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + FOUR, "", FOUR)
    assert note_rows(read_one(path)) == [(0, 4, 60), (8, 4, 60)]


def test_a_part_that_leaves_measures_out_goes_by_their_numbers(tmp_path: Path) -> None:
    path = write_parts(
        tmp_path / "a.xml",
        ("", [ATTRIBUTES.format("") + xml_note("G", 4, 2), FOUR, FOUR]),
        ("", [ATTRIBUTES.format("") + FOUR, FOUR]),
    )
    text = path.read_text("utf-8").replace("measure number='1'", "measure number='2'")
    head, _, second = text.rpartition("<part id='P1'>")
    second = second.replace("number='0'", "number='1'")
    path.write_text(head.replace("measure number='2'", "measure number='1'", 1) + "<part id='P1'>" + second, "utf-8")
    found = read_one(path)
    assert note_rows(found, 1) == [(1, 4, 60), (5, 4, 60)]


def test_a_score_in_measures_reads_like_one_in_parts(tmp_path: Path) -> None:
    part = "<part id='P1'>{}</part>"
    (tmp_path / "a.xml").write_text(
        "<score-timewise><part-list><score-part id='P1'><part-name>Flute</part-name></score-part></part-list>"
        f"<measure number='1'>{part.format(ATTRIBUTES.format('') + FOUR)}</measure>"
        f"<measure number='2'>{part.format(FOUR)}</measure></score-timewise>",
        "utf-8",
    )
    found = read_one(tmp_path / "a.xml")
    assert note_rows(found) == [(0, 4, 60), (4, 4, 60)]
    assert found.parts[0].name == "Flute"


def test_staves_transpose_each_in_its_way_and_octaves_double(tmp_path: Path) -> None:
    transpose = "<transpose number='1'><chromatic>-2</chromatic></transpose>"
    transpose += "<transpose number='2'><chromatic>0</chromatic><octave-change>-1</octave-change><double/></transpose>"
    notes = xml_note("C", 5, 8, after="<staff>1</staff>") + BACK + xml_note("C", 4, 8, after="<staff>2</staff>")
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format(transpose) + notes)
    assert note_rows(read_one(path)) == [(0, 4, 36), (0, 4, 48), (0, 4, 70)]


def test_additive_metres_add_up(tmp_path: Path) -> None:
    for beats, unit, wanted in (("3+2", "8", Metre(0.0, 5, 8)), ("3+3+2", "8", Metre(0.0, 8, 8))):
        time = f"<attributes><divisions>2</divisions><time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>"
        length = int(wanted.bar_length * 2)
        path = write_xml(
            tmp_path / "a.xml", time + "</attributes>" + xml_note("C", 4, length), xml_note("C", 4, length)
        )
        assert read_one(path).metres == (wanted,)
    two = "<time><beats>3</beats><beat-type>8</beat-type><beats>2</beats><beat-type>4</beat-type></time>"
    bar = xml_note("C", 4, 7)
    path = write_xml(tmp_path / "b.xml", f"<attributes><divisions>2</divisions>{two}</attributes>" + bar, bar)
    assert read_one(path).metres == (Metre(0.0, 7, 8),)


def test_measures_without_a_metre_are_bars_of_their_own_length(tmp_path: Path) -> None:
    free = "<attributes><time><senza-misura/></time></attributes>"
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + FOUR, free + xml_note("C", 4, 11), FOUR)
    assert [str(metre) for metre in read_one(path).metres] == ["4/4", "11/8", "4/4"]


def test_measures_under_a_repeat_sign_sound_like_those_before(tmp_path: Path) -> None:
    sign = "<attributes><measure-style><measure-repeat type='{}'>{}</measure-repeat></measure-style></attributes>"
    rest = "<note><rest/><duration>8</duration></note>"
    path = write_xml(
        tmp_path / "a.xml",
        ATTRIBUTES.format("") + FOUR,
        sign.format("start", 1) + rest,
        rest,
        sign.format("stop", "") + rest,
    )
    assert note_rows(read_one(path)) == [(0, 4, 60), (4, 4, 60), (8, 4, 60)]


def test_a_note_without_a_duration_has_that_of_its_note_value(tmp_path: Path) -> None:
    bare = "<note><pitch><step>C</step><octave>4</octave></pitch><type>quarter</type><dot/></note>"
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + bare + xml_note("D", 4, 5))
    found = read_one(path)
    assert note_rows(found) == [(0, 1.5, 60), (1.5, 2.5, 62)]
    assert found.remarks == ("notes without a duration got that of their note value: 1",)


def test_notes_of_one_chord_and_value_last_as_long(tmp_path: Path) -> None:
    half = "<type>half</type>"
    chord = xml_note("C", 4, 4, after=half) + xml_note("E", 4, 3, "<chord/>", half)
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + chord + xml_note("G", 4, 3, "<chord/>"))
    assert note_rows(read_one(path)) == [(0, 1.5, 67), (0, 2, 60), (0, 2, 64)]


def test_grace_notes_cue_notes_and_slashes_are_left_out(tmp_path: Path) -> None:
    grace = "<note><grace/><pitch><step>D</step><octave>5</octave></pitch></note>"
    cue = xml_note("E", 5, 4, "<cue/>")
    slash = xml_note("B", 4, 4, after="<notehead>slash</notehead>")
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + grace + cue + slash, FOUR)
    found = read_one(path)
    assert note_rows(found) == [(4, 4, 60)]
    assert found.remarks == ("beats drawn as slashes were left out: 1",)


@pytest.mark.parametrize("number", ["<duration>x</duration>", "<duration>-4</duration>", "<duration>1e999</duration>"])
def test_numbers_that_make_no_sense_are_explained(tmp_path: Path, number: str) -> None:
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + FOUR.replace("<duration>8</duration>", number))
    assert reason_against(path).startswith("broken file: a number in it makes no sense")

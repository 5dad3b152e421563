import zipfile
from pathlib import Path

from pipeline.scores.score import Metre
from tests.music_makers import note_rows, read_one, reason_against

MEASURE = "<measure number='{}'>{}</measure>"
ATTRIBUTES = "<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time>{}</attributes>"


def xml_note(step: str, octave: int, duration: int, extra: str = "") -> str:
    return (
        f"<note>{extra}<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"<duration>{duration}</duration></note>"
    )


def write_xml(path: Path, *measures: str, head: str = "") -> Path:
    body = "".join(MEASURE.format(number, measure) for number, measure in enumerate(measures))
    path.write_text(
        "<score-partwise><work><work-title>A Tune</work-title></work><part-list><score-part id='P1'>"
        f"<part-name>Voice</part-name>{head}</score-part></part-list><part id='P1'>{body}</part></score-partwise>"
    )
    return path


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


def test_a_zipped_score_reads_like_a_plain_one(tmp_path: Path) -> None:
    plain = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + xml_note("C", 5, 8))
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.write(plain, "a.xml")
    assert note_rows(read_one(tmp_path / "a.mxl")) == note_rows(read_one(plain))


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


def test_a_zip_bomb_is_not_unzipped(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b" " * 5_000_000)
    assert reason_against(tmp_path / "bomb.mxl") == "too large: more than 1 MB when unzipped"

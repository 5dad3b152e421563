import os
import struct
import zipfile
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import UnusableError
from pipeline.formats import printable
from pipeline.scores.reading import read_scores
from pipeline.scores.score import Metre, Score
from tests.music_makers import write_midi


def read(path: Path) -> Score:
    return read_scores(path, max_megabytes=1)[0]


def rows(one: Score, index: int = 0) -> list[tuple[float, float, int]]:
    events = one.parts[index].events
    columns = (np.round(events[name], 6).tolist() for name in ("onset", "duration", "pitch"))
    return sorted(zip(*columns, strict=True))


def reason(path: Path) -> str:
    with pytest.raises(UnusableError) as caught:
        read(path)
    return str(caught.value)


ticks_and_pitches = st.lists(
    st.tuples(st.integers(0, 4000), st.integers(1, 2000), st.integers(0, 127)), min_size=1, max_size=30
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(ticks_and_pitches)
def test_notes_written_by_mido_are_read_to_the_tick(tmp_path: Path, notes: list[tuple[int, int, int]]) -> None:
    # one note a pitch: what overlapping notes of one pitch mean the format does not say
    notes = list({pitch: (tick, length, pitch) for tick, length, pitch in notes}.values())
    wanted = sorted((round(tick / 480, 6), round(length / 480, 6), pitch) for tick, length, pitch in notes)
    path = write_midi(tmp_path / "a.mid", {(0, 0, "x"): wanted})
    assert rows(read(path)) == wanted


def test_notes_written_by_pretty_midi_are_read(tmp_path: Path) -> None:
    file = pretty_midi.PrettyMIDI(initial_tempo=90)
    piano, drums = pretty_midi.Instrument(5, name="keys"), pretty_midi.Instrument(0, is_drum=True)
    beat = 60 / 90
    piano.notes = [pretty_midi.Note(70, 60 + i, i * beat, (i + 1) * beat) for i in range(4)]
    drums.notes = [pretty_midi.Note(90, 36, 0, beat)]
    file.instruments = [piano, drums]
    file.write(str(tmp_path / "a.mid"))
    found = read(tmp_path / "a.mid")
    assert [(round(onset, 2), round(length, 2), pitch) for onset, length, pitch in rows(found)] == [
        (i, 1, 60 + i) for i in range(4)
    ]
    assert (found.parts[0].name, found.parts[0].program, found.parts[0].is_drum) == ("keys", 5, False)
    assert found.parts[1].is_drum
    assert found.mean_bpm == pytest.approx(90, rel=1e-4)


def test_repeated_notes_stay_separate_when_read(tmp_path: Path) -> None:
    path = write_midi(tmp_path / "a.mid", {(0, 0, "x"): [(0, 1, 60), (1, 1, 60), (2, 1, 60)]})
    assert rows(read(path)) == [(0, 1, 60), (1, 1, 60), (2, 1, 60)]


def test_mean_tempo_weighs_tempos_by_time() -> None:
    from tests.music_makers import part

    piece = Score("x", (part([(0, 8, 60)]),), (Metre(0, 4, 4),), ((0.0, 60.0), (4.0, 120.0)))
    assert piece.mean_bpm == pytest.approx(8 / (4 / 60 + 4 / 120))


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
    found = read(path)
    assert found.title == "A Tune"
    assert rows(found) == [(0, 1, 67), (1, 2, 72), (1, 2, 76), (1, 4, 48), (3, 3, 74), (6, 3, 74)]
    assert found.metres == (Metre(1.0, 4, 4),)


def test_a_bar_that_a_repeat_sign_divides_keeps_the_bar_lines(tmp_path: Path) -> None:
    four = xml_note("C", 4, 8)
    path = write_xml(
        tmp_path / "a.xml", ATTRIBUTES.format("") + four, xml_note("C", 4, 6), xml_note("D", 4, 2), four, four
    )
    assert read(path).metres == (Metre(0.0, 4, 4),)


def test_bars_are_counted_anew_after_a_short_bar(tmp_path: Path) -> None:
    four = xml_note("C", 4, 8)
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + four, xml_note("D", 4, 4), four, four)
    assert read(path).metres == (Metre(0.0, 4, 4), Metre(6.0, 4, 4))


def test_a_transposing_instrument_sounds_where_it_sounds(tmp_path: Path) -> None:
    clarinet = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    path = write_xml(tmp_path / "a.xml", ATTRIBUTES.format(clarinet) + xml_note("C", 5, 8))
    assert rows(read(path)) == [(0, 4, 70)]


def test_a_zipped_score_reads_like_a_plain_one(tmp_path: Path) -> None:
    plain = write_xml(tmp_path / "a.xml", ATTRIBUTES.format("") + xml_note("C", 5, 8))
    with zipfile.ZipFile(tmp_path / "a.mxl", "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.write(plain, "a.xml")
    assert rows(read(tmp_path / "a.mxl")) == rows(read(plain))


def test_our_musicxml_reader_agrees_with_music21_on_bach() -> None:
    from music21 import converter

    from pipeline.sources.catalog import locate

    for name in ("bwv66.6", "bwv10.7", "bwv277"):
        path = locate(f"music21:bach/{name}.mxl")
        found = read(path)
        stream = converter.parse(path, forceSource=True)
        for index, voice in enumerate(stream.parts):
            notes = voice.stripTies().flatten().notes
            wanted = sorted((float(one.offset), float(one.quarterLength), one.pitch.midi) for one in notes)
            assert rows(found, index) == wanted, (name, index)


def test_each_tune_of_an_abc_file_is_a_score(tmp_path: Path) -> None:
    path = tmp_path / "a.abc"
    path.write_text(
        "X:1\nT:First\nM:4/4\nL:1/4\nK:C\nC D E F|G2 G2-|G4|]\n\nX:2\nT:Second\nM:3/4\nL:1/4\nK:C\nC D E|F3|]\n"
    )
    first, second = read_scores(path, 1)
    assert (first.title, second.title) == ("First", "Second")
    assert rows(first) == [(0, 1, 60), (1, 1, 62), (2, 1, 64), (3, 1, 65), (4, 2, 67), (6, 6, 67)]
    assert str(first.metres[0]) == "4/4" and str(second.metres[0]) == "3/4"


def test_damaged_files_are_explained(tmp_path: Path) -> None:
    whole = write_midi(tmp_path / "whole.mid", {(0, 0, "x"): [(0, 1, 60)] * 20}).read_bytes()
    damaged = {
        "empty.mid": (b"", "it is empty"),
        "text.mid": (b"Dear diary, today I wrote no music.", "does not begin like a MIDI file"),
        "random.mid": (bytes(range(256)) * 8, "does not begin like a MIDI file"),
        "cut.mid": (whole[: len(whole) // 2], "cut off"),
        "velocity.mid": (whole.replace(b"\x3c\x5a", b"\x3c\xda", 1), "where 127 is the most"),
        "text.xml": (b"no <xml", "no XML"),
        "page.xml": (b"<html></html>", "no MusicXML"),
        "zip.mxl": (b"PK\x03\x04 not really", "damaged zip"),
        "text.abc": (b"Dear diary", "no ABC tune"),
    }
    for name, (content, words) in damaged.items():
        (tmp_path / name).write_bytes(content)
        assert words in reason(tmp_path / name), name
        assert reason(tmp_path / name).startswith("broken file: ")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse.mid").open("wb") as file:
        file.truncate(3_000_000_000)
    assert reason(tmp_path / "sparse.mid") == "too large: more than 1 MB"


def test_a_zip_bomb_is_not_unzipped(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.mxl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b" " * 5_000_000)
    assert reason(tmp_path / "bomb.mxl") == "too large: more than 1 MB when unzipped"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read any file")
def test_a_file_without_permission_is_explained(tmp_path: Path) -> None:
    path = write_midi(tmp_path / "a.mid", {(0, 0, "x"): [(0, 1, 60)]})
    path.chmod(0)
    assert reason(path) == "can't be read: permission denied"


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    assert reason(tmp_path / "gone.mid") == "can't be read: no such file or directory"


def test_a_note_at_a_huge_tick_is_read_without_its_bars(tmp_path: Path) -> None:
    events = b"\x00\x90\x3c\x50" + b"\x83\x60\x80\x3c\x00" + b"\xff\xff\xff\x7f\x90\x3e\x50" + b"\x83\x60\x80\x3e\x00"
    track = events + b"\x00\xff\x2f\x00"
    head = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480)
    (tmp_path / "a.mid").write_bytes(head + b"MTrk" + struct.pack(">I", len(track)) + track)
    found = read(tmp_path / "a.mid")
    assert found.end > 500_000


def test_names_become_one_printable_line() -> None:
    assert printable("a\nb\tc  d 🎵") == "a b c d 🎵"
    assert printable(os.fsdecode(b"caf\xe9")) == "caf\\xe9"


def pedal_midi(path: Path, moves: list[tuple[int, int]], channel: int = 0) -> Path:
    """Pitch 60 at beats 0 and 2, 64 at 1, each for half a beat; pedal movements in ticks of 1/480 beat and values."""
    events: list[tuple[int, mido.Message]] = []
    for tick, pitch in ((0, 60), (480, 64), (960, 60)):
        events.append((tick, mido.Message("note_on", note=pitch, velocity=80, channel=channel)))
        events.append((tick + 240, mido.Message("note_off", note=pitch, channel=channel)))
    for tick, value in moves:
        events.append((tick, mido.Message("control_change", control=64, value=value, channel=channel)))
    track, now = mido.MidiTrack(), 0
    for tick, message in sorted(events, key=lambda one: one[0]):
        track.append(message.copy(time=tick - now))
        now = tick
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(track)
    file.save(path)
    return path


def test_the_pedal_holds_notes_until_it_is_lifted_or_they_are_struck_again(tmp_path: Path) -> None:
    path = pedal_midi(tmp_path / "a.mid", [(100, 127), (1440, 0)])
    assert rows(read(path)) == [(0, 2, 60), (1, 2, 64), (2, 1, 60)]


def test_a_pedal_less_than_half_down_holds_nothing(tmp_path: Path) -> None:
    path = pedal_midi(tmp_path / "a.mid", [(100, 63), (1440, 0)])
    assert rows(read(path)) == [(0, 0.5, 60), (1, 0.5, 64), (2, 0.5, 60)]


@pytest.mark.parametrize("moves", [[(100, 127)], [(100, 127), (100 + 17 * 480, 0)]])
def test_a_forgotten_pedal_holds_nothing(tmp_path: Path, moves: list[tuple[int, int]]) -> None:
    path = pedal_midi(tmp_path / "a.mid", moves)
    assert rows(read(path)) == [(0, 0.5, 60), (1, 0.5, 64), (2, 0.5, 60)]


def test_a_pedal_lifted_before_the_key_changes_nothing(tmp_path: Path) -> None:
    path = pedal_midi(tmp_path / "a.mid", [(10, 127), (200, 0)])
    assert rows(read(path)) == [(0, 0.5, 60), (1, 0.5, 64), (2, 0.5, 60)]


def test_drums_have_no_pedal(tmp_path: Path) -> None:
    path = pedal_midi(tmp_path / "a.mid", [(100, 127), (1440, 0)], channel=9)
    assert rows(read(path)) == [(0, 0.5, 60), (1, 0.5, 64), (2, 0.5, 60)]


def test_overlapping_notes_of_one_pitch_end_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    track = mido.MidiTrack()
    for kind, wait in (("note_on", 0), ("note_on", 240), ("note_off", 240), ("note_off", 480)):
        track.append(mido.Message(kind, note=60, velocity=80, time=wait))
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(track)
    file.save(tmp_path / "a.mid")
    assert rows(read(tmp_path / "a.mid")) == [(0, 1, 60), (0.5, 1.5, 60)]

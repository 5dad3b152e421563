"""Hymns on fewer staves than voices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.errors import UnusableError
from pipeline.scores.score import Score
from pipeline.scores.tracks import assign
from pipeline.settings.data import TrackSettings, TracksSettings
from tests.music_makers import read_one
from tests.xml_makers import ATTRIBUTES, BACK, write_parts, write_xml, xml_note

SATB = TracksSettings("satb", "register", [TrackSettings(name) for name in "SATB"], [])
STEPS = {0: "C", 2: "D", 4: "E", 5: "F", 7: "G", 9: "A", 11: "B"}
Line = Sequence[int]
HYMN: list[Line] = [[72, 74, 72, 71], [64, 65, 67, 65], [60, 57, 60, 62], [48, 50, 52, 43]]
"""Soprano, alto, tenor and bass, a note a beat."""


def quarter(pitch: int, voice: str, staff: int = 1, chord: bool = False) -> str:
    after = f"<voice>{voice}</voice><staff>{staff}</staff>"
    return xml_note(STEPS[pitch % 12], pitch // 12 - 1, 2, "<chord/>" if chord else "", after)


def single(line: Line, voice: str, staff: int = 1) -> str:
    return "".join(quarter(pitch, voice, staff) for pitch in line)


def chords(lines: Sequence[Line], voice: str, staff: int = 1) -> str:
    """Lines written as chords of one voice."""
    return "".join(
        quarter(pitch, voice, staff, at > 0) for chord in zip(*lines, strict=True) for at, pitch in enumerate(chord)
    )


def bars(content: str, count: int = 4) -> list[str]:
    return [ATTRIBUTES.format("") + content, *[content] * (count - 1)]


def on_two_staves(path: Path) -> Path:
    voices = [("1", 1), ("2", 1), ("5", 2), ("6", 2)]
    return write_xml(path, *bars(BACK.join(single(line, *at) for line, at in zip(HYMN, voices, strict=True))))


def with_equal_numbers(path: Path) -> Path:
    voices = [("1", 1), ("2", 1), ("1", 2), ("2", 2)]
    return write_xml(path, *bars(BACK.join(single(line, *at) for line, at in zip(HYMN, voices, strict=True))))


def in_two_parts(path: Path) -> Path:
    women, men = (single(high, "1") + BACK + single(low, "2") for high, low in (HYMN[:2], HYMN[2:]))
    return write_parts(path, ("", bars(women)), ("", bars(men)))


def in_chords(path: Path) -> Path:
    return write_xml(path, *bars(chords(HYMN[:2], "1") + BACK + chords(HYMN[2:], "5", 2)))


def in_chords_of_four(path: Path) -> Path:
    return write_xml(path, *bars(chords(HYMN, "1")))


def voices_above_chords(path: Path) -> Path:
    upper = single(HYMN[0], "1") + BACK + single(HYMN[1], "2")
    return write_xml(path, *bars(upper + BACK + chords(HYMN[2:], "5", 2)))


def with_a_piano(path: Path) -> Path:
    women, men = (single(high, "1") + BACK + single(low, "2") for high, low in (HYMN[:2], HYMN[2:]))
    piano = chords([[84] * 4, [88] * 4, [91] * 4], "1")
    return write_parts(
        path,
        ("<part-name>Women's choir</part-name>", bars(women)),
        ("<part-name>Men's choir</part-name>", bars(men)),
        ("<part-name>Piano</part-name>", bars(piano)),
    )


def sung(found: Score, tracks: TracksSettings = SATB) -> list[list[int]]:
    """The pitches of each track's first four beats."""
    voices = sorted(assign(found, tracks), key=lambda voice: voice.track)
    assert [voice.track for voice in voices] == list(range(len(tracks.tracks)))
    return [voice.events["pitch"][voice.events["onset"] < 4].tolist() for voice in voices]


@pytest.mark.parametrize(
    "write",
    [
        on_two_staves,
        with_equal_numbers,
        in_two_parts,
        in_chords,
        in_chords_of_four,
        voices_above_chords,
        with_a_piano,
    ],
)
def test_a_hymn_becomes_four_voices_however_it_is_written(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    assert sung(read_one(write(tmp_path / "hymn.xml"))) == HYMN


def test_a_closed_score_stays_one_part_where_programs_decide(tmp_path: Path) -> None:
    tracks = TracksSettings("band", "program", [TrackSettings("Strings", programs=list(range(128)))], [])
    (voice,) = assign(read_one(on_two_staves(tmp_path / "a.xml")), tracks)
    assert len(voice.events) == 64


def test_a_chord_of_one_voice_is_shared_with_the_voice_that_has_nothing_there(tmp_path: Path) -> None:
    gap = "<forward><duration>2</duration></forward>"
    upper = chords([[72], [64]], "1") + single(HYMN[0][1:], "1") + BACK + gap + single(HYMN[1][1:], "2")
    lower = single(HYMN[2], "5", 2) + BACK + single(HYMN[3], "6", 2)
    assert sung(read_one(write_xml(tmp_path / "a.xml", *bars(upper + BACK + lower)))) == HYMN


def test_a_voice_that_pauses_is_silent(tmp_path: Path) -> None:
    rest = "<note><rest/><duration>2</duration><voice>2</voice><staff>1</staff></note>"
    upper = single(HYMN[0], "1") + BACK + rest + single(HYMN[1][1:], "2")
    lower = single(HYMN[2], "5", 2) + BACK + single(HYMN[3], "6", 2)
    found = sung(read_one(write_xml(tmp_path / "a.xml", *bars(upper + BACK + lower))))
    assert found == [HYMN[0], HYMN[1][1:], HYMN[2], HYMN[3]]


def test_a_bar_that_one_voice_has_for_both_is_sung_by_both(tmp_path: Path) -> None:
    lower = single(HYMN[2], "5", 2) + BACK + single(HYMN[3], "6", 2)
    both = bars(single(HYMN[0], "1") + BACK + single(HYMN[1], "2") + BACK + lower)
    unison = ATTRIBUTES.format("") + single(HYMN[0], "1") + BACK + lower
    assert sung(read_one(write_xml(tmp_path / "a.xml", unison, *both[1:]))) == [HYMN[0], HYMN[0], HYMN[2], HYMN[3]]


def test_three_voices_on_two_staves(tmp_path: Path) -> None:
    ssa = TracksSettings("ssa", "register", [TrackSettings(name) for name in ("S1", "S2", "A")], [])
    written = chords(HYMN[:2], "1") + BACK + single([60, 60, 60, 60], "5", 2)
    assert sung(read_one(write_xml(tmp_path / "a.xml", *bars(written))), ssa) == [*HYMN[:2], [60] * 4]


def test_piano_music_is_no_choir(tmp_path: Path) -> None:
    left = "".join(quarter(pitch, "5", 2) for pitch in (48, 55, 52, 55))
    melody = write_xml(tmp_path / "a.xml", *bars(single(HYMN[0], "1") + BACK + left))
    rolling = write_xml(tmp_path / "b.xml", *bars(chords([*HYMN[:2], [76] * 4], "1") + BACK + left))
    for path in (melody, rolling):
        with pytest.raises(UnusableError, match="has 1 part, the track set satb needs 4"):
            assign(read_one(path), SATB)

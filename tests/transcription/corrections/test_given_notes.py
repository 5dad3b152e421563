"""Corrected notes: MIDI files read and laid on their recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import UnusableError
from pipeline.transcription.corrections.given_notes import lay_notes, read_given_notes
from tests.music_makers import tune, write_midi
from tests.sound_makers import timed_hits, timed_notes

LINE = tune(seed=3, bars=8)
DRUMS = [(beat, 0.25, 36 + 2 * int(beat % 2)) for beat in np.arange(32.0).tolist()]


def heard(offset: float, share: float = 1.0, beat_seconds: float = 0.5) -> np.ndarray:
    """The notes of the tune at 120 bpm as they are heard in a recording, which begins before them."""
    rows = [
        (offset + beat_seconds * onset, offset + beat_seconds * (onset + 1), pitch, 90)
        for onset, _, pitch in LINE[: int(share * len(LINE))]
    ]
    return timed_notes(*rows)


@pytest.mark.parametrize("offset", [-1.6, 0.37, 24.11])
def test_time_0_of_the_file_is_found_in_the_recording(tmp_path: Path, offset: float) -> None:
    path = write_midi(tmp_path / "fixed.mid", {(0, 0, "Lead"): LINE, (9, 0, "Drums"): DRUMS})
    laid = lay_notes(read_given_notes(path, False), heard(offset, 0.6), timed_hits(), offset + 20)
    assert laid.beats.beats_per_bar == 4 and laid.remarks == ()
    assert laid.beats.seconds[:5] == pytest.approx(offset + 0.5 * np.arange(5), abs=0.002)
    assert laid.beats.seconds[-1] >= offset + 20
    assert [part.name for part in laid.parts] == ["Lead", "Drums"]
    assert laid.timed_notes[0]["start"] == pytest.approx(heard(offset)["start"], abs=0.002)


def test_drums_alone_are_laid_by_their_hits(tmp_path: Path) -> None:
    path = write_midi(tmp_path / "fixed.mid", {(9, 0, "Drums"): DRUMS[:30]})
    hits = timed_hits(*((3.2 + 0.5 * onset, pitch) for onset, _, pitch in DRUMS[:30]))
    laid = lay_notes(read_given_notes(path, False), timed_notes(), hits, 20.0)
    assert laid.beats.seconds[0] == pytest.approx(3.2, abs=0.002)


def test_notes_of_another_recording_are_told(tmp_path: Path) -> None:
    path = write_midi(tmp_path / "fixed.mid", {(0, 0, "Lead"): LINE})
    (remark,) = lay_notes(read_given_notes(path, False), heard(0.0, beat_seconds=0.61), timed_hits(), 20.0).remarks
    assert remark.startswith("its corrected notes do not fit (")


@pytest.mark.parametrize(("metre", "beats_per_bar", "bpm"), [((3, 4), 3, 120), ((6, 8), 3, 120), ((7, 8), 7, 240)])
def test_bars_are_those_of_the_files_metre(
    tmp_path: Path, metre: tuple[int, int], beats_per_bar: int, bpm: float
) -> None:
    path = write_midi(tmp_path / "fixed.mid", {(0, 0, "Lead"): LINE}, metre)
    given = read_given_notes(path, False)
    beats = lay_notes(given, heard(0.0), timed_hits(), 16.0).beats
    assert (str(given.metre), beats.beats_per_bar) == (f"{metre[0]}/{metre[1]}", beats_per_bar)
    assert beats.bpm == pytest.approx(bpm)
    assert given.bars == -(-32 * metre[1] // (4 * metre[0]))


def test_what_holds_no_notes_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("C E G, then again from the top")
    (tmp_path / "b.mid").write_text("C E G, then again from the top")
    write_midi(tmp_path / "c.mid", {(0, 0, "Lead"): []})
    (tmp_path / "d.abc").write_text("X:1\nK:C\nCDEF|\n")
    for name, words in {
        "a.txt": r"a\.txt can't be read \(unknown format: \.txt\): export them as a MIDI file",
        "b.mid": r"b\.mid can't be read \(is plain text, not a MIDI file\): export",
        "c.mid": r"c\.mid have no notes: export them once more",
        "d.abc": r"d\.abc can't be read \(is an ABC file\): export",
        "e.mid": r"e\.mid can't be read \(can't be read: no such file or directory\)",
    }.items():
        with pytest.raises(UnusableError, match=f"the corrected notes .*{words}"):
            read_given_notes(tmp_path / name, False)


def test_a_set_in_six_eight_takes_notes_by_its_dotted_beats(tmp_path: Path) -> None:
    path = write_midi(tmp_path / "jig.mid", {(0, 0, "Lead"): LINE}, (6, 8))
    with pytest.raises(UnusableError, match=r"jig\.mid are in 6/8: write them in 2/4"):
        read_given_notes(path, True)

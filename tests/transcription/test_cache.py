"""Transcriptions on disk: made once, found again, and what a broken recording costs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.scores.midi.reading import read_midi
from pipeline.settings.data import ExecutorSettings
from pipeline.settings.transcribe import TranscribeSettings
from pipeline.sources.catalog import CatalogRow
from pipeline.transcription.cache import (
    Recording,
    cached_result,
    recording_of,
    recordings_of,
    transcribe_all,
    transcribe_one,
)
from pipeline.transcription.transcriber import TranscriptionHints
from tests.sound_makers import melody, write_sound

SETTINGS = TranscribeSettings(None, None, None, "Piano", 30)


@pytest.fixture
def song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    monkeypatch.chdir(tmp_path)
    path = write_sound(tmp_path / "a song.wav", melody([60, 64, 67, 72, 48, 55, 60, 64], seconds=0.3))
    return recording_of(path, SETTINGS, 4)


def test_a_transcription_is_made_once(song: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cached_result(song) is None
    found = transcribe_one(song)
    assert found.problem == "" and found.midi.is_file() and found.picture.is_file()
    assert found.report["title"] == "a song" and sum(found.report["notes"].values()) >= 8
    assert json.loads((song.directory / "transcription.json").read_text())["hints"]["rest"] == "Piano"
    monkeypatch.setattr("pipeline.transcription.cache.transcribe_samples", None)
    assert transcribe_one(song) == found
    assert not list(song.directory.parent.glob(".*.partial"))


def test_a_folder_that_is_not_whole_is_made_again(song: Recording) -> None:
    song.directory.mkdir(parents=True)
    (song.directory / "song.mid").write_bytes(b"MThd")
    assert cached_result(song) is None
    assert transcribe_one(song).problem == ""
    assert read_midi((song.directory / "song.mid").read_bytes(), "", 10**6)


def test_each_set_of_hints_has_a_folder_of_its_own(song: Recording, tmp_path: Path) -> None:
    path = tmp_path / "a song.wav"
    others = [
        recording_of(path, replace(SETTINGS, rest="Guitar"), 4),
        recording_of(path, SETTINGS, 3),
        recording_of(path, SETTINGS, 4, bpm=90),
        recording_of(path, SETTINGS, 4, downbeat_seconds=0.3),
    ]
    assert len({one.directory for one in (song, *others)}) == 5
    assert recording_of(path, replace(SETTINGS, bpm=80), 4, bpm=90).hints.bpm == 80
    assert recording_of(path, SETTINGS, 4, title="other").directory == song.directory


def test_a_broken_recording_costs_itself_only(song: Recording, tmp_path: Path) -> None:
    (tmp_path / "broken.mp3").write_bytes(b"no sound")
    broken = recording_of(tmp_path / "broken.mp3", SETTINGS, 4)
    gone = recording_of(tmp_path / "gone.ogg", SETTINGS, 4)
    found = list(transcribe_all([broken, song, gone], ExecutorSettings("local", 1, None)))
    assert [bool(one.problem) for one in found] == [True, False, True]
    assert found[0].problem.startswith("broken file") and "no such file" in found[2].problem
    assert not broken.directory.exists()


def test_a_catalog_knows_tempo_and_downbeat_of_its_recordings(song: Recording, tmp_path: Path) -> None:
    row = CatalogRow("", "", "", "song", song.path, song.path, 1, song.sha256, "")
    rows = [replace(row, bpm=92.0, downbeat_seconds=1.5), replace(row, where="a.mid"), replace(row, kind="sample")]
    found = recordings_of(rows, replace(SETTINGS, bpm=50), 4)
    assert [one.hints for one in found] == [TranscriptionHints("Piano", 92.0, 1.5, 4)]

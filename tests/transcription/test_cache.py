"""Transcriptions on disk: made once, found again, and what a broken recording costs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.files import write_json
from pipeline.scores.chords.symbols import Chord, read_progression
from pipeline.scores.midi.reading import read_midi
from pipeline.settings.data import ExecutorSettings
from pipeline.settings.transcribe import TranscribeSettings
from pipeline.sources.catalog import CatalogRow
from pipeline.transcription.cache import (
    Recording,
    cached_result,
    recording_of,
    recordings_of,
    remaining_work,
    transcribe_all,
    transcribe_one,
)
from pipeline.transcription.corrections.correction_files import Corrections
from pipeline.transcription.transcriber import Transcription, TranscriptionHints, transcribe_samples
from tests.sound_makers import melody, render_rows, rock, write_sound

SETTINGS = TranscribeSettings(None, None, None, "Piano", 30)


@pytest.fixture
def song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    monkeypatch.chdir(tmp_path)
    path = write_sound(tmp_path / "a song.wav", melody([60, 64, 67, 72, 48, 55, 60, 64], seconds=0.3))
    return recording_of(path, SETTINGS, 4)


def test_a_transcription_is_made_once(song: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cached_result(song) is None
    found = transcribe_one(song)
    assert found.problem == "" and all(path.is_file() for path in (found.midi, found.sound, found.picture))
    assert found.report["title"] == "a song" and sum(found.report["notes"].values()) >= 8
    assert json.loads((song.directory / "transcription.json").read_text())["hints"]["rest"] == "Piano"
    monkeypatch.setattr("pipeline.transcription.cache.transcribe_samples", None)
    assert transcribe_one(song) == found
    assert not list(song.directory.parent.glob(".*.partial"))


def test_what_was_heard_surely_is_told(song: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    def heard(samples: NDArray[np.float32], hints: TranscriptionHints, corrections: Corrections) -> Transcription:
        found = transcribe_samples(samples, hints, corrections)
        told = replace(found, known=("Lead", "Bass"), confidence=np.array([0.876, 0.2]), returns=np.array([-1, 0]))
        return replace(told, chords=read_progression("C F"), chord_confidence=np.array([1, 0.5, 0.333, 0]))

    monkeypatch.setattr("pipeline.transcription.cache.transcribe_samples", heard)
    found = transcribe_one(song)
    assert (found.known, found.confidence, found.returns) == (("Lead", "Bass"), (0.88, 0.2), (-1, 0))
    assert found.report["chord_confidence"] == [1, 0.5, 0.33, 0]
    assert read_midi(found.midi.read_bytes(), "", 10**6)[0].chords[0] == (0, Chord(0, "maj", 0))


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


def test_a_waltz_is_written_down_as_one_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    bars = [(48, 64, 67), (53, 65, 69), (55, 62, 71), (48, 64, 72)] * 4
    sound = melody([pitch for bass, *chord in bars for pitch in (bass, *chord)], seconds=0.5)
    recording = recording_of(write_sound(tmp_path / "waltz.wav", sound), SETTINGS, 4)
    found = transcribe_one(recording)
    assert found.report["beats_per_bar"] == 3
    assert found.remarks[0].startswith("sounds like 3/4 and not 4/4: data.metre=3/4 takes such music")
    assert read_midi(found.midi.read_bytes(), "", 10**6)[0].metres[0].numerator == 3
    kept = transcribe_one(recording_of(tmp_path / "waltz.wav", replace(SETTINGS, recognise_metre=False), 4))
    assert kept.report["beats_per_bar"] == 4 and kept.remarks == ()


def test_a_telephone_recording_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sound = soxr.resample(render_rows(rock(), drums=True), SAMPLE_RATE_HZ, 8000)
    soundfile.write(tmp_path / "call.wav", np.stack([sound, -sound], axis=1), 8000, subtype="ULAW")
    found = transcribe_one(recording_of(tmp_path / "call.wav", SETTINGS, 4))
    assert found.report["notes"]["Drums"] > 20
    assert found.remarks == (
        "channels of opposite polarity were turned",
        "nothing sounds above 4 kHz: its snare and cymbals are guessed",
    )


def test_estimates_go_by_what_this_machine_took(song: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    minute = [replace(song, sha256=str(number)) for number in range(4)]
    monkeypatch.setattr("pipeline.transcription.cache.minutes_of", lambda path: 1.0)
    executor = ExecutorSettings("local", 1, None)
    assert 10 < remaining_work(minute, executor).seconds < 30
    for number in range(3):
        report = {"seconds": 100.0, "took_seconds": 20.0 + number}
        write_json(song.directory.parent / str(number) / "transcription.json", report)
    assert remaining_work(minute, executor).seconds == pytest.approx(240 * 0.21 + 4)
    assert remaining_work([], executor).seconds == 0

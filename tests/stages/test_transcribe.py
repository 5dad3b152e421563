"""Recordings to notes: reading sound, hearing pitches, writing them down, and keeping what was written."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from pipeline.transcription.parts import bass_line

from pipeline.audio.decoding import SAMPLE_RATE_HZ, read_recording
from pipeline.audio.synthesizers import RATE_HZ, play, soundfont_path
from pipeline.errors import UnusableError, UserError
from pipeline.scores.midi import read_midi
from pipeline.scores.score import Part, Score, make_events
from pipeline.scores.tracks import fit_to_tracks
from pipeline.settings.audio import TranscribeSettings
from pipeline.settings.music import ExecutorSettings, TrackSettings, TracksSettings
from pipeline.sources.catalog import CatalogRow
from pipeline.transcription.beats.tracking import Beats
from pipeline.transcription.cache import (
    Recording,
    recall,
    recording_of,
    recordings_of,
    transcribe_all,
    transcribe_one,
)
from pipeline.transcription.midi import midi_bytes, tempo_map
from pipeline.transcription.pitches import PITCH, Activations, Decoding, decode, find_pitches
from pipeline.transcription.transcriber import Transcription, Wish, on_beats
from tests.conftest import Program
from tests.music_makers import write_midi

HIT = np.dtype([("start", np.float64), ("pitch", np.int16), ("velocity", np.int16)])
SETTINGS = TranscribeSettings(None, None, None, "Piano", 30)


def tone(pitch: int, seconds: float) -> NDArray[np.float32]:
    """A decaying tone with a few harmonics."""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    hz = 440 * 2 ** ((pitch - 69) / 12)
    sound = sum(np.sin(2 * np.pi * hz * k * time) / k**2 for k in range(1, 6)) * np.exp(-2 * time)
    return np.asarray(0.2 * sound * np.minimum(1, time / 0.005), np.float32)


def melody(pitches: list[int], seconds: float = 0.5, lead: float = 0.4) -> NDArray[np.float32]:
    """One tone after the other, after some silence."""
    silence = np.zeros(round(lead * SAMPLE_RATE_HZ), np.float32)
    return np.concatenate([silence, *(tone(pitch, seconds) for pitch in pitches)])


def notes(*rows: tuple[float, float, int, int]) -> NDArray[np.void]:
    """Pitched notes out of (start, end, pitch, velocity)."""
    return np.array(list(rows), PITCH)


def hits(*rows: tuple[float, int]) -> NDArray[np.void]:
    """Drum hits out of (start, pitch)."""
    return np.array([(*row, 100) for row in rows], HIT)


def write(path: Path, samples: NDArray[np.float32], rate_hz: int = SAMPLE_RATE_HZ) -> Path:
    soundfile.write(path, samples, rate_hz)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_sound_files_become_one_channel_at_one_rate(tmp_path: Path, suffix: str) -> None:
    sound = melody([60, 64], lead=0.2)[::2]  # half the samples are the same sound at half the rate
    path = write(tmp_path / f"a.{suffix}", np.stack([sound, 0.5 * sound], axis=1), SAMPLE_RATE_HZ // 2)
    samples = read_recording(path, 1)
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert abs(len(samples) / SAMPLE_RATE_HZ - 1.2) < 0.1


@pytest.mark.parametrize(
    ("name", "samples", "reason"),
    [
        ("silence.wav", np.zeros(60000), "silent from beginning to end"),
        ("short.wav", np.ones(1000) * 0.1, "lasts less than 1 s"),
        ("nan.wav", np.full(60000, np.nan), "some of its samples are no numbers"),
        ("none.wav", np.zeros(0), "there is no sound in it"),
        ("long.wav", np.ones(SAMPLE_RATE_HZ * 8) * 0.1, "lasts more than transcribe.max_minutes=0.1"),
    ],
)
def test_what_holds_no_music_is_refused_with_a_reason(
    tmp_path: Path, name: str, samples: NDArray[np.float64], reason: str
) -> None:
    soundfile.write(tmp_path / name, samples, SAMPLE_RATE_HZ, subtype="FLOAT")
    with pytest.raises(UnusableError, match=reason):
        read_recording(tmp_path / name, 0.1)


@pytest.mark.parametrize("content", [b"", b"hello" * 99, b"RIFF", b"ID3", b"OggS" + bytes(40), b"fLaC" + bytes(99)])
@pytest.mark.parametrize("suffix", ["wav", "mp3", "ogg"])
def test_broken_files_are_refused_in_plain_words(tmp_path: Path, content: bytes, suffix: str) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(content)
    with pytest.raises(UnusableError, match="broken file"):
        read_recording(tmp_path / f"a.{suffix}", 1)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="can't be read: no such file"):
        read_recording(tmp_path / "a.wav", 1)


def test_played_notes_come_back() -> None:
    played = [60, 64, 67, 72, 55, 48]
    heard = find_pitches(melody(played))
    assert heard["pitch"].tolist() == played
    assert np.abs(heard["start"] - (0.4 + 0.5 * np.arange(6))).max() < 0.02


def test_the_notes_of_a_chord_come_back() -> None:
    chord = melody([60]) + melody([64]) + melody([67])
    assert {60, 64, 67} <= set(find_pitches(chord)["pitch"].tolist())


def test_silence_has_no_notes() -> None:
    assert len(find_pitches(np.zeros(SAMPLE_RATE_HZ * 3, np.float32))) == 0


def test_a_note_struck_again_is_two() -> None:
    onsets, frames = np.zeros((200, 88), np.float32), np.zeros((200, 88), np.float32)
    frames[20:120, 39], onsets[[20, 70], 39] = 0.9, 0.9
    heard = decode(Activations(onsets, frames), Decoding())
    assert heard["pitch"].tolist() == [60, 60]
    assert heard["end"][0] == pytest.approx(heard["start"][1], abs=0.02)


def test_the_missing_network_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install --no-deps basic-pitch==0\.4\.0"):
        find_pitches(tone(60, 1))


def test_the_lowest_line_is_the_bass() -> None:
    heard = notes((0, 1, 36, 90), (0, 1, 48, 80), (0, 1, 64, 80), (1, 2, 43, 90), (2, 3, 70, 80))
    assert bass_line(heard).tolist() == [True, False, False, True, False]


def written(beats: Beats) -> Transcription:
    heard = notes((0.5, 1.0, 64, 90), (1.0, 1.5, 65, 90), (0.5, 1.5, 40, 90))
    return on_beats(heard, hits((0.5, 36), (1.0, 38)), beats, "Guitar", 4.0)


def test_quarter_notes_are_beats_and_families_have_their_programs() -> None:
    beats = Beats(np.array([0.5, 1.0, 1.5, 2.0, 2.5]), 4)
    score = read_midi(midi_bytes(written(beats), "mine"), "mine", 10**6)[0]
    parts = {part.name: part for part in score.parts}
    assert [(part.program, part.is_drum) for part in parts.values()] == [(0, True), (33, False), (25, False)]
    assert parts["Guitar"].events["onset"].tolist() == [0, 1]
    assert parts["Drums"].events["pitch"].tolist() == [36, 38]
    assert parts["Bass"].events["duration"].tolist() == [2]
    assert score.tempos == ((0.0, pytest.approx(120)),)


def test_the_tempo_map_follows_beats_that_drift() -> None:
    moments = np.cumsum(np.concatenate([[3.0], np.linspace(0.4, 0.6, 60)]))
    changes = dict(tempo_map(Beats(moments, 4)))
    beat, reached = 0, 0.0
    for index in range(60):
        beat = changes.get(index, beat)
        reached += beat / 1e6
        assert abs(reached - (moments[index + 1] - moments[0])) < 0.006
    assert len(changes) < 61


def test_a_file_of_midi_names_title_and_metre() -> None:
    beats = Beats(np.array([0.5, 1.0, 1.5, 2.0, 2.5]), 3)
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(written(beats), "mine")))
    head = {message.type: message for message in file.tracks[0]}
    assert head["track_name"].name == "mine" and head["time_signature"].numerator == 3


def voices(assign: str, names: list[str]) -> TracksSettings:
    return TracksSettings("mine", assign, [TrackSettings(name) for name in names], [])


def test_chords_become_as_many_lines_as_there_are_voices() -> None:
    chords = [(72, 67, 64, 48), (74, 67, 65, 50), (76, 67, 60, 52)]
    events = make_events(
        np.repeat([0.0, 1.0, 2.0], 4), np.ones(12), [pitch for chord in chords for pitch in chord], np.full(12, 90)
    )
    score = Score("a", (Part("Piano", 0, False, events),), ())
    fitted = fit_to_tracks(score, voices("register", ["S", "A", "T", "B"]))
    assert [part.events["pitch"].tolist() for part in fitted.parts] == [
        list(line) for line in zip(*chords, strict=True)
    ]
    by_name = fit_to_tracks(score, voices("name", ["Melody", "Bridge", "Piano"]))
    assert [(part.name, len(part.events)) for part in by_name.parts] == [("Melody", 3), ("Piano", 9)]
    assert by_name.parts[0].events["pitch"].tolist() == [72, 74, 76]
    assert fit_to_tracks(score, voices("program", ["Piano"])) is score


@pytest.fixture
def song(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recording:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "a song.wav", melody([60, 64, 67, 72, 48, 55, 60, 64]))
    return recording_of(path, SETTINGS, 4)


def test_a_transcription_is_made_once(song: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    assert recall(song) is None
    found = transcribe_one(song)
    assert found.problem == "" and found.midi.is_file() and found.picture.is_file()
    assert found.report["title"] == "a song" and sum(found.report["notes"].values()) >= 8
    assert json.loads((song.directory / "transcription.json").read_text())["condition"]["rest"] == "Piano"
    monkeypatch.setattr("pipeline.transcription.cache.transcribe_samples", None)
    assert transcribe_one(song) == found
    assert not list(song.directory.parent.glob(".*.partial"))


def test_a_folder_that_is_not_whole_is_made_again(song: Recording) -> None:
    song.directory.mkdir(parents=True)
    (song.directory / "song.mid").write_bytes(b"MThd")
    assert recall(song) is None
    assert transcribe_one(song).problem == ""
    assert read_midi((song.directory / "song.mid").read_bytes(), "", 10**6)


def test_what_is_wished_has_a_folder_of_its_own(song: Recording, tmp_path: Path) -> None:
    path = tmp_path / "a song.wav"
    others = [
        recording_of(path, replace(SETTINGS, rest="Guitar"), 4),
        recording_of(path, SETTINGS, 3),
        recording_of(path, SETTINGS, 4, bpm=90),
        recording_of(path, SETTINGS, 4, downbeat_seconds=0.3),
    ]
    assert len({one.directory for one in (song, *others)}) == 5
    assert recording_of(path, replace(SETTINGS, bpm=80), 4, bpm=90).condition.bpm == 80
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
    assert [one.condition for one in found] == [Wish("Piano", 92.0, 1.5, 4)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rest": "Kazoo"}, r"transcribe\.rest must be one of Piano, Guitar, Strings, not Kazoo"),
        ({"bpm": 0.0}, r"transcribe\.bpm must lie between"),
        ({"downbeat": -1.0}, r"transcribe\.downbeat must be at least 0"),
        ({"max_minutes": 0.0}, r"transcribe\.max_minutes must be more than 0"),
    ],
)
def test_settings_that_cannot_work_are_named(change: dict[str, float], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        replace(SETTINGS, **change).check()  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_rendered_piece_becomes_a_set_to_learn_from(tmp_path: Path, program: Program) -> None:
    chords = [(60, 64, 67), (57, 60, 64), (65, 69, 72), (67, 71, 74)] * 3
    piano = [(4.0 * bar + beat, 0.9, pitch) for bar, chord in enumerate(chords) for beat in range(4) for pitch in chord]
    bass = [(4.0 * bar + beat, 1.9, chord[0] - 24) for bar, chord in enumerate(chords) for beat in (0, 2)]
    write_midi(tmp_path / "a.mid", {(0, 0, "Piano"): piano, (1, 33, "Bass"): bass})
    (tmp_path / "music").mkdir()
    sound = play((tmp_path / "a.mid").read_bytes(), soundfont_path(None), "midirenderer")
    soundfile.write(tmp_path / "music" / "a.flac", sound, RATE_HZ)
    (tmp_path / "music" / "b.mp3").write_bytes(b"no sound")
    words = ["data=folder", "data.path=music", "tracks=band", "name=mine", "executor.workers=1"]
    program("+stage=prepare", *words, cwd=tmp_path, check=True)
    report = json.loads(next((tmp_path / "data" / "transcribed").glob("*/transcription.json")).read_text())
    assert report["bpm"] in (pytest.approx(60, abs=1), pytest.approx(120, abs=1))
    assert report["notes"]["Bass"] > 15
    prepared = tmp_path / "data" / "prepared" / "folder"
    assert len((prepared / "phrases.csv").read_text().splitlines()) > 2
    assert "b.mp3,broken file" in (prepared / "rejects.csv").read_text()
    done = program("+stage=transcribe", *words, cwd=tmp_path, check=True)
    assert "1 of them written down before" in done.stdout
    page = (tmp_path / "outputs" / "mine" / "transcribe" / "index.html").read_text()
    assert "song.mid" in page and "b.mp3" in page and "broken file" in page

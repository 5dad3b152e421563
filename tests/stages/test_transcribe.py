"""The transcribe stage: recordings of a folder become notes that a set is prepared from."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pipeline.audio.synthesizers import RATE_HZ, play, soundfont_path
from pipeline.build import Builder
from pipeline.config import compose
from pipeline.csv import read_rows
from pipeline.dataset.store import PhraseIndexRow, SongRow
from pipeline.errors import UserError
from pipeline.pages.dataset.commands import hydra_value
from pipeline.settings.transcribe import TranscribeSettings
from pipeline.sources.catalog import CatalogRow
from pipeline.stages.transcribe import remake_transcription_command
from pipeline.transcription.corrections.correction_files import Corrections
from pipeline.transcription.transcriber import Transcription, TranscriptionHints, transcribe_samples
from tests.music_makers import write_midi
from tests.stage_runner import run_stage

SETTINGS = TranscribeSettings(None, None, None, "Piano", 30)


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


def test_the_command_on_the_page_survives_a_shell() -> None:
    where = "~/It's mine (take 2, final) [ok].wav"
    config = compose(
        "stage=transcribe", f"transcribe.input={hydra_value(where, True)}", "transcribe.bpm=90", "name=mine"
    )
    words = shlex.split(remake_transcription_command(config))
    assert words[:4] == ["python", "-m", "pipeline", "+stage=transcribe"]
    assert {f"transcribe.input={where}", "transcribe.bpm=90.0", "name=mine"} <= set(words)


def half_sure(samples: NDArray[np.float32], hints: TranscriptionHints, corrections: Corrections) -> Transcription:
    """A transcription that is half as sure of every bar as can be."""
    return replace(transcribe_samples(samples, hints, corrections), confidence=np.full(99, 0.5))


def test_a_rendered_piece_becomes_a_set_to_train_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.transcription.cache.transcribe_samples", half_sure)
    chords = [(60, 64, 67), (57, 60, 64), (65, 69, 72), (67, 71, 74)] * 3
    piano = [(4.0 * bar + beat, 0.9, pitch) for bar, chord in enumerate(chords) for beat in range(4) for pitch in chord]
    bass = [(4.0 * bar + beat, 1.9, chord[0] - 24) for bar, chord in enumerate(chords) for beat in (0, 2)]
    write_midi(tmp_path / "a.mid", {(0, 0, "Piano"): piano, (1, 33, "Bass"): bass}, bpm=150)
    (tmp_path / "music").mkdir()
    sound = play((tmp_path / "a.mid").read_bytes(), soundfont_path(None), "midirenderer")
    soundfile.write(tmp_path / "music" / "a.flac", sound, RATE_HZ)
    (tmp_path / "music" / "b.mp3").write_bytes(b"ID3\x04" + bytes(99))
    words = ("data=folder", "data.path=music", "tracks=band", "name=mine", "executor.workers=1")
    Builder(compose("stage=prepare", *words)).build("prepare")
    report = json.loads(next((tmp_path / "data" / "transcribed").glob("*/transcription.json")).read_text())
    assert report["bpm"] in (pytest.approx(75, abs=1), pytest.approx(150, abs=1))
    assert report["notes"]["Bass"] > 15
    prepared = tmp_path / "data" / "prepared" / "folder"
    weights = [row.weight for row in read_rows(prepared / "phrases.csv", PhraseIndexRow, "prepare")]
    assert len(weights) > 2 and set(weights) == {0.5}
    assert next(iter(read_rows(prepared / "songs.csv", SongRow, "prepare"))).title == "a"
    assert "b.mp3,broken file" in (prepared / "rejects.csv").read_text()
    capsys.readouterr()
    Builder(compose("stage=transcribe", *words)).build("transcribe")
    assert "1 of them transcribed before" in capsys.readouterr().out
    page = (tmp_path / "outputs" / "mine" / "transcribe" / "index.html").read_text()
    assert "song.mid" in page and "b.mp3" in page and "broken file" in page


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recording of piano and bass at 150 bpm, and its stems."""
    folder = tmp_path_factory.mktemp("rendered")
    chords = [(60, 64, 67), (57, 60, 64), (65, 69, 72), (67, 71, 74)] * 2
    piano = [(4.0 * bar + beat, 0.9, pitch) for bar, chord in enumerate(chords) for beat in range(4) for pitch in chord]
    bass = [(4.0 * bar + beat, 1.9, chord[0] - 24) for bar, chord in enumerate(chords) for beat in (0, 2)]
    parts = {"other": (0, 0, "Piano"), "bass": (1, 33, "Bass")}
    (folder / "stems" / "song").mkdir(parents=True)
    sounds = {}
    for (name, part), rows in zip(parts.items(), (piano, bass), strict=True):
        write_midi(folder / f"{name}.mid", {part: rows}, bpm=150)
        sounds[name] = play((folder / f"{name}.mid").read_bytes(), soundfont_path(None), "midirenderer")
    length = max(map(len, sounds.values()))
    sounds = {name: np.pad(sound, ((0, length - len(sound)), (0, 0))) for name, sound in sounds.items()}
    for name, sound in sounds.items():
        soundfile.write(folder / "stems" / "song" / f"{name}.flac", sound, RATE_HZ)
    soundfile.write(folder / "song.flac", sum(sounds.values()), RATE_HZ)
    return folder


def transcribed(folder: Path) -> dict[str, Any]:
    """The report of the transcription that was made last, with the path of its MIDI file."""
    path = max(folder.glob("data/transcribed/*/transcription.json"), key=lambda one: one.stat().st_mtime_ns)
    return json.loads(path.read_text()) | {"midi": path.with_name("song.mid")}


def test_corrected_notes_become_the_transcription(
    rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("stage=transcribe", f"transcribe.input={rendered / 'song.flac'}", "name=mine")
    run_stage(tmp_path, "transcribe", *words)
    heard = transcribed(tmp_path)
    edited = mido.MidiFile(heard["midi"])
    edited.tracks[0].insert(0, mido.MetaMessage("marker", text="Am7"))
    for event in edited.tracks[-1]:
        if event.type in ("note_on", "note_off") and event.note == 64:
            event.note = 63
    edited.save(tmp_path / "fixed.mid")
    run_stage(tmp_path, "transcribe", *words, "transcribe.notes=fixed.mid")
    found = transcribed(tmp_path)
    assert found["midi"].read_bytes() == (tmp_path / "fixed.mid").read_bytes()
    assert found["beats_seconds"][:8] == pytest.approx(heard["beats_seconds"][:8], abs=0.01)
    assert (found["metre"], found["remarks"]) == ("4/4", [])
    capsys.readouterr()
    edited.tracks[0].insert(0, mido.MetaMessage("marker", text="Bridge"))
    edited.save(tmp_path / "fixed.mid")
    run_stage(tmp_path, "transcribe", *words, "transcribe.notes=fixed.mid")
    assert "its input notes changed" in capsys.readouterr().out
    assert b"Bridge" in transcribed(tmp_path)["midi"].read_bytes()


def test_given_beats_are_kept(rendered: Path, tmp_path: Path) -> None:
    lines = [f"{0.4 * beat + 0.01:.3f}\t{(beat + 2) % 4 + 1}\n" for beat in range(28)]
    (tmp_path / "song.beats").write_text("time\tbeat\n" + "".join(lines))
    words = ("stage=transcribe", f"transcribe.input={rendered / 'song.flac'}", "transcribe.beats=song.beats")
    run_stage(tmp_path, "transcribe", *words)
    found = transcribed(tmp_path)
    assert found["bpm"] == pytest.approx(150)
    assert (0.81 - found["beats_seconds"][0]) % 1.6 == pytest.approx(0, abs=1e-6)
    (tmp_path / "song.beats").write_text("0.4\n0.8\n0.8\n1.2\n")
    with pytest.raises(UserError, match=r"song\.flac can't be transcribed: the list of beats song\.beats: line 3"):
        run_stage(tmp_path, "transcribe", *words)


def test_stems_are_heard_by_themselves(rendered: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("stage=transcribe", f"transcribe.input={rendered / 'song.flac'}")
    run_stage(tmp_path, "transcribe", *words, f"transcribe.stems={rendered / 'stems'}")
    said = capsys.readouterr().out
    found = transcribed(tmp_path)
    assert found["notes"]["Bass"] in range(14, 19) and found["notes"]["Piano"] > 60
    assert found["corrections"].keys() == {"bass", "other"}
    assert "its stems lack drums and vocals: the mix is heard for them" in said
    run_stage(tmp_path, "transcribe", *words, f"transcribe.stems={rendered / 'stems' / 'song'}", "name=again")
    assert len(list(tmp_path.glob("data/transcribed/*/song.mid"))) == 1  # the same stems: the same transcription
    (tmp_path / "stems" / "another").mkdir(parents=True)
    (tmp_path / "stems" / "another" / "bass.wav").touch()
    with pytest.raises(UserError, match=r"transcribe\.stems=stems has no stems of song\.flac: put them into a folder"):
        run_stage(tmp_path, "transcribe", *words, "transcribe.stems=stems")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("transcribe.notes=a.mid",), r"transcribe\.notes belongs to one recording: name it with transcribe\.input="),
        (("transcribe.input=a.wav", "transcribe.notes=gone.mid"), r"transcribe\.notes=gone\.mid is not there"),
        (("transcribe.input=a.wav", "transcribe.beats=."), r"transcribe\.beats=\. is a folder"),
        (("transcribe.input=a.wav", "transcribe.stems=gone"), r"transcribe\.stems=gone is no folder"),
        (("transcribe.notes=a.mid", "transcribe.bpm=90"), r"transcribe\.notes says all .*: leave out transcribe\.bpm"),
        (("transcribe.beats=a.txt", "transcribe.bpm=90"), r"transcribe\.beats says the tempo, too"),
    ],
)
def test_corrections_that_cannot_work_are_named(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(UserError, match=sentence):
        run_stage(tmp_path, "transcribe", "stage=transcribe", *words)


def test_a_sheet_names_corrections_of_its_recordings(rendered: Path, tmp_path: Path) -> None:
    shutil.copy(rendered / "song.flac", tmp_path / "a.flac")
    write_midi(tmp_path / "a fixed.mid", {(0, 0, "Piano"): [(beat, 1.0, 60) for beat in range(16)]}, bpm=150)
    shutil.copy(rendered / "stems" / "song" / "bass.flac", tmp_path / "b.flac")
    (tmp_path / "b.txt").write_text("".join(f"{0.4 * beat}\n" for beat in range(20)))
    rows = [
        ("file", "notes", "beats"),
        ("a.flac", "a fixed.mid", ""),
        ("b.flac", "lovely bass", "b.txt"),
        ("a fixed.mid", "a fixed.mid", "gone.txt"),
    ]
    (tmp_path / "songs.csv").write_text("\n".join(",".join(row) for row in rows))
    run_stage(tmp_path, "transcribe", "data=catalog", "data.path=songs.csv", "name=mine", "executor.workers=1")
    reports = [json.loads(path.read_text()) for path in tmp_path.glob("data/transcribed/*/transcription.json")]
    found = {report["title"]: report for report in reports}
    assert found["a"]["notes"] == {"Piano": 16} and found["a"]["corrections"].keys() == {"notes"}
    assert found["b"]["bpm"] == pytest.approx(150) and found["b"]["corrections"].keys() == {"beats"}
    catalog = read_rows(tmp_path / "data" / "collected" / "catalog" / "catalog.csv", CatalogRow, "collect")
    assert [row.remark for row in catalog] == [
        *("", ""),
        "notes a fixed.mid are for recordings only; beats gone.txt are for recordings only",
    ]

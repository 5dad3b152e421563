"""The transcribe stage: recordings of a folder become notes that a set is prepared from."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from pipeline.audio.synthesizers import RATE_HZ, play, soundfont_path
from pipeline.build import Builder
from pipeline.config import compose
from pipeline.csv import read_rows
from pipeline.dataset.store import SongRow
from pipeline.errors import UserError
from pipeline.pages.dataset.commands import hydra_value
from pipeline.settings.transcribe import TranscribeSettings
from pipeline.stages.transcribe import remake_transcription_command
from tests.music_makers import write_midi

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


def test_a_rendered_piece_becomes_a_set_to_train_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
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
    assert len((prepared / "phrases.csv").read_text().splitlines()) > 2
    assert next(iter(read_rows(prepared / "songs.csv", SongRow, "prepare"))).title == "a"
    assert "b.mp3,broken file" in (prepared / "rejects.csv").read_text()
    capsys.readouterr()
    Builder(compose("stage=transcribe", *words)).build("transcribe")
    assert "1 of them transcribed before" in capsys.readouterr().out
    page = (tmp_path / "outputs" / "mine" / "transcribe" / "index.html").read_text()
    assert "song.mid" in page and "b.mp3" in page and "broken file" in page

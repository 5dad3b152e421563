import errno
from pathlib import Path

import pytest

from pipeline.scores.reading.score_files import read_scores
from tests.music_makers import reason_against, write_midi


def test_damaged_files_are_explained(tmp_path: Path) -> None:
    whole = write_midi(tmp_path / "whole.mid", {(0, 0, "x"): [(0, 1, 60)] * 20}).read_bytes()
    damaged = {
        "empty.mid": (b"", "it is empty"),
        "random.mid": (bytes(range(256)) * 8, "does not begin like a MIDI file"),
        "cut.mid": (whole[: len(whole) // 2], "cut off"),
        "text.xml": (b"no <xml", "no XML"),
        "zip.mxl": (b"PK\x03\x04 not really", "damaged zip"),
    }
    for name, (content, words) in damaged.items():
        (tmp_path / name).write_bytes(content)
        assert words in reason_against(tmp_path / name), name
        assert reason_against(tmp_path / name).startswith("broken file: ")


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("page.mid", b"<!DOCTYPE html><html><head><title>Sign in</title>", "a web page, not a MIDI file"),
        ("page.xml", b"<html></html>", "a web page, not a MusicXML file"),
        ("text.mid", b"Dear diary, today I wrote no music.", "plain text, not a MIDI file"),
        ("photo.mid", b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture, not a MIDI file"),
        ("take.mid", b"RIFF\x24\0\0\0WAVEfmt ", "a recording, not a MIDI file"),
        ("scan.musicxml", b"%PDF-1.4\n", "a PDF, not a MusicXML file"),
        ("tab.abc", b"\x18FICHIER GUITAR PRO v5.10", "a Guitar Pro file, not an ABC file"),
    ],
)
def test_what_is_something_else_is_not_called_broken(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert reason_against(tmp_path / name) == f"is {what}"


def test_text_without_a_tune_is_not_called_broken(tmp_path: Path) -> None:
    (tmp_path / "text.abc").write_text("Dear diary")
    assert reason_against(tmp_path / "text.abc") == "has no ABC tune in it (no K: line)"


def test_a_score_is_read_by_its_content_whatever_it_is_called(tmp_path: Path) -> None:
    whole = write_midi(tmp_path / "whole.mid", {(0, 0, "x"): [(0, 1, 60)] * 20})
    for name in ("song.xml", "song.abc", "song.mxl"):
        (score,) = read_scores(whole.rename(tmp_path / name), 1)
        assert score.parts[0].events["pitch"].tolist() == [60] * 20
        whole = tmp_path / name


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse.mid").open("wb") as file:
        file.truncate(3_000_000_000)
    assert reason_against(tmp_path / "sparse.mid") == "too large: more than 1 MB"


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    assert reason_against(tmp_path / "gone.mid") == "can't be read: no such file or directory"


def test_a_file_without_permission_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    path = write_midi(tmp_path / "a.mid", {(0, 0, "x"): [(0, 1, 60)]})
    monkeypatch.setattr(Path, "open", refuse)
    assert reason_against(path) == "can't be read: permission denied"

import os
import zipfile
from pathlib import Path

import pytest

from pipeline.csv import read_rows
from pipeline.dataset.store import Reject
from pipeline.errors import UserError
from pipeline.sources.catalog import CatalogRow, locate
from pipeline.sources.folders import scan
from tests.music_makers import song_midi
from tests.stage_runner import run_stage


def catalog(folder: Path, name: str = "folder") -> list[CatalogRow]:
    return read_rows(folder / "data" / "collected" / name / "catalog.csv", CatalogRow, "collect")


def test_a_folder_is_listed_and_left_as_it_is(tmp_path: Path) -> None:
    music = tmp_path / "music"
    (music / "deep").mkdir(parents=True)
    song_midi(music / "b.mid", 1)
    song_midi(music / "deep" / "a.KAR", 2)
    (music / "notes.txt").write_text("no music")
    (music / "loop").symlink_to("..")
    os.mkfifo(music / "pipe.mid")
    before = sorted(music.rglob("*"))
    run_stage(tmp_path, "collect", "data=folder", "data.path=music")
    rows = catalog(tmp_path)
    assert [row.where for row in rows] == ["music/b.mid", "music/deep/a.KAR"]
    assert all(row.id == row.sha256[:8] and row.bytes > 0 and row.kind == "song" for row in rows)
    assert sorted(music.rglob("*")) == before


def test_a_new_file_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    song_midi(tmp_path / "a.mid", 1)
    for said in ("not made yet", "up to date", "its input folder changed"):
        if "changed" in said:
            song_midi(tmp_path / "b.mid", 2)
        run_stage(tmp_path, "collect", "data=folder", "data.path=.")
        assert said in capsys.readouterr().out
    assert len(catalog(tmp_path)) == 2


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("gone", r"data\.path=gone is not there"),
        ("empty", r"data\.path=empty holds no music"),
        ("a.mid", r"data\.path=a\.mid is a file"),
    ],
)
def test_a_place_without_music_is_named(tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    song_midi(tmp_path / "a.mid", 1)
    with pytest.raises(UserError, match=words):
        run_stage(tmp_path, "collect", "data=folder", f"data.path={path}")


def test_files_too_large_to_read_are_listed_without_a_hash(tmp_path: Path) -> None:
    song_midi(tmp_path / "a.mid", 1)
    with (tmp_path / "sparse.mid").open("wb") as file:
        file.truncate(2_000_000_000)
    run_stage(tmp_path, "collect", "data=folder", "data.path=.")
    _, row = catalog(tmp_path)
    assert row.bytes == 2_000_000_000 and row.sha256 == "" and row.id == ""
    assert row.problem == "too large: more than 32 MB"


def test_names_that_are_no_text_and_several_lines_come_back(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    names = ["line\nbreak.mid", "\N{MUSICAL NOTE}.mid", os.fsdecode(b"latin-\xe9.mid")]
    for number, name in enumerate(names):
        song_midi(music / name, number)
    run_stage(tmp_path, "collect", "data=folder", "data.path=music")
    assert {row.where for row in catalog(tmp_path)} == {f"music/{name}" for name in names}
    assert all("\n" not in row.title for row in catalog(tmp_path))


def test_the_corpus_is_listed_by_name_so_that_it_may_move(tmp_path: Path) -> None:
    run_stage(tmp_path, "collect", "data=chorales")
    rows = catalog(tmp_path, "chorales")
    assert len(rows) > 400 and all(row.where.startswith("music21:bach/") for row in rows)
    assert all(locate(row.where).is_file() for row in rows)


def test_what_is_passed_over_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    music = tmp_path / "music"
    (music / "Demo.band" / "Media").mkdir(parents=True)
    (music / "Demo.band" / "Media" / "take.wav").write_bytes(b"RIFF    WAVE")
    song_midi(music / "song.mid", 1)
    for name in ("waltz.mscz", "march.mscz", "riff.gp5", "photo.jpg", "notes.txt", "info.nfo"):
        (music / name).write_bytes(b"?")
    with zipfile.ZipFile(music / "more.zip", "w") as archive:
        archive.write(music / "song.mid", "inner.mid")
        archive.writestr("tab.gpx", "?")
        archive.writestr("Zip.band/Media/take.wav", "RIFF    WAVE")
        archive.writestr("cover.png", "?")
    run_stage(tmp_path, "collect", "data=folder", "data.path=music")
    said = capsys.readouterr().out
    assert "passed over: 2 MuseScore files (.mscz): export them as MusicXML or MIDI" in said
    assert "passed over: 2 Guitar Pro files (.gp5 .gpx): export them as MusicXML or MIDI" in said
    assert "passed over: 2 GarageBand projects (.band): export them as MIDI, or as a WAV recording" in said
    assert "collect: 1 song " in said and "7 problems: 1 duplicate; 6 in formats that can't be read" in said
    told = {Path(row.source).name for row in catalog(tmp_path) if row.problem and "export" in row.problem}
    assert told == {"waltz.mscz", "march.mscz", "riff.gp5", "Demo.band", "tab.gpx", "Zip.band"}


def test_music_under_a_wrong_name_or_none_is_kept_under_a_right_one(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    song_midi(music / "wrong.mid", 1).rename(music / "wrong.mp3")
    song_midi(music / "none.mid", 2).rename(music / "none")
    (music / "README").write_text("no music")
    (music / ".hidden").write_bytes(b"MThd")
    (music / "page.mid").write_text("<!DOCTYPE html><html>Sign in</html>")
    (music / "take.mid").write_bytes(b"RIFF\x24\0\0\0WAVEfmt ")
    run_stage(tmp_path, "collect", "data=folder", "data.path=music")
    none, page, take, wrong = catalog(tmp_path)
    assert Path(take.where).suffix == ".wav" and take.remark == "is a recording, not a MIDI file"
    assert page.problem == "is a web page, not a MIDI file" and not page.where
    assert (none.remark, wrong.remark) == ("is a MIDI file without a suffix", "is a MIDI file, not a recording")
    for row in (none, wrong):
        assert row.where == f"data/collected/files/{row.sha256}.mid" and row.title == Path(row.source).stem
        assert (tmp_path / row.where).read_bytes() == (tmp_path / row.source).read_bytes()


def test_a_folder_of_nothing_has_a_page_that_says_what_to_export(tmp_path: Path) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for name in ("waltz.mscz", "march.mscz", "<b>.gp5"):
        (music / name).write_bytes(b"?")
    with pytest.raises(UserError, match=r"none of the 3 files of data\.path=music can be used: 2 MuseScore") as caught:
        run_stage(tmp_path, "collect", "data=folder", "data.path=music")
    page = tmp_path / str(caught.value).rpartition(": ")[2]
    text = page.read_text(encoding="utf-8")
    assert "music/waltz.mscz" in text and "2 MuseScore files" in text and "&lt;b&gt;.gp5" in text
    rejects = read_rows(page.parent / "rejects.csv", Reject, "collect")
    assert {row.path for row in rejects} == {f"music/{name}" for name in ("waltz.mscz", "march.mscz", "<b>.gp5")}
    song_midi(music / "song.mid", 1)
    run_stage(tmp_path, "collect", "data=folder", "data.path=music")
    assert not page.parent.exists()


def test_a_scan_is_in_order(tmp_path: Path) -> None:
    for name in ("b.mid", "a.xml", "c.abc", "x.MID", "d.mp3"):
        (tmp_path / name).write_bytes(b"?")
    assert [name for name, _ in scan(tmp_path)] == ["a.xml", "b.mid", "c.abc", "x.MID"]

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.csv import read_rows
from pipeline.dataset.cutting import PreparedFile
from pipeline.dataset.store import Reject
from pipeline.sources.catalog import CatalogRow, locate, scan
from pipeline.stages.prepare import called_by_user, songs_of, with_problems
from tests.conftest import Program
from tests.music_makers import song_midi


def catalog(folder: Path, name: str = "folder") -> list[CatalogRow]:
    return read_rows(folder / "data" / "collected" / name / "catalog.csv", CatalogRow, "collect")


def test_a_folder_is_listed_and_left_as_it_is(program: Program, tmp_path: Path) -> None:
    music = tmp_path / "music"
    (music / "deep").mkdir(parents=True)
    song_midi(music / "b.mid", 1)
    song_midi(music / "deep" / "a.KAR", 2)
    (music / "notes.txt").write_text("no music")
    (music / "loop").symlink_to("..")
    os.mkfifo(music / "pipe.mid")
    before = sorted(music.rglob("*"))
    program("+stage=collect", "data=folder", "data.path=music", cwd=tmp_path, check=True)
    rows = catalog(tmp_path)
    assert [row.where for row in rows] == ["music/b.mid", "music/deep/a.KAR"]
    assert all(row.id == row.sha256[:8] and row.bytes > 0 and row.kind == "song" for row in rows)
    assert sorted(music.rglob("*")) == before


def test_a_new_file_is_noticed(program: Program, tmp_path: Path) -> None:
    song_midi(tmp_path / "a.mid", 1)
    words = ("+stage=collect", "data=folder", f"data.path={tmp_path}")
    assert "not made yet" in program(*words, cwd=tmp_path, check=True).stdout
    assert "up to date" in program(*words, cwd=tmp_path, check=True).stdout
    song_midi(tmp_path / "b.mid", 2)
    assert "its input folder changed" in program(*words, cwd=tmp_path, check=True).stdout
    assert len(catalog(tmp_path)) == 2


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("gone", "data.path=gone is not there"),
        ("empty", "data.path=empty holds no music"),
        ("a.mid", "data.path=a.mid is a file"),
    ],
)
def test_a_place_without_music_is_named(program: Program, tmp_path: Path, path: str, words: str) -> None:
    (tmp_path / "empty").mkdir()
    song_midi(tmp_path / "a.mid", 1)
    done = program("+stage=collect", "data=folder", f"data.path={path}", cwd=tmp_path)
    assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr


def test_files_too_large_to_read_are_listed_without_a_hash(program: Program, tmp_path: Path) -> None:
    song_midi(tmp_path / "a.mid", 1)
    with (tmp_path / "sparse.mid").open("wb") as file:
        file.truncate(2_000_000_000)
    program("+stage=collect", "data=folder", f"data.path={tmp_path}", cwd=tmp_path, check=True)
    _, row = catalog(tmp_path)
    assert row.bytes == 2_000_000_000 and row.sha256 == "" and row.id == ""
    assert row.problem == "too large: more than 32 MB"


def test_names_that_are_no_text_and_several_lines_come_back(tmp_path: Path, program: Program) -> None:
    music = tmp_path / "music"
    music.mkdir()
    names = ["line\nbreak.mid", "\N{MUSICAL NOTE}.mid", os.fsdecode(b"latin-\xe9.mid")]
    for number, name in enumerate(names):
        song_midi(music / name, number)
    program("+stage=collect", "data=folder", "data.path=music", cwd=tmp_path, check=True)
    assert {row.where for row in catalog(tmp_path)} == {f"music/{name}" for name in names}
    assert all("\n" not in row.title for row in catalog(tmp_path))


def test_the_corpus_is_listed_by_name_so_that_it_may_move(program: Program, tmp_path: Path) -> None:
    program("+stage=collect", "data=chorales", cwd=tmp_path, check=True)
    rows = catalog(tmp_path, "chorales")
    assert len(rows) > 400 and all(row.where.startswith("music21:bach/") for row in rows)
    assert all(locate(row.where).is_file() for row in rows)


def test_a_scan_is_in_order(tmp_path: Path) -> None:
    for name in ("b.mid", "a.xml", "c.abc", "x.MID", "d.mp3"):
        (tmp_path / name).write_bytes(b"?")
    assert [name for name, _ in scan(tmp_path)] == ["a.xml", "b.mid", "c.abc", "x.MID"]


def test_prepare_learns_from_songs_and_calls_files_as_the_user_does() -> None:
    kept = "data/collected/files/ab.abc"
    song = CatalogRow("ab", "A", "", "song", kept, "http://x/a.abc", 1, "ab", "")
    rows = [
        song,
        replace(song, kind="sample"),
        replace(song, kind="text", where="a.txt"),
        replace(song, where="", source="gone.mid", problem="not there"),
    ]
    assert songs_of(rows) == [song]
    readings = [PreparedFile(rejects=[Reject(kept, "no notes"), Reject(f"{kept}#2", "no notes"), Reject("b#1", "?")])]
    told = [
        reject.path
        for reading in with_problems(called_by_user(iter(readings), rows), rows)
        for reject in reading.rejects
    ]
    assert told == ["gone.mid", "http://x/a.abc", "http://x/a.abc#2", "b#1"]

import os
from pathlib import Path

import pytest

from pipeline.csv import read_rows
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


def test_a_scan_is_in_order(tmp_path: Path) -> None:
    for name in ("b.mid", "a.xml", "c.abc", "x.MID", "d.mp3"):
        (tmp_path / name).write_bytes(b"?")
    assert [name for name, _ in scan(tmp_path)] == ["a.xml", "b.mid", "c.abc", "x.MID"]

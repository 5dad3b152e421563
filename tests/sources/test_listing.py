from __future__ import annotations

import csv
import hashlib
import os
import struct
import threading
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.csv import read_rows
from pipeline.files import file_hash
from pipeline.settings.data import CollectSettings, DataSettings
from pipeline.sources.catalog import CatalogRow, mark_duplicates
from pipeline.sources.folders import find_in_folder
from pipeline.sources.listing import find_listed, listing_inputs
from tests.file_server import PAGE, FileServer
from tests.music_makers import song_midi
from tests.stage_runner import run_stage

LIMITS = CollectSettings(
    max_file_megabytes=0.1,
    max_recording_megabytes=2,
    max_archive_megabytes=4,
    max_archive_files=50,
    timeout_seconds=10,
    retries=0,
)
TUNE = b"MThd and so on"
List = Callable[..., list[CatalogRow]]


def settings(source: str, path: str) -> DataSettings:
    return DataSettings(source, source, "Mine", "mine", path)


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> List:
    """The catalog's rows of a spreadsheet in the folder `sheet [1]`, made of dictionaries."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sheet [1]").mkdir()

    def rows(*cells: dict[str, object]) -> list[CatalogRow]:
        names = list(dict.fromkeys(name for row in cells for name in row))
        with (tmp_path / "sheet [1]" / "list.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(cells)
        return mark_duplicates(find_listed(settings("catalog", "sheet [1]/list.csv"), LIMITS, False))

    return rows


def put(name: str, content: bytes = TUNE) -> Path:
    path = Path("sheet [1]") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def packed(name: str, *members: tuple[str, bytes]) -> Path:
    path = put(name, b"")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for member, content in members:
            archive.writestr(member, content)
    return path


def test_files_are_found_by_path_glob_and_folder(listed: List, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for number, name in enumerate(("a.mid", "b.mid", "deep/c.abc", "deep/er/d.mp3", "deep/words.txt")):
        put(name, b"%d" % number)
    monkeypatch.setenv("HOME", str(tmp_path / "sheet [1]"))
    rows = listed(
        {"title": "A", "where": "a.mid", "bpm": 90, "key": "Am", "split": "test", "licence": "CC0"},
        {"title": "several", "where": "*.mid"},
        {"title": "absolute", "where": str(tmp_path / "sheet [1]" / "deep" / "c.abc")},
        {"title": "home", "where": "~/deep/er/d.mp3"},
        {"title": "all", "where": "deep"},
        {"title": "below", "where": "deep/**/*.mp3"},
        {"title": "windows", "where": "deep\\er\\d.mp3"},
    )
    assert [(row.row, Path(row.where).name) for row in rows] == [
        *((2, "a.mid"), (3, "a.mid"), (3, "b.mid"), (4, "c.abc"), (5, "d.mp3")),
        *((6, "c.abc"), (6, "d.mp3"), (7, "d.mp3"), (8, "d.mp3")),
    ]
    assert (rows[0].title, rows[0].bpm, rows[0].key, rows[0].split) == ("A", 90, "A minor", "test")
    assert (rows[0].licence, rows[1].licence) == ("CC0", "mine")
    assert [row.title for row in rows[1:3]] == ["a", "b"], "a title is for one file"
    assert rows[1].problem == "duplicate of sheet [1]/a.mid (row 2)" and not rows[2].problem


@pytest.mark.parametrize(
    ("where", "kind", "problem"),
    [
        ("gone.mid", "", "not there"),
        ("*.xyz", "", "nothing matches"),
        ("", "", "the row does not say where the file is"),
        ("file:///etc/no%20such.mid", "", "not there"),
        ("spotify:track:000", "", "a Spotify page: it plays music and gives no file"),
        ("https://www.youtube.com/watch?v=AAA", "", "a YouTube page: it plays music and gives no file"),
        ("https://mine.bandcamp.com/track/x", "", "a Bandcamp page: it plays music and gives no file"),
        ("C:\\Users\\me\\Music\\song.mid", "", "a path of another machine: put the file beside the list"),
        ("\\\\server\\share\\song.mid", "", "a path of another machine"),
        ("N/A", "", "the row does not say where the file is"),
        ("ftp://x/a.mid", "", "ftp links are not followed: give a path or an http(s) link"),
        ("www.nowhere.invalid/a.mid", "", "the link names a server that is not to be found"),
        ("empty", "", "the folder holds no music"),
        ("a.pdf", "", "PDF (.pdf): export what it was printed from as MusicXML or MIDI"),
        ("a.gp5", "", "Guitar Pro file (.gp5): export it as MusicXML or MIDI"),
        ("a.exe", "", "unknown format: .exe"),
        ("page.mid", "", "is a web page, not a MIDI file"),
        ("a.txt", "song", "a text, not a song: say text as its kind"),
        ("a.mid", "text", "not a text: texts end in .txt, .md"),
        ("none.mid", "", "broken file: it is empty"),
        ("large.mid", "", "too large: more than 0.1 MB"),
        ("y" * 300, "", "no path: file name too long"),
        ("broken.zip", "", "broken archive: it has no table of contents; perhaps only a part of it is there"),
        ("good.zip/gone/*.mid", "", "the archive holds nothing that matches gone/*.mid"),
    ],
)
def test_a_row_that_comes_to_nothing_says_why(listed: List, where: str, kind: str, problem: str) -> None:
    (Path("sheet [1]") / "empty").mkdir()
    (
        put("a.pdf"),
        put("a.gp5"),
        put("a.exe"),
        put("page.mid", PAGE),
        put("a.txt"),
        put("a.mid"),
        put("none.mid", b""),
        put("large.mid", bytes(200_000)),
    )
    put("broken.zip", b"PK\3\4 nothing"), packed("good.zip", ("a.mid", TUNE))
    (row,) = listed({"title": "One", "where": where, "kind": kind})
    assert row.problem.startswith(problem) and row.title == "One" and row.row == 2 and not row.sha256


def test_texts_and_samples_keep_their_kind_and_pairs(listed: List) -> None:
    put("a.mid"), put("b.wav", b"sound"), put("words.md"), put("c.txt", b"other")
    rows = listed(
        {"title": "My Song", "where": "a.mid"},
        {"title": "Break", "where": "b.wav", "kind": "sample", "used_in": " my  song"},
        {"title": "Loop", "where": "b.wav", "kind": "sample", "used_in": "Yours"},
        {"where": "words.md", "used_in": "x"},
        {"where": "*.txt", "kind": "Lyrics"},
    )
    assert [row.kind for row in rows] == ["song", "sample", "sample", "text", "text"]
    assert [row.used_in for row in rows] == ["", "My Song", "Yours", "", ""]
    assert rows[2].remark == "used_in names no song of this list" and not rows[1].problem
    assert rows[3].title == "words"


def test_hashes_are_checked(listed: List) -> None:
    path, archive = put("a.mid"), packed("a.zip", ("in.mid", TUNE + b"!"))
    right, wrong = hashlib.sha256(TUNE).hexdigest(), "0" * 64
    rows = listed(
        {"where": "a.mid", "sha256": right.upper()},
        {"where": "a.mid", "sha256": wrong},
        {"where": "a.zip", "sha256": file_hash(archive)},
        {"where": "a.zip", "sha256": wrong},
        {"where": "a.zip/in.mid", "sha256": hashlib.sha256(TUNE + b"!").hexdigest()},
        {"where": "a.*", "sha256": right},
    )
    assert not rows[0].problem and not rows[2].problem and rows[0].sha256 == file_hash(path)
    assert rows[1].problem.startswith("another content than listed: its SHA-256 begins with")
    assert rows[3].problem.startswith("another content than listed")
    assert rows[4].problem.startswith("duplicate of sheet [1]/a.zip/in.mid")
    assert rows[5].remark == "sha256 is not for several files"


def test_the_music_in_an_archive_is_kept_by_content(listed: List) -> None:
    packed(
        "songs.zip",
        *(("rock/a.mid", TUNE), ("rock/b.kar", TUNE + b"b"), ("jazz/c.mid", TUNE), ("notes.pdf", b"no music")),
        *(
            ("__MACOSX/rock/._a.mid", b"mac"),
            ("words.txt", b"la la"),
            ("../../evil.mid", b"evil"),
            ("/abs.mid", b"abs"),
        ),
    )
    rows = listed({"where": "songs.zip"}, {"where": "songs.zip/rock/*.kar"}, {"where": "songs.zip", "kind": "text"})
    names = ["rock/a.mid", "rock/b.kar", "jazz/c.mid", "../../evil.mid", "/abs.mid", "notes.pdf"]
    names += ["rock/b.kar", "words.txt"]
    assert [row.source.removeprefix("sheet [1]/songs.zip/") for row in rows] == names
    assert [row.title for row in rows] == ["a", "b", "c", "evil", "abs", "notes", "b", "words"]
    assert rows.pop(5).problem.startswith("PDF (.pdf): ")
    assert rows[2].problem == "duplicate of sheet [1]/songs.zip/rock/a.mid (row 2)"
    assert rows[2].where == rows[0].where == f"data/collected/files/{hashlib.sha256(TUNE).hexdigest()}.mid"
    assert all(Path(row.where).is_file() and Path(row.where).stem == row.sha256 for row in rows)
    outside = {path for path in Path().rglob("*") if path.is_file()} - set(Path("data").rglob("*"))
    assert outside == {Path("sheet [1]/songs.zip"), Path("sheet [1]/list.csv")}


def test_archives_that_are_no_music_but_a_trap_are_refused(listed: List) -> None:
    packed("bomb.zip", ("zeros.wav", bytes(1_900_000)), ("a.mid", TUNE))
    packed("large.zip", *((f"{number}.wav", os.urandom(1_500_000)) for number in range(3)))
    packed("many.zip", *((f"{number}.mid", TUNE) for number in range(51)))
    packed("nested.zip", ("inner.zip", b"PK"), ("big.mid", bytes(200_000)))
    rows = listed(*({"where": f"{name}.zip"} for name in ("bomb", "large", "many", "nested")))
    assert [row.problem for row in rows] == [
        "a zip bomb: unpacks to more than 200 times its size",
        "",
        "the archive unpacks to 4 MB, more than collect.max_archive_megabytes=4",
        "the archive holds more than collect.max_archive_files=50 files",
        "an archive inside an archive: unpack it first",
        "too large: more than 0.1 MB",
    ]


def test_damaged_and_locked_members_are_explained(listed: List) -> None:
    path = packed("a.zip", ("a.mid", TUNE * 10), ("b.mid", TUNE * 20))
    content = bytearray(path.read_bytes())
    at = content.index(b"a.mid") + 5
    content[at : at + 8] = bytes(8)
    path.write_bytes(content)
    locked = packed("locked.zip", ("a.mid", TUNE))
    content = bytearray(locked.read_bytes())
    table = content.index(b"PK\1\2")
    struct.pack_into("<H", content, table + 8, 1)
    locked.write_bytes(content)
    strange = packed("strange.zip", ("a.mid", TUNE))
    content = bytearray(strange.read_bytes())
    struct.pack_into("<H", content, content.index(b"PK\1\2") + 10, 98)
    strange.write_bytes(content)
    rows = listed({"where": "a.zip"}, {"where": "locked.zip"}, {"where": "strange.zip"})
    assert rows[0].problem == "broken archive: this file in it is damaged" and not rows[1].problem
    assert rows[2].problem == "has a password: unpack the archive yourself and list the files"
    assert rows[3].problem.startswith("packed in a way that can't be read here")


def test_a_folder_gives_scores_recordings_and_archives(listed: List) -> None:
    put("a.mid"), put("b.MP3", b"sound"), put("words.txt"), put("._a.mid"), packed("c.zip", ("d.abc", b"X:1"))
    rows = find_in_folder(settings("folder", "sheet [1]"), LIMITS, False)
    assert [row.source for row in rows] == [f"sheet [1]/{name}" for name in ("a.mid", "b.MP3", "c.zip/d.abc")]


def test_what_is_up_to_date_changes_with_the_list_and_its_files(listed: List) -> None:
    def state() -> dict[str, str]:
        return listing_inputs(settings("catalog", "sheet [1]/list.csv"))

    put("music/a.mid")
    listed({"where": "music/*.mid"}, {"where": "http://127.0.0.1:1/x.mid"}, {"where": "gone.mid"})
    seen = [state()]
    assert state() == seen[0]
    put("music/b.mid"), seen.append(state())
    put("music/a.mid", b"changed"), seen.append(state())
    put("gone.mid"), seen.append(state())
    listed({"where": "music/*.mid", "title": "x"}), seen.append(state())
    assert len({one["spreadsheet"] for one in seen}) == 5


def test_the_stage_lists_links_and_asks_for_them_again_when_forced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song_midi(tmp_path / "a.mid", 1)
    with FileServer() as server:
        server.files = {"b.mid": song_midi(tmp_path / "b.mid", 2).read_bytes()}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        lines = ["where;bpm", "a.mid;90", f"{server.url('/short/b.mid')};", f"{server.url('/page/c.mp3')};fast"]
        (tmp_path / "list.csv").write_text("\n".join(lines))
        words = ("data=catalog", "data.path=list.csv", "collect.retries=1")
        run_stage(tmp_path, "collect", *words)
        said, asked = capsys.readouterr().out, len(server.asked)
        run_stage(tmp_path, "collect", *words, "force=true")
        server.closing.set()
        server.shutdown()
        thread.join()
    assert "collect: 2 songs (0.0 MB); 1 problem: 1 link gives a web page, not a file (force=true" in said
    assert "2 songs" in capsys.readouterr().out
    assert {path for path, _ in server.asked[asked:]} == {"/short/b.mid", "/page/c.mp3"}
    rows = read_rows(tmp_path / "data" / "collected" / "catalog" / "catalog.csv", CatalogRow, "collect")
    assert [row.title for row in rows] == ["a", "b", "c"] and rows[1].where.startswith("data/collected/files/")
    assert rows[2].remark == "bpm fast is no number of beats a minute" and rows[2].source == server.url("/page/c.mp3")

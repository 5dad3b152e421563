from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.settings.data import CollectSettings
from pipeline.sources import downloads as downloading
from pipeline.sources.content_store import DOWNLOADS, FILES
from pipeline.sources.downloads import Download, fetch_all, part_path
from tests.file_server import FileServer
from tests.music_makers import song_midi

LIMITS = CollectSettings(
    max_file_megabytes=1,
    max_recording_megabytes=2,
    max_archive_megabytes=4,
    max_archive_files=100,
    timeout_seconds=10,
    retries=1,
)

Fetch = Callable[..., Download | str]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server with one song; the test runs in an empty folder, and waits little before it tries again."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(downloading, "FIRST_PAUSE_SECONDS", 0.01)
    with FileServer() as server:
        server.files["song.mid"] = song_midi(tmp_path / "song.mid", 1).read_bytes()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def fetch(server: FileServer) -> Fetch:
    """Fetch one path of the server."""

    def one(path: str, sha256: str = "", ask_again: bool = False, patience: float = 10) -> Download | str:
        limits = replace(LIMITS, timeout_seconds=patience)
        (found,) = fetch_all({server.url(path): sha256}, limits, ask_again).values()
        return found

    return one


def content(found: Download | str) -> bytes:
    assert isinstance(found, Download), found
    return Path(found.path).read_bytes()


WHOLE = [
    *("good", "short", "forgetful", "confused", "fickle", "chunked"),
    *("packed", "named", "typed", "moved", "busy", "patient"),
]
"""Ways of a server that gives the file in the end."""


@pytest.mark.parametrize("attribute", WHOLE)
def test_a_file_comes_whole_whatever_happens_on_the_way(server: FileServer, attribute: str) -> None:
    url = server.url(f"/{attribute}/song.mid")
    found = fetch_all({url: ""}, replace(LIMITS, retries=2), False)[url]
    song = server.files["song.mid"]
    assert content(found) == song
    assert isinstance(found, Download) and found.path == str(FILES / f"{hashlib.sha256(song).hexdigest()}.mid")
    assert not list(DOWNLOADS.glob("*.part")) and len(list(FILES.iterdir())) == 1


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("missing", "the link is dead: its server has no such file (404)"),
        ("shorter", "the link breaks off"),
        ("stalled", "says nothing for 0.4 s"),
        ("slow", "sends almost nothing"),
        ("endless", "too large: the link gives more, more than collect.max_recording_megabytes=2"),
        ("huge", "too large: the link gives 1,000,000 MB"),
        ("bomb", "too large"),
        ("page", "a web page, not a file: give the direct link"),
        ("round", "passed on more than 10 times"),
        ("local", "no http(s) address"),
        ("empty", "an empty file"),
    ],
)
def test_a_link_that_gives_nothing_has_a_reason(server: FileServer, fetch: Fetch, attribute: str, reason: str) -> None:
    found = fetch(f"/{attribute}/song.mid", patience=0.4 if attribute in ("stalled", "slow") else 10)
    assert isinstance(found, str) and reason in found
    assert not FILES.exists()


def test_servers_that_are_not_there_have_a_reason(server: FileServer) -> None:
    links = ["http://127.0.0.1:1/a.mid", "http://nowhere.invalid/a.mid", "http://[::1/a.mid", "http://"]
    found = fetch_all(dict.fromkeys(links, ""), LIMITS, False)
    assert all(isinstance(reason, str) and reason.startswith("the link") for reason in found.values())
    assert "refuses the connection" in str(found[links[0]]) and "not to be found" in str(found[links[1]])


def test_a_download_goes_on_where_it_broke_off(server: FileServer, fetch: Fetch) -> None:
    song = server.files["song.mid"]
    assert content(fetch("/short/song.mid")) == song
    assert server.asked == [("/short/song.mid", ""), ("/short/song.mid", f"bytes={len(song) // 2}-")]


def test_a_killed_download_goes_on_in_the_next_run(server: FileServer, fetch: Fetch) -> None:
    server.files["song.mid"] = server.files["song.mid"][:90]
    assert "breaks off" in str(fetch("/shorter/song.mid"))
    assert part_path(server.url("/shorter/song.mid")).stat().st_size == 20
    found = [fetch("/shorter/song.mid") for _ in range(4)][-1]
    assert content(found) == server.files["song.mid"]
    assert [asked for _, asked in server.asked[:3]] == ["", "bytes=10-", "bytes=20-"]


def test_what_was_fetched_is_not_fetched_again(server: FileServer, fetch: Fetch) -> None:
    first = fetch("/good/song.mid")
    assert fetch("/good/song.mid") == first and len(server.asked) == 1
    assert fetch("/good/song.mid", ask_again=True) == first and len(server.asked) == 2
    server.files["song.mid"] += b"more"
    changed = fetch("/good/song.mid", ask_again=True)
    assert content(changed) == server.files["song.mid"] != content(first)
    server.files.clear()
    server.RequestHandlerClass.be_good, good = server.RequestHandlerClass.be_missing, server.RequestHandlerClass.be_good
    try:
        assert fetch("/good/song.mid", ask_again=True) == changed, "what is gone from the web is still here"
    finally:
        server.RequestHandlerClass.be_good = good


def test_another_hash_than_listed_asks_the_server_again(server: FileServer, fetch: Fetch) -> None:
    fetch("/good/song.mid")
    server.files["song.mid"] += b"more"
    sha256 = hashlib.sha256(server.files["song.mid"]).hexdigest()
    assert content(fetch("/good/song.mid", sha256)) == server.files["song.mid"]
    assert content(fetch("/good/song.mid", sha256)) == server.files["song.mid"] and len(server.asked) == 2


def test_the_same_file_behind_two_links_is_kept_once(server: FileServer) -> None:
    links = [server.url("/good/song.mid"), server.url("/chunked/song.mid")]
    one, other = fetch_all(dict.fromkeys(links, ""), LIMITS, False).values()
    assert isinstance(one, Download) and isinstance(other, Download) and one.path == other.path
    assert len(list(FILES.iterdir())) == 1


def test_nothing_is_written_outside_the_folder_of_the_program(server: FileServer, fetch: Fetch, tmp_path: Path) -> None:
    found = fetch("/named/song.mid")
    assert isinstance(found, Download) and found.name == "evil.mid"
    written = {path.relative_to(tmp_path).parts[:3] for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {("song.mid",), ("work", "data", "collected")}

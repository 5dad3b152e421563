"""Who is let in: the studio's own page alone, and nothing leaves the folders that it may read."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from pipeline.studio.server.guard import MAX_BYTES
from pipeline.studio.server.studio import Studio
from tests.studio.server.asgi_page import HOST, Page, ask


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8765", "Origin": "http://localhost:8765"}, 200),
        ({"Origin": None}, 200),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Host": "evil.example:8765"}, 403),
        ({"Host": "127.0.0.1:80"}, 403),
        ({"Host": None}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://127.0.0.1:8765"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"X-Studio-Token": None}, 401),
        ({"X-Studio-Token": ""}, 401),
        ({"X-Studio-Token": "wrong"}, 401),
        ({"X-Studio-Token": "\xff"}, 401),
    ],
)
def test_only_the_studio_s_own_page_is_answered(page: Page, changes: dict[str, str | None], status: int) -> None:
    headers = {name: value for name, value in (page.headers | changes).items() if value is not None}
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = page.runner.run(ask(page.app, "POST", "/api/sessions", raw, b"{}"))
    assert answer.status == status
    assert (status == 200) == ("session" in answer.json)


def test_two_hosts_are_none(page: Page) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in page.headers.items()]
    answer = page.runner.run(ask(page.app, "POST", "/api/sessions", [*raw, (b"host", b"evil.example")], b"{}"))
    assert answer.status == 403


def test_a_token_in_the_address_reads_but_does_not_write(page: Page, session: str, studio: Studio) -> None:
    headers = {"Host": HOST}
    for method, path, status in (
        ("GET", f"{session}/songs/1/files/song.mid?token={studio.token}", 200),
        ("GET", f"{session}/songs/1/files/song.mid?token=wrong", 401),
        ("GET", f"{session}/songs/1/files/song.mid", 401),
        ("GET", f"{session}/songs/1/files/song.mid?" + "a=1&" * 100, 401),
        ("POST", f"{session}/songs/1/edits?token={studio.token}", 401),
    ):
        assert page.runner.run(ask(page.app, method, path, headers)).status == status


def test_another_site_may_link_to_the_page_but_not_read_it(page: Page) -> None:
    foreign = {"Host": HOST, "Sec-Fetch-Site": "cross-site"}
    assert page.runner.run(ask(page.app, "GET", "/", foreign | {"Sec-Fetch-Mode": "navigate"})).status == 200
    assert (
        page.runner.run(ask(page.app, "GET", "/album/index.html", foreign | {"Sec-Fetch-Mode": "no-cors"})).status
        == 403
    )


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "....//secret.txt",
        "/etc/passwd",
        "//etc/passwd",
        "escape.txt",
        ".hidden",
        "../../../generate/album/songs/01.npz",
        "..\\secret.txt",
        "index.html\x00.png",
        "x" * 5000,
        "",
        ".",
    ],
)
@pytest.mark.parametrize("root", ["/album/", "/static/"])
def test_paths_cannot_leave_their_folder(page: Page, root: str, path: str) -> None:
    answer = page.get(root + path)
    assert answer.status == 404
    assert set(answer.json) == {"error"}


def test_the_album_is_read(page: Page) -> None:
    answer = page.get("/album/index.html")
    assert answer.body == b"<h1>Four Voices</h1>"
    assert "connect-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("is_said", [True, False])
def test_bodies_are_limited_also_where_their_length_is_not_said(page: Page, app: ASGIApp, is_said: bool) -> None:
    piece = b" " * 300_000
    headers = page.headers | ({"Content-Length": str(MAX_BYTES + 1)} if is_said else {})
    answer = page.runner.run(ask(app, "POST", "/api/sessions", headers, [piece] * 4))
    assert answer.status == 413
    assert "1 MB" in answer.json["error"]


def test_files_may_be_larger(page: Page, session: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    pieces = [b"\x00" * 1_000_000] * 3
    answer = page.runner.run(ask(page.app, "POST", f"{session}/files?name=x.mid", page.headers, pieces))
    assert answer.events[-1][0] == "error"
    answer = page.runner.run(ask(page.app, "POST", f"{session}/files?name=x.mid", page.headers, pieces * 11))
    assert answer.status == 413
    assert list(tmp_path.iterdir()) == []

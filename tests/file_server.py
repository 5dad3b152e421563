"""A web server for the tests of downloads, in threads of this process: honest, and in many ways not."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Download</body></html>"
BOMB = gzip.compress(bytes(5_000_000))


class FileServer(ThreadingHTTPServer):
    """Serves `files` (by path) in the attribute that the path's first folder names."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str]] = []
        """Paths and `Range` headers, in order."""
        self.times: Counter[str] = Counter()
        self.closing = threading.Event()

    def url(self, path: str) -> str:
        """The link to a path."""
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def log_message(self, *words: object) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append((path, self.headers.get("Range", "")))
        self.server.times[path] += 1
        attribute, _, name = path[1:].partition("/")
        content = self.server.files.get(name, b"")
        getattr(self, f"be_{attribute}", self.be_missing)(content, self.server.times[path] == 1)

    def answer(self, status: int, *headers: tuple[str, object], length: int | None = None) -> None:
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, str(value))
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def be_good(self, content: bytes, first: bool, send: int | None = None) -> None:
        """Knows ranges and versions; with `send`, hangs up after so many bytes."""
        tag = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        if self.headers.get("If-None-Match") == tag:
            self.answer(304, ("ETag", tag))
            return
        wanted = self.headers.get("Range", "")
        start = int(wanted[6:-1]) if wanted and self.headers.get("If-Range") == tag else 0
        extra = [("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")] if start else []
        self.answer(206 if start else 200, ("ETag", tag), *extra, length=len(content) - start)
        self.wfile.write(content[start : None if send is None else start + send])

    def be_short(self, content: bytes, first: bool) -> None:
        """Hangs up in the middle, the first time."""
        self.be_good(content, first, send=len(content) // 2 if first else None)

    def be_shorter(self, content: bytes, first: bool) -> None:
        """Always hangs up after ten bytes."""
        self.be_good(content, first, send=10)

    def be_forgetful(self, content: bytes, first: bool) -> None:
        """Hangs up the first time, and knows no ranges."""
        self.answer(200, ("ETag", '"same"'), length=len(content))
        self.wfile.write(content[: len(content) // 2] if first else content)

    def be_confused(self, content: bytes, first: bool) -> None:
        """Hangs up the first time, and then gives another range than was asked for."""
        if first or not self.headers.get("Range"):
            self.be_forgetful(content, first)
            return
        self.answer(206, ("Content-Range", f"bytes 0-3/{len(content)}"), length=4)
        self.wfile.write(content[:4])

    def be_fickle(self, content: bytes, first: bool) -> None:
        """Has other content after it hung up."""
        self.be_good(b"MThd, another version" if first else content, first, send=4 if first else None)

    def be_stalled(self, content: bytes, first: bool) -> None:
        """Says nothing more after a few bytes."""
        self.answer(200, length=1000)
        self.wfile.write(b"MThd")
        self.server.closing.wait(10)

    def be_slow(self, content: bytes, first: bool) -> None:
        """Sends a byte now and then."""
        self.answer(200, length=1000)
        while not self.server.closing.wait(0.05):
            self.wfile.write(b"x")

    def be_endless(self, content: bytes, first: bool) -> None:
        """Says no length and never ends."""
        self.answer(200)
        while not self.server.closing.is_set():
            self.wfile.write(b"x" * 65536)

    def be_chunked(self, content: bytes, first: bool) -> None:
        self.protocol_version = "HTTP/1.1"
        self.answer(200, ("Transfer-Encoding", "chunked"), ("Connection", "close"))
        for start in range(0, len(content), 50):
            part = content[start : start + 50]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def be_huge(self, content: bytes, first: bool) -> None:
        self.answer(200, length=10**12)

    def be_packed(self, content: bytes, first: bool) -> None:
        packed = gzip.compress(content)
        self.answer(200, ("Content-Encoding", "gzip"), length=len(packed))
        self.wfile.write(packed)

    def be_bomb(self, content: bytes, first: bool) -> None:
        self.answer(200, ("Content-Encoding", "gzip"), length=len(BOMB))
        self.wfile.write(BOMB)

    def be_named(self, content: bytes, first: bool) -> None:
        """Gives a name that would climb out of the folder."""
        self.answer(200, ("Content-Disposition", 'attachment; filename="../../../evil.mid"'), length=len(content))
        self.wfile.write(content)

    def be_typed(self, content: bytes, first: bool) -> None:
        self.answer(200, ("Content-Type", "audio/midi"), length=len(content))
        self.wfile.write(content)

    def be_page(self, content: bytes, first: bool) -> None:
        self.answer(200, ("Content-Type", "audio/mpeg"), length=len(PAGE))
        self.wfile.write(PAGE)

    def be_moved(self, content: bytes, first: bool) -> None:
        self.answer(302, ("Location", f"/good{self.path.removeprefix('/moved')}"), length=0)

    def be_round(self, content: bytes, first: bool) -> None:
        self.answer(302, ("Location", self.path), length=0)

    def be_local(self, content: bytes, first: bool) -> None:
        self.answer(302, ("Location", "file:///etc/passwd"), length=0)

    def be_busy(self, content: bytes, first: bool) -> None:
        """An error the first time."""
        if first:
            self.answer(503, length=0)
        else:
            self.be_good(content, first)

    def be_missing(self, content: bytes, first: bool) -> None:
        self.answer(404, length=0)

    def be_empty(self, content: bytes, first: bool) -> None:
        self.answer(200, length=0)

    def be_patient(self, content: bytes, first: bool) -> None:
        """Good, but takes its time: 4 kB every 20 ms."""
        self.answer(200, ("ETag", '"p"'), length=len(content))
        for start in range(0, len(content), 4096):
            self.wfile.write(content[start : start + 4096])
            time.sleep(0.02)

"""What the tests of the exported page need: a browser, onnxruntime-web, and a static host."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.studio.export.runtime import PINNED, find_package
from tests.studio.page.conftest import browser

__all__ = ["browser", "runtime_package", "static_host"]


class QuietHandler(SimpleHTTPRequestHandler):
    """What `python -m http.server` answers with, without a line for each file."""

    def log_message(self, format: str, *values: Any) -> None:
        """Nothing."""


class QuietServer(ThreadingHTTPServer):
    """Browsers leave files that they have heard enough of."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing."""


@contextmanager
def static_host(folder: Path) -> Iterator[str]:
    """The address of a static host of a folder."""
    server = QuietServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def runtime_package() -> Path:
    """The npm package: in the folder that ONNXRUNTIME_WEB names, or where the export looks for it."""
    found = find_package(os.environ.get("ONNXRUNTIME_WEB"))
    if found is None:
        pytest.skip(f"onnxruntime-web is not here: npm install onnxruntime-web@{PINNED} in this folder or above it")
    return found

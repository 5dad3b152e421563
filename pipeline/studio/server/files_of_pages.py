"""Files that pages are made of: the studio's own, and those of the album; nothing outside their folders."""

from __future__ import annotations

import html
import re
from pathlib import Path

from starlette.responses import FileResponse, HTMLResponse, Response

from pipeline.studio.server.work import MissingError

PAGE = Path(__file__).resolve().parent.parent / "page"
"""Where the studio's page lies."""
KINDS = {
    ".css": "text/css",
    ".html": "text/html",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".json": "application/json",
    ".lrc": "text/plain",
    ".mid": "audio/midi",
    ".mp3": "audio/mpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wav": "audio/wav",
}
"""Media types by suffix; other files are only to be stored."""


def studio_page(token: str) -> Response:
    """The studio's page, which knows the token."""
    text = (PAGE / "studio.html").read_text(encoding="utf-8")
    named = re.sub(r'(<meta name="studio-token" content=")[^"]*', rf"\g<1>{html.escape(token)}", text)
    return HTMLResponse(named)


def file_within(folder: Path, path: str) -> Response:
    """The file at `path` below a folder. Raises `MissingError` where there is none, or a link leads elsewhere."""
    root = folder.resolve()
    try:
        found = (root / path).resolve()
        is_there = (
            found.is_relative_to(root)
            and found.is_file()
            and not any(part.startswith(".") for part in found.relative_to(root).parts)
        )
    except (OSError, ValueError) as error:  # a name that no file can have
        raise MissingError("There is no such file.") from error
    if not is_there:
        raise MissingError("There is no such file.")
    kind = KINDS.get(found.suffix.lower(), "application/octet-stream")
    return FileResponse(found, media_type=kind)

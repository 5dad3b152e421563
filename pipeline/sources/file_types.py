"""File types of downloads: by the bytes a file begins with (magic numbers), its name, or its media type."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from pipeline.formats import OTHERS, RECORDINGS, SCORES, TEXTS, format_of_content, printable

KNOWN = (*SCORES, *RECORDINGS, *TEXTS, ".zip")
"""Formats that a catalog takes, by the end of a file's name."""


MEDIA_TYPES = {
    "audio/midi": ".mid",
    "audio/x-midi": ".mid",
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/flac": ".flac",
    "audio/x-flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/mp4": ".m4a",
    "audio/x-m4a": ".m4a",
    "audio/aiff": ".aiff",
    "audio/x-aiff": ".aiff",
    "application/vnd.recordare.musicxml": ".mxl",
    "application/vnd.recordare.musicxml+xml": ".musicxml",
    "text/vnd.abc": ".abc",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/zip": ".zip",
    "application/x-zip-compressed": ".zip",
}


def name_of(url: str, headers: Mapping[str, str]) -> str:
    """The file's name for people: what the server calls it, else the end of the link; one line, without folders."""
    message = Message()
    message["Content-Disposition"] = headers.get("Content-Disposition", "")
    said = message.get_filename() or ""
    name = said or unquote(urlsplit(url).path)
    return printable(PurePosixPath(name.replace("\\", "/")).name)[:120] or printable(urlsplit(url).netloc)


def suffix_of(name: str, headers: Mapping[str, str], head: bytes) -> str:
    """The format of a file that begins with `head`, such as `.mid`: by its beginning, its name, its media type.

    Empty where none of these tells.
    """
    named = PurePosixPath(name).suffix.lower()
    suffix = format_of_content(head)
    if suffix == ".zip" and named in OTHERS:
        return ""  # scores of MuseScore and others are zip archives
    if suffix:
        alike = {suffix, named} <= {".aiff", ".aif"} or {suffix, named} <= {".ogg", ".oga", ".opus"}
        return named if alike or (named in SCORES and SCORES.get(suffix) == SCORES[named] == "midi") else suffix
    if named in KNOWN:
        return named
    return MEDIA_TYPES.get(headers.get("Content-Type", "").split(";")[0].strip().lower(), "")

"""File formats by the end of a file's name: scores, piano rolls, recordings, texts; and names of files for people."""

from __future__ import annotations

import os

SCORES = {
    ".mid": "midi",
    ".midi": "midi",
    ".kar": "midi",
    ".xml": "musicxml",
    ".musicxml": "musicxml",
    ".mxl": "musicxml",
    ".abc": "abc",
}
"""Formats of scores."""
PIANOROLLS = {".npz": "pianoroll"}
"""Of a data set of piano rolls. Arrays of anything end so, which is why other folders are not searched for them."""
RECORDINGS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aiff", ".aif")
"""Formats that soundfile reads, and `.m4a`, which takes the optional extra `m4a` (PyAV)."""
TEXTS = (".txt", ".md", ".lrc", ".srt", ".vtt")
"""Formats of words in a catalog."""


def is_recording(name: str) -> bool:
    """Whether a file of this name holds sound rather than notes."""
    return name.lower().endswith(RECORDINGS)


def printable(text: str) -> str:
    """A name on one line: control characters become spaces, bytes that are no text become escapes."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = os.fsencode(text).decode("utf-8", "backslashreplace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())

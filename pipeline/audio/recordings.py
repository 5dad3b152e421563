"""What counts as a recording, by the end of a file's name."""

from __future__ import annotations

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aiff", ".aif")
"""Formats that soundfile reads, and `.m4a`, which takes the optional extra `m4a` (PyAV)."""


def is_recording(name: str) -> bool:
    """Whether a file of this name holds sound rather than notes."""
    return name.lower().endswith(SUFFIXES)

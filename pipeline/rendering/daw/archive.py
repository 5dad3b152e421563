"""Zip archives of projects and loops: written atomically, the same bytes for the same files."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import soundfile

from pipeline.audio.files import dithered
from pipeline.audio.synthesizers import Sound
from pipeline.files import atomic_path

NO_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip archive can name."""
FAST = 1
"""zlib's level: silence and quiet sound shrink by it, and more does little for a WAV."""


def write_archive(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files, each a name inside the archive and its content, one after another."""
    with atomic_path(path) as temporary, ZipFile(temporary, "w") as archive:
        for name, content in files:
            entry = ZipInfo(name, NO_DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, ZIP_DEFLATED, FAST)


def wav_bytes(sound: Sound, rate_hz: int) -> bytes:
    """Sound as a 16-bit WAV."""
    target = io.BytesIO()
    soundfile.write(target, dithered(sound), rate_hz, format="WAV", subtype="PCM_16")
    return target.getvalue()

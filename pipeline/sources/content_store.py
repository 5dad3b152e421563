"""Content-addressed store: files that were fetched or unpacked, kept once by their SHA-256, for all data sets."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from pipeline.files import atomic_path

COLLECTED = Path("data") / "collected"
FILES = COLLECTED / "files"
DOWNLOADS = COLLECTED / "downloads"
"""What has come of a download so far, and what is known of each link that was fetched."""
CHUNK_BYTES = 1 << 20


def kept_path(sha256: str, suffix: str) -> Path:
    """Where a file with this content lies, or would lie; `suffix` such as `.mid`."""
    return FILES / f"{sha256}{suffix}"


def is_kept(path: Path, num_bytes: int) -> bool:
    """Whether a file of the store is there, whole."""
    return path.is_file() and path.stat().st_size == num_bytes


def keep(open_content: Callable[[], BinaryIO], suffix: str, max_bytes: int) -> Path:
    """Keep what `open_content` opens, twice where the content is not there yet: to know its hash, and to copy it.

    Raises ValueError where it is longer than `max_bytes`.
    """
    digest, num_bytes = hashlib.sha256(), 0
    with open_content() as content:
        for chunk in chunks(content):
            digest.update(chunk)
            num_bytes += len(chunk)
            if num_bytes > max_bytes:
                raise ValueError(f"more than {max_bytes} bytes")
    path = kept_path(digest.hexdigest(), suffix)
    if not is_kept(path, num_bytes):
        with open_content() as content, atomic_path(path) as temporary, temporary.open("wb") as file:
            for chunk in chunks(content):
                file.write(chunk)
    return path


def adopt(temporary: Path, suffix: str) -> Path:
    """Move a finished download into the store."""
    with temporary.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    path = kept_path(digest, suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(path)
    return path


def chunks(content: BinaryIO) -> Iterator[bytes]:
    """The bytes of a file, a megabyte at a time."""
    while chunk := content.read(CHUNK_BYTES):
        yield chunk


def sweep_up() -> None:
    """Remove what a killed run left half written in the store; nobody else may be writing to it."""
    for path in FILES.glob(".*.partial*"):
        path.unlink(missing_ok=True)

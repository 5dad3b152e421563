"""What is known of the links that were fetched, and what has come of those that broke off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.sources.content_store import DOWNLOADS, is_kept


@dataclass(frozen=True)
class Download:
    """What is known of a link that was fetched; kept as JSON beside the downloads."""

    url: str
    path: str
    """In the store of kept files."""
    name: str
    """What the server calls the file."""
    bytes: int
    tag: str
    """The server's mark of this version of the file (ETag, else the date of its last change); empty without."""

    @property
    def sha256(self) -> str:
        """The hash of the content, which the store names its files by."""
        return Path(self.path).stem


def known_download(url: str) -> Download | None:
    """The record of a link that was fetched before and whose file is still there."""
    values = read_object(record_path(url))
    try:
        known = Download(**values)
    except TypeError:
        return None
    return known if known.url == url and is_kept(Path(known.path), known.bytes) else None


def part_path(url: str) -> Path:
    """Where a download grows."""
    return DOWNLOADS / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.part"


def record_path(url: str) -> Path:
    """Where the record of a link lies."""
    return part_path(url).with_suffix(".json")


def read_object(path: Path) -> dict[str, Any]:
    """A small JSON object; empty where it is not there or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def mark_of(headers: Mapping[str, str]) -> str:
    """The mark by which a server knows a version of a file again; weak marks don't promise the same bytes."""
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified", "")

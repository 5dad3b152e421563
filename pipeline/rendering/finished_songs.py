"""Incremental rendering: a song whose music, words, title and settings are as they were keeps its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import Manifest, bring, read_json
from pipeline.rendering.song_files import listed_files

SONG_LIST = "render.json"
MADE_FROM = "made_from"
"""In an entry of the list: the fingerprint of all that the song's files depend on."""


def finished_songs(directory: Path, manifest: Manifest | None) -> dict[str, dict[str, Any]]:
    """Entries of the list of a finished stage by their fingerprints; songs of which a file is gone are left out."""
    if manifest is None:
        return {}
    try:
        entries: list[dict[str, Any]] = read_json(directory / SONG_LIST)["songs"]
        made = (entry for entry in entries if MADE_FROM in entry)
        return {entry[MADE_FROM]: entry for entry in made if _is_whole(entry, directory, manifest.files)}
    except (UserError, KeyError, TypeError, AttributeError):  # rendered again, which mends it
        return {}


def bring_files(entry: Mapping[str, Any], source: Path, target: Path) -> None:
    """Put the files of a finished song into another directory."""
    for _, path in listed_files(entry["files"]):
        bring(source / path, target / path)


def _is_whole(entry: Mapping[str, Any], directory: Path, sizes: Mapping[str, int]) -> bool:
    """Whether all files of a song are there and have their sizes."""
    paths = [path for _, path in listed_files(entry["files"])]
    return all((directory / path).is_file() and (directory / path).stat().st_size == sizes[path] for path in paths)

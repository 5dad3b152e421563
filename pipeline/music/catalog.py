"""The catalog of a data set: which files it is made of, and where they come from."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.artefacts import file_hash, fingerprint
from pipeline.errors import UserError
from pipeline.music.scores import SUFFIXES, printable
from pipeline.music.settings import DataSettings

CATALOG = "catalog.csv"
CORPUS = "music21:"
"""Begins the `where` of a file in music21's corpus, wherever that is installed."""


@dataclass(frozen=True)
class CatalogRow:
    """One file of the data set."""

    id: str
    """8 hex digits of the content's hash; empty where the file was not read."""
    title: str
    artist: str
    kind: str
    """`song`, `sample` or `text`."""
    where: str
    """The path, or `music21:` and a path in music21's corpus; empty where nothing came of the row."""
    source: str
    """What the user's row or folder called it: a path, an URL, a member of an archive."""
    bytes: int
    sha256: str
    licence: str
    bpm: float | None = None
    """Beats (quarter notes) a minute."""
    key: str = ""
    """Such as `G major`."""
    downbeat_seconds: float | None = None
    """Where the first bar of a recording begins."""
    split: str = ""
    """`train`, `validation` or `test`; empty leaves it to the music."""
    used_in: str = ""
    """Of a sample: the title of the song that it was used in."""
    problem: str = ""
    """Why nothing came of the row; empty where something did."""


@dataclass(frozen=True)
class MusicSource:
    """How one kind of source is listed."""

    inputs: Callable[[DataSettings], dict[str, str]]
    """Fingerprints of what would be read, without reading it."""
    find: Callable[[DataSettings, Path], list[str]]
    """The `where` of every file with music, in order; what must be unpacked goes into the directory given."""
    num_bytes: int = 0
    """What is unpacked takes at most."""


def locate(where: str) -> Path:
    """The path that a catalog row's `where` means."""
    if not where.startswith(CORPUS):
        return Path(where)
    found = importlib.util.find_spec("music21")
    if found is None or not found.submodule_search_locations:
        raise UserError("music21 is not installed, so its corpus is not there; install the program's dependencies.")
    return Path(found.submodule_search_locations[0]) / "corpus" / where.removeprefix(CORPUS)


def catalog_row(where: str, licence: str, max_megabytes: float) -> CatalogRow:
    """Describe one file. Files that are too large or can't be read get a row too, without a hash."""
    path = locate(where)
    size, sha256 = 0, ""
    with suppress(OSError):  # whoever reads it will say why it can't be read
        size = path.stat().st_size
        if size <= max_megabytes * 1e6:
            sha256 = file_hash(path)
    return CatalogRow(sha256[:8], printable(path.stem), "", "song", where, where, size, sha256, licence)


def music_folder(setting: str | None, key: str) -> Path:
    """The folder that the setting `key` names. Raises `UserError` where there is none."""
    path = Path(setting or "").expanduser()
    if not path.exists():
        raise UserError(f"{key}={setting} is not there: give a folder that holds music.")
    if not path.is_dir():
        raise UserError(f"{key}={setting} is a file: give the folder that it lies in.")
    return path


def scan(folder: Path) -> list[tuple[str, os.stat_result]]:
    """Paths (relative to `folder`) and stats of all music files below it, in order; links to folders are left."""
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            path = Path(place, name)
            if path.suffix.lower() in SUFFIXES:
                try:
                    stats = path.stat()
                except OSError:
                    stats = path.lstat()
                if stat.S_ISREG(stats.st_mode) or stat.S_ISLNK(stats.st_mode):
                    found.append((str(path.relative_to(folder)), stats))
    return sorted(found, key=lambda one: os.fsencode(one[0]))


def folder_print(setting: str | None, key: str) -> str:
    """Fingerprint of the folder that `key` names: a file that is added, changed or gone changes it."""
    files = scan(music_folder(setting, key))
    if not files:
        raise UserError(f"{key}={setting} holds no music: no file in it ends in {', '.join(SUFFIXES)}.")
    return fingerprint([(name, stats.st_size, stats.st_mtime_ns) for name, stats in files])


def files_of(setting: str | None, key: str) -> list[str]:
    """Every music file below the folder that `key` names."""
    folder = music_folder(setting, key)
    return [str(folder / name) for name, _ in scan(folder)]


def folder_inputs(data: DataSettings) -> dict[str, str]:
    """The listing of the folder."""
    return {"folder": folder_print(data.path, "data.path")}


def find_in_folder(data: DataSettings, directory: Path) -> list[str]:
    """Every music file below `data.path`."""
    return files_of(data.path, "data.path")


def chorales_inputs(data: DataSettings) -> dict[str, str]:
    """The version of music21 stands for its corpus."""
    return {"music21": importlib.metadata.version("music21")}


def find_chorales(data: DataSettings, directory: Path) -> list[str]:
    """The music by Bach in music21's corpus; what is no chorale in four parts falls out when it is read."""
    folder = locate(f"{CORPUS}bach")
    return [f"{CORPUS}bach/{name}" for name, _ in scan(folder)]

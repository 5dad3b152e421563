"""Folders of music: scores and recordings below a path and inside zip archives, piano rolls, music21's chorales."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import stat
from collections.abc import Collection
from pathlib import Path, PurePath

from pipeline.errors import UnusableError, UserError
from pipeline.files import fingerprint
from pipeline.formats import PIANOROLLS, RECORDINGS, SCORES
from pipeline.progress import bar
from pipeline.settings.data import CollectSettings, DataSettings
from pipeline.sources.archives import FoundFile, is_zip, unpack_archive
from pipeline.sources.catalog import CORPUS, CatalogRow, describe_file, locate, suffixes_of

IN_FOLDERS = (*SCORES, *RECORDINGS, ".zip")
"""How the names of files end that a folder of music is searched for."""


def music_folder(setting: str | None, key: str) -> Path:
    """The folder that the setting `key` names. Raises `UserError` where there is none."""
    path = Path(setting or "").expanduser()
    if not path.exists():
        raise UserError(f"{key}={setting} is not there: give a folder that holds music.")
    if not path.is_dir():
        raise UserError(f"{key}={setting} is a file: give the folder that it lies in.")
    return path


def scan(folder: Path, suffixes: Collection[str] = tuple(SCORES)) -> list[tuple[str, os.stat_result]]:
    """Paths (relative to `folder`) and stats of all files below it with these suffixes (scores), in order.

    Links to folders are left, and what a Mac keeps beside each file.
    """
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in names:
            path = Path(place, name)
            if path.suffix.lower() in suffixes and not name.startswith("._"):
                try:
                    stats = path.stat()
                except OSError:
                    stats = path.lstat()
                if stat.S_ISREG(stats.st_mode) or stat.S_ISLNK(stats.st_mode):
                    found.append((str(path.relative_to(folder)), stats))
    return sorted(found, key=lambda one: os.fsencode(one[0]))


def folder_print(setting: str | None, key: str, suffixes: Collection[str] = tuple(SCORES)) -> str:
    """Fingerprint of the folder that `key` names: a file that is added, changed or gone changes it."""
    files = scan(music_folder(setting, key), suffixes)
    if not files:
        raise UserError(f"{key}={setting} holds no music: no file in it ends in {', '.join(suffixes)}.")
    return fingerprint([(name, stats.st_size, stats.st_mtime_ns) for name, stats in files])


def files_of(setting: str | None, key: str, suffixes: Collection[str] = tuple(SCORES)) -> list[str]:
    """Every file with these suffixes (scores) below the folder that `key` names."""
    folder = music_folder(setting, key)
    return [str(folder / name) for name, _ in scan(folder, suffixes)]


def folder_inputs(data: DataSettings) -> dict[str, str]:
    """The listing of the folder."""
    return {"folder": folder_print(data.path, "data.path", IN_FOLDERS)}


def find_in_folder(data: DataSettings, settings: CollectSettings, ask_again: bool) -> list[CatalogRow]:
    """Every score and recording below `data.path`, and in zip archives there."""
    files = files_of(data.path, "data.path", IN_FOLDERS)
    return [
        describe_file(found, data.licence, settings)
        for path in bar(files, len(files), "collect", "files")
        for found in open_up(path, settings)
    ]


def pianoroll_inputs(data: DataSettings) -> dict[str, str]:
    """The listing of the folder."""
    return {"folder": folder_print(data.path, "data.path", PIANOROLLS)}


def find_pianorolls(data: DataSettings, settings: CollectSettings, ask_again: bool) -> list[CatalogRow]:
    """Every file of piano rolls below `data.path`."""
    files = files_of(data.path, "data.path", PIANOROLLS)
    return [
        describe_file(FoundFile(path, path), data.licence, settings)
        for path in bar(files, len(files), "collect", "files")
    ]


def open_up(path: str, settings: CollectSettings, kind: str = "song", pattern: str = "") -> list[FoundFile]:
    """A file as it is, or the files in a zip archive that are of this kind and match the pattern."""
    if not is_zip(path):
        return [FoundFile(path, path)]
    return unpack_all(Path(path), path, pattern, suffixes_of(kind), settings)


def unpack_all(
    archive: Path, source: str, pattern: str, suffixes: Collection[str], settings: CollectSettings
) -> list[FoundFile]:
    """The files with these suffixes in an archive that is called `source`; an archive without any is said, too."""
    found: list[FoundFile] = []
    try:
        for one in unpack_archive(
            archive, source, pattern, lambda name: PurePath(name).suffix.lower() in suffixes, settings
        ):
            found.append(one)
    except UnusableError as error:
        return [*found, FoundFile("", source, str(error))]
    nothing = f"the archive holds nothing that matches {pattern}" if pattern else "the archive holds nothing of use"
    return found or [FoundFile("", source, nothing)]


def chorales_inputs(data: DataSettings) -> dict[str, str]:
    """The version of music21 stands for its corpus."""
    return {"music21": importlib.metadata.version("music21")}


def find_chorales(data: DataSettings, settings: CollectSettings, ask_again: bool) -> list[CatalogRow]:
    """The music by Bach in music21's corpus; what is no chorale in four parts falls out when it is read."""
    names = [f"{CORPUS}bach/{name}" for name, _ in scan(locate(f"{CORPUS}bach"))]
    return [
        describe_file(FoundFile(name, name), data.licence, settings)
        for name in bar(names, len(names), "collect", "files")
    ]

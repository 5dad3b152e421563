"""Folders of music: scores and recordings below a path and inside zip archives, piano rolls, music21's chorales, and
the songs that come with the program.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import stat
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path, PurePath

from pipeline.errors import UnusableError, UserError
from pipeline.files import file_hash, fingerprint
from pipeline.formats import (
    OTHERS,
    PIANOROLLS,
    PROJECT_FOLDERS,
    RECORDINGS,
    SCORES,
    count_others,
    format_of_content,
    other_format,
    read_head,
)
from pipeline.progress import bar, counted, say
from pipeline.settings.data import CollectSettings, DataSettings
from pipeline.sources.archives import FoundFile, is_zip, unpack_archive
from pipeline.sources.catalog import (
    CORPUS,
    ORIGINALS,
    OWN_SONGS,
    CatalogRow,
    describe_file,
    locate,
    suffixes_of,
)
from pipeline.sources.stem_folders import is_separated, stem_of

NAMELESS = ""
"""The end of a name without one: such files are music where they begin like it."""
IN_FOLDERS = (*SCORES, *RECORDINGS, ".zip", NAMELESS, *OTHERS)
"""How the names of files end that a folder of music is searched for; some are only told of."""


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

    Links to folders are left, and what a Mac keeps beside each file. A project that is a folder (`One.band`) counts as
    a file: what lies in it are no songs. Nor are the stems of a song.
    """
    found = []
    suffixes = frozenset(suffixes)
    for place, folders, names in os.walk(folder):
        projects = [name for name in folders if PurePath(name).suffix.lower() in PROJECT_FOLDERS]
        folders[:] = sorted(set(folders).difference(projects))
        if is_separated(names):
            names = [name for name in names if not stem_of(name)]
        for name in (*names, *projects):
            path = Path(place, name)
            if not name.startswith("._") and _is_wanted(path, suffixes):
                try:
                    stats = path.stat()
                except OSError:
                    stats = path.lstat()
                if stat.S_ISREG(stats.st_mode) or stat.S_ISLNK(stats.st_mode) or name in projects:
                    found.append((str(path.relative_to(folder)), stats))
    return sorted(found, key=lambda one: os.fsencode(one[0]))


def _is_wanted(path: Path, suffixes: Collection[str]) -> bool:
    """Whether a file's name ends in one of the suffixes; where it has no suffix, whether it begins like music."""
    suffix = path.suffix.lower()
    if suffix or NAMELESS not in suffixes or path.name.startswith("."):
        return suffix != NAMELESS and suffix in suffixes
    return path.is_file() and format_of_content(read_head(path)) in (*SCORES, *RECORDINGS)


def folder_print(setting: str | None, key: str, suffixes: Collection[str] = tuple(SCORES)) -> str:
    """Fingerprint of the folder that `key` names: a file that is added, changed or gone changes it."""
    files = scan(music_folder(setting, key), suffixes)
    if not files:
        others = count_others(other_format(name) for name, _ in scan(music_folder(setting, key), OTHERS))
        there = f"; it holds {'; '.join(others)}" if others else ""
        readable = [suffix for suffix in suffixes if suffix and suffix not in OTHERS]
        raise UserError(f"{key}={setting} holds no music: no file in it ends in {', '.join(readable)}{there}.")
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
    separated = sum(is_separated(names) for _, _, names in os.walk(music_folder(data.path, "data.path")))
    if separated:
        songs = counted(separated, "song")
        say(f"collect: passed over: the stems of {songs}; with transcribe.stems=DIR recordings are heard by them.")
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
        problem = "" if kind == "text" or path.lower().endswith((*SCORES, *RECORDINGS)) else other_format(path)
        return [FoundFile("" if problem else path, path, problem)]
    return unpack_all(Path(path), path, pattern, kind, settings)


def unpack_all(archive: Path, source: str, pattern: str, kind: str, settings: CollectSettings) -> list[FoundFile]:
    """The files of a kind in an archive that is called `source`; an archive without any is said, too."""
    found: list[FoundFile] = []
    suffixes = suffixes_of(kind)
    try:
        for one in unpack_archive(
            archive, source, pattern, lambda name: PurePath(name).suffix.lower() in suffixes, settings
        ):
            if kind != "text" or not other_format(one.source):
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


def originals_inputs(data: DataSettings) -> dict[str, str]:
    """The contents of the songs."""
    return {"songs": fingerprint([(name, file_hash(OWN_SONGS / name)) for name, _ in scan(OWN_SONGS)])}


def find_originals(data: DataSettings, settings: CollectSettings, ask_again: bool) -> list[CatalogRow]:
    """The songs that were written for this project, in folders by style."""
    names = [f"{ORIGINALS}{name}" for name, _ in scan(OWN_SONGS)]
    rows = [describe_file(FoundFile(name, name), data.licence, settings) for name in names]
    return [replace(row, key=written_key(locate(row.where).read_text())) for row in rows]


def written_key(abc: str) -> str:
    """The key that a tune in ABC names, such as `F# minor`; empty for a mode or none."""
    found = re.search(r"^K:\s*([A-G][#b]?)(m?)\s*$", abc, re.MULTILINE)
    return f"{found[1]} {'minor' if found[2] else 'major'}" if found else ""

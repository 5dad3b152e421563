"""The catalog of a data set: which files it is made of, and where they come from."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import stat
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from pipeline.errors import UnusableError, UserError
from pipeline.files import file_hash, fingerprint
from pipeline.formats import PIANOROLLS, RECORDINGS, SCORES, printable
from pipeline.progress import bar
from pipeline.settings.music import CollectSettings, DataSettings
from pipeline.sources.archives import FoundFile, is_zip, max_bytes_of, too_large, unpack_archive
from pipeline.sources.content_store import FILES
from pipeline.sources.downloads import TEXTS

CATALOG = "catalog.csv"
CORPUS = "music21:"
"""Begins the `where` of a file in music21's corpus, wherever that is installed."""
IN_FOLDERS = (*SCORES, *RECORDINGS, ".zip")
"""How the names of files end that a folder of music is searched for."""


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
    """The path, or `music21:` and a path in music21's corpus; empty where there is no file."""
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
    remark: str = ""
    """What else is to be said of the row, such as a cell that could not be understood."""
    row: int = 0
    """Its number in the spreadsheet; 0 where there is none."""


@dataclass(frozen=True)
class MusicSource:
    """How one kind of source is listed."""

    inputs: Callable[[DataSettings], dict[str, str]]
    """Fingerprints of what would be read, without reading it."""
    find: Callable[[DataSettings, CollectSettings, bool], list[CatalogRow]]
    """A row for every file, in order. With True as the last, servers are asked whether what was fetched changed."""
    num_bytes: int = 0
    """What is unpacked or fetched takes about as much."""


def locate(where: str) -> Path:
    """The path that a catalog row's `where` means."""
    if not where.startswith(CORPUS):
        return Path(where)
    found = importlib.util.find_spec("music21")
    if found is None or not found.submodule_search_locations:
        raise UserError("music21 is not installed, so its corpus is not there; install the program's dependencies.")
    return Path(found.submodule_search_locations[0]) / "corpus" / where.removeprefix(CORPUS)


def describe_file(found: FoundFile, licence: str, settings: CollectSettings, kind: str = "song") -> CatalogRow:
    """The row of one file, titled by its name; one that is too large or can't be read has a problem and no hash."""
    title = printable(PurePath((found.name or found.source).replace("\\", "/")).stem)
    row = CatalogRow("", title, "", kind, found.where, found.source, 0, "", licence, problem=found.problem)
    if row.problem:
        return row
    path = locate(row.where)
    try:
        row = replace(row, bytes=path.stat().st_size)
        if row.bytes > max_bytes_of(path.name, settings):
            return replace(row, problem=too_large(path.name, settings))
        if row.bytes == 0:
            return replace(row, problem="broken file: it is empty")
        sha256 = path.stem if path.parent == FILES else file_hash(path)
    except OSError as error:
        return replace(row, problem=f"can't be read: {error.strerror or error}".lower())
    return replace(row, id=sha256[:8], sha256=sha256)


def mark_duplicates(rows: Sequence[CatalogRow]) -> list[CatalogRow]:
    """The rows, each one whose content an earlier row of its kind has with that as its problem."""
    first: dict[tuple[str, str], CatalogRow] = {}
    marked = []
    for row in rows:
        twin = first.setdefault((row.kind, row.sha256), row) if row.sha256 and not row.problem else row
        place = f" (row {twin.row})" if twin.row else ""
        marked.append(row if twin is row else replace(row, problem=f"duplicate of {twin.source}{place}"))
    return marked


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


def suffixes_of(kind: str) -> tuple[str, ...]:
    """How the names of files of a kind end: of songs and samples scores and recordings, of texts plain text."""
    return TEXTS if kind == "text" else (*SCORES, *RECORDINGS)


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

"""Rows of a spreadsheet to files: each row becomes one row of the catalog, or one for each file that it names."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping
from dataclasses import astuple, replace
from pathlib import Path, PurePath
from urllib.parse import unquote

from pipeline.errors import UnusableError
from pipeline.files import file_hash, fingerprint
from pipeline.formats import TEXTS, printable
from pipeline.progress import bar
from pipeline.settings.data import CollectSettings, DataSettings
from pipeline.sources.archives import FoundFile, is_zip
from pipeline.sources.catalog import CatalogRow, describe_file, suffixes_of
from pipeline.sources.columns import SheetRow, read_sheet_rows
from pipeline.sources.downloads import Download, fetch_all
from pipeline.sources.folders import open_up, scan, unpack_all

LINK = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
"""Begins a link."""


def listing_inputs(data: DataSettings) -> dict[str, str]:
    """The rows of the spreadsheet, and sizes and times of the files of this machine that they name."""
    entries = read_sheet_rows(data)
    files: list[tuple[str, object, int]] = []
    for entry in entries:
        if not LINK.match(entry.where):
            try:
                for path, _ in local_files(entry.where, folder_of(data), entry.kind):
                    stats = Path(path).stat()
                    files.append((path, stats.st_size, stats.st_mtime_ns))
            except (UnusableError, OSError) as error:
                files.append((entry.where, str(error), 0))
    return {"spreadsheet": fingerprint([[astuple(entry) for entry in entries], files])}


def find_listed(data: DataSettings, settings: CollectSettings, ask_again: bool) -> list[CatalogRow]:
    """The rows of the catalog, in the order of the spreadsheet."""
    entries = read_sheet_rows(data)
    hashes: dict[str, str] = {}
    for entry in entries:
        if is_web(entry.where):
            url = entry.where.partition("#")[0]
            hashes[url] = hashes.get(url) or entry.sha256
    downloads = fetch_all(hashes, settings, ask_again)
    songs = {_plain(entry.title): entry.title for entry in entries if entry.title and entry.kind in ("", "song")}
    rows: list[CatalogRow] = []
    for entry in bar(entries, len(entries), "collect", "rows"):
        try:
            found, is_checked = find_row_files(entry, folder_of(data), downloads, settings)
        except UnusableError as error:
            found, is_checked = [FoundFile("", entry.where or f"row {entry.row}", str(error))], True
        if entry.sha256 and not is_checked and len(found) > 1:
            entry = replace(entry, sha256="", remark=_joined(entry.remark, "sha256 is not for several files"))
        if entry.kind in ("", "song"):
            entry = replace(entry, used_in="")
        elif entry.used_in and _plain(entry.used_in) not in songs:
            entry = replace(entry, remark=_joined(entry.remark, "used_in names no song of this list"))
        else:
            entry = replace(entry, used_in=songs.get(_plain(entry.used_in), ""))
        rows += [describe_row_file(entry, one, len(found), is_checked, data.licence, settings) for one in found]
    return rows


def find_row_files(
    entry: SheetRow, folder: Path, downloads: Mapping[str, Download | str], settings: CollectSettings
) -> tuple[list[FoundFile], bool]:
    """The files that a row names, and whether its SHA-256 is that of the archive they are in and has been checked.

    Raises
    ------
    UnusableError
        There are none, with one plain reason.
    """
    if is_web(entry.where):
        url, _, pattern = entry.where.partition("#")
        download = downloads[url]
        if isinstance(download, str):
            raise UnusableError(download)
        if not is_zip(download.path):
            return [FoundFile(download.path, url, name=download.name)], False
        _check_archive(entry, download.sha256)
        return unpack_all(Path(download.path), url, unquote(pattern), entry.kind, settings), True
    files = local_files(entry.where, folder, entry.kind)
    is_checked = len(files) == 1 and is_zip(files[0][0]) and not files[0][1]
    if entry.sha256 and is_checked:
        _check_archive(entry, file_hash(Path(files[0][0])))
    return [one for path, pattern in files for one in open_up(path, settings, entry.kind, pattern)], is_checked


def _check_archive(entry: SheetRow, sha256: str) -> None:
    if entry.sha256 not in ("", sha256):
        raise UnusableError(_other_content(sha256))


def _other_content(sha256: str) -> str:
    return f"another content than listed: its SHA-256 begins with {sha256[:12]}"


def describe_row_file(
    entry: SheetRow, found: FoundFile, num_files: int, is_checked: bool, licence: str, settings: CollectSettings
) -> CatalogRow:
    """The catalog's row for one file that a row of the spreadsheet names."""
    kind, problem = _kind(entry.kind, found)
    row = describe_file(replace(found, problem=found.problem or problem), entry.licence or licence, settings, kind)
    if entry.sha256 and not is_checked and row.sha256 not in ("", entry.sha256):
        row = replace(row, problem=_other_content(row.sha256))
    return replace(
        row,
        title=entry.title if entry.title and num_files == 1 else row.title,
        artist=entry.artist,
        bpm=entry.bpm,
        key=entry.key,
        downbeat_seconds=entry.downbeat_seconds,
        split=entry.split,
        used_in=entry.used_in,
        remark=entry.remark,
        row=entry.row,
    )


def _kind(said: str, found: FoundFile) -> tuple[str, str]:
    """The kind of a file, said or by its name, and why it can't be that."""
    suffix = PurePath(found.where).suffix.lower()
    if found.problem or suffix in suffixes_of(said or "song"):
        return said or "song", ""
    if not said and suffix in TEXTS:
        return "text", ""
    if said == "text":
        return said, f"not a text: texts end in {', '.join(TEXTS)}"
    if suffix in TEXTS:
        return said, f"a text, not a {said}: say text as its kind"
    return said or "song", f"unknown format: {printable(suffix) or 'no suffix'}"


def local_files(where: str, folder: Path, kind: str) -> list[tuple[str, str]]:
    """Paths of the files of this machine that a cell names, each with the pattern of what is meant in an archive.

    Relative paths begin at `folder`. Raises `UnusableError` where there are none.
    """
    if not where:
        raise UnusableError("the row does not say where the file is")
    link = LINK.match(where)
    if link:
        raise UnusableError(f"{link[1].lower()} links are not followed: give a path or an http(s) link")
    try:
        path = Path(where).expanduser()
        path = path if path.is_absolute() else folder / path
        if not path.exists() and "\\" in where and (folder / where.replace("\\", "/")).exists():
            path = folder / where.replace("\\", "/")
        if path.is_dir():
            suffixes = (*suffixes_of(kind), ".zip")
            files = [(str(path / name), "") for name, _ in scan(path, suffixes)]
            what = "the folder holds no texts" if kind == "text" else "the folder holds no music"
        elif path.exists() or path.is_symlink():
            files, what = [(str(path), "")], ""
        else:
            files, what = _in_archive(path) or _matching(where, folder), "not there"
            what = "nothing matches" if glob.has_magic(where) else what
    except (OSError, ValueError, RuntimeError) as error:
        raise UnusableError(f"no path: {getattr(error, 'strerror', None) or error}".lower()) from error
    if not files:
        hint = ": begin a link with https://" if where.lower().startswith("www.") else ""
        raise UnusableError(what + hint)
    return files


def _in_archive(path: Path) -> list[tuple[str, str]]:
    """The archive that a path such as `songs.zip/folder/*.mid` leads into, and the rest of the path."""
    for place in path.parents:
        if is_zip(place.name) and place.is_file():
            return [(str(place), path.relative_to(place).as_posix())]
    return []


def _matching(pattern: str, folder: Path) -> list[tuple[str, str]]:
    """The files that `*`, `?` or `[...]` in a path mean, in order; `**` goes through all folders below."""
    if not glob.has_magic(pattern):
        return []
    pattern = os.path.expanduser(pattern)  # noqa: PTH111 - a Path would drop what ends the pattern
    names = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - a folder's own name may hold brackets
    paths = [folder / name for name in sorted(names, key=os.fsencode)]
    return [(str(path), "") for path in paths if path.is_file()]


def is_web(where: str) -> bool:
    """Whether a cell holds a link that is fetched."""
    link = LINK.match(where)
    return link is not None and link[1].lower() in ("http", "https")


def folder_of(data: DataSettings) -> Path:
    """The folder that the spreadsheet lies in."""
    return Path(data.path or "").expanduser().parent


def _plain(title: str) -> str:
    """A title without case and superfluous spaces."""
    return " ".join(title.casefold().split())


def _joined(*remarks: str) -> str:
    return "; ".join(remark for remark in remarks if remark)

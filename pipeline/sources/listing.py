"""Rows of a spreadsheet to files: each row becomes one row of the catalog, or one for each file that it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, replace
from pathlib import Path, PurePath
from urllib.parse import unquote

from pipeline.errors import UnusableError
from pipeline.files import file_hash, fingerprint
from pipeline.formats import OTHERS, TEXTS, is_recording, other_format, printable
from pipeline.progress import bar, say
from pipeline.settings.data import CollectSettings, DataSettings
from pipeline.sources.archives import FoundFile, is_zip
from pipeline.sources.catalog import CatalogRow, describe_file, join_remarks, row_place, suffixes_of
from pipeline.sources.columns import SheetRow, read_sheets
from pipeline.sources.downloads import Download, fetch_all
from pipeline.sources.folders import open_up, scan, unpack_all
from pipeline.sources.places import (
    check_place,
    direct_link,
    drive_of,
    explain_absence,
    is_web,
    places_on_disk,
    settle,
)

WITHOUT_LINKS = (".xls", ".xlsb")
"""Workbooks whose links behind text are not read."""


def listing_inputs(data: DataSettings) -> dict[str, str]:
    """The rows of the spreadsheet, and sizes and times of the files of this machine that they name."""
    entries = settled_rows(data)[0]
    files: list[tuple[str, object, int]] = []
    for entry in entries:
        if not is_web(entry.where):
            try:
                for path, _ in local_files(entry.where, folder_of(data), entry.kind)[0]:
                    stats = Path(path).stat()
                    files.append((path, stats.st_size, stats.st_mtime_ns))
            except (UnusableError, OSError) as error:
                files.append((entry.where, str(error), 0))
        for where in (entry.notes, entry.beats):
            path, _ = corrected_by(where, folder_of(data)) if where else ("", "")
            if path:
                stats = Path(path).stat()
                files.append((path, stats.st_size, stats.st_mtime_ns))
    return {"spreadsheet": fingerprint([[astuple(entry) for entry in entries], files])}


def settled_rows(data: DataSettings) -> tuple[list[SheetRow], list[str]]:
    """The rows of the spreadsheet, each with the path or link that it means; and the sheets without any."""
    entries, left_out = read_sheets(data)
    return [replace(one, where=settle(one.where, one.link, folder_of(data)), link="") for one in entries], left_out


def find_listed(data: DataSettings, settings: CollectSettings, ask_again: bool) -> list[CatalogRow]:
    """The rows of the catalog, in the order of the spreadsheet."""
    entries, left_out = settled_rows(data)
    for sheet in left_out:
        say(f"collect: the sheet {printable(sheet)} is left out: it has no column that says where files are.")
    hashes: dict[str, str] = {}
    for entry in entries:
        if is_web(entry.where):
            url = direct_link(entry.where.partition("#")[0])
            hashes[url] = hashes.get(url) or entry.sha256
    downloads = fetch_all(hashes, settings, ask_again)
    songs = {_plain(entry.title): entry.title for entry in entries if entry.title and entry.kind in ("", "song")}
    rows: list[CatalogRow] = []
    for entry in bar(entries, len(entries), "collect", "rows"):
        try:
            found, is_checked = find_row_files(entry, folder_of(data), downloads, settings)
        except UnusableError as error:
            problem = str(error)
            if problem == "not there" and Path(data.path or "").suffix.lower() in WITHOUT_LINKS:
                problem += ": a link behind the text can't be read here; save the list as .xlsx"
            found, is_checked = [FoundFile("", entry.where or row_place(entry.row, entry.sheet), problem)], True
        if entry.sha256 and not is_checked and len(found) > 1:
            entry = replace(entry, sha256="", remark=join_remarks(entry.remark, "sha256 is not for several files"))
        if entry.kind in ("", "song"):
            entry = replace(entry, used_in="")
        elif entry.used_in and _plain(entry.used_in) not in songs:
            entry = replace(entry, remark=join_remarks(entry.remark, "used_in names no song of this list"))
        else:
            entry = replace(entry, used_in=songs.get(_plain(entry.used_in), ""))
        described = [describe_row_file(entry, one, len(found), is_checked, data.licence, settings) for one in found]
        rows += [with_corrections(row, entry, len(found), folder_of(data)) for row in described]
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
        download = downloads[direct_link(url)]
        if isinstance(download, str):
            raise UnusableError(_with_drive(download, drive_of(url)))
        if not is_zip(download.path):
            return [FoundFile(download.path, url, name=download.name)], False
        _check_archive(entry, download.sha256)
        return unpack_all(Path(download.path), url, unquote(pattern), entry.kind, settings), True
    files, remark = local_files(entry.where, folder, entry.kind)
    is_checked = len(files) == 1 and is_zip(files[0][0]) and not files[0][1]
    if entry.sha256 and is_checked:
        _check_archive(entry, file_hash(Path(files[0][0])))
    found = [one for path, pattern in files for one in open_up(path, settings, entry.kind, pattern)]
    return [replace(one, remark=remark) for one in found], is_checked


def _with_drive(problem: str, drive: str) -> str:
    """Why a link gave nothing, and what to do where it leads to a cloud drive."""
    if not drive:
        return problem
    return (
        f"{problem.partition(':')[0]}: {drive} may show a page first; download the file in a browser and list its path"
    )


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
        remark=join_remarks(entry.remark, row.remark),
        row=entry.row,
        sheet=entry.sheet,
    )


def with_corrections(row: CatalogRow, entry: SheetRow, num_files: int, folder: Path) -> CatalogRow:
    """The catalog's row with the corrected notes and beats of its recording; what can't be is remarked on."""
    for column in ("notes", "beats"):
        where = getattr(entry, column)
        if not where or row.problem:
            continue
        path, problem = corrected_by(where, folder)
        if num_files > 1:
            problem = "are not for several files"
        elif not is_recording(row.where):
            problem = "are for recordings only"
        if problem:
            row = replace(row, remark=join_remarks(row.remark, f"{column} {printable(where)[:40]} {problem}"))
        elif column == "notes":
            row = replace(row, notes=path)
        else:
            row = replace(row, beats=path)
    return row


def corrected_by(where: str, folder: Path) -> tuple[str, str]:
    """The path of the file that a cell names, relative paths beginning at `folder`; or why there is none."""
    try:
        places, _ = places_on_disk(settle(where, "", folder), folder)
    except (OSError, ValueError, RuntimeError) as error:
        return "", f"is no path: {getattr(error, 'strerror', None) or error}".lower()
    if len(places) != 1 or places[0][1] or not Path(places[0][0]).is_file():
        return "", "is not one file of this machine"
    return places[0][0], ""


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
    return said or "song", other_format(found.where) or f"unknown format: {printable(suffix) or 'no suffix'}"


def local_files(where: str, folder: Path, kind: str) -> tuple[list[tuple[str, str]], str]:
    """Paths of the files of this machine that a cell names, each with the pattern of what is meant in an archive.

    Relative paths begin at `folder`. Beside them comes a remark, where one is due. Raises `UnusableError` where there
    are none.
    """
    check_place(where)
    try:
        places, remark = places_on_disk(where, folder)
        if len(places) == 1 and Path(places[0][0]).is_dir() and not other_format(places[0][0]):
            path = Path(places[0][0])
            others = () if kind == "text" else OTHERS
            places = [(str(path / name), "") for name, _ in scan(path, (*suffixes_of(kind), ".zip", *others))]
            if not places:
                raise UnusableError("the folder holds no texts" if kind == "text" else "the folder holds no music")
    except (OSError, ValueError, RuntimeError) as error:
        raise UnusableError(f"no path: {getattr(error, 'strerror', None) or error}".lower()) from error
    if not places:
        raise UnusableError(explain_absence(where))
    return places, remark


def folder_of(data: DataSettings) -> Path:
    """The folder that the spreadsheet lies in."""
    return Path(data.path or "").expanduser().parent


def _plain(title: str) -> str:
    """A title without case and superfluous spaces."""
    return " ".join(title.casefold().split())

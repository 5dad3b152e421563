"""A spreadsheet of songs, samples and texts, row by row: which column is what, and what its cells mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.scores.score import printable
from pipeline.settings.music import DataSettings
from pipeline.sources.sheet_values import read_bpm, read_hash, read_key_cell, read_kind, read_seconds, read_split
from pipeline.sources.spreadsheets import Sheet, read_sheets

COLUMNS = {
    "title": (
        "title",
        "song title",
        "track title",
        "name",
        "song name",
        "track name",
        "song",
        "track",
        "piece",
        "work",
    ),
    "artist": ("artist", "artists", "artist name", "performer", "band", "composer", "singer", "author", "by"),
    "kind": ("kind", "type", "category", "what"),
    "where": (
        *("where", "file", "files", "path", "file path", "full path", "filename", "file name", "location", "folder"),
        *("url", "link", "links", "download", "download link", "download url", "web link", "href", "uri", "address"),
        *("source", "recording", "audio", "audio file", "midi", "midi file", "mp3"),
    ),
    "bpm": ("bpm", "tempo", "tempo bpm", "beats per minute", "beats a minute", "speed"),
    "key": ("key", "musical key", "key signature", "tonality", "scale"),
    "downbeat_seconds": (
        *("downbeat seconds", "first downbeat", "downbeat", "first downbeat seconds", "first downbeat in seconds"),
        *("first downbeat sec", "first downbeat s", "downbeat s", "first bar", "first beat"),
    ),
    "split": ("split", "subset", "partition", "fold"),
    "licence": ("licence", "license", "rights", "copyright", "terms"),
    "sha256": ("sha256", "sha256 sum", "sha256 hash", "hash", "checksum"),
    "used_in": ("used in", "used in song", "sampled in", "used by", "song used in", "appears in", "sample of"),
}
"""Our columns, and what people call them; earlier names count more."""
HEADER_ROWS = 20
"""The header lies in one of so many first rows."""


@dataclass(frozen=True)
class Entry:
    """One row of the user's spreadsheet."""

    row: int
    """Its number, as the spreadsheet program shows it."""
    where: str
    title: str = ""
    artist: str = ""
    kind: str = ""
    """`song`, `sample`, `text`; empty where the row does not say."""
    bpm: float | None = None
    key: str = ""
    downbeat_seconds: float | None = None
    split: str = ""
    licence: str = ""
    sha256: str = ""
    used_in: str = ""
    remark: str = ""
    """Which cells could not be understood."""


READERS: dict[str, tuple[Callable[[str], Any], Any]] = {
    "kind": (read_kind, ""),
    "bpm": (read_bpm, None),
    "key": (read_key_cell, ""),
    "downbeat_seconds": (read_seconds, None),
    "split": (read_split, ""),
    "sha256": (read_hash, ""),
}
"""How a cell becomes a value, by our column, and the value of an empty cell."""


def read_entries(data: DataSettings) -> list[Entry]:
    """The rows of the spreadsheet at `data.path` that are not empty. Raises `UserError`."""
    setting = f"data.path={data.path}"
    given = data.columns or {}
    unknown = [name for name in given if _plain(name) not in {_plain(ours) for ours in COLUMNS}]
    if unknown:
        raise UserError(f"data.columns: there is no column {unknown[0]}; ours are {', '.join(COLUMNS)}.")
    sheets = read_sheets(Path(data.path or "").expanduser(), setting)
    if not any(any(row) for sheet in sheets for row in sheet.rows):
        raise UserError(f"{setting} is empty: list your songs in it.")
    sheet, number, columns = _find_table(sheets, given, setting)
    entries = []
    for index, cells in enumerate(sheet.rows[number + 1 :], start=number + 2):
        if any(cells):
            entries.append(_entry(index, cells, columns))
    if not entries:
        raise UserError(f"{setting} has a header but no rows: list your songs below it.")
    return entries


def _find_table(
    sheets: Sequence[Sheet], given: Mapping[str, str], setting: str
) -> tuple[Sheet, int, dict[str, list[int]]]:
    """The first sheet with a column that says where the files are; the index of its header; indices of each column."""
    for sheet in sheets:
        for number, cells in enumerate(sheet.rows[:HEADER_ROWS]):
            columns = match_columns(cells, given)
            if columns.get("where"):
                _check_given(cells, given, setting)
                return sheet, number, columns
    header = next((row for sheet in sheets for row in sheet.rows if any(row)), [])
    _check_given(header, given, setting)
    raise UserError(
        f"{setting} has no column that says where the files are (where, file, path, url ...), only {_listed(header)}: "
        'name it so, or say data.columns="{where: NAME}".'
    )


def _check_given(header: Sequence[str], given: Mapping[str, str], setting: str) -> None:
    """Raise `UserError` for a name in `data.columns` that is not in the header."""
    plain = {_plain(cell) for cell in header}
    for theirs in given.values():
        if _plain(theirs) not in plain:
            raise UserError(f"data.columns: {setting} has no column {theirs}; it has {_listed(header)}.")


def _listed(cells: Sequence[str]) -> str:
    """The names of columns for people."""
    names = [printable(cell)[:40] for cell in cells if cell]
    return ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")


def match_columns(header: Sequence[str], given: Mapping[str, str]) -> dict[str, list[int]]:
    """Indices of the columns for each of ours, the best first; what `given` (ours: theirs) names comes alone."""
    plain = [_plain(cell) for cell in header]
    chosen = {_plain(ours): _plain(theirs) for ours, theirs in given.items()}
    taken = {plain.index(theirs) for theirs in chosen.values() if theirs in plain}
    columns: dict[str, list[int]] = {}
    for ours, names in COLUMNS.items():
        theirs = chosen.get(_plain(ours))
        if theirs is not None:
            columns[ours] = [plain.index(theirs)] if theirs in plain else []
            continue
        names = tuple(_plain(name) for name in names)
        found = [
            (names.index(name), index)
            for index, cell in enumerate(header)
            for name in (plain[index], _plain(re.split(r"[/,|]|\bor\b", cell)[0]))
            if name in names and index not in taken
        ]
        columns[ours] = list(dict.fromkeys(index for _, index in sorted(found)))
    if not columns["used_in"] and len(columns["title"]) > 1:  # `title` of the sample, and `song` that it went into
        columns["used_in"] = [index for index in columns["title"][1:] if "song" in plain[index]]
    return columns


def _plain(name: str) -> str:
    """A column's name without case, spaces, punctuation and what stands in brackets."""
    return re.sub(r"[\W_]+", "", re.sub(r"[(\[].*?[)\]]", "", name).lower())


def _entry(number: int, cells: Sequence[str], columns: Mapping[str, Sequence[int]]) -> Entry:
    """What one row says; a cell that makes no sense is left out and remarked on."""
    texts = {
        ours: next((cells[index] for index in indices if index < len(cells) and cells[index]), "")
        for ours, indices in columns.items()
    }
    values: dict[str, Any] = {}
    remarks = []
    for ours, text in texts.items():
        if ours not in READERS:
            values[ours] = text.strip("\"' \n") if ours == "where" else printable(text)
            continue
        reader, nothing = READERS[ours]
        try:
            values[ours] = reader(text) if text else nothing
        except ValueError as error:
            values[ours] = nothing
            remarks.append(f"{ours} {printable(text)[:40]} {error}")
    return Entry(number, remark="; ".join(remarks), **values)

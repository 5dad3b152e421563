"""The cells of a spreadsheet as text, and the links behind them, whatever program wrote it.

Excel, LibreOffice, or values in a plain text file.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import UserError
from pipeline.sources import workbook

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".csv", ".tsv", ".tab", ".txt")
PACKED = b"PK\x03\x04"
"""Begins a zip archive, which .xlsx and .ods files are."""
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""Begins Microsoft's compound files: .xls, and .xlsx files with a password."""
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
DELIMITERS = ("\t", ";", ",", "|")
DELIMITED_LINES = 50
"""Of a text, that tell how its values are delimited."""
MOST_BYTES = 500_000_000
"""Of a spreadsheet, unpacked: millions of rows take less."""
MOST_SECONDS = 300.0
"""That reading a workbook may take."""


@dataclass(frozen=True)
class Worksheet:
    """One table: its cells, row by row; rows may differ in length."""

    name: str
    """Of a sheet in a workbook; empty for a plain text file."""
    rows: list[list[str]]
    links: dict[tuple[int, int], str] = field(default_factory=dict)
    """Links behind the text of cells, by row and column from 0."""


def read_worksheets(path: Path, setting: str) -> list[Worksheet]:
    """All tables of the spreadsheet that `setting` (such as `data.path=songs.xlsx`) names. Raises `UserError`."""
    if re.match(r"https?:/", str(path)):
        raise UserError(f"{setting} is a link: download the spreadsheet as .xlsx or .csv, and name that.")
    if not path.exists():
        raise UserError(f"{setting} is not there: give a spreadsheet (.xlsx, .ods, .csv ...).")
    if path.is_dir():
        raise UserError(f"{setting} is a folder: give a spreadsheet, or say data=folder.")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{setting} is larger than {MOST_BYTES / 1e6:.0f} MB: that is no list of songs.")
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{setting} can't be read: {error.strerror or error}.") from error
    if not content.strip():
        raise UserError(f"{setting} is empty: list your songs in it.")
    if content.startswith((PACKED, COMPOUND)):
        return _workbook(path, content, setting)
    text = _decode(content)
    if "\0" in text or path.suffix.lower() not in (".csv", ".tsv", ".tab", ".txt"):
        raise UserError(f"{setting} is no spreadsheet: give one that was saved as .xlsx, .ods or .csv.")
    rows = _values(text, setting)
    links = {
        (row, column): target
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
        if cell.startswith("=") and (target := workbook.linked_by(cell, rows))
    }
    return [Worksheet("", rows, links)]


def _workbook(path: Path, content: bytes, setting: str) -> list[Worksheet]:
    """The sheets of a workbook in any of the binary formats."""
    unreadable = UserError(f"{setting} can't be read as a spreadsheet: save it anew as .xlsx, .ods or .csv.")
    if content.startswith(PACKED):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                unpacked = sum(info.file_size for info in archive.infolist())
        except Exception as error:  # a damaged archive makes the library raise all kinds
            raise unreadable from error
        if unpacked > MOST_BYTES:
            raise UserError(f"{setting} unpacks to more than {MOST_BYTES / 1e6:.0f} MB: that is no list of songs.")
    elif "EncryptedPackage".encode("utf-16-le") in content:
        raise UserError(f"{setting} has a password: save it without one.")
    command = [sys.executable, "-P", workbook.__file__, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=MOST_SECONDS, check=False)
        if done.returncode == workbook.PASSWORD:
            raise UserError(f"{setting} has a password: save it without one.")
        return [
            Worksheet(name, rows, {(row, column): target for row, column, target in links})
            for name, rows, links in json.loads(done.stdout)
        ]
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise unreadable from error


def _decode(content: bytes) -> str:
    """Text in the encoding that spreadsheet programs write: Unicode, or else that of Western Windows."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    if content[1:200:2].count(0) > len(content[1:200:2]) // 2:
        return content.decode("utf-16-le", "replace")
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _evenness(lines: list[str], delimiter: str) -> tuple[int, int]:
    """How many lines a delimiter parts into one number of cells, and what number: a list's own does so with most."""
    try:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if len(row) > 1)
    except csv.Error:
        return 0, 0
    width, count = max(widths.items(), key=lambda one: (one[1], one[0]), default=(0, 0))
    return count * (width - 1) if count else 0, width


def _values(text: str, setting: str) -> list[list[str]]:
    """The cells of delimited text; the delimiter is the one that parts most of its first lines alike."""
    first, _, rest = text.lstrip().partition("\n")
    lines = text.splitlines()[:DELIMITED_LINES]
    delimiter = max(DELIMITERS, key=lambda one: _evenness(lines, one))
    if first.lower().startswith("sep=") and len(first.strip()) == 5:  # Excel's own hint
        text, delimiter = rest, first[4]
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return [[cell.strip() for cell in row] for row in rows]
    except csv.Error as error:
        raise UserError(f"{setting} is no table of values ({error}): save it anew as .xlsx, .ods or .csv.") from error

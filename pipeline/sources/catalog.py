"""The catalog of a data set, `catalog.csv`: which files it is made of, and where they come from."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from pipeline.errors import UserError
from pipeline.files import file_hash
from pipeline.formats import (
    RECORDINGS,
    SCORES,
    TEXTS,
    format_of_content,
    format_of_name,
    is_recording,
    other_content,
    printable,
    read_head,
    with_article,
)
from pipeline.settings.data import CollectSettings, DataSettings
from pipeline.sources.archives import FoundFile, max_bytes_of, too_large
from pipeline.sources.content_store import FILES, keep

CATALOG = "catalog.csv"
CORPUS = "music21:"
"""Begins the `where` of a file in music21's corpus, wherever that is installed."""
ORIGINALS = "originals:/"
"""Begins the `where` of a song that comes with the program, wherever that lies."""
OWN_SONGS = Path(__file__).resolve().parents[2] / "data" / "songs"
"""The songs written for this project."""


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
    sheet: str = ""
    """The sheet of a workbook that it stands on."""
    notes: str = ""
    """Of a recording: the path of the MIDI file of its transcription, corrected."""
    beats: str = ""
    """Of a recording: the path of a list of its beats."""


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
    if where.startswith(ORIGINALS):
        return OWN_SONGS / where.removeprefix(ORIGINALS)
    if not where.startswith(CORPUS):
        return Path(where)
    found = importlib.util.find_spec("music21")
    if found is None or not found.submodule_search_locations:
        raise UserError("music21 is not installed, so its corpus is not there; install the program's dependencies.")
    return Path(found.submodule_search_locations[0]) / "corpus" / where.removeprefix(CORPUS)


def describe_file(found: FoundFile, licence: str, settings: CollectSettings, kind: str = "song") -> CatalogRow:
    """The row of one file, titled by its name; one that is too large or can't be read has a problem and no hash."""
    title = printable(PurePath((found.name or found.source).replace("\\", "/")).stem)
    row = CatalogRow(
        "", title, "", kind, found.where, found.source, 0, "", licence, problem=found.problem, remark=found.remark
    )
    if row.problem:
        return row
    path = locate(row.where)
    try:
        row = replace(row, bytes=path.stat().st_size)
        if row.bytes > max_bytes_of(path.name, settings):
            return replace(row, problem=too_large(path.name, settings))
        if row.bytes == 0:
            return replace(row, problem="broken file: it is empty")
        if kind != "text":
            row = by_content(row, path, settings)
            if row.problem:
                return row
            path = locate(row.where)
        sha256 = path.stem if path.parent == FILES else file_hash(path)
    except OSError as error:
        return replace(row, problem=f"can't be read: {error.strerror or error}".lower())
    return replace(row, id=sha256[:8], sha256=sha256)


def by_content(row: CatalogRow, path: Path, settings: CollectSettings) -> CatalogRow:
    """The row of a file that is something else than its name says: what is music is kept under a right name."""
    head = read_head(path)
    suffix = format_of_content(head)
    if suffix in (*SCORES, *RECORDINGS):
        if path.suffix and is_recording(suffix) == is_recording(path.name):
            return row  # readers of scores and of recordings look at the content themselves
        if row.bytes > max_bytes_of(suffix, settings):
            return replace(row, problem=too_large(suffix, settings))
        kept = keep(lambda: path.open("rb"), suffix, max_bytes_of(suffix, settings))
        what, named = with_article(format_of_name(suffix)), with_article(format_of_name(path.name))
        remark = f"is {what}, not {named}" if path.suffix else f"is {what} without a suffix"
        return replace(row, where=str(kept), remark=join_remarks(row.remark, remark))
    problem = other_content(path.name, head)
    return replace(row, problem=problem, where="") if problem else row


def mark_duplicates(rows: Sequence[CatalogRow]) -> list[CatalogRow]:
    """The rows, each one whose content an earlier row of its kind has with that as its problem."""
    first: dict[tuple[str, str], CatalogRow] = {}
    marked = []
    for row in rows:
        twin = first.setdefault((row.kind, row.sha256), row) if row.sha256 and not row.problem else row
        place = f" ({row_place(twin.row, twin.sheet)})" if twin.row else ""
        marked.append(row if twin is row else replace(row, problem=f"duplicate of {twin.source}{place}"))
    return marked


def join_remarks(*remarks: str) -> str:
    """Remarks in one cell."""
    return "; ".join(remark for remark in remarks if remark)


def row_place(row: int, sheet: str = "") -> str:
    """Where a row of a spreadsheet stands: `row 5`, `row 5 of sheet Rock`; empty for what comes from none."""
    return f"row {row}{f' of sheet {sheet}' if sheet else ''}" if row else ""


def call_row(row: CatalogRow) -> str:
    """A row of the catalog as its user knows it: the file, and where the spreadsheet names it."""
    place = row_place(row.row, row.sheet)
    return f"{row.source} ({place})" if place and row.source != place else row.source


def suffixes_of(kind: str) -> tuple[str, ...]:
    """How the names of files of a kind end: of songs and samples scores and recordings, of texts plain text."""
    return TEXTS if kind == "text" else (*SCORES, *RECORDINGS)

"""Columns of a spreadsheet of songs, samples and texts: which is what by its name, and what its cells mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from pipeline.errors import UserError
from pipeline.formats import SCORES, is_recording, printable
from pipeline.scores.keys import Key
from pipeline.settings.data import DataSettings
from pipeline.sources.places import bare
from pipeline.sources.spreadsheets import Worksheet, read_worksheets

SLOWEST_BPM, FASTEST_BPM = 20.0, 400.0
KINDS = {
    "song": "song songs track tracks music recording recordings score scores midi piece tune title audio",
    "sample": "sample samples loop loops break breaks snippet snippets",
    "text": "text texts lyric lyrics words poem poems verse",
}
SPLITS = {"train": "train training", "validation": "validation valid val dev", "test": "test testing eval evaluation"}
TONICS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11, "h": 11}
MODES = {
    False: ("", "M", "maj", "major", "dur", "ionian"),
    True: ("m", "min", "minor", "moll", "aeolian", "natural minor", "harmonic minor"),
}
"""What follows the tonic of a major key (False) and of a minor key (True)."""
ABOUT = r"(?:~|≈|≃|≅|±|=|♩|ca?\.?|circa|around|about|approx\.?|approximately|roughly|etwa|um|env\.?|environ|\s)*"


def _word(text: str, words: dict[str, str]) -> str:
    """Ours among `words` (ours to theirs) that the text means; empty where it means none."""
    plain = text.strip().lower()
    return next((ours for ours, theirs in words.items() if plain in theirs.split()), "")


def read_kind(text: str) -> str:
    """`song`, `sample` or `text`; raises ValueError."""
    found = _word(text, KINDS)
    if not found:
        raise ValueError("is none of song, sample, text")
    return found


def read_split(text: str) -> str:
    """`train`, `validation` or `test`; raises ValueError."""
    found = _word(text, SPLITS)
    if not found:
        raise ValueError("is none of train, validation, test")
    return found


def read_bpm(text: str) -> float:
    """Beats a minute out of `92`, `92,5 BPM`, `ca. 120`; raises ValueError."""
    unit = r"(?:bpm|b\.p\.m\.|beats? ?(?:per|a|/) ?min(?:ute|\.)?)?"
    match = re.fullmatch(rf"{ABOUT}(\d+(?:[.,]\d+)?)(?:-?ish|\?)?\s*{unit}\s*(?:\(.*\))?", text.strip().lower())
    if not match:
        raise ValueError("is no number of beats a minute")
    value = float(match[1].replace(",", "."))
    if not SLOWEST_BPM <= value <= FASTEST_BPM:
        raise ValueError(f"lies outside {SLOWEST_BPM:g} to {FASTEST_BPM:g} beats a minute")
    return value


def read_seconds(text: str) -> float:
    """Seconds out of `0.52`, `0,52 s`, `520 ms`, `1:02.5` or `00:01:02`; raises ValueError."""
    plain = text.strip().lower().replace(",", ".")
    match = re.fullmatch(rf"{ABOUT}(\d+(?:\.\d+)?)\s*(ms|milliseconds|s|sec\.?|secs|seconds?)?", plain)
    if match:
        return float(match[1]) / (1000 if (match[2] or "").startswith("m") else 1)
    clock = re.fullmatch(r"(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)", plain)
    if not clock:
        raise ValueError("is no number of seconds")
    return 3600 * float(clock[1] or 0) + 60 * float(clock[2]) + float(clock[3])


def read_hash(text: str) -> str:
    """A SHA-256 as 64 small hex digits; raises ValueError."""
    plain = text.strip().lower().removeprefix("sha256:").strip()
    if not re.fullmatch(r"[0-9a-f]{64}", plain):
        raise ValueError("is no SHA-256")
    return plain


def read_notes_cell(text: str) -> str:
    """The path of a MIDI file; empty for what is no name of a file, such as a comment; raises ValueError for others."""
    plain = bare(text)
    suffix = PurePath(plain).suffix.lower()
    if SCORES.get(suffix) == "midi":
        return plain
    if suffix in SCORES or is_recording(plain):
        raise ValueError("is no MIDI file")
    return ""


def read_beats_cell(text: str) -> str:
    """The path of a list of beats; raises ValueError for what is no name of a file."""
    plain = bare(text)
    if not re.search(r"\.[A-Za-z]\w*$", plain):
        raise ValueError("names no file")
    return plain


def read_key_cell(text: str) -> str:
    """A key as this program writes it, from `Am`, `F#m`, `B♭ major`, `a-Moll` or the Camelot wheel's `8A`.

    `E flat min` is read too. Raises ValueError.
    """
    plain = re.sub(r"[♯]|[\s-]*sharp", "#", text.strip())
    plain = re.sub(r"[♭]|[\s-]*flat", "b", plain)
    wheel = re.fullmatch(r"(1[0-2]|[1-9])\s*([ABab])", plain)
    if wheel:  # the wheel of fifths that disc jockeys use: 8A is A minor, 8B is C major
        is_minor = wheel[2] in "Aa"
        return str(Key((9 * is_minor + 7 * (int(wheel[1]) - 8)) % 12, is_minor))
    match = re.fullmatch(r"([A-Ha-h])(is|es|(?<=[AEae])s|#|b)?[\s_:/-]*([A-Za-z ]*)\.?", plain)
    if match:
        tail = match[3] if match[3] in ("m", "M") else match[3].strip().lower()
        for is_minor, names in MODES.items():
            if tail in names:
                shift = {None: 0, "is": 1, "#": 1}.get(match[2], -1)
                if tail in ("dur", "moll") and match[1] in "Bb" and not match[2]:
                    shift = -1  # German calls B flat B, and B H
                return str(Key((TONICS[match[1].lower()] + shift) % 12, is_minor))
    raise ValueError("is no key such as G major or F# minor")


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
        *("name of the song", "name of song", "title of the song", "title of song", "name of the track"),
        *("name of the piece", "title of the piece", "songtitel", "liedtitel", "lied", "st\u00fcck", "musikst\u00fcck"),
        *("titel", "titre", "t\u00edtulo", "titulo", "titolo"),
    ),
    "artist": (
        *("artist", "artists", "artist name", "performer", "band", "composer", "singer", "author", "by"),
        *("interpret", "k\u00fcnstler", "artiste", "artista", "komponist", "compositeur", "compositor", "compositore"),
    ),
    "kind": ("kind", "type", "category", "what"),
    "where": (
        *("where", "file", "files", "path", "file path", "full path", "filename", "file name", "location", "folder"),
        *("url", "link", "links", "download", "download link", "download url", "web link", "href", "uri", "address"),
        *("source", "recording", "audio", "audio file", "midi", "midi file", "mp3"),
        *(
            "datei",
            "dateiname",
            "pfad",
            "fichier",
            "chemin",
            "lien",
            "archivo",
            "ruta",
            "enlace",
            "arquivo",
            "percorso",
        ),
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
    "notes": ("notes", "corrected notes", "notes file", "corrected midi", "transcription"),
    "beats": ("beats", "beats file", "beat times", "list of beats"),
    "used_in": ("used in", "used in song", "sampled in", "used by", "song used in", "appears in", "sample of"),
}
"""Our columns, and what people call them; earlier names count more."""
PLACE_WORDS = {"file", "filename", "filepath", "path", "link", "links", "url"}
"""In the name of a column that holds places, whatever else stands there."""
ABOUT_FILES = {
    *("size", "type", "format", "date", "length", "count", "number", "nr", "no", "id", "rating"),
    *("artist", "notes", "beats", "corrected", "cover", "image", "lyrics", "of", "my", "the", "a", "is"),
}
"""In the name of a column that says something else of files, or of other things."""
HEADER_ROWS = 20
"""The header lies in one of so many first rows."""
TOTALS = re.compile(
    r"(?:grand |sub-?)?(?:totals?|sum|summe|gesamt|count|average|anzahl|somme|totale)\b[\s:=]*[\d.,:]*\s*"
    r"(?:h|hours?|min|minutes?|s|songs?|tracks?|rows?|files?|titel|st\u00fcck)?",
    re.IGNORECASE,
)
"""A cell of a row that sums up the others."""


@dataclass(frozen=True)
class SheetRow:
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
    notes: str = ""
    beats: str = ""
    used_in: str = ""
    remark: str = ""
    """Which cells could not be understood."""
    link: str = ""
    """What lies behind the text of the cell that says where the file is."""
    sheet: str = ""
    """Of a workbook, the sheet that it stands on."""


READERS: dict[str, tuple[Callable[[str], Any], Any]] = {
    "kind": (read_kind, ""),
    "bpm": (read_bpm, None),
    "key": (read_key_cell, ""),
    "downbeat_seconds": (read_seconds, None),
    "split": (read_split, ""),
    "sha256": (read_hash, ""),
    "notes": (read_notes_cell, ""),
    "beats": (read_beats_cell, ""),
}
"""How a cell becomes a value, by our column, and the value of an empty cell."""


@dataclass(frozen=True)
class _Table:
    """A sheet in which rows were found that say where files are."""

    sheet: Worksheet
    header: int
    """The index of its row."""
    columns: Mapping[str, Sequence[int]]
    """Indices of the cells of each of our columns."""


def read_sheet_rows(data: DataSettings) -> list[SheetRow]:
    """The rows of all sheets of the spreadsheet at `data.path` that are not empty. Raises `UserError`."""
    return read_sheets(data)[0]


def read_sheets(data: DataSettings) -> tuple[list[SheetRow], list[str]]:
    """The rows of the spreadsheet at `data.path`, and the names of sheets that have something else in them.

    Rows come from every sheet with a column that says where files are, or with links behind titles. Empty rows and
    lines of totals are none. Raises `UserError`.
    """
    setting = f"data.path={data.path}"
    given: dict[str, str] = data.columns or {}
    unknown = [name for name in given if _plain(name) not in {_plain(ours) for ours in COLUMNS}]
    if unknown:
        raise UserError(f"data.columns: there is no column {unknown[0]}; ours are {', '.join(COLUMNS)}.")
    sheets = read_worksheets(Path(data.path or "").expanduser(), setting)
    sheets = [sheet for sheet in sheets if any(any(row) for row in sheet.rows)]
    if not sheets:
        raise UserError(f"{setting} is empty: list your songs in it.")
    tables = [table for sheet in sheets if (table := _find_table(sheet, given))]
    _check_given(sheets, tables, given, setting)
    if not tables:
        header = next(row for sheet in sheets for row in sheet.rows if any(row))
        raise UserError(
            f"{setting} has no column that says where the files are (where, file, path, url ...), only "
            f'{_listed(header)}: name it so, or say data.columns="{{where: NAME}}".'
        )
    entries = [entry for table in tables for entry in _entries(table)]
    if not entries:
        raise UserError(f"{setting} has a header but no rows: list your songs below it.")
    found = [table.sheet for table in tables]
    return entries, [sheet.name for sheet in sheets if sheet not in found]


def _find_table(sheet: Worksheet, given: Mapping[str, str]) -> _Table | None:
    """The header of a sheet: of its first rows the one with the most columns that are known, places among them.

    A sheet without places counts where links lie behind its titles. None where there is no header.
    """
    best, most = None, 0
    for number, cells in enumerate(sheet.rows[:HEADER_ROWS]):
        columns = match_columns(cells, given)
        known = sum(bool(indices) for indices in columns.values())
        has_links = any(row > number and column in columns["title"] for row, column in sheet.links)
        if known > most and (columns["where"] or (has_links and "where" not in given)):
            best, most = _Table(sheet, number, columns), known
    return best


def _check_given(sheets: Sequence[Worksheet], tables: Sequence[_Table], given: Mapping[str, str], setting: str) -> None:
    """Raise `UserError` for a name in `data.columns` that is in none of the headers."""
    headers = [table.sheet.rows[table.header] for table in tables]
    headers = headers or [next(row for row in sheet.rows if any(row)) for sheet in sheets][:1]
    plain = {_plain(cell) for header in headers for cell in header}
    for theirs in given.values():
        if _plain(theirs) not in plain:
            raise UserError(f"data.columns: {setting} has no column {theirs}; it has {_listed(headers[0])}.")


def _entries(table: _Table) -> Iterator[SheetRow]:
    """The rows below a header in which one of our columns says something; lines of totals say nothing of a song."""
    sheet = table.sheet
    for index, cells in enumerate(sheet.rows[table.header + 1 :], start=table.header + 1):
        links = {column: sheet.links[index, column] for column in range(len(cells)) if (index, column) in sheet.links}
        entry = _entry(index + 1, cells, table.columns, links, sheet.name)
        known = (cells[at] for indices in table.columns.values() for at in indices if at < len(cells))
        names_none = not entry.link and re.fullmatch(r"[\d.,]*", entry.where)  # nothing, or how many there are
        is_total = names_none and any(TOTALS.fullmatch(cell.strip()) for cell in cells)
        if (entry.link or any(known)) and not is_total:
            yield entry


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
        if ours == "where" and sum(map(bool, header)) > 1:
            found += [(len(names), index) for index, cell in enumerate(header) if _names_places(cell)]
        columns[ours] = list(dict.fromkeys(index for _, index in sorted(found)))
    if not columns["used_in"] and len(columns["title"]) > 1:  # `title` of the sample, and `song` that it went into
        columns["used_in"] = [index for index in columns["title"][1:] if "song" in plain[index]]
    return columns


def _names_places(cell: str) -> bool:
    """Whether a column that is called otherwise holds places by its name: `Link to MIDI`, but not `File size`."""
    words = re.findall(r"[a-z0-9]+", cell.lower())
    return len(words) <= 5 and bool(PLACE_WORDS.intersection(words)) and not ABOUT_FILES.intersection(words)


def _plain(name: str) -> str:
    """A column's name without case, spaces, punctuation and what stands in brackets."""
    return re.sub(r"[\W_]+", "", re.sub(r"[(\[].*?[)\]]", "", name).lower())


def _entry(
    number: int, cells: Sequence[str], columns: Mapping[str, Sequence[int]], links: Mapping[int, str], sheet: str
) -> SheetRow:
    """What one row says; a cell that makes no sense is left out and remarked on. `links` lie behind cells."""
    texts = {
        ours: next((cells[index] for index in indices if index < len(cells) and cells[index]), "")
        for ours, indices in columns.items()
    }
    said = [index for index in columns["where"] if index < len(cells) and cells[index]]
    behind = [index for index in (*said[:1], *columns["where"], *columns["title"]) if index in links]
    link = links[behind[0]] if behind and not (said and behind[0] in columns["title"]) else ""
    values: dict[str, Any] = {}
    remarks = []
    for ours, text in texts.items():
        if ours not in READERS:
            values[ours] = text.strip() if ours == "where" else printable(text)
            continue
        reader, nothing = READERS[ours]
        try:
            values[ours] = reader(text) if text else nothing
        except ValueError as error:
            values[ours] = nothing
            remarks.append(f"{ours} {printable(text)[:40]} {error}")
    return SheetRow(number, link=link, sheet=sheet, remark="; ".join(remarks), **values)

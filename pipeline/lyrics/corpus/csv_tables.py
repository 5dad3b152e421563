"""Tables of texts: CSV files, their delimiter and columns detected."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from pipeline.lyrics.cleaning.tally import CleaningTally
from pipeline.lyrics.corpus.text_decoding import blocks

TABLE = ".csv"
"""What tables end with."""
TEXT_COLUMNS = (
    *("text", "lyrics", "lyric", "words", "content", "body"),
    *("essay", "poem", "verse", "article", "story", "book"),
)
TITLE_COLUMNS = ("title", "song title", "song_title", "song", "song_name", "headline", "heading", "name")
"""Columns by their usual names, in small letters, the likeliest first."""
DELIMITERS = ",;\t|"
NONE = "\x1f"
"""Between the fields of a table that has one column."""
MOST_IN_FIELD = 10_000_000
"""Characters of one field."""
SAMPLE_ROWS = 200
"""Rows in which the delimiter and the widest column are looked for."""
LONG = 60
"""Characters from which on a field of the first row is a text and no column's name."""


@dataclass
class BrokenRows:
    """Rows that can't be read: how many, of how many, and what is wrong with the first."""

    rows: int = 0
    of: int = 0
    reason: str = ""

    def add(self, line: int, reason: str) -> None:
        """Count one more."""
        self.reason = self.reason or f"in line {line:,}: {reason}"
        self.rows += 1

    def __str__(self) -> str:
        return f"{self.rows:,} of {self.of:,} rows, which are broken (the first {self.reason})"


def table_rows(
    path: Path,
    column: str | None,
    broken: BrokenRows,
    on_bytes: Callable[[int], object] = lambda size: None,
    tally: CleaningTally | None = None,
) -> Iterator[tuple[str | None, str]]:
    """Title (None where there is no such column) and text of each row.

    Parameters
    ----------
    path
        The table: UTF-8, fields between commas, semicolons, tabs or bars, with quotes where needed.
    column
        The name of the column that holds the texts; None takes one of `TEXT_COLUMNS`, or the widest.
    broken
        Takes the rows that are left out.
    on_bytes
        Called with numbers of bytes on the way.
    tally
        Counts characters that are not UTF-8.

    Raises
    ------
    ValueError
        When there is no such column, or the file is no text.
    """
    lines = _lines(path, on_bytes, tally)
    first = list(islice(lines, 5 * SAMPLE_ROWS))
    delimiter = _delimiter(first)
    before = csv.field_size_limit(MOST_IN_FIELD)
    try:
        reader = csv.reader(chain(first, lines), delimiter=delimiter)
        header = next(reader)
        names = [name.strip().lower() for name in header]
        place = _place(names, column, header, csv.reader(first, delimiter=delimiter))
        title = next((names.index(name) for name in TITLE_COLUMNS if name in names), None)
        if column is None and len(header[place]) > LONG:
            yield None, header[place]
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                broken.of += 1
                broken.add(line, str(error))
                continue
            if not fields:
                continue
            broken.of += 1
            if len(fields) != len(header):
                broken.add(line, f"{len(fields)} fields, not {len(header)}")
            else:
                yield None if title in (None, place) else fields[title or 0].strip() or None, fields[place]
    finally:
        csv.field_size_limit(before)


def _lines(path: Path, on_bytes: Callable[[int], object], tally: CleaningTally | None) -> Iterator[str]:
    """Lines with their ends: line feeds alone, as `splitlines` knows others that stand inside fields."""
    for block in blocks(path, on_bytes, tally):
        *whole, rest = block.split("\n")
        yield from (line + "\n" for line in whole)
        if rest:
            yield rest


def _delimiter(lines: list[str]) -> str:
    """What parts the fields: the delimiter by which most rows have as many fields, more than one, as the first."""
    scores: dict[str, tuple[float, int]] = {}
    for delimiter in DELIMITERS:
        sizes = [len(fields) for fields in _readable(csv.reader(lines, delimiter=delimiter)) if fields]
        if sizes and sizes[0] > 1:
            scores[delimiter] = sizes.count(sizes[0]) / len(sizes), sizes[0]
    return max(scores, key=lambda one: scores[one]) if scores else NONE


def _readable(reader: Iterable[list[str]]) -> Iterator[list[str]]:
    """The first rows, without those that can't be read."""
    found = iter(reader)
    for _ in range(SAMPLE_ROWS):
        try:
            yield next(found)
        except csv.Error:
            continue
        except StopIteration:
            return


def _place(names: list[str], column: str | None, header: list[str], sample: Iterable[list[str]]) -> int:
    """Which column holds the texts."""
    if column is not None:
        if column.strip().lower() not in names:
            there = ", ".join(name.strip()[:LONG] for name in header)
            raise ValueError(f"it has no column {column}; lyrics.column can be one of: {there}")
        return names.index(column.strip().lower())
    for name in TEXT_COLUMNS:
        if name in names:
            return names.index(name)
    widths: Counter[int] = Counter()
    for fields in _readable(sample):
        if len(fields) == len(names):
            widths.update({place: len(text) for place, text in enumerate(fields)})
    return max(range(len(names)), key=lambda place: widths[place])


def is_table(path: Path) -> bool:
    """Whether a file is read as a table."""
    return path.suffix.lower() == TABLE

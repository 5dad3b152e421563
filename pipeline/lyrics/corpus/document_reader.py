"""Files of any kind as documents in a spool, whatever they were kept in."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from pipeline.lyrics.corpus import essays as prose
from pipeline.lyrics.corpus import song_lyrics as songs
from pipeline.lyrics.corpus.disk_buffer import Spool
from pipeline.lyrics.corpus.song_lyrics import WORD
from pipeline.lyrics.corpus.text_decoding import blocks, clean, tidy

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
SAMPLE = 200
"""Rows that the delimiter and the widest column are judged by."""
LONG = 60
"""Characters from which on a field of the first row is a text and no column's name."""


@dataclass
class Broken:
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


def rows(
    path: Path, column: str | None, broken: Broken, came: Callable[[int], object] = lambda size: None
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
    came
        Called with numbers of bytes on the way.

    Raises
    ------
    ValueError
        When there is no such column, or the file is no text.
    """
    lines = _lines(path, came)
    first = list(islice(lines, 5 * SAMPLE))
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


def _lines(path: Path, came: Callable[[int], object]) -> Iterator[str]:
    """Lines with their ends: line feeds alone, as `splitlines` knows others that stand inside fields."""
    for block in blocks(path, came):
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
    for _ in range(SAMPLE):
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


NUM_PIECES, SMALLEST_PIECE = 40, 100
"""A small text is cut into so many pieces, of at least so many characters: enough to hold out whole passages."""
NUM_WHOLE = 4
"""A text that is more than a quarter of all is cut, however short."""
TABLE = ".csv"
"""What tables end with."""


@dataclass(frozen=True)
class Reader:
    """Reads documents of one kind.

    Attributes
    ----------
    kind
        `song`, `essay` or `book`.
    column
        The column of tables that holds the texts, or None.
    num_bytes
        Of all files together: small corpora are cut finer.
    is_alone
        Whether there is one file, which may hold many documents.
    """

    kind: str
    column: str | None
    num_bytes: int
    is_alone: bool

    def read(self, path: Path, spool: Spool, came: Callable[[int], object] = lambda size: None) -> str | None:
        """Add a file's documents to `spool`; what had to be left out of it, in words.

        `came` is called with numbers of bytes on the way. Raises `ValueError`, and adds nothing, where the file can't
        be used.
        """
        length = len(spool)
        broken = Broken()
        try:
            for title, text in self._table(path, broken, came) if is_table(path) else self._plain(path, came):
                if WORD.search(text):
                    spool.add(title, text)
        except ValueError:
            spool.cut(length)
            raise
        if len(spool) == length:
            raise ValueError(str(broken) if broken.rows else "no words in it")
        return str(broken) if broken.rows else None

    def _plain(self, path: Path, came: Callable[[int], object]) -> Iterator[tuple[str, str]]:
        """Title and text of each document of a text file, as the spool keeps them."""
        if self.kind == "song":
            yield from self._songs(map(clean, blocks(path, came)))
        elif self.kind == "essay":
            yield from self._essays(blocks(path, came), None, self.is_alone)
        else:
            yield from self._book(map(tidy, blocks(path, came)))

    def _table(self, path: Path, broken: Broken, came: Callable[[int], object]) -> Iterator[tuple[str, str]]:
        """Title and text of each document of a table, as the spool keeps them."""
        found = rows(path, self.column, broken, came)
        if self.kind == "book":
            # verses come a line a row, chapters as rows of many lines
            texts = (tidy(text).strip("\n") for _, text in found)
            yield from self._book(text + ("\n\n" if "\n" in text else "\n") for text in texts if text)
            return
        for title, text in found:
            title = clean(title or "").replace("\n", " ")
            if self.kind == "song":
                yield from ((title or other, song) for other, song in self._songs([clean(text)]))
            else:
                yield from self._essays([text], title or None, False)

    def _songs(self, texts: Iterator[str] | list[str]) -> Iterator[tuple[str, str]]:
        for song in songs.songs(texts, self._piece(songs.PIECE), self._most(songs.MOST)):
            yield song.title or "", song.upright

    def _essays(self, texts: Iterator[str] | list[str], title: str | None, several: bool) -> Iterator[tuple[str, str]]:
        piece, most = self._piece(prose.ESSAY_PIECE), self._most(prose.ESSAY_MOST)
        for essay in prose.essays(texts, title, piece, most, several):
            yield essay.title, prose.spell_essay(essay)

    def _book(self, texts: Iterator[str]) -> Iterator[tuple[str, str]]:
        for piece in prose.pieces(texts, self._piece(prose.BOOK_PIECE)):
            yield "", prose.spell_book(piece)

    def _piece(self, most: int) -> int:
        return min(most, max(SMALLEST_PIECE, self.num_bytes // NUM_PIECES))

    def _most(self, most: int) -> int:
        return min(most, max(SMALLEST_PIECE, self.num_bytes // NUM_WHOLE))


def is_table(path: Path) -> bool:
    """Whether a file is read as a table."""
    return path.suffix.lower() == TABLE

"""Files of any kind as documents in a spool, whatever they were kept in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.lyrics.corpus import essays as prose
from pipeline.lyrics.corpus import songs
from pipeline.lyrics.corpus.decoding import blocks, clean, tidy
from pipeline.lyrics.corpus.disk_buffer import Spool
from pipeline.lyrics.corpus.tables import Broken, rows
from pipeline.lyrics.corpus.verse import WORD

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

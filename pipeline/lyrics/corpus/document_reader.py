"""Document reader: documents from files of any kind, be they songs, essays or pieces of books."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.lyrics.cleaning.cleaner import cleaned
from pipeline.lyrics.cleaning.tally import CleaningTally
from pipeline.lyrics.corpus.csv_tables import BrokenRows, is_table, table_rows
from pipeline.lyrics.corpus.disk_buffer import DiskBuffer
from pipeline.lyrics.corpus.essays import (
    BOOK_PIECE,
    ESSAY_MOST,
    ESSAY_PIECE,
    book_pieces,
    essays_in,
    spell_book,
    spell_essay,
)
from pipeline.lyrics.corpus.song_lyrics import SONG_MOST, SONG_PIECE, WORD, lyrics_in
from pipeline.lyrics.corpus.text_decoding import blocks, clean, tidy

NUM_PIECES, SMALLEST_PIECE = 40, 100
"""A small text is cut into so many pieces, of at least so many characters: enough to hold out whole passages."""
NUM_WHOLE = 4
"""A text that is more than a quarter of all is cut, however short."""


@dataclass(frozen=True)
class DocumentReader:
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
    is_cleaned
        Whether what is no word of the text is taken out, as `cleaning.cleaner` does it.
    tally
        Counts what is taken out.
    """

    kind: str
    column: str | None
    num_bytes: int
    is_alone: bool
    is_cleaned: bool = True
    tally: CleaningTally = field(default_factory=CleaningTally)

    def read(self, path: Path, buffer: DiskBuffer, on_bytes: Callable[[int], object] = lambda size: None) -> str | None:
        """Add a file's documents to `buffer`; what had to be left out of it, in words.

        `on_bytes` is called with numbers of bytes on the way. Raises `ValueError`, and adds nothing, where the file
        can't be used.
        """
        length = len(buffer)
        broken = BrokenRows()
        tally = CleaningTally()
        try:
            found = self._table(path, broken, tally, on_bytes) if is_table(path) else self._plain(path, tally, on_bytes)
            for title, text in found:
                if WORD.search(text):
                    buffer.add(title, text)
        except ValueError:
            buffer.cut(length)
            raise
        if len(buffer) == length:
            raise ValueError(str(broken) if broken.rows else "no words in it")
        self.tally.add(tally)
        return str(broken) if broken.rows else None

    def _plain(self, path: Path, tally: CleaningTally, on_bytes: Callable[[int], object]) -> Iterator[tuple[str, str]]:
        """Title and text of each document of a text file, as the buffer keeps them."""
        texts = self._cleaned(blocks(path, on_bytes, tally), tally)
        if self.kind == "song":
            yield from self._songs(map(clean, texts))
        elif self.kind == "essay":
            yield from self._essays(texts, None, self.is_alone)
        else:
            yield from self._book(map(tidy, texts))

    def _table(
        self, path: Path, broken: BrokenRows, tally: CleaningTally, on_bytes: Callable[[int], object]
    ) -> Iterator[tuple[str, str]]:
        """Title and text of each document of a table, as the buffer keeps them."""
        rows = table_rows(path, self.column, broken, on_bytes, tally)
        found = ((title, "".join(self._cleaned([text], tally))) for title, text in rows)
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

    def _cleaned(self, texts: Iterable[str], tally: CleaningTally) -> Iterable[str]:
        """The blocks of a text as they are to be learnt from."""
        return cleaned(texts, self.kind, tally) if self.is_cleaned else texts

    def _songs(self, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
        for song in lyrics_in(texts, self._piece(SONG_PIECE), self._most(SONG_MOST)):
            yield song.title or "", song.upright

    def _essays(self, texts: Iterable[str], title: str | None, several: bool) -> Iterator[tuple[str, str]]:
        piece, most = self._piece(ESSAY_PIECE), self._most(ESSAY_MOST)
        for essay in essays_in(texts, title, piece, most, several):
            yield essay.title, spell_essay(essay)

    def _book(self, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
        for piece in book_pieces(texts, self._piece(BOOK_PIECE)):
            yield "", spell_book(piece)

    def _piece(self, most: int) -> int:
        return min(most, max(SMALLEST_PIECE, self.num_bytes // NUM_PIECES))

    def _most(self, most: int) -> int:
        return min(most, max(SMALLEST_PIECE, self.num_bytes // NUM_WHOLE))

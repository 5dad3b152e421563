"""Parsing of essays and books: paragraphs under a title, and text as it comes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.lyrics.corpus.song_lyrics import START, WORD
from pipeline.lyrics.corpus.text_decoding import clean

ESSAY_PIECE, BOOK_PIECE = 10_000, 20_000
"""Characters of the pieces that a long essay and a book are cut into."""
ESSAY_MOST = 40_000
"""Essays longer than so many characters are cut."""
WRAPPED = 120
"""A longer line is a whole paragraph; a shorter one goes on in the next line, as editors break them."""
LONG_TITLE = 80
"""Characters of a first line that may be a title."""
MOST_IN_HEADING = 300
"""Characters of a heading that are kept."""
MOST_IN_PARAGRAPH = 5_000
"""Longer paragraphs are cut, at the end of a sentence where there is one."""
HEADER_KEYS = frozenset(
    (
        *("title", "author", "authors", "date", "published", "tags", "category", "categories", "layout", "source"),
        *("url", "slug", "lang", "language", "draft", "description", "keywords", "id"),
    )
)
"""Keys of the header lines before an essay."""

FENCE = re.compile(r"(?:```|~~~)")
RULE = re.compile(r"(?:[-*_] ?){3,}")
HEADING = re.compile(r"(#{1,6}) +(.+?) *#*")
UNDERLINE = re.compile(r"=+|-{2,}")
HEADER = re.compile(r"#* ?([A-Za-z]+): *(.*)")
ITEM = re.compile(r"(?:[-*+]|\d{1,3}[.)]) +(?=\S)")
IMAGE = re.compile(r"!\[[^\]]{0,300}\]\([^)]{0,2000}\)")
LINK = re.compile(r"\[([^\]]{1,300})\](?:\([^)]{0,2000}\)|\[[^\]]{0,300}\])")
HTML = re.compile(r"<!--.{0,2000}?-->|</?[A-Za-z][^<>]{0,2000}>")
EMPHASIS = re.compile(r"(?<!\w)(\*{1,3}|_{1,3})(?=\S)(.{1,300}?)(?<=\S)\1(?!\w)")
SENTENCE_END = re.compile(r"[.!?][\"')]* ")


@dataclass(frozen=True)
class Essay:
    """A title, empty where there is none, and paragraphs without line breaks; headings are paragraphs (`## Then`)."""

    title: str
    paragraphs: tuple[str, ...]


def spell_essay(essay: Essay) -> str:
    """An essay as the model reads it: its title and a blank line, then each paragraph and a line's end."""
    return f"{START}{essay.title}\n\n" + "".join(paragraph + "\n" for paragraph in essay.paragraphs)


def spell_book(text: str) -> str:
    """A piece of a book as the model reads it."""
    return START + text


def essays_in(
    blocks: Iterable[str],
    title: str | None = None,
    piece: int = ESSAY_PIECE,
    most: int = ESSAY_MOST,
    several: bool = False,
) -> Iterator[Essay]:
    """The essays of a text that comes in blocks of whole lines; light Markdown, hard-wrapped lines joined.

    Parameters
    ----------
    blocks
        The text of one file, or of one row of a table.
    title
        The title, where it is known. Otherwise it is the first heading, a header `title: ...`, or a short first line.
    piece, most
        An essay of more than `most` characters is cut into some of about `piece`; those after the first have no title.
    several
        Whether each heading of the first level begins an essay.
    """
    maker = _EssayParser(title or "", piece, most, several and title is None)
    for block in blocks:
        for line in _light(block).split("\n"):
            yield from maker.take(line)
    yield from maker.end()


def _light(block: str) -> str:
    """Clean text without Markdown's emphasis, links, images and code, and without HTML's tags."""
    block = re.sub("`+", "", re.sub(r"(?m)^ *(?:```|~~~).*$", "~~~", block))
    if "<" in block:
        block = HTML.sub("", block)
    if "](" in block or "][" in block:
        block = LINK.sub(r"\1", IMAGE.sub("", block))
    if "*" in block or "_" in block:
        block = EMPHASIS.sub(r"\2", block)
    return clean(block)


class _EssayParser:
    """Gathers lines to paragraphs and paragraphs to essays."""

    def __init__(self, title: str, piece: int, most: int, several: bool) -> None:
        self.title, self.piece, self.most, self.several = title, piece, most, several
        self.paragraphs: list[str] = []
        self.lines: list[str] = []
        self.num_characters = self.in_lines = 0
        self.is_cut = self.in_code = False
        self.in_head, self.in_front_matter = True, False
        """Whether nothing but a title and header lines has come."""
        self.has_blank = False

    def take(self, line: str) -> Iterator[Essay]:
        """One more line; gives essays that are whole by it."""
        if FENCE.match(line):
            self.in_code = not self.in_code
        elif self.in_code or (self.in_head and not self.lines and self._is_header(line)):
            return
        elif line.startswith("#") and (heading := HEADING.fullmatch(line[:MOST_IN_HEADING])):
            yield from self._heading(len(heading[1]), heading[2])
        elif UNDERLINE.fullmatch(line) and len(self.lines) == 1 and len(self.lines[0]) <= LONG_TITLE:
            text = self.lines.pop()
            self.in_lines = 0
            yield from self._heading(1 if line[0] == "=" else 2, text)
        elif not line or RULE.fullmatch(line):
            yield from self._end_paragraph(blank=True)
        else:
            yield from self._text(line)

    def _text(self, line: str) -> Iterator[Essay]:
        """A line of a paragraph."""
        line = line.removeprefix("> ")
        if ITEM.match(line):
            yield from self._end_paragraph()
        self.lines.append(line)
        self.in_lines += len(line) + 1
        if len(line) > WRAPPED or self.in_lines > MOST_IN_PARAGRAPH:
            yield from self._end_paragraph()

    def _is_header(self, line: str) -> bool:
        """Whether a line before the essay's text tells about it; takes its title."""
        if line == "---" and not self.paragraphs and (self.in_front_matter or not self.title):
            self.in_front_matter = not self.in_front_matter
            return True
        header = HEADER.fullmatch(line)
        if header and header[1].lower() in HEADER_KEYS and not self.paragraphs:
            if header[1].lower() == "title":
                self.title = self.title or header[2].strip(" \"'")
            return True
        return self.in_front_matter

    def _heading(self, level: int, text: str) -> Iterator[Essay]:
        yield from self._end_paragraph()
        if self.in_head and not self.title:
            self.title = text
        elif level == 1 and self.several:
            yield from self.end()
            self.title = text
        elif not (self.in_head and text == self.title):
            self.in_head = False
            self.paragraphs.append(f"{'#' * max(2, level)} {text}")

    def _end_paragraph(self, blank: bool = False) -> Iterator[Essay]:
        """The paragraph is whole; gives essays where there are enough."""
        text = " ".join(self.lines)
        self.lines, self.in_lines = [], 0
        if not WORD.search(text):
            return
        if self.in_head and blank and not self.title and len(text) <= LONG_TITLE and text[-1] not in ".,;:":
            self.title = text
            return
        self.in_head = False
        for part in _cut(text, MOST_IN_PARAGRAPH):
            self.paragraphs.append(part)
            self.num_characters += len(part) + 1
            self.is_cut = self.is_cut or self.num_characters > self.most
            if self.is_cut:
                yield from self._pieces()

    def _pieces(self) -> Iterator[Essay]:
        """Pieces of at least `piece` characters; what is left stays."""
        start = filled = 0
        for number, paragraph in enumerate(self.paragraphs, 1):
            filled += len(paragraph) + 1
            if filled >= self.piece:
                yield Essay(self.title, tuple(self.paragraphs[start:number]))
                self.title, start, filled = "", number, 0
        del self.paragraphs[:start]

    def end(self) -> Iterator[Essay]:
        """The essay is whole."""
        yield from self._end_paragraph()
        if self.paragraphs:
            yield Essay(self.title, tuple(self.paragraphs))
        self.title, self.paragraphs, self.num_characters = "", [], 0
        self.in_head, self.is_cut = True, False


def _cut(text: str, most: int) -> Iterator[str]:
    """Parts of at most `most` characters, cut at the end of a sentence, else at a space, else anywhere."""
    while len(text) > most:
        ends = [match.end() for match in SENTENCE_END.finditer(text, most // 2, most)]
        at = ends[-1] if ends else text.rfind(" ", 1, most) + 1 or most
        yield text[:at].rstrip()
        text = text[at:].lstrip()
    if text:
        yield text


def book_pieces(blocks: Iterable[str], piece: int = BOOK_PIECE) -> Iterator[str]:
    """A tidy text in contiguous pieces of about `piece` characters that end with a paragraph where there is one near.

    A piece has at least `piece` characters and at most twice as many, the last at least half.
    """
    rest, held = "", ""
    for block in blocks:
        rest += block
        start = 0
        while len(rest) - start >= 2 * piece:
            end = _piece_end(rest, start + piece, start + 2 * piece)
            if held:
                yield held
            held, start = rest[start:end], end
        rest = rest[start:]
    if held and len(rest) < piece // 2:
        held, rest = held + rest, ""
    yield from (part for part in (held, rest) if part)


def _piece_end(text: str, low: int, high: int) -> int:
    """Where to end a piece: after a blank line, a line, a sentence or a word, else at `low`."""
    for mark in ("\n\n", "\n", ". ", " "):
        at = text.find(mark, low, high)
        if at >= 0:
            at += len(mark)
            while at < high and text[at] == "\n":
                at += 1
            return at
    return low

"""Parsing of song lyrics and poems: tagged sections, or stanzas, document by document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.lyrics.cleaning.section_tags import SECTION_KINDS, TAG, section_kind, tagged_kind

START = "\x02"
"""Before each document."""
MAX_LINE = 100
"""Longer lines are prose."""
SECTION_MARKS = {kind: chr(0xE000 + index) for index, kind in enumerate(SECTION_KINDS)}
"""One private character for each kind of section, before its first line."""
KIND_OF_MARK = {mark: kind for kind, mark in SECTION_MARKS.items()}
"""The kind that each mark stands for."""
WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['-](?=[^\W\d_]))*'?")
FIRST_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class LyricSection:
    """Lines of one kind of section."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class LyricDocument:
    """One lyric, poem or piece of a longer text."""

    title: str | None
    sections: tuple[LyricSection, ...]

    @property
    def upright(self) -> str:
        """All sections in reading direction, each after its mark, those that come back only the first time."""
        return "".join(
            SECTION_MARKS[section.name] + "".join(line + "\n" for line in section.lines)
            for section in dict.fromkeys(self.sections)
        )


@dataclass(frozen=True)
class Speller:
    """Spells documents as the model reads them: lines backwards, their first letter small unless it is a name's."""

    names: frozenset[str]
    """Words that keep their capital at the start of a line."""

    @classmethod
    def of(cls, lines: Iterable[str]) -> Speller:
        """Learns from the words inside the lines which ones are always written with a capital."""
        inside: Counter[str] = Counter()
        for line in lines:
            inside.update(WORD.findall(line)[1:])
        names = {word for word in inside if word[0].isupper() and inside[word] > inside[_lowered(word)]}
        return cls(frozenset(names | {"I"}))

    def line(self, line: str) -> str:
        """A line as the model reads it, without its end: `It was` becomes `saw ti`."""
        first = line.partition(" ")[0]
        if first.isalpha():  # most lines; the pattern takes ten times as long
            return (line if first in self.names else line[0].lower() + line[1:])[::-1]
        word = WORD.search(line)
        if word and word[0] not in self.names and word[0].partition("'")[0] not in self.names:
            line = line[: word.start()] + _lowered(word[0]) + line[word.end() :]
        return line[::-1]

    def document(self, upright: str) -> str:
        """What a `LyricDocument` gives as `upright`, as the model reads it."""
        lines = upright.split("\n")[:-1]
        return START + "".join(
            (line[0] + self.line(line[1:]) if line[0] in KIND_OF_MARK else self.line(line)) + "\n" for line in lines
        )


def sections_of_text(text: str) -> list[LyricSection]:
    """The sections of a text in the model's spelling, as people read them."""
    found: list[LyricSection] = []
    name, lines = SECTION_KINDS[0], list[str]()
    for line in [*text.removeprefix(START).split("\n"), SECTION_MARKS[SECTION_KINDS[0]]]:
        if line[:1] in KIND_OF_MARK:
            if lines:
                found.append(LyricSection(name, tuple(lines)))
            name, lines = KIND_OF_MARK[line[0]], []
        if kept := line.lstrip("".join(KIND_OF_MARK)):
            lines.append(line_for_people(kept))
    return found


def line_for_people(spelt: str) -> str:
    """A line for people, out of the model's spelling: `saw ti` becomes `It was`."""
    return capitalised(spelt[::-1])


def capitalised(line: str) -> str:
    """`line` with its first letter large."""
    first = FIRST_LETTER.search(line)
    return line if first is None else line[: first.start()] + first[0].upper() + line[first.end() :]


def _lowered(word: str) -> str:
    return word[0].lower() + word[1:]


BROKEN_LINE = 60
"""Prose is broken at spaces into lines of so many characters at the most."""
SONG_PIECE = 2_000
"""Untagged texts longer than twice this many characters are cut into pieces of it at blank lines."""
SONG_MOST = 8_000
"""Tagged texts longer than this are cut at tags."""

HEADER = re.compile(r"#+ *(\w+): *(.*)")
HEADING = re.compile(r"#{1,6} +(.+?) *#*")
BREAKS = re.compile(rf"(.{{1,{BROKEN_LINE}}})(?: +|$)|(.{{{BROKEN_LINE}}})")


def lyrics_in(blocks: Iterable[str], piece: int = SONG_PIECE, most: int = SONG_MOST) -> Iterator[LyricDocument]:
    """The documents of a clean text that comes in blocks of whole lines.

    A heading, such as `# Title: Salt` or `# Salt`, begins a document. Where sections are tagged, such as `[chorus]`,
    it is whole up to `most` characters; where not, stanzas are verses, and it is whole up to twice `piece`.
    """
    maker: _LyricParser | None = None
    for block in blocks:
        lines = block.strip("\n").split("\n")
        if maker is None:
            is_tagged = "[" in block and any(line[:1] == "[" and tagged_kind(line) is not None for line in lines)
            maker = _LyricParser(is_tagged, piece, most)
        for line in lines:
            if line[:1].isalpha() and len(line) <= MAX_LINE:  # most lines: no generator is made for them
                if maker.add(line):
                    yield from maker.end_full_section()
            else:
                yield from maker.take(line)
        if not maker.is_tagged:
            yield from maker.end_section()
    if maker is not None:
        yield from maker.end()


class _LyricParser:
    """Gathers lines to sections and sections to documents."""

    def __init__(self, is_tagged: bool, piece: int, most: int) -> None:
        self.is_tagged, self.piece = is_tagged, piece
        self.most_in_section, self.most = (most, most) if is_tagged else (piece, 2 * piece)
        self.title: str | None = None
        self.name, self.lines, self.num_characters = "verse", list[str](), 0
        self.sections: list[LyricSection] = []
        self.sizes: list[int] = []
        self.is_cut = False

    def take(self, line: str) -> Iterator[LyricDocument]:
        """One more line; gives documents that are whole by it."""
        if line.startswith("#") and (header := HEADER.fullmatch(line)):
            if header[1].lower() == "title":
                yield from self.end()
                self.title = header[2].strip() or None
        elif line.startswith("#") and (heading := HEADING.fullmatch(line[:MAX_LINE])):
            kind = section_kind(heading[1])
            if kind is None:
                yield from self.end()
                self.title = heading[1]
            else:
                yield from self.end_section()
                self.name = kind
        elif self.is_tagged and line.startswith("[") and TAG.fullmatch(line):
            yield from self.end_section()
            self.name = tagged_kind(line) or "verse"
        elif not line:
            if not self.is_tagged:
                yield from self.end_section()
        elif WORD.search(line):
            for part in [line] if len(line) <= MAX_LINE else broken_at_spaces(line):
                if self.add(part):
                    yield from self.end_full_section()

    def add(self, line: str) -> bool:
        """Add a line of words; whether the section has enough of them."""
        self.lines.append(line)
        self.num_characters += len(line) + 1
        return self.num_characters >= self.most_in_section

    def end_full_section(self) -> Iterator[LyricDocument]:
        """The section is cut: another of its kind begins."""
        name = self.name
        yield from self.end_section()
        self.name = name

    def end_section(self) -> Iterator[LyricDocument]:
        """The section is whole; gives documents where there are enough."""
        if self.lines:
            self.sections.append(LyricSection(self.name, tuple(self.lines)))
            self.sizes.append(self.num_characters)
            self.lines, self.num_characters = [], 0
        self.name = "verse"
        if sum(self.sizes) > self.most:
            self.is_cut = True
        if self.is_cut:
            yield from self._pieces()

    def _pieces(self) -> Iterator[LyricDocument]:
        """Pieces of at least `piece` characters."""
        start = filled = 0
        for number, size in enumerate(self.sizes, 1):
            filled += size
            if filled >= self.piece:
                yield LyricDocument(self.title, tuple(self.sections[start:number]))
                start, filled = number, 0
        del self.sections[:start], self.sizes[:start]

    def end(self) -> Iterator[LyricDocument]:
        """The document is whole."""
        yield from self.end_section()
        if self.sections:
            yield LyricDocument(self.title, tuple(self.sections))
        self.title, self.sections, self.sizes, self.is_cut = None, [], [], False


def broken_at_spaces(line: str) -> list[str]:
    """A long line in several, broken at spaces."""
    parts = [whole or cut for whole, cut in BREAKS.findall(line)]
    return [part for part in parts if WORD.search(part)]

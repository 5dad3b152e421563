"""What a lyric is made of, and how it is spelt for the model.

The model reads every line from its last character to its first. So the rhyme comes first when a line is written,
and the words before it lead up to it (Lau et al. 2018, *Deep-speare*, arXiv 1807.03491). A section that comes back
word for word is spelt once: it is written once, too.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

START = "\x02"
"""Before each document."""
KINDS = ("verse", "chorus", "bridge", "prechorus", "intro", "outro", "rap")
"""Sections the model can tell apart."""
MARKS = {kind: chr(0xE000 + index) for index, kind in enumerate(KINDS)}
"""One private character for each kind of section, before its first line."""
ALIASES = {"hook": "chorus", "refrain": "chorus", "pre-chorus": "prechorus", "coda": "outro", "middle": "bridge"}
MAX_LINE = 100
"""Longer lines are prose; they are broken at spaces."""
PIECE = 2_000
"""Untagged texts longer than twice this many characters are cut into pieces of it at blank lines."""

TAG = re.compile(r"\[([A-Za-z-]+)[^\]]*\]")
WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['-](?=[^\W\d_]))*'?")
FIRST_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Section:
    """Lines of one kind of section."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """One lyric, poem or piece of a longer text."""

    title: str | None
    sections: tuple[Section, ...]

    @property
    def lines(self) -> list[str]:
        """All lines, sections in order."""
        return [line for section in self.sections for line in section.lines]

    @property
    def num_characters(self) -> int:
        """Characters of all lines and their ends."""
        return sum(len(line) + 1 for line in self.lines)

    @cached_property
    def digest(self) -> str:
        """Hash of the words, whatever their case."""
        return hashlib.sha256("\n".join(self.lines).lower().encode()).hexdigest()


def parse(text: str) -> list[Document]:
    """The documents of a clean text: one where sections are tagged, pieces of a fitting length where not."""
    header = {}
    while match := re.match(r"#+ *(\w+): *(.*)\n*", text):
        header[match[1].lower()] = match[2].strip()
        text = text[match.end() :]
    if any(TAG.fullmatch(line) for line in text.split("\n")):
        sections = _tagged(text)
        return [Document(header.get("title"), tuple(sections))] if sections else []
    stanzas = [Section("verse", tuple(lines)) for part in text.split("\n\n") if (lines := _lines(part.split("\n")))]
    return [Document(header.get("title"), tuple(group)) for group in _pieces(stanzas)]


def _tagged(text: str) -> list[Section]:
    sections: list[Section] = []
    name, lines = "verse", list[str]()
    for line in [*text.split("\n"), "[verse]"]:
        tag = TAG.fullmatch(line)
        if tag is None:
            lines.append(line)
            continue
        if kept := _lines(lines):
            sections.append(Section(name, tuple(kept)))
        word = tag[1].lower()
        word = ALIASES.get(word, word)
        name, lines = word if word in MARKS else "verse", []
    return sections


def _lines(raw: Iterable[str]) -> list[str]:
    """Lines with words in them, long ones broken at spaces."""
    lines: list[str] = []
    for line in raw:
        if WORD.search(line):
            lines += [line] if len(line) <= MAX_LINE else textwrap.wrap(line, 60)
    return lines


def _pieces(stanzas: list[Section]) -> list[list[Section]]:
    """Stanzas in groups of about `PIECE` characters; a stanza longer than that is cut between lines."""
    short: list[Section] = []
    for stanza in stanzas:
        step = max(1, PIECE * len(stanza.lines) // max(1, sum(len(line) + 1 for line in stanza.lines)))
        short += [Section(stanza.name, stanza.lines[at : at + step]) for at in range(0, len(stanza.lines), step)]
    sizes = [sum(len(line) + 1 for line in stanza.lines) for stanza in short]
    if sum(sizes) <= 2 * PIECE:
        return [short] if short else []
    groups: list[list[Section]] = [[]]
    filled = 0
    for stanza, size in zip(short, sizes, strict=True):
        if filled >= PIECE:
            groups.append([])
            filled = 0
        groups[-1].append(stanza)
        filled += size
    return groups


@dataclass(frozen=True)
class Speller:
    """Spells documents as the model reads them: lines backwards, their first letter small unless it is a name's."""

    names: frozenset[str]
    """Words that keep their capital at the start of a line."""

    @classmethod
    def of(cls, documents: Iterable[Document]) -> Speller:
        """Learns from the words inside the lines which ones are always written with a capital."""
        inside: Counter[str] = Counter()
        for document in documents:
            for line in document.lines:
                inside.update(WORD.findall(line)[1:])
        names = {word for word in inside if word[0].isupper() and inside[word] > inside[_lowered(word)]}
        return cls(frozenset(names | {"I"}))

    def line(self, line: str) -> str:
        """A line as the model reads it, without its end: `It was` becomes `saw ti`."""
        word = WORD.search(line)
        if word and word[0] not in self.names and word[0].partition("'")[0] not in self.names:
            line = line[: word.start()] + _lowered(word[0]) + line[word.end() :]
        return line[::-1]

    def section(self, section: Section) -> str:
        """The mark of its kind, then its lines."""
        return MARKS[section.name] + "".join(self.line(line) + "\n" for line in section.lines)

    def document(self, document: Document) -> str:
        """All sections, those that come back only the first time."""
        return START + "".join(self.section(section) for section in dict.fromkeys(document.sections))


def spoken(spelt: str) -> str:
    """A line for people, out of the model's spelling: `saw ti` becomes `It was`."""
    return capitalised(spelt[::-1])


def capitalised(line: str) -> str:
    """`line` with its first letter large."""
    first = FIRST_LETTER.search(line)
    return line if first is None else line[: first.start()] + first[0].upper() + line[first.end() :]


def _lowered(word: str) -> str:
    return word[0].lower() + word[1:]

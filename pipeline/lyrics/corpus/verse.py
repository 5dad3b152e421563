"""What a lyric is made of, and how it is spelt for the model.

The model reads every line from its last character to its first. So the rhyme comes first when a line is written,
and the words before it lead up to it (Lau et al. 2018, *Deep-speare*, arXiv 1807.03491). A section that comes back
word for word is spelt once: it is written once, too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

START = "\x02"
"""Before each document."""
MAX_LINE = 100
"""Longer lines are prose."""
KINDS = ("verse", "chorus", "bridge", "prechorus", "intro", "outro", "rap")
"""Sections the model can tell apart."""
MARKS = {kind: chr(0xE000 + index) for index, kind in enumerate(KINDS)}
"""One private character for each kind of section, before its first line."""
KIND_OF = {mark: kind for kind, mark in MARKS.items()}
"""The kind that each mark stands for."""
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

    @property
    def upright(self) -> str:
        """All sections in reading direction, each after its mark, those that come back only the first time."""
        return "".join(
            MARKS[section.name] + "".join(line + "\n" for line in section.lines)
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
        """What a `Document` gives as `upright`, as the model reads it."""
        lines = upright.split("\n")[:-1]
        return START + "".join(
            (line[0] + self.line(line[1:]) if line[0] in KIND_OF else self.line(line)) + "\n" for line in lines
        )


def spoken(spelt: str) -> str:
    """A line for people, out of the model's spelling: `saw ti` becomes `It was`."""
    return capitalised(spelt[::-1])


def capitalised(line: str) -> str:
    """`line` with its first letter large."""
    first = FIRST_LETTER.search(line)
    return line if first is None else line[: first.start()] + first[0].upper() + line[first.end() :]


def _lowered(word: str) -> str:
    return word[0].lower() + word[1:]

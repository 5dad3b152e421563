"""A written lyric: sections, lines, their authors; and where its next line goes."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.lyrics.corpus.song_lyrics import LyricSection
from pipeline.lyrics.song.plan import LinePlan

AUTHORS = ("model", "person", "edited")
"""Who wrote a line: the model, a person, or the model with changes by a person."""


@dataclass(frozen=True)
class WrittenSection(LyricSection):
    """Lines of one kind of section, and of each line what it was asked for.

    Attributes
    ----------
    authors
        Of each line: one of `AUTHORS`.
    syllables
        How many each line was to have; None for a line that was given by `lyrics.prompt`.
    rhymes_with
        The earlier line of the section that each was to rhyme with, None where it was not.
    """

    authors: tuple[str, ...]
    syllables: tuple[int | None, ...]
    rhymes_with: tuple[int | None, ...]


@dataclass(frozen=True)
class Lyric:
    """One song's words; its sections are those of its plan."""

    number: int
    title: str
    scheme: str
    sections: tuple[WrittenSection, ...]


@dataclass(frozen=True)
class NextLine:
    """Where the next line goes, and what it is asked for.

    Attributes
    ----------
    section, kind, number
        Index of the section among those that are written; its kind; its number among those of its kind, from 1.
    line, num_lines
        Index of the line in it, and how many lines it has.
    plan
        What the line is asked for.
    rhyme
        The line that it is to rhyme with, as people read it; None where it is to rhyme with none.
    before
        The lines of the section so far.
    """

    section: int
    kind: str
    number: int
    line: int
    num_lines: int
    plan: LinePlan
    rhyme: str | None
    before: tuple[str, ...]


@dataclass(frozen=True)
class TakenLine:
    """A line of the lyric: as people read it, its author, its words in small letters."""

    line: str
    author: str
    words: tuple[str, ...]
    given: bool = False

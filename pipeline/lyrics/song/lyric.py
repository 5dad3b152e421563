"""What a written lyric is made of, and where its next line goes."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.lyrics.corpus.song_lyrics import Section
from pipeline.lyrics.song.plan import LinePlan

HANDS = ("model", "person", "edited")
"""Whose a line is: as the model wrote it, as a person did, or the model's changed by a person."""


@dataclass(frozen=True)
class LyricSection(Section):
    """Lines of one kind of section, and of each line what it was asked for.

    Attributes
    ----------
    hands
        Whose each line is: one of `HANDS`.
    syllables
        How many each line was to have; None for a line that was given by `lyrics.prompt`.
    rhymes_with
        The earlier line of the section that each was to rhyme with, None where it was not.
    """

    hands: tuple[str, ...]
    syllables: tuple[int | None, ...]
    rhymes_with: tuple[int | None, ...]


@dataclass(frozen=True)
class Lyric:
    """One song's words; its sections are those of its plan."""

    number: int
    title: str
    scheme: str
    sections: tuple[LyricSection, ...]


@dataclass(frozen=True)
class Place:
    """Where the next line goes.

    Attributes
    ----------
    section, kind, number
        Index of the section among those that are written; its kind; and the how manieth of its kind it is, from 1.
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
class Taken:
    """A line that was taken: as people read it, whose it is, its words in small letters."""

    line: str
    by: str
    words: tuple[str, ...]
    given: bool = False

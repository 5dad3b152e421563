"""What was found of the samples of a catalog, `samples.csv`: a row a pair of a sample and the song that used it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.csv import damaged, read_rows, write_rows

SAMPLES = "samples.csv"
UNKNOWN = "unknown: no match is sure"


@dataclass(frozen=True)
class SampleMatch:
    """A sample and the song that used it.

    Attributes
    ----------
    sample, song
        Their ids in the catalog; empty where there is no such file.
    sample_title, song_title
        For people.
    first_bar, end_bar
        The bars of the sample that were used, counted from 0, the end not among them.
    semitones
        How far up they are moved; whole ones unless a turntable moved them.
    ratio
        How many times as fast they play in the song.
    loop_bars
        How many bars of the sample the loop lasts.
    is_turntable
        Whether pitch and speed moved together.
    places
        Where the song plays them: stretches of its bars, each the first and the end, counted from 0.
    song_bars
        Bars of the song.
    confidence
        How likely the match is no chance, 0 to 1.
    problem
        Why nothing is known, `unknown` where no match is sure; empty where one is.
    """

    sample: str
    song: str
    sample_title: str
    song_title: str
    first_bar: int = 0
    end_bar: int = 0
    semitones: float = 0.0
    ratio: float = 1.0
    loop_bars: float = 0.0
    is_turntable: bool = False
    places: tuple[tuple[int, int], ...] = ()
    song_bars: int = 0
    confidence: float = 0.0
    problem: str = ""

    @property
    def share_of_bars(self) -> float:
        """The share of the song's bars in which the sample plays."""
        return sum(end - first for first, end in self.places) / max(self.song_bars, 1)


@dataclass(frozen=True)
class SampleRow:
    """A line of `samples.csv`; bars are counted from 1 there, as people do."""

    sample: str
    song: str
    sample_title: str
    song_title: str
    sample_bars: str
    """Such as `17-18`; empty, like the columns that follow, where no match is sure."""
    semitones: float | None
    ratio: float | None
    loop_bars: float | None
    turntable: str
    """`yes` or `no`."""
    song_bars: str
    """Such as `1-8 17-24`."""
    of_bars: int
    """Bars of the song."""
    confidence: float
    problem: str


def write_matches(directory: Path, matches: Sequence[SampleMatch]) -> None:
    """Write `samples.csv`, atomically."""
    write_rows(directory / SAMPLES, [row_of(one) for one in matches], SampleRow)


def read_matches(directory: Path) -> list[SampleMatch]:
    """What `samples.csv` of a prepared set says; empty where the catalog had no samples. Raises `UserError`."""
    path = directory / SAMPLES
    if not path.is_file():
        return []
    try:
        return [match_of(row) for row in read_rows(path, SampleRow, "prepare")]
    except ValueError as error:
        raise damaged(path, str(error), "prepare") from error


def row_of(match: SampleMatch) -> SampleRow:
    """The line of a match."""
    known = not match.problem
    return SampleRow(
        sample=match.sample,
        song=match.song,
        sample_title=match.sample_title,
        song_title=match.song_title,
        sample_bars=bars_text([(match.first_bar, match.end_bar)]) if known else "",
        semitones=round(match.semitones, 2) if known else None,
        ratio=round(match.ratio, 4) if known else None,
        loop_bars=match.loop_bars if known else None,
        turntable=("yes" if match.is_turntable else "no") if known else "",
        song_bars=bars_text(match.places) if known else "",
        of_bars=match.song_bars,
        confidence=round(match.confidence, 3),
        problem=match.problem,
    )


def match_of(row: SampleRow) -> SampleMatch:
    """The match of a line. Raises `ValueError` for bars that are none."""
    if row.problem:
        return SampleMatch(
            row.sample,
            row.song,
            row.sample_title,
            row.song_title,
            song_bars=row.of_bars,
            confidence=row.confidence,
            problem=row.problem,
        )
    ((first_bar, end_bar),) = read_bars(row.sample_bars)
    return SampleMatch(
        sample=row.sample,
        song=row.song,
        sample_title=row.sample_title,
        song_title=row.song_title,
        first_bar=first_bar,
        end_bar=end_bar,
        semitones=row.semitones or 0.0,
        ratio=row.ratio or 1.0,
        loop_bars=row.loop_bars or 0.0,
        is_turntable=row.turntable == "yes",
        places=tuple(read_bars(row.song_bars)),
        song_bars=row.of_bars,
        confidence=row.confidence,
    )


def bars_text(stretches: Sequence[tuple[int, int]]) -> str:
    """Stretches of bars for people: `1-8 17 21-24`."""
    return " ".join(f"{first + 1}-{end}" if end > first + 1 else f"{first + 1}" for first, end in stretches)


def read_bars(text: str) -> list[tuple[int, int]]:
    """Stretches of bars as `bars_text` writes them. Raises `ValueError`."""
    found = []
    for part in text.split():
        if not (numbers := re.fullmatch(r"(\d+)(?:-(\d+))?", part)):
            raise ValueError(f"{part} is no stretch of bars")
        found.append((int(numbers[1]) - 1, int(numbers[2] or numbers[1])))
    return found

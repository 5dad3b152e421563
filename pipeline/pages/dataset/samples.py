"""The samples on the page of a prepared set: what each song does to the sample that it uses, and a picture of where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.dataset.sample_identification.catalog_pairs import FoundSample
from pipeline.dataset.sample_identification.matches import SampleMatch, bars_text
from pipeline.drawing.sample_matches import HEIGHT, WIDTH, draw_sample_match
from pipeline.progress import counted

FOLDER = "samples"
"""Where the pictures lie, in the folder of the set."""


@dataclass(frozen=True)
class SampleSection:
    """A sample on the page: heading, a sentence, the picture relative to the page (empty for none) and its size."""

    heading: str
    sentence: str
    picture: str
    size: tuple[int, int] = (WIDTH, HEIGHT)


def sample_sections(directory: Path, samples: Sequence[FoundSample]) -> list[SampleSection]:
    """A section a sample; pictures are drawn into `directory`."""
    sections = []
    for number, one in enumerate(samples, start=1):
        match, picture = one.match, ""
        if one.curve:
            picture = f"{FOLDER}/{number:02d}.png"
            (directory / FOLDER).mkdir(exist_ok=True)
            draw_sample_match(
                directory / picture, one.curve, one.level, one.song_seconds, one.lines, is_sure=not match.problem
            )
        sections.append(SampleSection(f"{match.sample_title} in {match.song_title}", match_in_words(match), picture))
    return sections


def match_in_words(match: SampleMatch) -> str:
    """What a song does to its sample, a sentence; or why nobody knows."""
    if match.problem:
        return f"{match.problem[0].upper()}{match.problem[1:]}."
    bars = "Bar" if match.end_bar == match.first_bar + 1 else "Bars"
    moved = f"{match.semitones:+.3g} semitones" if match.semitones else "at its own pitch"
    speed = f"{match.ratio:.3g} times as fast" + (", as on a turntable" if match.is_turntable else "")
    plays = counted(sum(end - first for first, end in match.places), "bar")
    return (
        f"{bars} {bars_text([(match.first_bar, match.end_bar)])} of the sample, {moved}, {speed}; "
        f"in {plays} of {match.song_bars} ({bars_text(match.places)}). Confidence {match.confidence:.2f}."
    )

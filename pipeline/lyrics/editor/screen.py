"""Screen of the editor: plain text, 80 columns wide."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from pipeline.lyrics.editor.session import SessionLine, last_word
from pipeline.lyrics.song.line_sampling import LineCandidate
from pipeline.lyrics.song.lyric import Lyric, NextLine

WIDTH = 78
"""Columns; two are left free, as some terminals break a full line."""
AUTHOR_MARKS = {"model": "", "person": "yours", "edited": "edited"}
"""What stands behind a line on the screen, by its author."""
AUTHOR_SIGNS = {"model": "", "person": " *", "edited": " +"}
"""What stands behind a line on paper."""
LINES_SHOWN = 9
"""Lines of the song that stay on the screen while the next one is written."""


def rule(left: str, right: str) -> str:
    """A line across the screen with two texts in it."""
    return f"\n-- {left} {'-' * max(2, WIDTH - len(left) - len(right) - 8)} {right} --"


def song_text(lines: Sequence[SessionLine], most: int | None = None) -> str:
    """Lines under the names of their sections, each with its author; only the last `most` where that is given."""
    shown = lines if most is None else lines[-most:]
    rows = ["  ..."] if len(shown) < len(lines) else []
    for (kind, section), group in groupby(shown, lambda line: (line.kind, line.section)):
        rows += ["", f"  [{section_name(kind, section)}]"]
        rows += [screen_row("  ", line.text, AUTHOR_MARKS[line.author]) for line in group]
    return "\n".join(rows)


def next_line_text(place: NextLine, candidates: Sequence[LineCandidate]) -> str:
    """What the next line is asked to be, and numbered lines with their syllables.

    `verse 2, line 3 of 4: 8 syllables, rhymes with "window"`
    """
    condition = f"{place.plan.syllables} syllables"
    if place.rhyme is not None:
        condition += f', rhymes with "{last_word(place.rhyme)}"'
    where = f"{section_name(place.kind, place.number)}, line {place.line + 1} of {place.num_lines}"
    rows = [screen_row(f"  {number:>2}  ", one.line, str(one.syllables)) for number, one in enumerate(candidates, 1)]
    return "\n".join([f"\n  {where}: {condition}\n", *rows, ""])


def section_name(kind: str, number: int) -> str:
    """`verse 2`; the first of its kind goes without a number."""
    return kind if number == 1 else f"{kind} {number}"


def screen_row(before: str, text: str, behind: str) -> str:
    """`text` between something and something at the right edge; broken at spaces where it is long."""
    room = WIDTH - len(before) - 8
    first, *rest = textwrap.wrap(text, room) or [""]
    first = f"{before}{first:<{room}}{behind:>8}" if behind else before + first
    return "\n".join([first, *(" " * len(before) + part for part in rest)])


def lyric_page(lyric: Lyric) -> str:
    """One lyric for people; where a person wrote with the model, it says which lines are whose."""
    parts = [f"{lyric.number}. {lyric.title}"]
    for section in lyric.sections:
        signed = zip(section.lines, section.authors, strict=True)
        parts.append("\n".join([f"[{section.name}]", *(line + AUTHOR_SIGNS[author] for line, author in signed)]))
    count = Counter(author for section in lyric.sections for author in section.authors)
    signs = {
        "person": "* by a person",
        "edited": "+ the model's, changed by a person",
        "model": "the others by the model",
    }
    if count["model"] < count.total():
        parts.append(
            "Lines " + "; ".join(f"{text}: {count[author]}" for author, text in signs.items() if count[author])
        )
    return "\n\n".join(parts) + "\n"

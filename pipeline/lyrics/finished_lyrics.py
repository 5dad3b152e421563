"""Incremental writing: a song keeps its words where model, settings, plan and lines that were taken are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import fingerprint, read_json
from pipeline.lyrics.editor.session import SessionSong
from pipeline.lyrics.song.lyric import Lyric, WrittenSection
from pipeline.lyrics.song.metrics import LineCosts
from pipeline.lyrics.song.plan import LyricPlan

MADE_FROM = "made_from"
"""In `lyrics.json`: by the number of a song the fingerprint of all that its words depend on, and what they cost."""


@dataclass(frozen=True)
class FinishedLyric:
    """A lyric that was written, and the costs of its lines."""

    lyric: Lyric
    costs: LineCosts


def lyric_fingerprint(model: str, number: int, plan: LyricPlan, taken: SessionSong | None) -> str:
    """Changes exactly when the words of song `number` may.

    `model` is a fingerprint of the language model and its settings, `taken` holds the lines that a person took.
    """
    lines = [] if taken is None else [asdict(line) for line in taken.lines]
    return fingerprint([model, number, asdict(plan), taken is not None and taken.plan, lines])


def finished_lyrics(path: Path) -> dict[str, FinishedLyric]:
    """The songs of `lyrics.json` by their fingerprints; none where there is no such file or it is not readable."""
    try:
        values = read_json(path)
        known: Mapping[str, Mapping[str, Any]] = values[MADE_FROM]
        found = {}
        for song in values["songs"]:
            one = known[str(song["number"])]
            sections = tuple(WrittenSection(**_tuples(section)) for section in song["sections"])
            lyric = Lyric(song["number"], song["title"], song["scheme"], sections)
            found[str(one["fingerprint"])] = FinishedLyric(lyric, LineCosts(*one["costs"]))
        return found
    except (UserError, KeyError, TypeError, AttributeError):  # written again
        return {}


def made_from(prints: Mapping[int, str], costs: Mapping[int, LineCosts]) -> dict[str, Any]:
    """What `lyrics.json` holds below `MADE_FROM`."""
    return {str(number): {"fingerprint": one, "costs": [*costs[number]]} for number, one in prints.items()}


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of JSON with tuples for its lists."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}

"""The top line of a part."""

from __future__ import annotations

from pipeline.scores.melody.top_line import top_line
from tests.music_makers import Row, part

TUNE: list[Row] = [(0, 1, 76), (1, 1, 74), (2, 1, 72), (4, 1, 74), (5, 2, 76)]


def rows(events: object) -> list[Row]:
    return sorted(zip(*(events[name].tolist() for name in ("onset", "duration", "pitch")), strict=True))  # type: ignore[index]


def test_chords_below_a_tune_are_not_in_it() -> None:
    chords: list[Row] = [(beat, 2, pitch) for beat in (0, 2, 4, 6) for pitch in (48, 52, 55)]
    line, rest = top_line(part(TUNE + chords).events)
    assert rows(line) == TUNE
    assert rows(rest) == sorted(chords), "nor do they fill its rests"


def test_a_line_alone_is_all_tune() -> None:
    line, rest = top_line(part(TUNE).events)
    assert rows(line) == TUNE and not len(rest)


def test_notes_of_the_line_end_where_the_next_begins() -> None:
    line, _ = top_line(part([(0, 3, 60), (1, 3, 62), (2, 1, 64)]).events)
    assert rows(line) == [(0, 1, 60), (1, 1, 62), (2, 1, 64)]


def test_of_octaves_the_upper_notes_are_the_line() -> None:
    line, rest = top_line(
        part([row for on, length, p in TUNE for row in ((on, length, p), (on, length, p - 12))]).events
    )
    assert rows(line) == TUNE
    assert rows(rest) == [(on, length, p - 12) for on, length, p in TUNE]

"""Tunes for tests."""

from collections.abc import Iterator

from pipeline.scores.abc.reading import read_abc
from pipeline.scores.score import Score


def tune(music: str, key: str = "C", metre: str = "4/4", unit: str = "1/4", more: str = "", **options: bool) -> Score:
    """The score of a tune with this music; `more` are further lines of its header."""
    text = f"X:1\nT:Tune\nM:{metre}\nL:{unit}\n{more}K:{key}\n{music}\n"
    (score,) = read_abc(text.encode(), "untitled", 1000, **options)
    return score


def pitches(score: Score) -> list[int]:
    """MIDI pitches of all notes in the order of the file's parts, by onset."""
    return [pitch for _, _, pitch in rows(score)]


def rows(score: Score) -> list[tuple[float, float, int]]:
    """Onset, length and pitch of all notes, the parts one after another."""

    def of_parts() -> Iterator[tuple[float, float, int]]:
        for part in score.parts:
            events = part.events[["onset", "duration", "pitch"]].tolist()
            yield from sorted((round(onset, 4), round(length, 4), pitch) for onset, length, pitch in events)

    return list(of_parts())


def lengths(score: Score) -> list[float]:
    """Lengths of all notes in quarter notes, by onset."""
    return [length for _, length, _ in rows(score)]

"""Lyrics around lines that a person has taken: these stay, the model writes the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.files import fingerprint, read_json
from pipeline.lyrics.editor.session import Session, SessionLine, SessionSong
from pipeline.lyrics.phonetics.syllables import syllables_of
from pipeline.lyrics.song.line_sampling import LineCandidate
from pipeline.lyrics.song.lyric import Lyric
from pipeline.lyrics.song.plan import REPEATED, LyricPlan
from pipeline.lyrics.song.writer import LyricWriter


def complete_lyric(writer: LyricWriter, number: int, plan: LyricPlan, taken: SessionSong | None) -> Lyric:
    """The lyric of song `number`: the lines that were taken where they fit the plan, elsewhere the model's best."""
    song = SessionSong() if taken is None else replace(taken)
    song.refit(plan)
    known = {line.position: line for line in song.lines}
    draft = writer.begin(number, plan)
    while (place := draft.next_line) is not None:
        line = known.get((place.kind, place.number, place.line + 1))
        if line is None:
            draft.take(draft.candidates()[0])
        else:
            draft.take(candidate_of(line), line.author)
    return draft.lyric()


def retitled(lyrics: Iterable[Lyric], session: Session) -> list[Lyric]:
    """The lyrics, with a person's titles where there are any."""
    titles = {number: song.title for number, song in session.songs.items()}
    return [replace(lyric, title=titles.get(lyric.number) or lyric.title) for lyric in lyrics]


def candidate_of(line: SessionLine) -> LineCandidate | str:
    """The line as a `LyricDraft` takes it."""
    return line.text if line.spelt is None else LineCandidate(line.spelt, line.syllables, 0.0)


def taken_words(session: Session) -> dict[str, str]:
    """A fingerprint of the lines and titles that were taken, as a stage's input `words`; nothing without any."""
    songs = {
        number: [song.title, [[*line.position, line.text, line.author] for line in song.lines]]
        for number, song in sorted(session.songs.items())
        if song.title or song.lines
    }
    return {"words": fingerprint(songs)} if songs else {}


def lines_of_lyric(lyric: Mapping[str, Any], english: bool) -> list[SessionLine]:
    """The lines of a song of `lyrics.json`; those that come back are there once.

    Raises
    ------
    KeyError, TypeError, ValueError
        It is none.
    """
    found: dict[tuple[str, int, int], SessionLine] = {}
    counts: dict[str, int] = {}
    for section in lyric["sections"]:
        kind = str(section["name"])
        counts[kind] = 1 if kind in REPEATED else counts.get(kind, 0) + 1
        for number, (text, author) in enumerate(zip(section["lines"], section["authors"], strict=True), 1):
            size = len(syllables_of(text, english))
            found.setdefault((kind, counts[kind], number), SessionLine(kind, counts[kind], number, text, author, size))
    return list(found.values())


def written_lyrics(path: Path) -> Sequence[Mapping[str, Any]]:
    """The songs of `lyrics.json`. Raises `UserError` where it is not what the stage writes."""
    songs = read_json(path).get("songs")
    if not isinstance(songs, list):
        raise UserError(f"{path} is not what the lyrics stage writes; run +stage=lyrics force=true.")
    return songs

"""Reading scores from files of any format: MIDI, MusicXML, ABC or piano rolls."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePath

from pipeline.errors import UnusableError
from pipeline.formats import (
    HEAD_BYTES,
    PIANOROLLS,
    SCORES,
    format_of_content,
    format_of_name,
    is_recording,
    other_content,
    other_format,
    printable,
    with_article,
)
from pipeline.scores.score import Score


def read_scores(path: Path, max_megabytes: float, play_repeats: bool = True) -> list[Score]:
    """The scores in a file: one, or several where an ABC file holds many tunes.

    Repeats, endings and jumps of notation (MusicXML and ABC) are played out, or left as written.

    Raises
    ------
    UnusableError
        The file can't be read, with one plain reason.
    """
    from pipeline.scores.abc.reading import read_abc
    from pipeline.scores.midi.reading import read_midi
    from pipeline.scores.musicxml.reader import read_musicxml
    from pipeline.scores.pypianoroll import read_pianoroll

    readers: dict[str, Callable[[bytes, str, int], list[Score]]] = {
        "midi": read_midi,
        "musicxml": partial(read_musicxml, play_repeats=play_repeats),
        "abc": partial(read_abc, play_repeats=play_repeats),
        "pianoroll": read_pianoroll,
    }
    limit = int(max_megabytes * 1e6)
    content = read_bytes(path, limit)
    kind = kind_of_score(path.name, content)
    return readers[kind](content, printable(path.stem), limit)


def kind_of_score(name: str, content: bytes) -> str:
    """The format of a score, such as `midi`: by its content where that tells, else by its name.

    Raises
    ------
    UnusableError
        It is something else, such as a web page.
    """
    named = (SCORES | PIANOROLLS).get(PurePath(name).suffix.lower())
    if named == "midi" and content.startswith(b"MThd"):
        return named
    head = content[:HEAD_BYTES]
    suffix = format_of_content(head)
    if suffix in SCORES:
        return SCORES[suffix]
    if named is None:
        unknown = f"unknown format: {printable(PurePath(name).suffix) or 'no suffix'}"
        raise UnusableError(other_format(name) or unknown)
    if is_recording(suffix):
        raise UnusableError(f"is a recording, not {with_article(format_of_name(name))}")
    problem = other_content(name, head)
    if problem:
        raise UnusableError(problem)
    return named


def read_bytes(path: Path, limit: int) -> bytes:
    """The bytes of a file of at most `limit` bytes. Raises `UnusableError`."""
    try:
        with path.open("rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size > limit:
                raise UnusableError(f"too large: more than {limit / 1e6:g} MB")
            content = file.read()
    except OSError as error:
        raise UnusableError(f"can't be read: {error.strerror or error}".lower()) from error
    if not content:
        raise UnusableError("broken file: it is empty")
    return content

"""Scores: one neutral form in memory for everything that notes are read from, and why a file can't be one."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EVENT = np.dtype(
    [("onset", np.float64), ("duration", np.float64), ("pitch", np.int16), ("velocity", np.int16)], align=True
)
"""One note of a part: onset and duration in quarter notes, MIDI pitch and velocity (0 to 127)."""

Events = NDArray[np.void]
"""A structured array `[notes]` of dtype `EVENT`, in no particular order."""

DEFAULT_BPM = 120.0
"""The tempo of a score that names none, as in MIDI files."""


class UnusableError(Exception):
    """Why a file gives no phrases: one plain reason for `rejects.csv`."""


@dataclass(frozen=True)
class Part:
    """The notes of one instrument."""

    name: str
    program: int
    """General MIDI program, 0 to 127."""
    is_drum: bool
    events: Events


@dataclass(frozen=True)
class Metre:
    """A time signature, and where its first bar starts in quarter notes."""

    start: float
    numerator: int
    denominator: int

    @property
    def bar_length(self) -> float:
        """Length of a bar in quarter notes."""
        return 4 * self.numerator / self.denominator

    @property
    def is_compound(self) -> bool:
        """Whether its beats have three parts, as in 6/8, 9/8 and 12/8."""
        return self.denominator >= 8 and self.numerator > 3 and self.numerator % 3 == 0

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True)
class Score:
    """A piece of music as its file has it, all times in quarter notes from the beginning.

    `metres` and `tempos` are ordered in time. What sounds before the first metre is a pickup. A metre that changes
    where no bar ends starts a new bar all the same.
    """

    title: str
    parts: tuple[Part, ...]
    metres: tuple[Metre, ...]
    tempos: tuple[tuple[float, float], ...] = ()
    """Start in quarter notes and beats (quarter notes) a minute."""

    @cached_property
    def end(self) -> float:
        """Where the last note ends, in quarter notes."""
        if not self.parts:
            return 0.0
        onset, duration = (np.concatenate([part.events[name] for part in self.parts]) for name in ("onset", "duration"))
        return float((onset + duration).max(initial=0.0))

    @property
    def mean_bpm(self) -> float:
        """Quarter notes a minute over the whole piece; `DEFAULT_BPM` where the file names no tempo."""
        end = self.end
        tempos = [(start, bpm) for start, bpm in self.tempos if start < end]
        if not tempos:
            return DEFAULT_BPM
        starts = np.array([0.0, *(start for start, _ in tempos[1:]), end])
        minutes = float(np.sum(np.diff(starts) / np.array([bpm for _, bpm in tempos])))
        return end / minutes


def make_events(onset: object, duration: object, pitch: object, velocity: object) -> Events:
    """Events out of four columns, in whatever order."""
    columns = [np.asarray(one) for one in (onset, duration, pitch, velocity)]
    events = np.empty(columns[0].shape, EVENT)
    for name, column in zip(("onset", "duration", "pitch", "velocity"), columns, strict=True):
        events[name] = column
    return events


MAX_BARS = 2000
"""More than an hour of music: what claims to be longer is damaged, and would only cost memory."""

SUFFIXES = {
    ".mid": "midi",
    ".midi": "midi",
    ".kar": "midi",
    ".xml": "musicxml",
    ".musicxml": "musicxml",
    ".mxl": "musicxml",
    ".abc": "abc",
}
"""The formats by the end of a file's name."""

PIANOROLLS = {".npz": "pianoroll"}
"""Of a data set of piano rolls. Arrays of anything end so, which is why other folders are not searched for them."""


def read_scores(path: Path, max_megabytes: float) -> list[Score]:
    """The scores in a file: one, or several where an ABC file holds many tunes.

    Raises
    ------
    UnusableError
        The file can't be read, with one plain reason.
    """
    from pipeline.scores.abc import read_abc
    from pipeline.scores.midi import read_midi
    from pipeline.scores.musicxml import read_musicxml
    from pipeline.scores.pypianoroll import read_pianoroll

    readers: dict[str, Callable[[bytes, str, int], list[Score]]] = {
        "midi": read_midi,
        "musicxml": read_musicxml,
        "abc": read_abc,
        "pianoroll": read_pianoroll,
    }
    limit = int(max_megabytes * 1e6)
    content = read_bytes(path, limit)
    kind = (SUFFIXES | PIANOROLLS).get(path.suffix.lower())
    if kind is None:
        raise UnusableError(f"unknown format: {path.suffix or 'no suffix'}")
    return readers[kind](content, printable(path.stem), limit)


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


def printable(text: str) -> str:
    """A name on one line: control characters become spaces, bytes that are no text become escapes."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = os.fsencode(text).decode("utf-8", "backslashreplace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())

"""Scores in memory: one neutral form for everything that notes are read from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.chords.symbols import ChordSymbol
from pipeline.scores.swing import STRAIGHT, straightened
from pipeline.settings.metre import is_compound

EVENT = np.dtype(
    [("onset", np.float64), ("duration", np.float64), ("pitch", np.int16), ("velocity", np.int16)], align=True
)
"""One note of a part: onset and duration in quarter notes, MIDI pitch and velocity (0 to 127)."""

FASTEST_DOTTED_BPM = 200.0
"""Dotted beats a minute: what was heard to have faster ones has most likely been heard by its eighth notes."""

Events = NDArray[np.void]
"""A structured array `[notes]` of dtype `EVENT`, in no particular order."""

DEFAULT_BPM = 120.0
"""The tempo of a score that names none, as in MIDI files."""


@dataclass(frozen=True, eq=False)
class WrittenVoices:
    """How the notes of a part are spread over staves and voices in notation.

    Attributes
    ----------
    staff, voice
        Of each note, integers `[notes]`; voices are numbered within the part.
    rests
        Rests that are drawn, float `[rests, 4]`: onset and duration in quarter notes, staff and voice.
    """

    staff: NDArray[np.int64]
    voice: NDArray[np.int64]
    rests: NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """The notes of one instrument."""

    name: str
    program: int
    """General MIDI program, 0 to 127."""
    is_drum: bool
    events: Events
    written: WrittenVoices | None = None
    """Its staves and voices, of notation."""
    group: int | None = None
    """Parts of one number are one part as written, whose player changes the instrument."""


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
        return is_compound(self.numerator, self.denominator)

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
    remarks: tuple[str, ...] = ()
    """What the reader had to mend or guess, a sentence part each, such as `3 notes that never end were cut`."""
    syllables: tuple[float, ...] = ()
    """Where syllables of its words are sung, in quarter notes."""
    chords: tuple[tuple[float, ChordSymbol], ...] = ()
    """Chord symbols in order, where each begins in quarter notes; None says that no chord sounds, `?` that none is
    known from there on."""
    swing: float = STRAIGHT
    """The share of each beat that its first half lasts when it is played; the notes are written straight."""

    @cached_property
    def end(self) -> float:
        """Where the last note ends, in quarter notes."""
        if not self.parts:
            return 0.0
        onset, duration = (np.concatenate([part.events[name] for part in self.parts]) for name in ("onset", "duration"))
        return float((onset + duration).max(initial=0.0))

    def seconds_at(self, quarters: NDArray[np.float64]) -> NDArray[np.float64]:
        """When moments in quarter notes come, in seconds from the beginning, by the tempos of the file."""
        tempos = [(0.0, DEFAULT_BPM), *self.tempos]
        starts, bpms = np.array([start for start, _ in tempos]), np.array([bpm for _, bpm in tempos])
        reached = np.concatenate([[0.0], np.cumsum(np.diff(starts) * 60 / bpms[:-1])])
        at = np.searchsorted(starts, quarters, side="right") - 1
        seconds: NDArray[np.float64] = reached[at] + (quarters - starts[at]) * 60 / bpms[at]
        return seconds

    def straightened(self, swing: float) -> Score:
        """The score with notes that swing so far written straight."""
        if swing == STRAIGHT:
            return self
        parts = [replace(one, events=one.events.copy()) for one in self.parts]
        for part in parts:
            ends = straightened(part.events["onset"] + part.events["duration"], swing)
            part.events["onset"] = straightened(part.events["onset"], swing)
            part.events["duration"] = ends - part.events["onset"]
        syllables = tuple(straightened(np.array(self.syllables), swing).tolist())
        return replace(self, parts=tuple(parts), syllables=syllables, swing=swing)

    def in_dotted_beats(self) -> Score:
        """The score with each quarter note read as a dotted one, at the same speed: 2/4 becomes 6/8.

        What is written by beats, such as a transcription, is read so where beats have three parts.
        """
        parts = [replace(one, events=one.events.copy()) for one in self.parts]
        for part in parts:
            part.events["onset"] *= 1.5
            part.events["duration"] *= 1.5
        metres = tuple(Metre(1.5 * one.start, 3 * one.numerator, 2 * one.denominator) for one in self.metres)
        tempos = tuple((1.5 * start, 1.5 * bpm) for start, bpm in self.tempos)
        remarks = self.remarks
        if self.mean_bpm > FASTEST_DOTTED_BPM:
            remarks += (f"its beats may be its eighth notes ({self.mean_bpm:.0f} a minute; its bpm can be told)",)
        syllables = tuple(1.5 * one for one in self.syllables)
        chords = tuple((1.5 * start, chord) for start, chord in self.chords)
        return replace(
            self,
            parts=tuple(parts),
            metres=metres,
            tempos=tempos,
            remarks=remarks,
            syllables=syllables,
            chords=chords,
        )

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


TINY = 1e-6
"""Quarter notes; closer times are the same."""


def bar_lines(measures: list[tuple[float, float, int, int]]) -> list[Metre]:
    """Where bars are counted from, out of written measures: (start, length, numerator, denominator) each.

    An incomplete first measure is a pickup: bars start after it. Later incomplete measures that add up to whole bars
    (a bar that a repeat sign divides) change nothing; where a full measure does not start on a bar line so counted,
    the count starts anew.
    """
    metres: list[Metre] = []
    for index, (start, length, numerator, denominator) in enumerate(measures):
        metre = Metre(start, numerator, denominator)
        if not metres:
            if index > 0 or length > metre.bar_length - TINY or len(measures) == 1:
                metres.append(metre)
            continue
        last = metres[-1]
        changed = (numerator, denominator) != (last.numerator, last.denominator)
        phase = (start - last.start + TINY) % last.bar_length
        if changed or (phase > 2 * TINY and length > metre.bar_length - TINY):
            metres.append(metre)
    return metres or [Metre(0.0, 4, 4)]


NAMED_INSTRUMENTS = "instruments by the names of"
"""How the remark begins that says so of parts or tracks; it matters where programs decide about tracks."""
MAX_BARS = 2000
"""More than an hour of music: what claims to be longer is damaged, and would only cost memory."""

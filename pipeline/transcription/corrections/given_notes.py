"""Corrected notes: a transcription's MIDI file as it was edited, read and laid on its recording."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UnusableError
from pipeline.formats import NAMES, printable, with_article
from pipeline.scores.midi.reading import read_midi
from pipeline.scores.reading.score_files import kind_of_score, read_bytes
from pipeline.scores.score import Metre, Part, Score
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.beats.pulse_tracking import extended
from pipeline.transcription.corrections.alignment import (
    MOST_SECONDS,
    notes_in_seconds,
    offset_by_notes,
    seconds_to_nearest,
)

MOST_BYTES = 32_000_000
NEAR_SECONDS = 0.05
"""A note is heard where one of its pitch begins so near to it."""
LEAST_HEARD = 0.25
"""Notes of which a smaller share is heard are most likely of another recording, or at another tempo.

Of the notes of six recordings of game music .30 to .61 are heard where they stand, and .09 to .18 at a tempo that is
3 % off.
"""
ONSET = np.dtype([("start", np.float64), ("pitch", np.int16)])
"""What of a note or drum hit counts when they are laid on one another."""
DRUM_PITCH = 128
"""Added to the keys of drums, which are no pitches."""


@dataclass(frozen=True, eq=False)
class GivenNotes:
    """A MIDI file that says what a recording plays.

    Attributes
    ----------
    content
        Its bytes.
    score
        What they say.
    """

    content: bytes
    score: Score

    @property
    def metre(self) -> Metre:
        """The metre that it begins in."""
        return self.score.metres[0] if self.score.metres else Metre(0.0, 4, 4)

    @property
    def bars(self) -> int:
        """Bars of that metre to its end."""
        return int(np.ceil(self.score.end / self.metre.bar_length - 1e-6))


@dataclass(frozen=True, eq=False)
class LaidNotes:
    """Corrected notes at the times of their recording.

    Attributes
    ----------
    parts
        Those that have notes, in quarter notes.
    beats
        The grid that the file's tempo map makes of them: quarter notes, or eighths where its bars are no whole number
        of these.
    timed_notes
        For each part its notes in seconds.
    remarks
        What is to be said of them, a sentence part each.
    """

    parts: tuple[Part, ...]
    beats: Beats
    timed_notes: tuple[NDArray[np.void], ...]
    remarks: tuple[str, ...]


def read_given_notes(path: Path, is_compound: bool) -> GivenNotes:
    """Read a corrected MIDI file.

    Parameters
    ----------
    path
        The file.
    is_compound
        Whether the set's beats are dotted: its transcriptions are written in quarter notes all the same.

    Raises
    ------
    UnusableError
        It is no MIDI file or has no notes, with one plain sentence that names it.
    """
    called = f"the corrected notes {path}"
    try:
        content = read_bytes(path, MOST_BYTES)
        kind = kind_of_score(path.name, content)
        if kind != "midi":
            raise UnusableError(f"is {with_article(NAMES[kind])}")
        scores = read_midi(content, printable(path.stem), MOST_BYTES)
    except UnusableError as error:
        raise UnusableError(f"{called} can't be read ({error}): export them as a MIDI file, .mid") from error
    if len(scores) != 1 or not any(len(part.events) for part in scores[0].parts):
        raise UnusableError(f"{called} have no notes: export them once more, with all tracks")
    given = GivenNotes(content, scores[0])
    if is_compound and given.metre.is_compound:
        beats = given.metre.numerator // 3
        raise UnusableError(
            f"{called} are in {given.metre}: write them in {beats}/4, as song.mid is, a quarter note a dotted beat"
        )
    return given


def lay_notes(given: GivenNotes, pitches: NDArray[np.void], hits: NDArray[np.void], seconds: float) -> LaidNotes:
    """Lay corrected notes on what is heard in their recording: the time 0 of their file is the first bar line.

    Parameters
    ----------
    given
        The corrected notes.
    pitches, hits
        Notes and drum hits that are heard in the recording, as in `find_beats`.
    seconds
        How long the recording is.
    """
    score = given.score
    heard = _onsets(pitches, hits)
    own = _onsets(*(notes_in_seconds(score, drums, pitches.dtype) for drums in (False, True)))
    offset = offset_by_notes(heard, own, max(seconds, MOST_SECONDS))
    own["start"] += offset
    inside = own[(own["start"] >= 0) & (own["start"] < seconds)]
    share = np.count_nonzero(seconds_to_nearest(inside, heard) <= NEAR_SECONDS) / max(len(inside), 1)
    remarks = []
    if share < LEAST_HEARD:
        remarks.append(
            f"its corrected notes do not fit ({share:.0%} of them are heard): are they of this recording, at its tempo?"
        )
    if len({(one.numerator, one.denominator) for one in score.metres}) > 1:
        remarks.append(f"its corrected notes change their metre: bars are counted in {given.metre} here")
    parts = tuple(part for part in score.parts if len(part.events))
    timed = [notes_in_seconds(replace(score, parts=(part,)), part.is_drum, pitches.dtype) for part in parts]
    for table in timed:
        table["start"] += offset
        table["end"] += offset
    return LaidNotes(parts, _beats(given, offset, seconds), tuple(timed), tuple(remarks))


def _onsets(pitches: NDArray[np.void], hits: NDArray[np.void]) -> NDArray[np.void]:
    """Notes and drum hits in one table of `ONSET`, sorted by start."""
    table = np.zeros(len(pitches) + len(hits), ONSET)
    table["start"] = np.concatenate([pitches["start"], hits["start"]])
    table["pitch"] = np.concatenate([pitches["pitch"], hits["pitch"] + DRUM_PITCH])
    return np.sort(table, order="start")


def _beats(given: GivenNotes, offset: float, seconds: float) -> Beats:
    """The grid that the tempo map makes, from the file's first bar line past the end of the recording."""
    metre, score = given.metre, given.score
    unit: float = 1.0 if metre.bar_length.is_integer() else 4 / metre.denominator
    beats_per_bar = round(metre.bar_length / unit)
    first = metre.start % metre.bar_length
    count = max(int(np.ceil((score.end - first) / unit)), beats_per_bar) + 1
    moments = score.seconds_at(first + unit * np.arange(count, dtype=np.float64)) + offset
    return Beats(extended(moments, moments[0], seconds), beats_per_bar)

"""Loops of old records in a song (sampling): what was done to each, and where it plays, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.scores.notes import Notes, make_notes


@dataclass(frozen=True)
class FlippedLoop:
    """A loop of a record as it goes into a song.

    Attributes
    ----------
    record
        The name of the record's file.
    first_bar, num_bars
        Which of its bars, counted from 0.
    start_seconds, end_seconds
        Where they lie in it.
    semitones
        How much higher it sounds.
    speed
        How many times as fast it plays.
    is_turntable
        Whether pitch and speed were moved together.
    num_steps
        How long it lasts in the song.
    sound
        The name of its sound's file, beside the song's.
    """

    record: str
    first_bar: int
    num_bars: int
    start_seconds: float
    end_seconds: float
    semitones: int
    speed: float
    is_turntable: bool
    num_steps: int
    sound: str

    @property
    def bars(self) -> str:
        """Its bars counted from 1, such as `17-18`, or `17`."""
        first, last = self.first_bar + 1, self.first_bar + self.num_bars
        return str(first) if first == last else f"{first}-{last}"

    @property
    def description(self) -> str:
        """What it is and what was done to it, such as `bars 17-18 of old.mp3, 3 semitones up, 1.07 times as fast`."""
        done = []
        if self.semitones:
            unit = "semitone" if abs(self.semitones) == 1 else "semitones"
            done.append(f"{abs(self.semitones)} {unit} {'up' if self.semitones > 0 else 'down'}")
        if round(self.speed, 2) != 1:
            done.append(f"{self.speed:.2f} times as fast")
        if self.is_turntable and done:
            done.append("pitch and speed moved together")
        bars = f"bar{'s' * (self.num_bars > 1)} {self.bars} of {self.record}"
        return ", ".join([bars, *(done or ["as on the record"])])


@dataclass(frozen=True)
class LoopEvent:
    """A stretch of a song in which a loop plays, again and again where it is longer than the loop.

    Attributes
    ----------
    step, num_steps
        Where in the song, in steps.
    loop
        Which of the song's loops.
    loop_step
        Where in the loop it begins.
    is_filtered
        Whether only what is low of it is heard (a low-pass filter), as through a wall.
    fades
        Whether it fades out to its end.
    """

    step: int
    num_steps: int
    loop: int
    loop_step: int = 0
    is_filtered: bool = False
    fades: bool = False

    @property
    def end(self) -> int:
        """The step at which it is over."""
        return self.step + self.num_steps


def notes_of_events(events: Sequence[LoopEvent], loops: Sequence[Notes], lengths: Sequence[int]) -> Notes:
    """The notes of loops where they play in a song.

    Parameters
    ----------
    events
        Where they play.
    loops, lengths
        For each loop its notes, onsets in steps from its beginning, and its length in steps.
    """
    columns: list[tuple[int, int, int, int]] = []
    for event in events:
        notes, length = loops[event.loop], lengths[event.loop]
        start = event.step - event.loop_step  # of a pass
        while start < event.end:
            for note in notes:
                onset = start + int(note["onset"])
                end = min(onset + int(note["length"]), start + length, event.end)
                if event.step <= onset < end:
                    columns.append((int(note["track"]), int(note["pitch"]), onset, end - onset))
            start += length
    return make_notes(*np.array(columns, np.int64).reshape(-1, 4).T)

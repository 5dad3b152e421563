"""Closed scores: the voices of a choir out of fewer staves than voices, as hymnals have them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations, combinations_with_replacement

import numpy as np

from pipeline.scores.score import EVENT, Events, Part

TINY = 1e-4
"""Quarter notes; closer times are the same."""
FOREIGN_STAFF = 0.1
"""Share of its notes that a voice may have on another staff; with more its number means another voice there."""
MOST_LOST = 0.05
"""Share of the notes that may find no line: more is no music in so many voices."""
MOST_LINES = 2
"""Lines that come of the chords of one voice beside others: chords of three over a bass are a keyboard's."""
SILENCE = 4.0
"""Quarter notes of nothing written, after which a staff with single notes is taken to be sung by both its voices."""
MOST_SHARED = 1.4
"""Notes of all lines for each written note: more is music in fewer voices."""
LEAST_SOUND = 0.3
"""Share of the fullest line's time that every line must sound."""
LEAST_CHORDS = 0.7
"""Share of its time that a voice must have chords of as many notes as lines are to come of it."""


@dataclass(eq=False)
class _Voice:
    """One voice on one staff of one part as written."""

    part: Part
    staff: int
    events: Events
    rests: list[tuple[float, float]] = field(default_factory=list)
    """Onset and end of the rests that are drawn."""
    num_lines: int = 1

    @property
    def height(self) -> float:
        """Mean pitch."""
        return float(np.mean(self.events["pitch"]))

    @property
    def home(self) -> tuple[int, int]:
        """Part and staff."""
        return id(self.part), self.staff

    def chord_sizes(self) -> Counter[int]:
        """For each number of notes that begin together how long they sound, in thousandths of a quarter note."""
        sizes: Counter[int] = Counter()
        for chord in _chords(self.events).values():
            sizes[len(chord)] += round(1000 * float(max(self.events["duration"][chord])))
        return sizes


def split_closed_score(parts: Sequence[Part], count: int) -> list[tuple[Part, Events]] | None:
    """The `count` voices of a closed score, the highest first, each with the part that it was written in.

    A voice that is written by itself is a line. Where two voices share a staff, what is written as one voice belongs to
    both while the other has nothing there: of a chord each takes a note, of a single note through a whole bar's
    silence of the other each takes the same. Chords of as many notes as there are voices are split from the top.

    Parameters
    ----------
    parts
        Parts with pitches, in the order of the score; those without written voices count as one voice each.
    count
        How many voices there are to be.

    Returns
    -------
    lines
        Monophonic lines; None where the parts are not written in so many voices.
    """
    voices = [voice for part in parts if len(part.events) for voice in _voices_of(part)]
    if not voices or not _allot(voices, count):
        return None
    lines: list[tuple[Part, Events]] = []
    kept = 0
    homes = list(dict.fromkeys(voice.home for voice in voices))
    for home in homes:
        own = sorted((voice for voice in voices if voice.home == home), key=lambda voice: -voice.height)
        found, num_kept = _lines_of_staff(own)
        kept += num_kept
        lines += [(own[0].part, line) for line in found]
    num_notes = sum(len(voice.events) for voice in voices)
    lengths = [float(line["duration"].sum()) for _, line in lines]
    is_lost = num_notes - kept > MOST_LOST * num_notes
    is_shared = sum(len(line) for _, line in lines) > MOST_SHARED * kept
    if is_lost or is_shared or min(lengths) < LEAST_SOUND * max(lengths):
        return None
    return sorted(lines, key=lambda line: -float(np.mean(line[1]["pitch"])))


def _voices_of(part: Part) -> list[_Voice]:
    """The written voices of a part; a number that stands on two staves means a voice on each."""
    written = part.written
    if written is None:
        return [_Voice(part, 0, part.events)]
    found = []
    for voice in np.unique(written.voice).tolist():
        own = written.voice == voice
        staves, counts = np.unique(written.staff[own], return_counts=True)
        is_one = counts.max() >= (1 - FOREIGN_STAFF) * counts.sum()
        home = int(staves[counts.argmax()])
        for staff in [home] if is_one else staves.tolist():
            here = own if is_one else own & (written.staff == staff)
            rests = [
                (onset, onset + length)
                for onset, length, at, other in written.rests.tolist()
                if other == voice and (is_one or at == staff)
            ]
            found.append(_Voice(part, staff, part.events[here], rests))
    return found


def _chords(events: Events) -> dict[float, list[int]]:
    """Notes by where they begin, those that begin together from the highest down."""
    chords: defaultdict[float, list[int]] = defaultdict(list)
    for index in np.lexsort((-events["pitch"].astype(np.int64), np.round(events["onset"] / TINY))).tolist():
        chords[round(float(events["onset"][index]) / TINY) * TINY].append(index)
    return chords


def _allot(voices: list[_Voice], count: int) -> bool:
    """Say how many lines come of each voice, `count` in all; false where they can't be so many."""
    while len(voices) > count:
        smallest = min(voices, key=lambda voice: len(voice.events))
        voices.remove(smallest)
        beside = [voice for voice in voices if voice.home == smallest.home]
        if not beside:
            return False
        near = min(beside, key=lambda voice: abs(voice.height - smallest.height))
        near.events = np.concatenate([near.events, smallest.events])
    if len(voices) == count:
        return True
    sizes = [voice.chord_sizes() for voice in voices]
    for voice, size in zip(voices, sizes, strict=True):
        voice.num_lines = max(size, key=lambda one: (size[one], one))
    most = count if len(voices) == 1 else MOST_LINES
    if sum(voice.num_lines for voice in voices) != count or any(voice.num_lines > most for voice in voices):
        return False
    return all(
        size[voice.num_lines] >= LEAST_CHORDS * sum(size.values())
        for voice, size in zip(voices, sizes, strict=True)
        if voice.num_lines > 1
    )


def _lines_of_staff(voices: list[_Voice]) -> tuple[list[Events], int]:
    """The lines of the voices on one staff, given and returned from the highest down; how many notes they have."""
    owners = [index for index, voice in enumerate(voices) for _ in range(voice.num_lines)]
    rows: list[list[tuple[float, float, int, int]]] = [[] for _ in owners]
    last = [voices[owner].height for owner in owners]
    chords = [_chords(voice.events) for voice in voices]
    spans = [_Spans(voice) for voice in voices]
    kept = 0
    for at in sorted(set().union(*chords)):
        playing = [index for index, own in enumerate(chords) if at in own]
        lines_of = {index: [line for line, owner in enumerate(owners) if owner == index] for index in playing}
        for index in range(len(voices)):
            near = min(playing, key=lambda one: abs(one - index))
            size = len(chords[near][at])
            if index not in playing and spans[index].shares(at, size > voices[near].num_lines):
                lines_of[near] += [line for line, owner in enumerate(owners) if owner == index]
        for index, lines in lines_of.items():
            events, chord = voices[index].events, chords[index][at]
            lines.sort()
            taken = _match(events["pitch"][chord].tolist(), [last[line] for line in lines])
            kept += len(set(taken))
            for line, place in zip(lines, taken, strict=True):
                note = events[chord[place]]
                rows[line].append(
                    (float(note["onset"]), float(note["duration"]), int(note["pitch"]), int(note["velocity"]))
                )
                last[line] = float(note["pitch"])
    return [_monophonic(own) for own in rows], kept


class _Spans:
    """When a voice has something written: bars of silence tell a shared staff from a pause."""

    def __init__(self, voice: _Voice) -> None:
        ends = voice.events["onset"] + voice.events["duration"]
        order = np.argsort(voice.events["onset"])
        self.starts, self.ends = voice.events["onset"][order], np.maximum.accumulate(ends[order])
        self.rests = np.array(voice.rests, np.float64).reshape(-1, 2)

    def shares(self, at: float, is_chord: bool) -> bool:
        """Whether a voice without a note of its own at a moment sings what the other voice of its staff has.

        It does not while it holds a note or a rest is drawn for it; it takes its part of a chord, and a single note
        where it is silent for `SILENCE` quarter notes before and after.
        """
        before = int(np.searchsorted(self.starts, at - TINY))
        if before and self.ends[before - 1] > at + TINY:
            return False
        if np.any((self.rests[:, 0] <= at + TINY) & (self.rests[:, 1] > at + TINY)):
            return False
        if is_chord:
            return True
        silent_from = float(self.ends[before - 1]) if before else -np.inf
        silent_to = float(self.starts[before]) if before < len(self.starts) else np.inf
        return silent_to - silent_from > SILENCE - TINY


def _match(pitches: list[int], last: list[float]) -> tuple[int, ...]:
    """Which of some falling pitches each line takes, from the highest down, so that they leap as little as they can.

    No pitch is left out while there are lines enough, and lines do not cross.
    """
    every = range(len(pitches))
    if len(pitches) >= len(last):
        choices = list(combinations(every, len(last)))
    else:
        shared = combinations_with_replacement(every, len(last))
        choices = [one for one in shared if len(set(one)) == len(pitches)]

    def leaps(places: tuple[int, ...]) -> float:
        return sum(abs(pitches[place] - before) for place, before in zip(places, last, strict=True))

    return min(choices, key=leaps)


def _monophonic(rows: list[tuple[float, float, int, int]]) -> Events:
    """Notes of a line, each cut where the next begins."""
    events = np.array(sorted(rows), EVENT)
    if len(events) > 1:
        room = np.diff(events["onset"])
        events["duration"][:-1] = np.minimum(events["duration"][:-1], room)
    return events[events["duration"] > TINY]

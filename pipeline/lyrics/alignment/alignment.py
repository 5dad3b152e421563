"""A lyric set to a song: each section's lines to the melody of that section, the same words the same way each time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.lyrics.phonetics.syllables import Syllable, syllables_of
from pipeline.scores.notes import Notes
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import SungSyllable, lines_of, melody_of, singers

WEAK_PLACE, WEIGHT_ON_STRONG = 1.2, 0.6
"""A stressed syllable off the beat; an unstressed one on the strongest."""
STRESSES = (0.0, 1.0, 0.6)
"""How much a syllable is stressed: not, by the main stress of its word, by another."""
LONG_STRESS = 0.25
"""What a stressed syllable gains each time its note is twice as long."""
MELISMA, MORE_MELISMA = 0.7, 0.15
"""Each further note of a syllable, and how much dearer each is than the last."""
LEFT_BETWEEN, LEFT_WITHIN = 1.0, 3.0
"""A note that nothing is sung on: between lines, within one."""
SPLIT, SHORT_PART = 1.6, 1.0
"""Each further syllable on a note, and each time its part is half as long as half a beat."""
LINE_IN_NOTE = 2.5
"""A line that ends inside a note."""
BREATHLESS, NO_REST = 0.9, 0.3
"""A line that ends on a short note without a rest after it; on a long one without a rest."""
GAP_IN_LINE, GAP_IN_WORD = 0.5, 1.5
"""A rest between two words of a line, or between two syllables of a word."""
OFF_PLAN, ATTACHED = 0.8, 0.3
"""A line that begins a bar from where it should, when the lines share the section evenly; one that begins without a
rest before it."""
OTHER_PLACE = 1.5
"""A syllable elsewhere than the same words had it the first time."""
MOST_MELISMA = 6
PARTS = (4, 16)
"""Most syllables on a note, tried one after the other."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SectionGrid:
    """The metrical grid of a section: the song's spec, its first step, how many it has."""

    spec: RollSpec
    first_step: int
    num_steps: int

    def weight(self, steps: NDArray[np.int64]) -> Floats:
        """Metrical weight of each place of the bar, from 0 to 1."""
        spec = self.spec
        place = steps % spec.steps_per_bar
        beat, within = place // spec.steps_per_beat, place % spec.steps_per_beat
        half = (spec.beats_per_bar % 2 == 0) & (beat == spec.beats_per_bar // 2)
        on_beat = np.where(beat == 0, 1.0, np.where(half, 0.8, 0.6))
        on_eighth = within * spec.eighths_per_beat % spec.steps_per_beat == 0
        return np.where(within == 0, on_beat, np.where(on_eighth, 0.25, 0.0))


@dataclass(frozen=True)
class PlacedSyllable:
    """Where a syllable is sung: its notes' first and last index, its onset and length; whether the note was divided."""

    first: int
    last: int
    onset: int
    length: int
    split: bool


def place_syllables(
    lines: Sequence[Sequence[Syllable]], melody: Notes, grid: SectionGrid, habits: Sequence[int] = ()
) -> list[PlacedSyllable] | None:
    """Least-cost alignment of the syllables of `lines` to the notes of `melody`.

    Parameters
    ----------
    lines
        Syllables of each line; none is empty.
    melody
        Notes that follow one another, all inside the section.
    grid
        Metre and place of the section.
    habits
        For the first syllables of all: where they began the last time, counted from the section's first step.

    Returns
    -------
    list of PlacedSyllable or None
        One for each syllable; None where the melody has too few steps for so many.
    """
    count = sum(map(len, lines))
    if count > int(melody["length"].sum()):
        return None
    for most in (*PARTS, int(melody["length"].max(initial=1))):
        found = _Search(lines, melody, grid, habits, most).path()
        if found is not None:
            return found
    return None


@cache
def parts_of(onset: int, length: int, count: int, spec: RollSpec) -> tuple[int, ...]:
    """The first steps of `count` parts of a note; the longest part is halved, near its middle where the beat is.

    >>> parts_of(0, 8, 3, RollSpec((Track("Lead"),)))
    (0, 2, 4)
    """
    grid = SectionGrid(spec, 0, 0)
    starts = [onset]
    while len(starts) < count:
        ends = [*starts[1:], onset + length]
        at = max(range(len(starts)), key=lambda one: (ends[one] - starts[one], -one))
        inner = np.arange(starts[at] + 1, ends[at])
        middle = np.abs(2 * inner - starts[at] - ends[at]) / (ends[at] - starts[at])
        if spec.is_compound:  # three eighths are divided long and short, not in their middle
            middle = middle / 3 - 1e-3 * inner
        starts.insert(at + 1, int(inner[np.argmin(1.5 * middle - grid.weight(inner))]))
    return tuple(starts)


class _Search:
    """The table of the dynamic programme: row i, column j is the least cost of i syllables on the first j notes."""

    def __init__(
        self, lines: Sequence[Sequence[Syllable]], melody: Notes, grid: SectionGrid, habits: Sequence[int], most: int
    ) -> None:
        self.grid, self.habits, self.most = grid, habits, most
        self.onsets, self.lengths = melody["onset"].astype(np.int64), melody["length"].astype(np.int64)
        self.ends = self.onsets + self.lengths
        self.gaps = np.append(self.onsets[1:], grid.first_step + grid.num_steps) - self.ends
        self.rested = np.append(1.0, self.gaps[:-1] > 0)
        self.syllables = [one for line in lines for one in line]
        self.line = [number for number, line in enumerate(lines) for _ in line]
        self.num_lines = len(lines)
        self.size = len(self.syllables), len(melody)

    def opens(self, index: int) -> bool:
        """Whether a line begins with syllable `index`, or all is sung."""
        return index in (0, self.size[0]) or self.line[index] != self.line[index - 1]

    def path(self) -> list[PlacedSyllable] | None:
        """The cheapest way, or None where there is none."""
        count, notes = self.size
        costs = np.full((count + 1, notes + 1), np.inf)
        moves = np.zeros((count + 1, notes + 1), np.int64)  # 0 a note left, m > 0 a syllable on m notes, -s s on one
        costs[0, 0] = 0.0
        for done in range(count + 1):
            self._leave(costs, moves, done)
            if done < count:
                self._sing(costs, moves, done)
                self._divide(costs, moves, done)
        return self._back(moves) if np.isfinite(costs[count, notes]) else None

    def _leave(self, costs: Floats, moves: NDArray[np.int64], done: int) -> None:
        """Leave notes to the instrument."""
        price = (LEFT_BETWEEN if self.opens(done) else LEFT_WITHIN) * np.arange(self.size[1] + 1)
        left = np.minimum.accumulate(costs[done] - price) + price
        cheaper = left < costs[done] - 1e-9
        costs[done, cheaper], moves[done, cheaper] = left[cheaper], 0

    def _sing(self, costs: Floats, moves: NDArray[np.int64], done: int) -> None:
        """One syllable on one note, or on more that follow each other."""
        notes = self.size[1]
        begin = costs[done, :-1] + self._place(done, self.onsets, self.lengths, self.rested)
        after = self._after(done)
        joined = np.ones(notes, bool)
        for size in range(1, min(MOST_MELISMA, notes) + 1):
            if size > 1:
                joined = joined[:-1] & (self.gaps[size - 2 : notes - 1] == 0)
            more = MELISMA * (size - 1) + MORE_MELISMA * (size - 1) ** 2
            cost = np.where(joined, begin[: notes - size + 1] + more + after[size - 1 :], np.inf)
            self._offer(costs, moves, done + 1, slice(size, None), cost, size)

    def _divide(self, costs: Floats, moves: NDArray[np.int64], done: int) -> None:
        """Several syllables on one note."""
        for size in range(2, min(self.most, self.size[0] - done) + 1):
            wide = np.flatnonzero((self.lengths >= size) & np.isfinite(costs[done, :-1]))
            if not len(wide):
                break
            starts = np.array([self._parts(note, size) for note in wide.tolist()])
            lengths = np.diff(np.column_stack([starts, self.ends[wide]]))
            cost = costs[done, wide] + SPLIT * (size - 1)
            cost += SHORT_PART * np.log2(np.maximum(1, self.grid.spec.steps_per_quarter / 2 / lengths)).sum(1)
            for part in range(size):
                rested = self.rested[wide] * (part == 0)
                cost += self._place(done + part, starts[:, part], lengths[:, part], rested)
                cost += LINE_IN_NOTE * (part > 0 and self.opens(done + part))
            cost += self._after(done + size - 1)[wide]
            full = np.full(self.size[1], np.inf)
            full[wide] = cost
            self._offer(costs, moves, done + size, slice(1, None), full, -size)

    def _parts(self, note: int, size: int) -> tuple[int, ...]:
        bar = self.grid.spec.steps_per_bar
        place = int(self.onsets[note]) % bar
        starts = parts_of(place, int(self.lengths[note]), size, self.grid.spec)
        return tuple(int(self.onsets[note]) - place + start for start in starts)

    def _offer(
        self, costs: Floats, moves: NDArray[np.int64], row: int, columns: slice, cost: Floats, move: int
    ) -> None:
        """Take a move wherever it is cheaper than what is known."""
        better = cost < costs[row, columns] - 1e-9
        costs[row, columns] = np.where(better, cost, costs[row, columns])
        moves[row, columns] = np.where(better, move, moves[row, columns])

    def _place(self, index: int, onsets: NDArray[np.int64], lengths: NDArray[np.int64], rested: Floats) -> Floats:
        """What it costs to begin syllable `index` at each of `onsets`; `rested` is 1 where a rest is before, else 0."""
        stress = STRESSES[self.syllables[index].stress]
        weight = self.grid.weight(onsets)
        cost = WEAK_PLACE * stress * (1 - weight) + WEIGHT_ON_STRONG * (1 - stress) * weight
        cost -= LONG_STRESS * stress * np.clip(np.log2(lengths / self.grid.spec.steps_per_quarter), -2, 2)
        here = onsets - self.grid.first_step
        if self.opens(index):
            plan = self.grid.num_steps * self.line[index] / self.num_lines
            bars = np.abs(here - plan) / self.grid.spec.steps_per_bar
            cost += OFF_PLAN * np.maximum(0, bars - 0.5)
            cost += ATTACHED * (1 - rested)
        if index < len(self.habits):
            cost += OTHER_PLACE * (here != self.habits[index])
        return cost

    def _after(self, index: int) -> Floats:
        """What it costs to end syllable `index` with each note."""
        if self.opens(index + 1):
            long = self.lengths >= 1.5 * self.grid.spec.steps_per_quarter
            return np.where(self.gaps > 0, 0.0, np.where(long, NO_REST, BREATHLESS))
        within = self.syllables[index].position in ("begin", "middle")
        return np.where(2 * self.gaps > self.grid.spec.steps_per_quarter, GAP_IN_WORD if within else GAP_IN_LINE, 0.0)

    def _back(self, moves: NDArray[np.int64]) -> list[PlacedSyllable]:
        """The way back through the table."""
        placed: list[PlacedSyllable] = []
        done, column = self.size
        while column:
            move = int(moves[done, column])
            if move > 0:
                first, last = column - move, column - 1
                onset = int(self.onsets[first])
                placed.append(PlacedSyllable(first, last, onset, int(self.ends[last]) - onset, False))
                done, column = done - 1, first
                continue
            column -= 1
            if move < 0:
                starts = self._parts(column, -move)
                bounds = zip(starts, [*starts[1:], int(self.ends[column])], strict=True)
                placed += [
                    PlacedSyllable(column, column, start, end - start, True) for start, end in reversed(list(bounds))
                ]
                done += move
        return placed[::-1]


CROWDED = 4
"""A track that has fewer notes than one for so many syllables leaves the words to another, where there is one."""


@dataclass(frozen=True)
class Unsung:
    """A section's words that no track could sing."""

    section: int
    reason: str


@dataclass(frozen=True)
class Alignment:
    """The words of a song on its notes."""

    number: int
    sections: tuple[int, ...]
    """Index of the song's section for each section of the lyric."""
    syllables: tuple[SungSyllable, ...]
    unsung: tuple[Unsung, ...]


def fit_words(song: Song, words: Mapping[int, Sequence[str]], wanted: str | None, english: bool) -> Alignment:
    """Set words to a song.

    Parameters
    ----------
    song
        The music.
    words
        Lines by the index of the song's section.
    wanted
        The track that sings; where it is silent, or none is named, the highest that has notes enough.
    english
        Whether the words sound as the pronouncing dictionary says.
    """
    melodies = {index: melody_of(song.notes, index) for index in singers(song, wanted)}
    habits: dict[str, list[int]] = {}
    found: list[SungSyllable] = []
    unsung: list[Unsung] = []
    for number, lines in sorted(words.items()):
        section = song.sections[number]
        bar = song.spec.steps_per_bar
        grid = SectionGrid(song.spec, section.first_bar * bar, section.num_bars * bar)
        syllables = [syllables_of(line, english) for line in lines]
        places = [place for place, one in enumerate(syllables) if one]
        spoken = [syllables[place] for place in places]
        if not spoken:
            continue
        before = habits.get(lines[0], [])
        notes = {track: _inside(melody, grid) for track, melody in melodies.items()}
        needed = sum(map(len, spoken)) / CROWDED
        tracks = sorted(notes, key=lambda track: len(notes[track]) < needed)  # stable: those with notes enough first
        ways = ((track, place_syllables(spoken, notes[track], grid, before)) for track in tracks)
        track, placed = next(((track, way) for track, way in ways if way is not None), (0, None))
        if placed is None:
            unsung.append(Unsung(number, "the music is too short for so many syllables"))
            continue
        found += _sung(number, places, spoken, placed, notes[track], song.spec.names[track])
        habits.setdefault(lines[0], [one.onset - grid.first_step for one in placed])
    return Alignment(song.number, tuple(sorted(words)), tuple(found), tuple(unsung))


def _inside(melody: Notes, grid: SectionGrid) -> Notes:
    """The notes that begin in a section, cut at its end."""
    end = grid.first_step + grid.num_steps
    notes: Notes = melody[(melody["onset"] >= grid.first_step) & (melody["onset"] < end)].copy()
    notes["length"] = np.minimum(notes["length"], end - notes["onset"])
    return notes


def _sung(
    section: int,
    places: Sequence[int],
    lines: Sequence[Sequence[Syllable]],
    placed: Sequence[PlacedSyllable],
    notes: Notes,
    track: str,
) -> list[SungSyllable]:
    """Syllables and their notes together."""
    marked = [(place, one) for place, line in zip(places, lines, strict=True) for one in line]
    found = []
    for (line, syllable), place in zip(marked, placed, strict=True):
        table = notes[place.first : place.last + 1].tolist()
        own = [(pitch, onset, length) for _, pitch, onset, length in table]
        if place.split:
            own = [(own[0][0], place.onset, place.length)]
        found.append(
            SungSyllable(
                section=section,
                line=line,
                word=syllable.word,
                text=syllable.text,
                position=syllable.position,
                stress=syllable.stress,
                track=track,
                onset=place.onset,
                length=place.length,
                pitch=own[0][0],
                notes=tuple(own),
                split=place.split,
            )
        )
    return found


def alignment_metrics(songs: Iterable[tuple[Song, Alignment]]) -> dict[str, float]:
    """Metrics of alignments: how the words sit on the notes.

    Counts of syllables, of those on divided notes, of melismas, of lines and of those that end on a long note or before
    a rest; the share of stressed syllables on strong beats (the first and the middle of a bar), and the same of all
    syllables, which is what chance would give.
    """
    strong: dict[bool, list[bool]] = {True: [], False: []}
    counts = {"syllables": 0, "on_divided_notes": 0, "melismas": 0, "lines": 0, "lines_with_an_end": 0}
    for song, alignment in songs:
        sung = alignment.syllables
        counts["syllables"] += len(sung)
        counts["on_divided_notes"] += sum(one.split for one in sung)
        counts["melismas"] += sum(len(one.notes) > 1 for one in sung)
        beats = max(1, song.spec.beats_per_bar // 2) * song.spec.steps_per_beat
        for one in sung:
            strong[one.stress == 1].append(one.onset % song.spec.steps_per_bar in (0, beats))
        begun = {(one.track, one.onset) for one in sung}
        for line in lines_of(sung):
            last = line[-1]
            rests = (last.track, last.onset + last.length) not in begun
            counts["lines"] += 1
            counts["lines_with_an_end"] += rests or last.length >= 1.5 * song.spec.steps_per_quarter
    shares = {"stressed_on_strong_beats": strong[True], "all_on_strong_beats": strong[True] + strong[False]}
    return {**counts, **{name: round(float(np.mean(one)), 3) if one else 0.0 for name, one in shares.items()}}


def alignment_summary(metrics: Mapping[str, float]) -> str:
    """The metrics in words."""
    return (
        f"{metrics['syllables']} syllables set to the melodies, {metrics['on_divided_notes']} on divided notes, "
        f"{metrics['melismas']} on several; {metrics['stressed_on_strong_beats']:.0%} of the stressed ones fall on "
        f"strong beats, {metrics['all_on_strong_beats']:.0%} of all"
    )

"""Repeats, endings (voltas) and jumps: the order in which the written measures of a score are played."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.scores.score import MAX_BARS


@dataclass(frozen=True)
class MeasureMarks:
    """What is written at one measure about the order of playing."""

    begins_repeat: bool = False
    """A repeat sign that looks forward (`|:`) at its beginning."""
    times: int = 0
    """A repeat sign that looks backward (`:|`) at its end: how often the passage is played, 2 unless more is written;
    0 without such a sign."""
    endings: frozenset[int] = frozenset()
    """The numbers of the bracket above it: the times through the passage at which it is played; none without one."""
    segno: str = ""
    """The name of the sign at its beginning that `dal_segno` leads to, `1` where it has none of its own."""
    coda: str = ""
    """The name of the coda that begins with it."""
    to_coda: str = ""
    """The name of the coda that is gone to at its end, after a jump back."""
    dal_segno: str = ""
    """The name of the sign that is gone back to at its end."""
    da_capo: bool = False
    """At its end the music goes back to its beginning."""
    fine: bool = False
    """The music ends with it after a jump back."""
    repeats_after_jump: bool = False
    """Its `:|` counts after a jump back too, where by custom repeats are left out."""


def playing_order(marks: Sequence[MeasureMarks]) -> list[int]:
    """The measures of a score in the order in which they are played, by its repeats, endings and jumps.

    By the customs of notation: without a `|:` the passage begins after the `:|` before, or with the music; after a
    D.C. or D.S. repeats are left out and the last ending is taken; Fine and the way to the coda count after such a
    jump only, and a jump is made once; in the midst of the music only where one of them says how it goes on. Pairs of
    repeat signs may lie within one another.

    Parameters
    ----------
    marks
        One for each measure, as written.

    Returns
    -------
    order
        Indices of measures; 0, 1, 2 ... without marks.

    Raises
    ------
    ValueError
        The marks make no sense: a measure is never played, or there is no end to it.
    """
    player = _Player(marks)
    player.play()
    return player.order


@dataclass
class _Passage:
    """A passage that a `:|` leads back to: its first measure, and which time through it is."""

    start: int
    is_marked: bool
    """It begins with a `|:`."""
    time: int = 1


@dataclass(frozen=True)
class _Endings:
    """Brackets side by side: the measures that they stand over, and the numbers of the last bracket."""

    first: int
    last: int
    num_times: int
    """How often their passage is played."""
    final: frozenset[int]
    """The numbers of the bracket that is played at last; none where the music goes on behind the brackets."""


@dataclass
class _Player:
    """Goes through the measures as a musician does."""

    marks: Sequence[MeasureMarks]
    order: list[int] = field(default_factory=list)
    passages: list[_Passage] = field(default_factory=lambda: [_Passage(0, is_marked=False)])
    finished: set[int] = field(default_factory=set)
    """Measures with a `:|`, and first measures of brackets, that were repeated as often as they ask for."""
    jumps_made: set[int] = field(default_factory=set)
    jumped_from: int | None = None
    """The measure at whose end the last jump back was made, until its Fine."""

    def __post_init__(self) -> None:
        self.visits = [0] * len(self.marks)
        self.endings = _ending_groups(self.marks)

    def play(self) -> None:
        """Fill `order`. Raises `ValueError`."""
        at = 0
        most = max(MAX_BARS, len(self.marks))
        while at < len(self.marks):
            if self._comes_back_to(at) or self._is_due(at):
                self._begin_passage(at)
                self.order.append(at)
                self.visits[at] += 1
                if len(self.order) > most:
                    raise ValueError(f"they come to more than {most} bars")
                at = self._after(at)
            else:
                self._pass_end_of_brackets(at)
                at += 1
        missing = [index for index, visits in enumerate(self.visits) if not visits]
        if missing:
            raise ValueError(f"bar {missing[0] + 1} would never be played")

    def _comes_back_to(self, at: int) -> bool:
        """Whether a `:|` leads back to a measure with the `|:`."""
        return self.passages[-1].is_marked and self.passages[-1].start == at

    def _begin_passage(self, at: int) -> None:
        """Note that a passage begins at a measure that has a `|:`, be it under the last bracket of another."""
        if self.marks[at].begins_repeat and not self._comes_back_to(at):
            group = self.endings.get(at)
            if group and at != group.first:
                self._finish(group.first, at)
            self.passages.append(_Passage(at, is_marked=True))

    def _is_due(self, at: int) -> bool:
        """Whether a measure is played this time through, by the bracket above it."""
        numbers, group = self.marks[at].endings, self.endings.get(at)
        if group is None:
            return True
        if self.jumped_from is not None and group.first in self.finished:
            return numbers == group.final
        return self.passages[-1].time in numbers

    def _after(self, at: int) -> int:
        """The measure that follows one that was played; the number of all measures at the end."""
        mark = self.marks[at]
        is_done = self.jumped_from is not None and at in self.finished
        if mark.times and not is_done and self.passages[-1].time < self._num_times(at):
            self.passages[-1].time += 1
            return self.passages[-1].start
        if mark.times and at not in self.endings:
            self._finish(at, at + 1)
        self._pass_end_of_brackets(at)
        is_known = self.jumped_from is not None and self.visits[at] > 1
        if is_known and mark.fine:
            return self._end_jump()
        target = self._coda_of(at) if is_known and mark.to_coda else None
        if target is None:
            target = self._jump_target(at)
        if target is None:
            return at + 1
        self.passages = [_Passage(target, is_marked=False)]
        return target

    def _pass_end_of_brackets(self, at: int) -> None:
        """Note where the last bracket of a passage lies behind."""
        group = self.endings.get(at)
        if group and at == group.last and self.passages[-1].start <= group.first:
            self._finish(group.first, at + 1)

    def _num_times(self, at: int) -> int:
        """How often the passage is played that ends with the `:|` of a measure."""
        group = self.endings.get(at)
        return group.num_times if group and self.passages[-1].start <= group.first else self.marks[at].times

    def _finish(self, place: int, following: int) -> None:
        """Note that a repeat is done with, and that the next `:|` leads back to a passage before it or behind it."""
        self.finished.add(place)
        if self.passages[-1].is_marked:
            self.passages.pop()
        if not self.passages[-1].is_marked:
            self.passages[-1] = _Passage(following, is_marked=False)

    def _coda_of(self, at: int) -> int | None:
        """The coda that is gone to from a measure: the next of its name, else the next."""
        ahead = [index for index in range(at + 1, len(self.marks)) if self.marks[index].coda]
        named = [index for index in ahead if self.marks[index].coda == self.marks[at].to_coda]
        return next(iter(named or ahead), None)

    def _jump_target(self, at: int) -> int | None:
        """Where a jump back at the end of a measure leads, if one is to be made now."""
        mark = self.marks[at]
        if not (mark.da_capo or mark.dal_segno) or at in self.jumps_made or self._comes_again(at):
            return None
        has_end = any(self.marks[index].fine or self.marks[index].to_coda for index in range(at + 1))
        if at + 1 < len(self.marks) and not has_end:
            return None  # nothing says where the music goes on
        behind = [index for index in range(at + 1) if self.marks[index].segno]
        named = [index for index in behind if self.marks[index].segno == mark.dal_segno]
        if not mark.da_capo and not behind:
            return None
        self.jumps_made.add(at)
        self.jumped_from = at
        self.finished -= {index for index in self.finished if self.marks[index].repeats_after_jump}
        return 0 if mark.da_capo else (named or behind)[-1]

    def _end_jump(self) -> int:
        """What follows a Fine: the music behind the jump, such as another movement."""
        assert self.jumped_from is not None
        following = self.jumped_from + 1
        self.jumped_from = None
        self.passages = [_Passage(following, is_marked=False)]
        return following

    def _comes_again(self, at: int) -> bool:
        """Whether the passage that a measure lies in is still to be repeated, so that a jump in it waits."""
        if not self.passages[-1].is_marked:
            return False
        for index in range(at + 1, len(self.marks)):
            if self.marks[index].begins_repeat:
                return False
            if self.marks[index].times:
                return index not in self.finished and self.passages[-1].time < self._num_times(index)
        return False


def _ending_groups(marks: Sequence[MeasureMarks]) -> dict[int, _Endings]:
    """For each measure under a bracket the brackets that belong together with it."""
    groups: dict[int, _Endings] = {}
    first = 0
    while first < len(marks):
        if not marks[first].endings:
            first += 1
            continue
        brackets: list[frozenset[int]] = []
        end = first
        while end < len(marks) and marks[end].endings:
            numbers = marks[end].endings
            if not brackets or numbers != brackets[-1]:
                if brackets and numbers & frozenset().union(*brackets):
                    break  # brackets of the next passage
                brackets.append(numbers)
            end += 1
        group = _Endings(first, end - 1, *_times_of(brackets, goes_on=end < len(marks)))
        groups |= dict.fromkeys(range(first, end), group)
        first = end
    return groups


def _times_of(brackets: list[frozenset[int]], goes_on: bool) -> tuple[int, frozenset[int]]:
    """How often a passage with these brackets is played, and the numbers of the bracket that is played at last."""
    highest = max(max(numbers) for numbers in brackets)
    if len(brackets) == 1 and (highest == 1 or goes_on):
        return highest + 1, frozenset()  # the time after the bracket's last goes past it
    return max(highest, 2), next(numbers for numbers in brackets if highest in numbers)

"""Model of song plans: plans drawn from those of the data's songs, joined at sections, as long as they should be.

A first-order Markov model over sections: a song goes on as another song of the data does from a section that begins
alike, with as many tracks before and after, over similar chords and at a similar place of the song. Whatever of the
second song returns from before the join returns from the section of the first that is most like it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gan.chords import QUALITIES, QUALITY, ROOT
from pipeline.scores.chords.symbols import UNKNOWN, ChordRows, unknown_chords
from pipeline.scores.structure.song_plan import NEW, SongPlan
from pipeline.songs.song import Section

MIN_PLANS = 10
"""Songs of the data that a model takes at least; of fewer the plans would be those songs'."""
JOINED = 0.75
"""Of the plans so many come from two songs."""
TRIES = 48
"""Joins that are looked at for one that fits well."""
STRETCH = 1.3
"""A plan joined of two songs is at most so many times as long or as short as the first."""
SHARPNESS = 6.0
"""How much songs of a fitting length are preferred, a unit of the logarithm of the length."""
TAIL = 4
"""Bars of an ending that are kept where nothing but cutting helps."""

RETURNS_WEIGHT = 4.0
"""How much it counts that as much of a song returns as before where songs are joined or sections left out."""
CHORDS_WEIGHT = 1.0
"""How much it counts at a join that both sides go over the same chords."""

Span = tuple[int, int, int]
"""First bar, end and label of a section."""


@dataclass(frozen=True)
class PlanModel:
    """Draws plans.

    Attributes
    ----------
    plans
        Those of the data's songs, at least `MIN_PLANS`.
    styles
        The number of the style of each, -1 without one; empty where nothing is known of them.
    """

    plans: Sequence[SongPlan]
    styles: Sequence[int] = ()

    def draw(
        self,
        least: int,
        most: int,
        variation: float,
        random: np.random.Generator,
        is_minor: bool | None = None,
        style: int | None = None,
    ) -> SongPlan:
        """A plan of `least` to `most` bars, begun by a song of this mode and this style where there is one.

        Its chords are open where no song of the data is in the mode.

        Parameters
        ----------
        least, most
            Bars; at least one.
        variation
            Share of the bars of all tracks that are made anew in a strophe that is repeated to make a song long enough.
        random
            Draws the songs and the joins.
        is_minor, style
            The mode, and the number of the style; None for any.
        """
        every = range(len(self.plans))
        own = [number for number in every if is_minor in (None, self.plans[number].is_minor)] or list(every)
        own = [number for number in own if self.styles and self.styles[number] == style] or own
        costs = np.array([_misfit(self.plans[number].num_bars, least, most) for number in own])
        weights = np.exp(-SHARPNESS * (costs - costs.min()))
        plan = self.plans[int(random.choice(own, p=weights / weights.sum()))]
        if random.random() < JOINED:
            plan = self._joined(plan, least, most, random)
        if is_minor not in (None, plan.is_minor):
            plan = replace(plan, chords=unknown_chords(len(plan.chords)))
        return fit_plan(plan, least, most, variation, random)

    def _joined(self, plan: SongPlan, least: int, most: int, random: np.random.Generator) -> SongPlan:
        """The plan with another song's end, where one of some joins makes a song of a length like its own."""
        low, high = plan.num_bars / STRETCH, plan.num_bars * STRETCH
        if least <= plan.num_bars <= most:
            low, high = max(low, least), min(high, most)
        best: tuple[float, SongPlan] | None = None
        for _ in range(TRIES):
            other = self.plans[int(random.integers(len(self.plans)))]
            if other is plan or len(plan.starts) < 2 or len(other.starts) < 2:
                continue
            end, start = int(random.choice(plan.starts[1:])), int(random.choice(other.starts[1:]))
            if low <= end + other.num_bars - start <= high:
                joined = join_plans(plan, end, other, start)
                gap = _distance(plan, end, other, start) + RETURNS_WEIGHT * (_returning(plan) - _returning(joined))
                gap += CHORDS_WEIGHT * chord_distance(plan.chords[: 2 * end], other.chords[2 * start :])
                best = (gap, joined) if best is None or gap < best[0] else best
        return plan if best is None else best[1]


def _misfit(bars: int, least: int, most: int) -> float:
    """How far a song is from lasting as long as it should, in logarithms; a repetition costs a little."""
    if bars > most:
        return float(np.log(bars / most))
    repeats = -(-least // bars)
    return 0.1 * (repeats - 1) + max(0.0, float(np.log(repeats * bars / most)))


def _distance(plan: SongPlan, end: int, other: SongPlan, start: int) -> float:
    """How differently two songs play before and after bars at which they may be joined, and how far from their ends."""
    before = np.mean(plan.playing[:, end - 1] != other.playing[:, start - 1])
    after = np.mean(plan.playing[:, end] != other.playing[:, start])
    return float(before + after) + abs(end / plan.num_bars - start / other.num_bars)


def chord_distance(one: ChordRows, other: ChordRows) -> float:
    """One less the cosine of how often two progressions have each root with each quality; 0 where one has none."""
    counts = []
    for chords in (one, other):
        known = chords[(chords[:, QUALITY] != UNKNOWN) & (chords[:, ROOT] >= 0)].astype(np.int64)
        counts.append(np.bincount(known[:, ROOT] * len(QUALITIES) + known[:, QUALITY], minlength=12 * len(QUALITIES)))
    lengths = [float(np.linalg.norm(count)) for count in counts]
    return 1 - float(counts[0] @ counts[1]) / (lengths[0] * lengths[1]) if all(lengths) else 0.0


def spans_of(plan: SongPlan) -> list[Span]:
    """First bar, end and label of each section."""
    return [(start, end, label) for (start, end), label in zip(plan.section_bars, plan.labels, strict=True)]


def arrange(plan: SongPlan, spans: Sequence[Span]) -> SongPlan:
    """The plan of a song made of stretches of another, which may come several times: then they return as they were.

    What returned from bars that are left out returns from the first that equals them, or is new.
    """
    bars = [bar for start, end, _ in spans for bar in range(start, end)]
    ends = np.cumsum([end - start for start, end, _ in spans]).tolist()
    firsts = plan.first_equals()
    source = np.full((len(firsts), len(bars)), NEW, np.int16)
    kept = np.zeros(source.shape, np.uint32)
    for track, equals in enumerate(firsts):
        places: dict[int, int] = {}  # of each bar among equal ones: where it first comes
        for place, bar in enumerate(bars):
            if not plan.playing[track, bar]:
                continue
            own = int(equals[bar])
            if own in places:
                source[track, place], kept[track, place] = places[own], plan.whole
            elif plan.source[track, bar] != NEW and (origin := int(equals[plan.source[track, bar]])) in places:
                source[track, place], kept[track, place] = places[origin], plan.kept[track, bar]
            places.setdefault(own, place)
    return replace(
        plan,
        starts=(0, *ends[:-1]),
        labels=_renumbered([label for *_, label in spans]),
        playing=plan.playing[:, bars],
        source=source,
        kept=kept,
        density=plan.density[:, bars],
        chords=plan.chords.reshape(plan.num_bars, -1)[bars].reshape(2 * len(bars), -1),
    )


def _renumbered(labels: Sequence[int]) -> tuple[int, ...]:
    """Labels counted from 0 as they first come."""
    numbers: dict[int, int] = {}
    return tuple(numbers.setdefault(label, len(numbers)) for label in labels)


def join_plans(plan: SongPlan, end: int, other: SongPlan, start: int) -> SongPlan:
    """The bars of a plan before `end`, then those of another from `start` on; both begin sections."""
    there, here = _matching_bars(plan, end, other, start), other.first_equals()
    length = other.num_bars - start
    source = np.full((len(plan.playing), length), NEW, np.int16)
    kept = np.zeros(source.shape, np.uint32)
    density = other.density[:, start:].copy()
    for track, equals in enumerate(here):
        places: dict[int, int] = {}
        for place, bar in enumerate(range(start, other.num_bars)):
            if not other.playing[track, bar]:
                continue
            own, origin = int(equals[bar]), int(other.source[track, bar])
            for wanted, beats in ((own, other.whole), (int(equals[origin]), int(other.kept[track, bar]))):
                if wanted == bar or (wanted != own and origin == NEW):
                    continue
                found = places.get(wanted, there.get(wanted, NEW))
                if found != NEW and (found >= end or plan.playing[track, found]):
                    source[track, place], kept[track, place] = found, beats
                    if beats == other.whole and found < end:
                        density[track, place] = plan.density[track, found]
                    break
            places.setdefault(own, end + place)
    labels = dict(_matching_labels(plan, end, other, start))
    before = [span for span in spans_of(plan) if span[1] <= end]
    after = [span for span in spans_of(other) if span[0] >= start]
    unseen = max(plan.labels) + 1
    return SongPlan(
        starts=(*(first for first, *_ in before), *(first - start + end for first, *_ in after)),
        labels=_renumbered(
            [*(label for *_, label in before), *(labels.get(label, unseen + label) for *_, label in after)]
        ),
        playing=np.concatenate([plan.playing[:, :end], other.playing[:, start:]], axis=1),
        source=np.concatenate([plan.source[:, :end], source], axis=1),
        kept=np.concatenate([plan.kept[:, :end], kept], axis=1),
        density=np.concatenate([plan.density[:, :end], density], axis=1),
        beats=plan.beats,
        chords=np.concatenate([plan.chords[: 2 * end], other.chords[2 * start :]]),
        is_minor=plan.is_minor,
    )


def _matching_labels(plan: SongPlan, end: int, other: SongPlan, start: int) -> dict[int, int]:
    """For each label of `other` before `start` the label of `plan` before `end` whose sections are most like its own.

    Alike are sections of one length, in which the same tracks begin, and which return in their songs or do not.
    """
    mine = {label: (first, last) for first, last, label in reversed(spans_of(plan)) if last <= end}
    theirs = {label: (first, last) for first, last, label in reversed(spans_of(other)) if last <= start}
    counts, their_counts = Counter(plan.labels), Counter(other.labels)

    def likeness(label: int, their_label: int) -> float:
        (first, last), (their_first, their_last) = mine[label], theirs[their_label]
        lengths = sorted((last - first, their_last - their_first))
        together = float(np.mean(plan.playing[:, first] == other.playing[:, their_first]))
        return lengths[0] / lengths[1] + together + ((counts[label] > 1) == (their_counts[their_label] > 1))

    return {one: max(mine, key=lambda label: likeness(label, one)) for one in theirs}


def _matching_bars(plan: SongPlan, end: int, other: SongPlan, start: int) -> dict[int, int]:
    """For bars of `other` before `start` those of `plan` before `end` in whose place they stand."""
    labels = _matching_labels(plan, end, other, start)
    firsts = {label: (first, last) for first, last, label in reversed(spans_of(plan)) if last <= end}
    bars: dict[int, int] = {}
    for start_of, end_of, label in spans_of(other):
        if end_of <= start:
            first, last = firsts[labels[label]]
            bars |= {bar: first + bar - start_of for bar in range(start_of, min(end_of, start_of + last - first))}
    return bars


def fit_plan(plan: SongPlan, least: int, most: int, variation: float, random: np.random.Generator) -> SongPlan:
    """A plan made as long as it should be: repeated as strophes, or with sections left out; see `PlanModel.draw`."""
    spans, bars = spans_of(plan), plan.num_bars
    if bars < least:
        fewest = -(-least // bars)
        repeats = fewest + int(random.integers(2)) * ((fewest + 1) * bars <= most)
        longer = arrange(plan, spans * repeats)
        plan = vary_plan(longer, bars, variation, random)
        spans = spans_of(plan)
    if plan.num_bars <= most:
        return plan
    shorter = [
        (arrange(plan, [*spans[:begin], *spans[end:]]), spans[begin][0], spans[end][0])
        for begin in range(1, len(spans))
        for end in range(begin + 1, len(spans))
        if least <= plan.num_bars - (spans[end - 1][1] - spans[begin][0]) <= most
    ]
    if shorter:
        costs = [
            RETURNS_WEIGHT * (_returning(plan) - _returning(one)) + _distance(plan, begin, plan, end)
            for one, begin, end in shorter
        ]
        return shorter[int(np.argmin(costs))][0]
    tail = min(TAIL, most - 1)
    head = most - tail
    kept = [(first, min(last, head), label) for first, last, label in spans if first < head]
    if tail:
        kept.append((plan.num_bars - tail, plan.num_bars, plan.labels[-1]))
    return arrange(plan, kept)


def _returning(plan: SongPlan) -> float:
    """The share of the bars of all tracks that return exactly."""
    return float(plan.exact.sum() / max(1, plan.playing.sum()))


def vary_plan(plan: SongPlan, first: int, variation: float, random: np.random.Generator) -> SongPlan:
    """The plan with a share `variation` of the bars that return exactly from bar `first` on made anew."""
    exact = plan.exact
    exact[:, :first] = False
    anew = exact & (random.random(exact.shape) < variation)
    return replace(plan, source=np.where(anew, NEW, plan.source).astype(np.int16))


def letters_of(plan: SongPlan) -> str:
    """The sections as letters, equal ones for those that share their music: `ABAC`."""
    return "".join(chr(ord("A") + label % 26) for label in plan.labels)


def name_sections(plan: SongPlan) -> tuple[Section, ...]:
    """The sections of a plan with roles: what returns is a verse, or the chorus where it is fullest.

    What comes once is an intro at the beginning, an outro at the end, and a bridge between.
    """
    counts = Counter(plan.labels)
    notes: dict[int, list[float]] = {}
    for start, end, label in spans_of(plan):
        notes.setdefault(label, []).append(float(plan.density[:, start:end].sum(axis=0).mean()))
    returning = sorted((label for label in counts if counts[label] > 1), key=lambda label: -np.mean(notes[label]))
    roles = dict.fromkeys(counts, "bridge")
    roles |= dict(zip(returning, ("chorus", "verse", "refrain", "episode"), strict=False))
    if len(returning) == 1:
        roles[returning[0]] = "verse"
    if not returning:  # no section comes twice: verses of one strophe
        roles |= dict.fromkeys(counts, "verse")
    else:
        for place, role in ((0, "intro"), (-1, "outro")):
            if counts[plan.labels[place]] == 1:
                roles[plan.labels[place]] = role
    names = [roles[label] for label in plan.labels]
    seen: Counter[str] = Counter()
    sections = []
    for name, (start, end) in zip(names, plan.section_bars, strict=True):
        seen[name] += 1
        shown = f"{name} {seen[name]}" if names.count(name) > 1 else name
        sections.append(Section(shown, name, start, end - start))
    return tuple(sections)

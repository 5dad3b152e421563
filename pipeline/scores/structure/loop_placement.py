"""Where loops of old records play in a song (sampling), by its plan: what returns, and how dense it is.

A loop is whole in every return of one section, filtered or chopped by half bars in others, and silent in at least one;
a song that begins thinly begins with it alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from gan.chords import CHORD_NUMBERS
from gan.spec import RollSpec
from pipeline.scores.chords.recognition import half_bar_starts
from pipeline.scores.chords.symbols import ChordRows, unknown_chords
from pipeline.scores.structure.flipped_loops import LoopEvent
from pipeline.scores.structure.song_plan import NEW, SongPlan

WHOLE, FILTERED, CHOPPED, SILENT = "whole", "filtered", "chopped", "silent"
"""What becomes of a loop in the sections of one label."""
USUAL_SHARE = 0.7
"""Of a song's bars a loop plays in about so many."""
ALONE_BARS = 4
"""A loop is alone for so many bars at most."""
THIN_TRACKS = 2
"""A song in whose first bars so many tracks play, or fewer, begins thinly."""
LEAST_BARS = 2
"""A section is parted into pieces of so many bars or more."""


@dataclass(frozen=True, eq=False)
class LoopPlacement:
    """Where loops play in a song.

    Attributes
    ----------
    plan
        The song's plan; in bars in which a loop is alone all tracks rest.
    treatments
        By label of sections `WHOLE`, `FILTERED`, `CHOPPED` or `SILENT`.
    loops
        By label of sections the number of the loop that they go over.
    events
        Where loops play, in order.
    """

    plan: SongPlan
    treatments: dict[int, str]
    loops: dict[int, int]
    events: tuple[LoopEvent, ...]

    def chords(self, rows: Sequence[ChordRows], spec: RollSpec) -> ChordRows:
        """The chords of all half bars, int8 `[2 * bars, 3]`, given the chord of each step of each loop `[steps, 3]`.

        In sections in which loops are silent they are unknown, so that the plan's own make a contrast.
        """
        starts = half_bar_starts(self.plan.num_bars, spec)
        chords = unknown_chords(len(starts))
        for (first, end), label in zip(self.plan.section_bars, self.plan.labels, strict=True):
            if self.treatments[label] != SILENT:
                own = rows[self.loops[label]]
                halves = slice(2 * first, 2 * end)
                chords[halves] = own[(starts[halves] - first * spec.steps_per_bar) % len(own)]
        for event in self.events:
            inside = (starts >= event.step) & (starts < event.end)
            own = rows[event.loop]
            chords[inside] = own[(starts[inside] - event.step + event.loop_step) % len(own)]
        assert chords.shape[1] == CHORD_NUMBERS
        return chords


def place_loops(
    plan: SongPlan,
    lengths: Sequence[int],
    host: int | None,
    spec: RollSpec,
    random: np.random.Generator,
    share: float = USUAL_SHARE,
) -> LoopPlacement:
    """Place loops in a song.

    Parameters
    ----------
    plan
        Of the song.
    lengths
        Of each loop in steps. Where there are several, sections of different music go over different loops.
    host
        The track in whose place the loops stand, which rests; None where there is none.
    spec
        Its grid.
    random
        Draws what is left open.
    share
        Of the song's bars that have a loop.
    """
    plan = with_contrast(plan)
    if host is not None:
        plan = with_rests(plan, np.arange(spec.num_tracks)[:, None] == host)
    treatments = treat_sections(plan, share, len(lengths), random)
    order = sorted(treatments, key=lambda label: treatments[label] == SILENT)
    loops = {label: place % len(lengths) for place, label in enumerate(order)}
    events: list[LoopEvent] = []
    repeats = bool(random.random() < 0.5)
    last = (plan.num_bars - 1) * spec.steps_per_bar
    for (first, end), label in zip(plan.section_bars, plan.labels, strict=True):
        bounds = first * spec.steps_per_bar, min(end * spec.steps_per_bar, last)
        loop = loops[label]
        if treatments[label] == CHOPPED:
            events += _chopped(bounds, loop, lengths[loop], repeats, spec)
        elif treatments[label] != SILENT and bounds[0] < bounds[1]:
            events.append(LoopEvent(bounds[0], bounds[1] - bounds[0], loop, 0, treatments[label] == FILTERED))
    plan, alone = _begin_alone(plan, lengths[loops[plan.labels[0]]], spec)
    if alone and treatments[plan.labels[0]] in (SILENT, CHOPPED):
        steps = alone * spec.steps_per_bar
        opening = LoopEvent(0, steps, loops[plan.labels[0]], 0, True)
        events = [opening, *(event for event in events if event.step >= steps)]
    if events and events[-1].end == last:  # it rings out in the last bar
        before = events[-1]
        at = (before.loop_step + before.num_steps) % lengths[before.loop]
        half = int(half_bar_starts(1, spec)[1])
        events.append(LoopEvent(last, half, before.loop, at, before.is_filtered, fades=True))
    return LoopPlacement(plan, treatments, loops, tuple(events))


def treat_sections(plan: SongPlan, share: float, num_loops: int, random: np.random.Generator) -> dict[int, str]:
    """What becomes of loops in the sections of each label of a plan that has two labels or more.

    Whole where music returns most often; silent so that the share of bars with a loop is nearest to `share`, in one
    label at least; filtered or chopped in the others, or whole where they have another loop.
    """
    counts = Counter(plan.labels)
    bars: Counter[int] = Counter()
    for (first, end), label in zip(plan.section_bars, plan.labels, strict=True):
        bars[label] += end - first
    whole = max(counts, key=lambda label: (counts[label], bars[label]))
    others = [label for label in counts if label != whole]
    opening = plan.labels[0]
    best: tuple[float, tuple[bool, ...]] | None = None
    for silent in product((False, True), repeat=min(len(others), 10)):
        if not any(silent):
            continue
        played = 1 - sum(bars[label] for label, rests in zip(others, silent, strict=False) if rests) / plan.num_bars
        cost = abs(played - share) + 0.1 * any(
            rests and label == opening for label, rests in zip(others, silent, strict=False)
        )
        if best is None or cost < best[0]:
            best = cost, silent
    assert best is not None
    resting = {label for label, rests in zip(others, best[1], strict=False) if rests}
    kinds = [FILTERED, CHOPPED] if random.random() < 0.5 else [CHOPPED, FILTERED]
    treatments = {whole: WHOLE}
    for label in others:
        if label in resting:
            treatments[label] = SILENT
        elif num_loops > 1:
            treatments[label] = WHOLE
        else:
            kind = kinds[len([one for one in treatments.values() if one in kinds]) % 2]
            treatments[label] = FILTERED if label == opening else kind
    return treatments


def with_contrast(plan: SongPlan) -> SongPlan:
    """The plan with sections of two labels at least: where all are alike, the last one is another, or its second half.

    What plays in it is as it was; a plan too short to be parted stays as it is but for the label of its last bar.
    """
    if len(set(plan.labels)) > 1:
        return plan
    other = max(plan.labels) + 1
    if len(plan.starts) > 2:
        return replace(plan, labels=(*plan.labels[:-1], other))
    middle = (plan.starts[-1] + plan.num_bars) // 2
    if plan.num_bars - middle >= LEAST_BARS:
        middle += -(middle - plan.starts[-1]) % LEAST_BARS
    middle = min(max(middle, plan.starts[-1] + 1), plan.num_bars - 1)
    return replace(plan, starts=(*plan.starts, middle), labels=(*plan.labels, other))


def with_rests(plan: SongPlan, rests: NDArray[np.bool_]) -> SongPlan:
    """The plan with bars silent, bool `[tracks, bars]` or what broadcasts to it; what returned from them is new."""
    rests = np.broadcast_to(rests, plan.playing.shape)
    source = plan.source.copy()
    for track, own in enumerate(rests):
        returns = source[track] != NEW
        source[track, returns] = np.where(own[source[track, returns]], NEW, source[track, returns])
    return replace(
        plan,
        playing=plan.playing & ~rests,
        source=np.where(rests, NEW, source).astype(np.int16),
        density=np.where(rests, 0, plan.density).astype(np.uint8),
    )


def _begin_alone(plan: SongPlan, length: int, spec: RollSpec) -> tuple[SongPlan, int]:
    """The plan of a song that begins thinly with as many first bars at rest as the loop plays alone, and how many."""
    one = -(-length // spec.steps_per_bar)
    section = plan.section_bars[0][1]
    bars = min(section, max(one, ALONE_BARS // one * one)) if one <= ALONE_BARS else 0
    if not bars or bars >= plan.num_bars or plan.playing[:, :bars].sum(axis=0).mean() > THIN_TRACKS:
        return plan, 0
    return with_rests(plan, np.arange(plan.num_bars) < bars), bars


def _chopped(bounds: tuple[int, int], loop: int, length: int, repeats: bool, spec: RollSpec) -> list[LoopEvent]:
    """A loop chopped by half bars: the first half of each bar, which its second half repeats or is silent in."""
    start, end = bounds
    half = int(half_bar_starts(1, spec)[1])
    events = []
    for bar in range(start, end, spec.steps_per_bar):
        at = (bar - start) % length
        events.append(LoopEvent(bar, half, loop, at))
        if repeats:
            events.append(LoopEvent(bar + half, spec.steps_per_bar - half, loop, at))
    return events

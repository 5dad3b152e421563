"""Plans of songs that do not know all tracks, completed: where an unknown track may play, and how densely.

A recording that teaches bass and drums alone does not say that the piano rests, nor that there is one. Its plan gets
tracks until it has as many as a band usually has. They play as in the songs that know them: in as many sections, as
densely, and they return where the known tracks do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.scores.structure.song_plan import NEW, SongPlan, first_equal_bars

USUAL_TRACKS = 5
"""So many tracks play in a song, as in the base model's data; what is known may be more."""
SHORTEST_LOOP = 4
"""Bars after which an unknown track may return: where drums repeat one bar, others play phrases over it."""
LEAST_PLAYING = 0.25
"""A song in which a track plays in fewer of its bars says little of how it plays."""
USUAL_SHARE, USUAL_DENSITY = 0.75, 6.0
"""Of the sections that a track plays in, and its notes in a bar, where no song knows it."""


@dataclass(frozen=True)
class TrackHabits:
    """How a track plays in the songs that know it: of each the share of its bars, and mean notes in those bars."""

    shares: NDArray[np.float64]
    densities: NDArray[np.float64]


def track_habits(plans: Sequence[SongPlan], known: NDArray[np.bool_], track: int) -> TrackHabits:
    """Habits of a track; `known` is bool `[plans, tracks]`. Songs in which it hardly plays are passed over."""
    shares, densities = [], []
    for plan, knows in zip(plans, known[:, track].tolist(), strict=True):
        playing = plan.playing[track]
        if knows and plan.num_bars and playing.mean() >= LEAST_PLAYING:
            shares.append(float(playing.mean()))
            densities.append(float(plan.density[track, playing].mean()))
    return TrackHabits(np.array(shares), np.array(densities))


def complete_plans(
    plans: Sequence[SongPlan],
    known: NDArray[np.bool_],
    seed: int,
    elsewhere: Mapping[int, TrackHabits] | None = None,
    lead: int | None = None,
) -> list[SongPlan]:
    """Plans in which some of the tracks that their songs do not know play as others let them play.

    Parameters
    ----------
    plans
        Of songs; those that know all tracks stay as they are.
    known
        Which tracks each song knows, bool `[plans, tracks]`.
    seed
        Of what is drawn.
    elsewhere
        How tracks, by their numbers, play in other songs, where too few of these know them.
    lead
        The number of the track that has the tune, where there is one: a song that does not know it gets it first.
    """
    if known.all():
        return list(plans)
    others = elsewhere or {}
    habits = [others.get(track) or track_habits(plans, known, track) for track in range(known.shape[1])]
    random = np.random.default_rng(seed)
    return [
        plan if knows.all() else _completed(plan, knows, habits, lead, random)
        for plan, knows in zip(plans, known, strict=True)
    ]


def _completed(
    plan: SongPlan,
    knows: NDArray[np.bool_],
    habits: Sequence[TrackHabits],
    lead: int | None,
    random: np.random.Generator,
) -> SongPlan:
    """One plan, with a part for each unknown track that is chosen to play."""
    playing, source = plan.playing.copy(), plan.source.copy()
    kept, density = plan.kept.copy(), plan.density.copy()
    sounds: NDArray[np.bool_] = np.asarray(plan.playing[knows].any(axis=0))
    for track in _chosen(plan, knows, habits, lead, random):
        own = habits[track]
        place = int(random.integers(len(own.shares))) if len(own.shares) else -1
        share, notes = (own.shares[place], own.densities[place]) if place >= 0 else (USUAL_SHARE, USUAL_DENSITY)
        label_plays = random.random(max(plan.labels, default=0) + 1) < share
        if not label_plays.any():
            label_plays[int(random.integers(len(label_plays)))] = True
        for (first, past), label in zip(plan.section_bars, plan.labels, strict=True):
            playing[track, first:past] = label_plays[label] & sounds[first:past]
        density[track] = np.where(playing[track], max(round(notes), 1), 0)
        source[track] = np.where(playing[track], _common_source(plan, knows), NEW)
        returns = (source[track] != NEW) & playing[track, np.maximum(source[track], 0)]
        source[track] = np.where(returns, source[track], NEW)
        kept[track] = np.where(returns, plan.whole, 0)
    return replace(plan, playing=playing, source=source, kept=kept, density=density)


def _chosen(
    plan: SongPlan,
    knows: NDArray[np.bool_],
    habits: Sequence[TrackHabits],
    lead: int | None,
    random: np.random.Generator,
) -> list[int]:
    """Unknown tracks that are to play: the tune, and others in proportion to the songs in which they are known to."""
    missing = max(USUAL_TRACKS - int(np.asarray(plan.playing[knows].any(axis=1)).sum()), 0)
    unknown = np.flatnonzero(~knows)
    first = unknown[unknown == lead][:missing]
    others = unknown[unknown != lead] if len(first) else unknown
    chances = np.array([1.0 + len(habits[track].shares) for track in others.tolist()])
    count = min(missing - len(first), len(others))
    drawn = random.choice(others, count, replace=False, p=chances / chances.sum()) if count else others[:0]
    return [*first.tolist(), *drawn.tolist()]


def _common_source(plan: SongPlan, knows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The earlier bar that an unknown track returns from in each bar, `NEW` where it plays something else.

    It is as the bar that most of the known tracks return from exactly, or one that equals that, and comes a multiple of
    `SHORTEST_LOOP` bars before.
    """
    found = np.full(plan.num_bars, NEW, np.int64)
    exact = plan.exact & knows[:, None]
    for bar in range(plan.num_bars):
        sources = plan.source[exact[:, bar], bar]
        if len(sources) and 2 * len(sources) >= plan.playing[knows, bar].sum():
            bars, counts = np.unique(sources, return_counts=True)
            found[bar] = bars[counts.argmax()]
    roots = first_equal_bars(found)
    for bar in np.flatnonzero(found != NEW).tolist():
        alike = [place for place in range(bar % SHORTEST_LOOP, bar, SHORTEST_LOOP) if roots[place] == roots[bar]]
        found[bar] = alike[-1] if alike else NEW
    return found

"""Plan of a song in a named form, for music of which no plans are known: sections of one role return as they were."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.scores.chords.symbols import unknown_chords
from pipeline.scores.structure.song_plan import MAX_DENSITY, NEW, SongPlan

DRUM_LOOP_BARS = 2
"""Within a section drums return after so many bars."""
THIN_ROLES = ("intro", "outro")
"""In these the drums and the busiest of the other tracks rest."""


def plan_of_named_form(
    sections: Sequence[tuple[str, int]],
    notes_per_bar: NDArray[np.float64],
    empty_bars: NDArray[np.float64],
    spec: RollSpec,
) -> SongPlan:
    """A plan in which each track plays as densely as in the data, all in most sections.

    Parameters
    ----------
    sections
        Role and number of bars of each.
    notes_per_bar, empty_bars
        Of each track in the data, `[tracks]`: notes a bar, and the share of its bars that are silent.
    spec
        Its grid.
    """
    roles = list(dict.fromkeys(role for role, _ in sections))
    bars = sum(count for _, count in sections)
    sounding = np.maximum(1 - empty_bars, 0.05)
    density = np.tile(np.rint(notes_per_bar / sounding)[:, None], bars)
    plays = notes_per_bar > 0
    drums = np.array([track.is_drum for track in spec.tracks])
    busiest = int(np.argmax(np.where(drums, -1, notes_per_bar)))
    source = np.full(density.shape, NEW, np.int16)
    firsts: dict[str, int] = {}
    starts, start = [], 0
    for role, count in sections:
        starts.append(start)
        first = firsts.setdefault(role, start)
        here = np.arange(start, start + count)
        if first != start:
            source[:, here] = first + np.arange(count)
        else:
            loops = here[DRUM_LOOP_BARS:]
            source[np.ix_(drums, loops)] = loops - DRUM_LOOP_BARS
        if role in THIN_ROLES:
            resting = drums | (np.arange(len(drums)) == busiest)
            density[np.ix_(resting, here)] = 0
        start += count
    playing = plays[:, None] & (density > 0)
    source = np.where(playing, source, NEW).astype(np.int16)
    whole = (1 << spec.beats_per_bar) - 1
    return SongPlan(
        starts=tuple(starts),
        labels=tuple(roles.index(role) for role, _ in sections),
        playing=playing,
        source=source,
        kept=np.where(source != NEW, whole, 0).astype(np.uint32),
        density=np.minimum(density * playing, MAX_DENSITY).astype(np.uint8),
        beats=spec.beats_per_bar,
        chords=unknown_chords(2 * bars),
    )

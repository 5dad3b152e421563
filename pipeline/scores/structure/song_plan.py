"""Plan of a song (its structure, bar by bar): sections, which bars return, who plays and how densely.

A plan is read out of notes. Beside the chords it says nothing about pitches: what a bar that is new sounds like is left
open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.scores.chords.symbols import ChordRows, unknown_chords
from pipeline.scores.notes import Notes
from pipeline.scores.structure.self_similarity import find_sections

NEW = -1
"""The source of a bar that takes nothing from an earlier one."""
LIKENESS = 1 / 3
"""A bar whose unchanged beats hold a smaller share of the notes that it and an earlier bar have is new."""
EXACT = 0.999
TOGETHER = 0.2
"""How much it counts, beside the likeness of a track's own bars, that the other tracks return from the same bar."""
HEARD_AGAIN = 0.5
"""A bar of a transcription that has so much in common with an earlier one is taken as its repetition, misheard."""
LONGEST_GAP = 3
"""A track of a transcription that is not heard for so many bars at most between others is taken as playing there."""
SAME_SECTION = 0.4
"""Sections whose pitched tracks share more than this of their notes, bar by bar, have one label."""
MAX_DENSITY = 255


@dataclass(frozen=True, eq=False)
class SongPlan:
    """What returns in a song, who plays and over which chords, bar by bar.

    Attributes
    ----------
    starts
        The bars at which sections begin, the first being 0.
    labels
        A number a section; sections with the same one share their music. Counted from 0 as they first come.
    playing
        Bool `[tracks, bars]`: where a track sounds.
    source
        Int16 `[tracks, bars]`: the earlier bar that a track's bar returns from, or `NEW`.
    kept
        Uint32 `[tracks, bars]`: bit `b` says that beat `b` is as in the source, onset for onset; the others are new.
    density
        Uint8 `[tracks, bars]`: notes that begin in the bar.
    beats
        Beats of a bar.
    chords
        Of all half bars, `[2 * bars, 3]`, the song moved to C major or A minor.
    is_minor
        Whether it is in minor; of no account where no chord is known.
    """

    starts: tuple[int, ...]
    labels: tuple[int, ...]
    playing: NDArray[np.bool_]
    source: NDArray[np.int16]
    kept: NDArray[np.uint32]
    density: NDArray[np.uint8]
    beats: int
    chords: ChordRows
    is_minor: bool = False

    @property
    def num_bars(self) -> int:
        """Bars of the song."""
        return int(self.playing.shape[1])

    @property
    def whole(self) -> int:
        """`kept` of a bar that returns as it was."""
        return (1 << self.beats) - 1

    @property
    def exact(self) -> NDArray[np.bool_]:
        """Bool `[tracks, bars]`: bars that return onset for onset."""
        return np.asarray(self.playing & (self.source != NEW) & (self.kept == self.whole))

    @property
    def varied(self) -> NDArray[np.bool_]:
        """Bool `[tracks, bars]`: bars that return with some beats changed."""
        return np.asarray(self.playing & (self.source != NEW) & (self.kept != self.whole))

    @property
    def section_bars(self) -> tuple[tuple[int, int], ...]:
        """First bar and end of each section."""
        return tuple(zip(self.starts, (*self.starts[1:], self.num_bars), strict=True))

    def first_equals(self) -> NDArray[np.int64]:
        """For each bar the first of the bars that it equals by returning exactly, perhaps itself, `[tracks, bars]`."""
        sources = np.where(self.exact, self.source, NEW).astype(np.int64)
        return np.stack([first_equal_bars(source) for source in sources])


def plan_of_song(
    notes: Notes,
    bars: int,
    spec: RollSpec,
    starts: Sequence[int] | None = None,
    chords: ChordRows | None = None,
    is_minor: bool = False,
    heard: bool = False,
    sounds_like: NDArray[np.int64] | None = None,
) -> SongPlan:
    """Read the plan out of a song.

    Parameters
    ----------
    notes, bars, spec
        The song in one metre, and how many bars it has; of `spec` the tracks and the grid count.
    starts
        The bars at which its sections begin where they are known; None finds them by self-similarity.
    chords, is_minor
        As in `SongPlan`; None leaves them open.
    heard
        Whether the notes were heard in a recording. No two bars of such a song are the same note for note; those that
        have enough in common return exactly, and none is varied.
    sounds_like
        For each bar the earlier one that it sounds like in that recording, `NEW` where it sounds like none, `[bars]`:
        all of its tracks return from there. None where nobody knows.
    """
    starts = find_sections(notes, bars, spec) if starts is None else starts
    playing = np.zeros((spec.num_tracks, bars), np.bool_)
    density = np.zeros((spec.num_tracks, bars), np.int64)
    likeness = np.zeros((spec.num_tracks, bars, bars), np.float32)
    contents = []
    for track in range(spec.num_tracks):
        own = notes[notes["track"] == track]
        first = np.minimum(own["onset"] // spec.steps_per_bar, bars - 1)
        last = np.minimum((own["onset"] + own["length"] - 1) // spec.steps_per_bar, bars - 1)
        edges = np.zeros(bars + 1, np.int64)
        np.add.at(edges, first, 1)
        np.add.at(edges, last + 1, -1)
        playing[track] = np.cumsum(edges[:-1]) > 0
        counts, numbers = _beats_of(own, bars, spec)
        contents.append(numbers)
        density[track] = counts.sum(axis=1)
        if heard:
            likeness[track] = _likeness_as_heard(own, bars, spec)
            playing[track], density[track] = _without_gaps(playing[track], density[track])
            likeness[track][~playing[track]] = likeness[track][:, ~playing[track]] = 0
            continue
        has = np.zeros((bars, numbers.max() + 1), np.float32)
        has[np.arange(bars)[:, None], numbers] = np.sqrt(counts)
        shared = has @ has.T  # notes in beats that are equal
        either = density[track][:, None] + density[track][None, :] - shared
        likeness[track] = np.where(shared > 0, shared / np.maximum(either, 1), 0)
    together = likeness.sum(axis=0) / np.maximum(playing.sum(axis=0), 1)[:, None]
    source, kept = np.full(playing.shape, NEW, np.int16), np.zeros(playing.shape, np.uint32)
    earlier = np.tri(bars, k=-1, dtype=np.bool_)
    bits = 1 << np.arange(spec.beats_per_bar, dtype=np.uint32)
    for track in range(spec.num_tracks):
        exact = likeness[track] > EXACT  # comes before what is nearly so
        fits = np.where(earlier, exact + likeness[track] + TOGETHER * together, -1)
        best = fits.argmax(axis=1)
        alike = likeness[track][np.arange(bars), best]
        returns = (alike >= (HEARD_AGAIN if heard else LIKENESS)) & (np.arange(bars) > 0)
        source[track, returns] = best[returns]
        unchanged = (contents[track] == contents[track][best]) | heard  # [bars, beats]
        kept[track, returns] = (unchanged * bits).sum(axis=1).astype(np.uint32)[returns]
    if sounds_like is not None:
        roots = first_equal_bars(sounds_like)
        playing, density = _as_mostly_heard(playing, density, roots)
        again = playing & (sounds_like != NEW)
        source[again] = np.broadcast_to(sounds_like, source.shape)[again]
        kept[again] = bits.sum()
        chords = None if chords is None else _chords_mostly_heard(chords, roots)
    if heard:
        gone = ~playing | ~np.take_along_axis(playing, np.maximum(source, 0).astype(np.int64), axis=1)
        source[gone], kept[gone] = NEW, 0
    pitched = [track for track in spec.pitched if playing[track].any()]
    tunes = pitched or list(range(spec.num_tracks))  # one beat goes with many tunes
    counts = playing[tunes].sum(axis=0)
    return SongPlan(
        starts=tuple(int(start) for start in starts),
        labels=_label_sections(starts, bars, likeness[tunes].sum(axis=0) / np.maximum(counts, 1)[:, None]),
        playing=playing,
        source=source,
        kept=kept,
        density=np.minimum(density, MAX_DENSITY).astype(np.uint8),
        beats=spec.beats_per_bar,
        chords=unknown_chords(2 * bars) if chords is None else chords,
        is_minor=is_minor,
    )


def _beats_of(own: Notes, bars: int, spec: RollSpec) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many notes of a track begin in each beat, and a small number for which, `[bars, beats]` each."""
    beat, step = np.divmod(own["onset"].astype(np.int64), spec.steps_per_beat)
    num_beats = bars * spec.beats_per_bar
    counts = np.bincount(beat, minlength=num_beats)
    # equal are beats at one place of the bar for which the sums of their notes' random numbers are
    keys = np.random.default_rng(0).integers(0, 1 << 50, spec.steps_per_beat * 256 + spec.beats_per_bar, np.int64)
    sums = np.tile(keys[-spec.beats_per_bar :], bars)
    np.add.at(sums, beat, keys[step * 256 + own["pitch"] % 256])
    shape = (bars, spec.beats_per_bar)
    return counts.reshape(shape), np.unique(sums, return_inverse=True)[1].reshape(shape)


def _likeness_as_heard(own: Notes, bars: int, spec: RollSpec) -> NDArray[np.float32]:
    """The Jaccard index of the notes of two bars of a track, smoothed along the diagonals, `[bars, bars]` from 0 to 1.

    Music returns by several bars, and a wrong note is one of a bar: so the bars before and after have a say.
    """
    bar, step = np.divmod(own["onset"].astype(np.int64), spec.steps_per_bar)
    has = np.zeros((bars + 1, spec.steps_per_bar * 128), np.float32)
    has[np.minimum(bar, bars), step * 128 + own["pitch"] % 128] = 1
    shared = has[:bars] @ has[:bars].T
    counts = np.diagonal(shared)
    alike = shared / np.maximum(counts[:, None] + counts - shared, 1)
    smoothed, weights = 4 * alike, np.full_like(alike, 4)
    smoothed[1:, 1:] += alike[:-1, :-1]
    smoothed[:-1, :-1] += alike[1:, 1:]
    weights[1:, 1:] += 1
    weights[:-1, :-1] += 1
    return np.asarray(smoothed / weights, np.float32)


def _without_gaps(
    playing: NDArray[np.bool_], density: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Morphological closing of where a track is heard, `[bars]`, then opening: single bars of it are taken as misheard.

    Bars in a gap get as many notes as the bars before and after it have in the mean.
    """
    playing, density = playing.copy(), density.copy()
    for (_, first), (past, _) in pairwise(_runs(playing)):
        if past - first <= LONGEST_GAP:
            playing[first:past] = True
            density[first:past] = max(round((density[first - 1] + density[past]) / 2), 1)
    for first, past in _runs(playing):
        if past - first == 1:
            playing[first], density[first] = False, 0
    return playing, density


def _runs(playing: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First bar and end of each stretch in which a track plays."""
    edges = np.flatnonzero(np.diff(playing, prepend=False, append=False))
    return [(int(first), int(past)) for first, past in zip(edges[::2], edges[1::2], strict=True)]


def first_equal_bars(source: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first of the bars that each bar equals, perhaps itself, where `source` is an earlier equal one or `NEW`."""
    roots = np.arange(len(source))
    for bar, earlier in enumerate(source.tolist()):
        if earlier != NEW:
            roots[bar] = roots[earlier]
    return roots


def _as_mostly_heard(
    playing: NDArray[np.bool_], density: NDArray[np.int64], roots: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Who plays in bars that sound alike is who is heard in half of them at least, as densely as in the mean there."""
    playing, density = playing.copy(), density.copy()
    for root in np.unique(roots):
        alike = roots == root
        heard = playing[:, alike].sum(axis=1)
        notes = np.where(playing, density, 0)[:, alike].sum(axis=1)
        plays = 2 * heard >= alike.sum()
        playing[:, alike] = plays[:, None]
        density[:, alike] = np.where(plays, np.maximum(np.rint(notes / np.maximum(heard, 1)), 1), 0)[:, None]
    return playing, density


def _chords_mostly_heard(chords: ChordRows, roots: NDArray[np.int64]) -> ChordRows:
    """The chords of bars that sound alike are those that most of them have."""
    bars = chords[: 2 * len(roots)].reshape(len(roots), -1)
    found = bars.copy()
    for root in np.unique(roots):
        alike = np.flatnonzero(roots == root)
        rows, counts = np.unique(bars[alike], axis=0, return_counts=True)
        found[alike] = rows[counts.argmax()]
    return np.asarray(found.reshape(chords.shape), chords.dtype)


def _label_sections(starts: Sequence[int], bars: int, alike: NDArray[np.floating[Any]]) -> tuple[int, ...]:
    """A number for each section; one that shares its music with an earlier one, bar by bar, has the same."""
    labels: list[int] = []
    spans = list(zip(starts, (*starts[1:], bars), strict=True))
    for number, (start, end) in enumerate(spans):
        shares = [
            float(np.diagonal(alike[start:end, other:other_end]).sum() / max(end - start, other_end - other))
            for other, other_end in spans[:number]
        ]
        best = int(np.argmax(shares)) if shares else 0
        labels.append(labels[best] if shares and shares[best] >= SAME_SECTION else max(labels, default=-1) + 1)
    return tuple(labels)


def pack_plans(plans: Sequence[SongPlan]) -> dict[str, NDArray[Any]]:
    """Plans as a few arrays, the songs one after another; `unpack_plans` reads them."""
    return {
        "bars": np.array([plan.num_bars for plan in plans], np.int32),
        "sections": np.array([len(plan.starts) for plan in plans], np.int32),
        "starts": np.array([start for plan in plans for start in plan.starts], np.int32),
        "labels": np.array([label for plan in plans for label in plan.labels], np.int32),
        "beats": np.array([plan.beats for plan in plans], np.int32),
        "is_minor": np.array([plan.is_minor for plan in plans], np.bool_),
        "chords": np.concatenate([unknown_chords(0), *(plan.chords for plan in plans)]),
    } | {
        name: np.concatenate([getattr(plan, name) for plan in plans], axis=1) if plans else np.zeros((0, 0), kind)
        for name, kind in (("playing", bool), ("source", np.int16), ("kept", np.uint32), ("density", np.uint8))
    }


def unpack_plans(arrays: Mapping[str, NDArray[Any]]) -> list[SongPlan]:
    """The plans that `pack_plans` packed. Raises `KeyError` or `ValueError` where the arrays are none."""
    plans: list[SongPlan] = []
    at = np.cumsum([0, *arrays["bars"].tolist()])
    sections = np.cumsum([0, *arrays["sections"].tolist()])
    if at[-1] != arrays["playing"].shape[1]:
        raise ValueError(f"plans of {at[-1]} bars do not fit {arrays['playing'].shape[1]}")
    for number in range(len(arrays["bars"])):
        bars, own = slice(at[number], at[number + 1]), slice(sections[number], sections[number + 1])
        plans.append(
            SongPlan(
                starts=tuple(arrays["starts"][own].tolist()),
                labels=tuple(arrays["labels"][own].tolist()),
                playing=arrays["playing"][:, bars].astype(np.bool_),
                source=arrays["source"][:, bars].astype(np.int16),
                kept=arrays["kept"][:, bars].astype(np.uint32),
                density=arrays["density"][:, bars].astype(np.uint8),
                beats=int(arrays["beats"][number]),
                chords=arrays["chords"][2 * bars.start : 2 * bars.stop].astype(np.int8),
                is_minor=bool(arrays["is_minor"][number]),
            )
        )
    return plans


def agreement(plan: SongPlan, other: SongPlan) -> NDArray[np.float64]:
    """In how many tracks each bar of two plans agrees, `[bars]` from 0 to 1; bars that one lacks agree in none.

    A track's bar agrees where it rests in both; returns exactly in both, and from bars that are equal; or returns in
    neither as it was, being new or varied.
    """
    bars = min(plan.num_bars, other.num_bars)
    mine, theirs = plan.first_equals()[:, :bars], other.first_equals()[:, :bars]
    both = plan.playing[:, :bars] & other.playing[:, :bars]
    rests = ~plan.playing[:, :bars] & ~other.playing[:, :bars]
    agrees = rests | (both & (mine == theirs))
    found = np.zeros(max(plan.num_bars, other.num_bars))
    found[:bars] = agrees.mean(axis=0)
    return found

"""Songs that share a tune, whatever its key, speed and instruments: interval n-grams of their voices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gan.spec import RollSpec
from pipeline.scores.quantisation import BarSpan
from pipeline.scores.tracks import AssignedPart

GRAM = 8
"""Notes in a row whose intervals and rhythm make up one n-gram."""
MIN_INTERVALS = 3
"""Different intervals in an n-gram that tells one tune from another."""
MIN_MOVES = 4
"""Intervals of it at least that are no repetition of a note."""
GRIDS = (1, 2)
"""How much finer than the roll's the grids are that parts are read on."""
KEPT = 64
"""N-grams of a part that are kept at most: those with the lowest hashes, which are the same ones in every song."""
MIN_SHARED = 8
"""N-grams that two parts share at least when their songs have a tune in common."""
SHARED_PART = 0.4
"""Of the n-grams of the part that has fewer, so many must be shared."""
COMMON = 30
"""An n-gram found in more parts than this is compared only between those that follow each other."""
NEIGHBOURS = 3
"""How many that follow, then. Versions of one tune share so many n-grams that this joins them all."""
ROUNDS = 16
"""The hashes are gone through in so many parts, so that memory holds the pairs of one part at a time."""

TuneNgrams = tuple[NDArray[np.uint32], ...]
"""For each part of a song the hashes of its n-grams, sorted, each once, the lowest `KEPT` at most."""


def interval_ngrams(parts: Sequence[AssignedPart], spans: Sequence[BarSpan], spec: RollSpec) -> TuneNgrams:
    """Interval n-grams of each pitched part of a song that has any, as hashes.

    Parts are taken one by one, as the file has them: in which track of the roll they come together, and beneath what
    they lie there, depends on their programs. They are put on the grid and on one twice as fine, so that a piece
    notated at half or double speed has the n-grams of one of them.
    """
    found = []
    for part in parts:
        if spec.tracks[part.track].is_drum or len(part.events) < GRAM:
            continue
        hashes = [
            hash_ngrams(*_top_line(part, span, steps * spec.steps_per_quarter, spec))
            for span in spans
            for steps in GRIDS
        ]
        own = np.unique(np.concatenate(hashes))[:KEPT]
        if len(own):
            found.append(own)
    return tuple(found)


def _top_line(
    part: AssignedPart, span: BarSpan, steps_per_quarter: int, spec: RollSpec
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Onsets in steps and pitches of the highest notes of a part, one an onset."""
    onset = np.rint((part.events["onset"] - span.start) * steps_per_quarter).astype(np.int64)
    pitch = part.events["pitch"].astype(np.int64)
    inside = (onset >= 0) & (onset < span.bars * spec.quarters_per_bar * steps_per_quarter)
    ordered = np.sort(onset[inside] * 128 + pitch[inside])
    onset, pitch = np.divmod(ordered, 128)
    last = np.append(onset[1:] != onset[:-1], True) if len(onset) else np.zeros(0, np.bool_)
    return onset[last], pitch[last]


def hash_ngrams(onset: NDArray[np.int64], pitch: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Interval n-grams of a line, whatever its key and speed, as hashes: sorted, each once.

    One is `GRAM` successive notes: their intervals in semitones, and the steps between their onsets without what
    these have in common. Those that hardly move are left out, and those of fewer than `MIN_INTERVALS` different
    intervals: repeated notes, trills and scales are everywhere.
    """
    interval, wait = np.diff(pitch), np.diff(onset)
    if len(interval) < GRAM - 1:
        return np.zeros(0, np.uint32)
    intervals = np.lib.stride_tricks.sliding_window_view(interval, GRAM - 1)
    waits = np.lib.stride_tricks.sliding_window_view(wait, GRAM - 1)
    ordered = np.sort(intervals, axis=1)
    distinct = 1 + np.count_nonzero(ordered[:, 1:] != ordered[:, :-1], axis=1)
    telling = (distinct >= MIN_INTERVALS) & (np.count_nonzero(intervals, axis=1) >= MIN_MOVES)
    intervals, waits = intervals[telling], waits[telling]
    waits = waits // np.gcd.reduce(waits, axis=1, keepdims=True)
    hashes = np.zeros(len(intervals), np.uint64)
    for column in range(GRAM - 1):  # a polynomial hash, modulo 2^64
        for values in (intervals, waits):
            term = values[:, column].astype(np.int64).view(np.uint64)
            hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + term + np.uint64(1)
    hashes ^= hashes >> np.uint64(31)  # every bit of the hash counts in the upper half
    hashes *= np.uint64(0xBF58476D1CE4E5B9)
    return np.unique((hashes >> np.uint64(32)).astype(np.uint32))


def group_same_tunes(ngrams: Sequence[TuneNgrams]) -> list[int]:
    """Groups of songs that share a tune (union-find), such as two settings of one hymn in different keys.

    Two songs do when a part of one and a part of the other share enough n-grams. Takes some 30 bytes an n-gram for a
    while.

    Parameters
    ----------
    ngrams
        For each song, its `interval_ngrams`.

    Returns
    -------
    groups
        For each song, the lowest index of a song of its group.
    """
    parts = [hashes for song in ngrams for hashes in song]
    song_of = np.repeat(np.arange(len(ngrams)), [len(song) for song in ngrams])
    group = list(range(len(ngrams)))

    def root(song: int) -> int:
        while group[song] != song:
            group[song] = group[group[song]]
            song = group[song]
        return song

    pairs, shared = _count_shared(parts, song_of)
    enough = shared >= MIN_SHARED
    for (one, other), count in zip(pairs[enough].tolist(), shared[enough].tolist(), strict=True):
        first, second = root(int(song_of[one])), root(int(song_of[other]))
        if first != second and count >= SHARED_PART * _comparable(parts[one], parts[other]):
            group[max(first, second)] = min(first, second)
    return [root(song) for song in range(len(ngrams))]


def _comparable(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> int:
    """How many n-grams two parts could share: where a part has more than are kept, the higher ones are unknown."""
    top = min(hashes[-1] if len(hashes) == KEPT else np.iinfo(np.uint32).max for hashes in (one, other))
    return min(int(np.searchsorted(hashes, top, side="right")) for hashes in (one, other))


def _count_shared(
    parts: Sequence[NDArray[np.uint32]], song_of: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of parts `[pairs, 2]` of different songs that share hashes, and how many they share `[pairs]`."""
    hashes = np.concatenate([*parts, np.zeros(0, np.uint32)])
    holder = np.repeat(np.arange(len(parts), dtype=np.int32), [len(own) for own in parts])
    round_of = (hashes % ROUNDS).astype(np.uint8)
    codes, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for number in range(ROUNDS):
        these = round_of == number
        found = np.concatenate(list(_pairs(hashes[these], holder[these], song_of, len(parts))))
        codes, places = np.unique(np.concatenate([codes, found]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, np.ones(len(found), np.int64)]), len(codes)).astype(int)
    return np.stack(np.divmod(codes, max(len(parts), 1)), axis=1), counts


def _pairs(
    hashes: NDArray[np.uint32], holder: NDArray[np.int32], song_of: NDArray[np.int64], num_parts: int
) -> Iterator[NDArray[np.int64]]:
    """Every two parts that hold the same hash, as first times `num_parts` plus second; once for each such hash."""
    order = np.lexsort((holder, hashes))
    holder = holder[order].astype(np.int64)
    _, begins, counts = np.unique(hashes[order], return_index=True, return_counts=True)
    ends = np.repeat(begins + counts, counts)
    reach = np.where(np.repeat(counts, counts) > COMMON, NEIGHBOURS, COMMON)
    places = np.arange(len(holder))
    yield np.zeros(0, np.int64)
    for step in range(1, int(min(COMMON, counts.max(initial=1)))):
        places = places[(places + step < ends[places]) & (step <= reach[places])]
        one, other = holder[places], holder[places + step]
        apart = song_of[one] != song_of[other]
        yield one[apart] * num_parts + other[apart]

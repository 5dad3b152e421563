"""Which songs are for training, validation and test: final_phase by the music itself, kin on one side."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.dataset.near_duplicates import KEPT, Turns

SPLITS = ("train", "validation", "test")
SHARES = (0.8, 0.1, 0.1)

MIN_SHARED = 8
"""Melodic turns that two voices share at least when their songs are kin."""
KIN_SHARE = 0.4
"""The part of the turns of the voice that has fewer that must be shared."""
COMMON = 30
"""A turn found in more voices than this is compared only between those that follow each other."""
NEIGHBOURS = 3
"""How many that follow, then. Versions of one tune share so many turns that this joins them all."""
ROUNDS = 16
"""The hashes are gone through in so many parts, so that memory holds the pairs of one part at a time."""


def find_kin(turns: Sequence[Turns]) -> list[int]:
    """Group songs that share a tune, such as two settings of one hymn in different keys.

    Two songs are kin when a voice of one and a voice of the other share enough turns. Takes some 30 bytes a turn for a
    while.

    Parameters
    ----------
    turns
        For each song, what `tunes.song_turns` says of it.

    Returns
    -------
    groups
        For each song, the lowest index of a song of its group.
    """
    voices = [hashes for song in turns for hashes in song]
    song_of = np.repeat(np.arange(len(turns)), [len(song) for song in turns])
    group = list(range(len(turns)))

    def root(song: int) -> int:
        while group[song] != song:
            group[song] = group[group[song]]
            song = group[song]
        return song

    pairs, shared = _count_shared(voices, song_of)
    enough = shared >= MIN_SHARED
    for (one, other), count in zip(pairs[enough].tolist(), shared[enough].tolist(), strict=True):
        first, second = root(int(song_of[one])), root(int(song_of[other]))
        if first != second and count >= KIN_SHARE * _comparable(voices[one], voices[other]):
            group[max(first, second)] = min(first, second)
    return [root(song) for song in range(len(turns))]


def _comparable(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> int:
    """How many turns two voices could share: of a voice that has more than are kept, the higher ones are unknown."""
    top = min(hashes[-1] if len(hashes) == KEPT else np.iinfo(np.uint32).max for hashes in (one, other))
    return min(int(np.searchsorted(hashes, top, side="right")) for hashes in (one, other))


def _count_shared(
    voices: Sequence[NDArray[np.uint32]], song_of: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of voices `[pairs, 2]` of different songs that share hashes, and how many they share `[pairs]`."""
    hashes = np.concatenate([*voices, np.zeros(0, np.uint32)])
    holder = np.repeat(np.arange(len(voices), dtype=np.int32), [len(own) for own in voices])
    part_of = (hashes % ROUNDS).astype(np.uint8)
    codes, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for number in range(ROUNDS):
        part = part_of == number
        found = np.concatenate(list(_pairs(hashes[part], holder[part], song_of, len(voices))))
        codes, places = np.unique(np.concatenate([codes, found]), return_inverse=True)
        counts = np.bincount(places, np.concatenate([counts, np.ones(len(found), np.int64)]), len(codes)).astype(int)
    return np.stack(np.divmod(codes, max(len(voices), 1)), axis=1), counts


def _pairs(
    hashes: NDArray[np.uint32], holder: NDArray[np.int32], song_of: NDArray[np.int64], num_voices: int
) -> Iterator[NDArray[np.int64]]:
    """Every two voices that hold the same hash, as first times `num_voices` plus second; once for each such hash."""
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
        yield one[apart] * num_voices + other[apart]


def choose_splits(digests: Sequence[str], groups: Sequence[int], wanted: Sequence[str] = ()) -> list[str]:
    """The split of each song: 80/10/10 by a hash of the music, the same for a whole group.

    A song keeps its split when others come or go, unless that joins it to kin. Where there are too few songs for the
    hash to fill a split, the group nearest to it moves there; one group alone is for training.

    Parameters
    ----------
    digests
        What tells the music of each song apart, whatever its key (`phrases.song_digest`).
    groups
        As `find_kin` returns them.
    wanted
        For each song the split that it must lie in, or empty. Its kin go with it; of several conditions in a group the
        first counts.
    """
    forced: dict[int, str] = {}
    for group, split in zip(groups, wanted, strict=False):
        if split:
            forced.setdefault(group, split)
    members: defaultdict[int, list[str]] = defaultdict(list)
    for digest, group in zip(digests, groups, strict=True):
        members[group].append(digest)
    places = {group: _place(min(own)) for group, own in members.items() if group not in forced}
    ordered = sorted(places, key=lambda group: (places[group], min(members[group])))
    bounds = np.cumsum(SHARES)[:-1]
    chosen = {group: int(np.searchsorted(bounds, places[group], side="right")) for group in ordered}
    names = {group: SPLITS[number] for group, number in chosen.items()}
    if len(ordered) < 3:
        names |= dict(zip(ordered, [split for split in SPLITS if split not in forced.values()], strict=False))
    else:
        _fill(names, ordered, set(forced.values()))
    names |= forced
    return [names[group] for group in groups]


def _fill(names: dict[int, str], ordered: Sequence[int], filled: set[str]) -> None:
    """Move groups, given in the order of their places, so that every split has one, or is `filled` already."""
    if "train" not in {*names.values(), *filled}:
        names[ordered[0]] = "train"
    if "test" not in {*names.values(), *filled}:
        names[ordered[-1]] = "test"
    if "validation" not in {*names.values(), *filled}:
        # the last of the training groups, or the first of the test groups where training has only one
        train = [group for group in ordered if names[group] == "train"]
        test = [group for group in ordered if names[group] == "test"]
        names[train[-1] if len(train) > 1 else test[0]] = "validation"


def _place(digest: str) -> float:
    """A number from 0 to 1 that looks drawn at random but is the digest's own."""
    return int(hashlib.sha256(digest.encode()).hexdigest()[:12], 16) / 16**12

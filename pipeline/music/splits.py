"""Which songs are for training, validation and test: settled by the music itself, kin on one side."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

SPLITS = ("train", "validation", "test")
SHARES = (0.8, 0.1, 0.1)

MIN_SHARED = 8
"""Melodic turns that two tracks share at least when their songs are kin."""
KIN_SHARE = 0.5
"""The part of the smaller track's turns that must be shared."""
COMMON = 50
"""A turn found in more tracks than this says nothing."""


def find_kin(turns: Sequence[Sequence[NDArray[np.uint64]]]) -> list[int]:
    """Group songs that share a tune, such as two settings of one hymn in different keys.

    Parameters
    ----------
    turns
        For each song, the hashes of the melodic turns of each of its tracks (`phrases.melodic_turns`).

    Returns
    -------
    groups
        For each song, the lowest index of a song of its group.
    """
    holders: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for song, tracks in enumerate(turns):
        for track, hashes in enumerate(tracks):
            for one in hashes.tolist():
                holders[one].append((song, track))
    shared: Counter[tuple[tuple[int, int], tuple[int, int]]] = Counter()
    for places in holders.values():
        if len(places) <= COMMON:
            shared.update(pair for pair in combinations(places, 2) if pair[0][0] != pair[1][0])
    group = list(range(len(turns)))

    def root(song: int) -> int:
        while group[song] != song:
            group[song] = group[group[song]]
            song = group[song]
        return song

    for (one, other), count in shared.items():
        smaller = min(len(turns[one[0]][one[1]]), len(turns[other[0]][other[1]]))
        if count >= max(MIN_SHARED, KIN_SHARE * smaller):
            low, high = sorted((root(one[0]), root(other[0])))
            group[high] = low
    return [root(song) for song in range(len(turns))]


def choose_splits(digests: Sequence[str], groups: Sequence[int]) -> list[str]:
    """The split of each song: 80/10/10 by a hash of the music, the same for a whole group.

    A song keeps its split when others come or go, unless that joins it to kin. Where there are too few songs for the
    hash to fill a split, the group nearest to it moves there; one group alone is for training.

    Parameters
    ----------
    digests
        What tells the music of each song apart, whatever its key (`phrases.song_digest`).
    groups
        As `find_kin` returns them.
    """
    members: defaultdict[int, list[str]] = defaultdict(list)
    for digest, group in zip(digests, groups, strict=True):
        members[group].append(digest)
    places = {group: _place(min(own)) for group, own in members.items()}
    ordered = sorted(places, key=lambda group: (places[group], min(members[group])))
    bounds = np.cumsum(SHARES)[:-1]
    chosen = {group: int(np.searchsorted(bounds, places[group], side="right")) for group in ordered}
    if len(ordered) >= 3:
        if 0 not in chosen.values():
            chosen[ordered[0]] = 0
        if 2 not in chosen.values():
            chosen[ordered[-1]] = 2
        if 1 not in chosen.values():
            # the last of the training groups, or the first of the test groups where training has only one
            train = [group for group in ordered if chosen[group] == 0]
            test = [group for group in ordered if chosen[group] == 2]
            chosen[train[-1] if len(train) > 1 else test[0]] = 1
    else:
        chosen = dict(zip(ordered, (0, 1), strict=False))
    return [SPLITS[chosen[group]] for group in groups]


def _place(digest: str) -> float:
    """A number from 0 to 1 that looks drawn at random but is the digest's own."""
    return int(hashlib.sha256(digest.encode()).hexdigest()[:12], 16) / 16**12

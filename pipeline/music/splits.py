"""Which songs are for training, validation and test: settled by the music itself, kin on one side."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

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
    tracks = [hashes for song in turns for hashes in song]
    song_of = np.repeat(np.arange(len(turns)), [len(song) for song in turns])
    sizes = np.array([len(hashes) for hashes in tracks])
    pairs, shared = _count_shared(tracks)
    one, other = pairs.T
    kin = shared >= np.maximum(MIN_SHARED, KIN_SHARE * np.minimum(sizes[one], sizes[other]))
    group = list(range(len(turns)))

    def root(song: int) -> int:
        while group[song] != song:
            group[song] = group[group[song]]
            song = group[song]
        return song

    for first, second in np.stack([song_of[one[kin]], song_of[other[kin]]], axis=1).tolist():
        low, high = sorted((root(first), root(second)))
        group[high] = low
    return [root(song) for song in range(len(turns))]


def _count_shared(tracks: Sequence[NDArray[np.uint64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of tracks `[pairs, 2]` that share hashes, and how many they share `[pairs]`."""
    hashes = np.concatenate([*tracks, np.zeros(0, np.uint64)])
    holder = np.repeat(np.arange(len(tracks)), [len(own) for own in tracks])
    order = np.argsort(hashes, kind="stable")
    _, begins, counts = np.unique(hashes[order], return_index=True, return_counts=True)
    found = [np.zeros(0, np.int64)]
    for size in range(2, COMMON + 1):
        places = begins[counts == size, None] + np.arange(size)
        together = holder[order[places]]  # [hashes, size], ascending
        one, other = np.triu_indices(size, 1)
        found.append((together[:, one] * len(tracks) + together[:, other]).ravel())
    codes, shared = np.unique(np.concatenate(found), return_counts=True)
    return np.stack(np.divmod(codes, max(len(tracks), 1)), axis=1), shared.astype(np.int64)


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

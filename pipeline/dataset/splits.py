"""Splits: which songs are for training, validation and test, by a hash of the music; songs of one tune on one side."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

SPLITS = ("train", "validation", "test")
SHARES = (0.8, 0.1, 0.1)


def choose_splits(digests: Sequence[str], groups: Sequence[int], wanted: Sequence[str] = ()) -> list[str]:
    """The split of each song: 80/10/10 by a hash of the music, the same for a whole group.

    A song keeps its split when others come or go, unless that joins it to a song of the same tune. Where there are too
    few songs for the hash to fill a split, the group nearest to it moves there; one group alone is for training, and so
    is a group of half of all songs or more.

    Parameters
    ----------
    digests
        What tells the music of each song apart, whatever its key (`cutting.song_digest`).
    groups
        As `group_same_tunes` returns them.
    wanted
        For each song the split that it must lie in, or empty. Its group goes with it; of several in a group the first
        counts.
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
    largest = max(ordered, key=lambda group: len(members[group]), default=None)
    if largest is not None and len(members[largest]) > 1 and len(members[largest]) * 2 >= len(groups):
        # it leads the order, so that it is the last to move elsewhere
        ordered = [largest, *(group for group in ordered if group != largest)]
        names[largest] = "train"
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

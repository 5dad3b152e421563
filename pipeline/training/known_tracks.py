"""What songs teach of each track: tracks that hardly any knows stay as the checkpoint to begin with plays them.

Of recordings nobody may say what a guitar plays. A run that begins with a model of guitars is taught nothing of them,
and its plans and statistics have them as that model's data had; so they are where one song of many knows a guitar. What
neither songs nor a checkpoint know is taken to rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.conditions import SILENT
from gan.spec import RollSpec
from gan.statistics import DataStatistics, with_tracks_of
from pipeline.dataset.store import PhraseStore
from pipeline.scores.structure.plan_completion import USUAL_SHARE, TrackHabits
from pipeline.training.pretrained import pretrained_statistics

LEAST_SHARE = 0.25
"""Where fewer of the songs know a track, they say little of how it plays in the others."""


@dataclass(frozen=True)
class KnownTracks:
    """Which tracks the songs of a set teach.

    Attributes
    ----------
    store
        The set.
    source
        Tracks and statistics of the checkpoint that training begins with; None where no track is left to it.
    left
        Numbers of the tracks that are left to it: none or few of the songs to train on know them, and it plays them.
    """

    store: PhraseStore
    source: tuple[RollSpec, DataStatistics] | None
    left: tuple[int, ...]

    @classmethod
    def of(cls, store: PhraseStore, init: str | None) -> KnownTracks:
        """Those of a set, for a run that begins with `train.init`. Raises `UserError` where that can't be read."""
        known = store.known_by_song("train")
        lacking = np.flatnonzero(known.sum(axis=0) < LEAST_SHARE * len(known)).tolist()
        if init is None or not lacking:
            return cls(store, None, ())
        spec, statistics = pretrained_statistics(init)
        rates = dict(zip(spec.names, statistics.notes_per_bar, strict=True))
        left = tuple(track for track in lacking if rates.get(store.spec.names[track], 0.0) > 0)
        return cls(store, (spec, statistics) if left else None, left)

    @property
    def names(self) -> list[str]:
        """Of the tracks that are left to the checkpoint."""
        return [self.store.spec.names[track] for track in self.left]

    def of_phrases(self, split: str) -> Tensor:
        """Which tracks each phrase of a split teaches, bool `[phrases, tracks]`; what nobody knows rests."""
        return torch.from_numpy(self.store.known(split) | self._rests)

    def of_songs(self, split: str) -> NDArray[np.bool_]:
        """The same of the songs of a split, bool `[songs, tracks]`."""
        return self.store.known_by_song(split) | self._rests

    @property
    def _rests(self) -> NDArray[np.bool_]:
        """Tracks `[tracks]` of which nobody knows anything."""
        rests = ~self.store.known_by_any_song
        rests[list(self.left)] = False
        return rests

    def complete(self, statistics: DataStatistics) -> DataStatistics:
        """The statistics of the songs, with those of the checkpoint's data for the tracks that are left to it."""
        if self.source is None:
            return statistics
        spec, theirs = self.source
        return with_tracks_of(statistics, self.store.spec, theirs, spec, self.left)

    def habits(self, num_songs: int) -> Mapping[int, TrackHabits]:
        """How tracks that are left to the checkpoint play, as if so many songs knew them: as often as in its data.

        Of its data's phrases the densities are known; the share of a song's bars is the usual one.
        """
        if self.source is None:
            return {}
        spec, theirs = self.source
        found = {}
        for track, name in zip(self.left, self.names, strict=True):
            densities = np.array([example[spec.names.index(name)] for example in theirs.examples])
            playing = densities[densities >= SILENT]
            count = round(num_songs * len(playing) / len(densities))
            some = playing[np.linspace(0, len(playing) - 1, count).round().astype(np.int64)]
            found[track] = TrackHabits(np.full(count, USUAL_SHARE), some)
        return found

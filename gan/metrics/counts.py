"""Note counts that all metrics are read from: by step, pitch, pitch class, bar and track, each counted once.

Rolls are bool `[phrases, 2, tracks, bars, steps, pitches]`, or bytes packed along pitches. Time runs over all steps of
a phrase, beats over all its beats. Pitch classes fold octaves: `(lowest_pitch + index) % 12`, C being 0. All counts are
float32, exact for whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import combinations

import torch
from torch import Tensor

from gan.rolls import unpack
from gan.spec import HOLD, ONSET, RollSpec

CELLS_AT_ONCE = 2**22
"""Cells of one plane that are counted at once: about 50 MB of working memory."""


class PhraseCounts:
    """Note counts of a batch of phrases, each made when it is first read."""

    def __init__(self, rolls: Tensor, spec: RollSpec) -> None:
        self.rolls, self.spec = unpack(rolls, spec), spec
        self.pairs = list(combinations(spec.pitched, 2))
        self.first_tracks, self.second_tracks = ([pair[place] for pair in self.pairs] for place in (0, 1))

    def __len__(self) -> int:
        return len(self.rolls)

    def by_bar(self, counts: Tensor) -> Tensor:
        """Counts `[phrases, tracks, time, ...]` as `[phrases, tracks, bars, steps, ...]`."""
        return counts.view(*counts.shape[:2], self.spec.bars, self.spec.steps_per_bar, *counts.shape[3:])

    @cached_property
    def fold(self) -> Tensor:
        """`[pitches, 12]`: one-hot pitch class of each pitch."""
        pitches = torch.arange(self.spec.num_pitches, device=self.rolls.device) + self.spec.lowest_pitch
        return torch.nn.functional.one_hot(pitches % 12, 12).float()

    @cached_property
    def onset(self) -> Tensor:
        """First steps of notes, 0 or 1: `[phrases, tracks, time, pitches]`."""
        return self.rolls[:, ONSET].flatten(2, 3).float()

    @cached_property
    def hold(self) -> Tensor:
        """Later steps of notes, 0 or 1: `[phrases, tracks, time, pitches]`."""
        return self.rolls[:, HOLD].flatten(2, 3).float()

    @cached_property
    def onsets_by_step(self) -> Tensor:
        """Onsets at each step: `[phrases, tracks, time]`."""
        return self.onset.sum(-1)

    @cached_property
    def num_notes(self) -> Tensor:
        """Onsets: `[phrases, tracks]`."""
        return self.onsets_by_step.sum(-1)

    @cached_property
    def onsets_by_pitch(self) -> Tensor:
        """Onsets of each pitch: `[phrases, tracks, pitches]`."""
        return self.onset.sum(2)

    @cached_property
    def onsets_by_class(self) -> Tensor:
        """Onsets of each pitch class: `[phrases, tracks, 12]`."""
        return self.onsets_by_pitch @ self.fold

    @cached_property
    def chroma(self) -> Tensor:
        """Notes of each pitch class that sound at each step: `[phrases, tracks, time, 12]`."""
        sounding = (self.rolls[:, ONSET] | self.rolls[:, HOLD]).flatten(2, 3).float()
        return sounding @ self.fold

    @cached_property
    def voices(self) -> Tensor:
        """Notes that sound at each step: `[phrases, tracks, time]`."""
        return self.chroma.sum(-1)

    @cached_property
    def sounding(self) -> Tensor:
        """Whether a track sounds at each step, bool `[phrases, tracks, bars, steps]`."""
        return self.by_bar(self.voices > 0)

    @cached_property
    def held_steps(self) -> Tensor:
        """Steps of holds: `[phrases, tracks]`."""
        return self.hold.sum((2, 3))

    @cached_property
    def shared_onsets(self) -> Tensor:
        """Onsets at the same step, track and pitch of any two bars: `[phrases, bars, bars]`."""
        bars = self.by_bar(self.onset).flatten(3)  # [phrases, tracks, bars, cells]
        return torch.sum(bars @ bars.transpose(2, 3), 1)

    def num_lasting(self, steps: int) -> Tensor:
        """Notes that last so many steps or longer, bar lines or not: `[phrases, tracks]`."""
        lasting, time = self.onset, self.onset.shape[2]
        for later in range(1, min(steps, time + 1)):
            lasting = lasting[:, :, : time - later] * self.hold[:, :, later:]
        return lasting.sum((2, 3))


def chunked_counts(rolls: Tensor, spec: RollSpec) -> Iterator[PhraseCounts]:
    """Counts of the phrases a few at a time, so that any number of them takes the memory of a few.

    Raises `ValueError` when the rolls are not of the spec's shape.
    """
    cells = spec.num_tracks * spec.num_steps * spec.num_pitches
    for chunk in torch.split(rolls, max(1, CELLS_AT_ONCE // cells)):
        yield PhraseCounts(chunk, spec)


def tabulate(rolls: Tensor, spec: RollSpec, measure: Callable[[PhraseCounts], dict[str, Tensor]]) -> dict[str, Tensor]:
    """`measure` of all phrases: its columns, each `[phrases, ...]`, chunk after chunk."""
    tables = [measure(counts) for counts in chunked_counts(rolls, spec)]
    return {name: torch.cat([table[name] for table in tables]) for name in tables[0]}


def silence_like(rolls: Tensor, known: Tensor) -> Tensor:
    """Phrases with tracks silenced as often as real phrases do not know them.

    So neither set tells itself from the other by what nobody knows, and whatever is counted, of a track or between
    tracks, is counted over as much music.

    Parameters
    ----------
    rolls
        Phrases that know all tracks, bool or packed `[phrases, *spec.shape]`.
    known
        Which tracks real phrases know, bool `[real phrases, tracks]`; its rows are dealt out evenly.
    """
    return rolls if bool(known.all()) else rolls * deal_known(known, len(rolls))[:, None, :, None, None, None]


def deal_known(known: Tensor, count: int) -> Tensor:
    """Rows of `known` `[real phrases, tracks]` for `count` other phrases, evenly dealt out: `[count, tracks]`."""
    return known[torch.linspace(0, len(known) - 1, count).round().long()]


def evenly_spread(count: int, most: int) -> Tensor:
    """At most `most` of the rows of a table of `count`, evenly spread, int64."""
    if count <= most:
        return torch.arange(count)
    return torch.linspace(0, count - 1, most, dtype=torch.float64).round().long()

"""Baselines that figures are read against: tracks shuffled between songs, and random notes of the right density.

Both are made of real phrases and keep something of them, so that a figure that cannot tell them from real music shows
itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gan.rolls import unpack
from gan.seeds import mix_seed
from gan.spec import HOLD, ONSET, RollSpec

ROUNDS = 100
"""Times that `shuffle_tracks` looks for another partner; it needs a few."""
PHRASES_AT_ONCE = 64


def _generator(seed: int, purpose: int) -> torch.Generator:
    return torch.Generator().manual_seed(mix_seed(seed, purpose))


def partners(songs: Tensor, num_tracks: int, seed: int) -> Tensor:
    """Which phrase each track of each phrase comes from, int64 `[phrases, tracks]`, by song numbers `[phrases]`.

    Each column has every phrase once, and a row no song twice, as far as the songs allow: not when one song has more
    than its share of the phrases.
    """
    random = _generator(seed, 1)
    chosen = torch.randperm(len(songs), generator=random).unsqueeze(1)
    for _ in range(1, num_tracks):
        column = torch.randperm(len(songs), generator=random)
        for _ in range(ROUNDS):
            clash = (songs[column].unsqueeze(1) == songs[chosen]).any(1).nonzero().flatten()
            if len(clash) == 0:
                break
            others = torch.randint(len(songs), (len(clash),), generator=random)
            places = torch.unique(torch.cat([clash, others]))
            column[places] = column[places[torch.randperm(len(places), generator=random)]]
        chosen = torch.cat([chosen, column.unsqueeze(1)], dim=1)
    return chosen


def shuffle_tracks(rolls: Tensor, songs: Tensor, seed: int) -> Tensor:
    """Phrases whose tracks come from different songs, as `partners` has it, of the same form as `rolls`.

    Every track of every phrase is used once, so figures of single tracks have the very same values.

    Parameters
    ----------
    rolls
        `[phrases, 2, tracks, ...]`, bool or packed.
    songs
        The number of each phrase's song, int64 `[phrases]`.
    seed
        Decides who meets whom.
    """
    chosen = partners(songs, rolls.shape[2], seed)
    return torch.stack([rolls[column, :, track] for track, column in enumerate(chosen.T)], dim=2)


def _lengths(rolls: Tensor) -> Tensor:
    """Steps from each onset to the end of its note, int16 `[phrases, tracks, time, pitches]`; 0 where there is none."""
    onset, hold = (rolls[:, plane].flatten(2, 3) for plane in (ONSET, HOLD))
    length = torch.zeros(onset.shape, dtype=torch.int16)
    run = torch.ones_like(length[:, :, 0])  # what an onset's length would be, given the steps after it
    for step in reversed(range(onset.shape[2])):
        length[:, :, step] = run * onset[:, :, step]
        run = run * hold[:, :, step] + 1
    return length


def _sustain(length: Tensor) -> Tensor:
    """Holds, bool, of notes with lengths `[phrases, tracks, time, pitches]`, each to the next onset of its pitch."""
    hold = torch.zeros(length.shape, dtype=torch.bool)
    left = torch.zeros_like(length[:, :, 0])
    for step in range(length.shape[2]):
        onset = length[:, :, step] > 0
        hold[:, :, step] = (left > 0) & ~onset
        left = torch.where(onset, length[:, :, step], left) - 1
    return hold


@dataclass(frozen=True)
class _Usage:
    """How the phrases of a set use one track."""

    low: int
    """The lowest pitch with an onset, as a place in the roll."""
    high: int
    """The place after the highest."""
    density: float
    """Share of the cells between them that have an onset."""
    lengths: Tensor
    """Steps of every note of the set, `[notes]`."""


def _usages(rolls: Tensor, spec: RollSpec) -> list[_Usage]:
    pools, used = [], torch.zeros(spec.num_tracks, spec.num_pitches, dtype=torch.bool)
    for chunk in torch.split(rolls, PHRASES_AT_ONCE):
        length = _lengths(unpack(chunk, spec))
        onset = length > 0
        used |= onset.any(2).any(0)
        pools.append([length[:, track][onset[:, track]] for track in range(spec.num_tracks)])
    usages = []
    for track in range(spec.num_tracks):
        pitches = used[track].nonzero().flatten().tolist()
        low, high = (pitches[0], pitches[-1] + 1) if pitches else (0, 0)
        lengths = torch.cat([pool[track] for pool in pools])
        usages.append(_Usage(low, high, len(lengths) / max(1, len(rolls) * spec.num_steps * (high - low)), lengths))
    return usages


def random_notes(rolls: Tensor, spec: RollSpec, seed: int) -> Tensor:
    """Notes at random with the right density: as many phrases as `rolls`, bool `[phrases, *spec.shape]`.

    Each track begins notes at any step and any pitch between the lowest and the highest that it has in `rolls` with the
    same chance, so that on the whole it has as many notes as there. Lengths are drawn from all notes of the track; a
    note ends early where the same pitch begins again, and at the end of the phrase.
    """
    random = _generator(seed, 2)
    usages = _usages(rolls, spec)
    made = torch.zeros((len(rolls), *spec.shape), dtype=torch.bool)
    for start in range(0, len(rolls), PHRASES_AT_ONCE):
        chunk = made[start : start + PHRASES_AT_ONCE]
        length = torch.zeros((len(chunk), spec.num_tracks, spec.num_steps, spec.num_pitches), dtype=torch.int16)
        for track, usage in enumerate(usages):
            if len(usage.lengths) == 0:
                continue
            onset = torch.rand((len(chunk), spec.num_steps, usage.high - usage.low), generator=random) < usage.density
            drawn = torch.randint(len(usage.lengths), (int(onset.sum()),), generator=random)
            length[:, track, :, usage.low : usage.high][onset] = usage.lengths[drawn]
        for plane, cells in ((ONSET, length > 0), (HOLD, _sustain(length))):
            chunk[:, plane] = cells.view(len(chunk), *spec.shape[1:])
    return made

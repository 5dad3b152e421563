"""What a given track and the tracks that accompany it have to do with one another: numbers of each pair.

All of them stay the same when both are transposed together. A pair need not be of one phrase: any given track can be
held against any accompaniment, which is how it is seen whether they depend on one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gan.metrics.counts import Tally, tallies
from gan.metrics.musegan import centroids
from gan.spec import RollSpec

PAIRS_AT_ONCE = 256
ROUNDS = 100
"""Times that `strangers` draws again; it needs a few."""
SILENT = -1
"""Stands for the lowest pitch where a track is silent."""


@dataclass(frozen=True)
class Parts:
    """The tracks of some phrases, as far as harmony and rhythm go.

    Attributes
    ----------
    sounding, struck
        Notes of each pitch class that sound, and that begin, at each step: uint8 `[phrases, tracks, time, 12]`.
    lowest
        The lowest sounding pitch above the roll's lowest, int16 `[phrases, tracks, time]`; `SILENT` in rests.
    """

    sounding: Tensor
    struck: Tensor
    lowest: Tensor
    spec: RollSpec

    @classmethod
    def of(cls, rolls: Tensor, spec: RollSpec) -> Parts:
        """Those of rolls, bool or packed `[phrases, *spec.shape]`."""
        sounding, struck, lowest = zip(*map(_parts, tallies(rolls, spec)), strict=True)
        return cls(torch.cat(sounding), torch.cat(struck), torch.cat(lowest), spec)

    def __len__(self) -> int:
        return len(self.sounding)

    def __getitem__(self, rows: Tensor) -> Parts:
        """Some of the phrases."""
        return Parts(self.sounding[rows], self.struck[rows], self.lowest[rows], self.spec)

    @property
    def plays(self) -> Tensor:
        """Whether a track begins any note, bool `[phrases, tracks]`."""
        return self.struck.flatten(2).ne(0).any(-1)


def _parts(tally: Tally) -> tuple[Tensor, Tensor, Tensor]:
    heard = (tally.onset + tally.hold) > 0  # [phrases, tracks, time, pitches]
    lowest = torch.where(heard.any(-1), heard.int().argmax(-1), SILENT)
    return tally.chroma.to(torch.uint8), (tally.onset @ tally.fold).to(torch.uint8), lowest.to(torch.int16)


def draw_tracks(plays: Tensor, spec: RollSpec, generator: torch.Generator) -> Tensor:
    """Which track of each phrase is given: a pitched one that plays, beside which another plays; int64 `[phrases]`.

    Each such track of a phrase is as likely. -1 where there is none; of a spec without pitched tracks drums are given.

    `plays` says whether a track does, bool `[phrases, tracks]`.
    """
    chosen = plays.float()
    if spec.pitched:
        chosen = chosen * torch.tensor([float(not track.is_drum) for track in spec.tracks])
    chosen = chosen * (plays.sum(1, keepdim=True) > 1)
    there = chosen.sum(1) > 0
    tracks = torch.full((len(plays),), -1)
    if there.any():
        tracks[there] = torch.multinomial(chosen[there], 1, generator=generator)[:, 0]
    return tracks


def strangers(plays: Tensor, songs: Tensor, tracks: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Phrases of other songs in which the same track plays, int64 `[phrases, count]`; -1 where none was found.

    `plays` says whether a track does, bool `[phrases, tracks]`; `songs` are the numbers of the phrases' songs and
    `tracks` their given tracks, int64 `[phrases]`.
    """
    drawn = torch.full((len(songs), count), -1)
    for _ in range(ROUNDS):
        fresh = torch.randint(len(songs), drawn.shape, generator=generator)
        fits = (songs[fresh] != songs.unsqueeze(1)) & plays[fresh, tracks.unsqueeze(1)]
        drawn = torch.where((drawn < 0) & fits, fresh, drawn)
        if (drawn >= 0).all():
            break
    return drawn


@dataclass(frozen=True)
class Pairs:
    """Given tracks and what accompanies them, as float.

    Attributes
    ----------
    given, given_struck, rest, rest_struck, bass
        Pitch classes that sound or begin, 0 or 1, `[pairs, time, 12]`; the rest is that of all pitched tracks but the
        given one, the bass its lowest note.
    beats
        Whether the given track begins notes, 0 or 1, `[pairs, time]`.
    streams
        Whether others begin notes: each track (none in the place of the given one), and all pitched ones, 0 or 1,
        `[pairs, tracks + 1, time]`.
    """

    given: Tensor
    given_struck: Tensor
    rest: Tensor
    rest_struck: Tensor
    bass: Tensor
    beats: Tensor
    streams: Tensor
    spec: RollSpec

    @classmethod
    def of(cls, given: Parts, rest: Parts, tracks: Tensor) -> Pairs:
        """Track `tracks[n]` of phrase n of `given`, and the other tracks of phrase n of `rest`."""
        spec, rows = given.spec, torch.arange(len(tracks))
        others = torch.ones(len(tracks), spec.num_tracks, dtype=torch.bool)
        others[rows, tracks] = False
        pitched = torch.tensor([not track.is_drum for track in spec.tracks])
        heard = (others & pitched).view(*others.shape, 1, 1)
        struck = rest.struck.ne(0).any(-1) & others.unsqueeze(-1)  # [pairs, tracks, time]
        lowest = torch.where((rest.lowest == SILENT) | ~heard.squeeze(-1), spec.num_pitches, rest.lowest).amin(1)
        bass = torch.nn.functional.one_hot((lowest.long() + spec.lowest_pitch) % 12, 12)
        return cls(
            given=(given.sounding[rows, tracks] > 0).float(),
            given_struck=(given.struck[rows, tracks] > 0).float(),
            rest=(rest.sounding.bool() & heard).any(1).float(),
            rest_struck=(rest.struck.bool() & heard).any(1).float(),
            bass=(bass * (lowest < spec.num_pitches).unsqueeze(-1)).float(),
            beats=given.struck[rows, tracks].ne(0).any(-1).float(),
            streams=torch.cat([struck, (struck & pitched.view(-1, 1)).any(1, keepdim=True)], dim=1).float(),
            spec=spec,
        )


def relations(given: Parts, rest: Parts, tracks: Tensor) -> Tensor:
    """What track `tracks[n]` of phrase n of `given` and the other tracks of phrase n of `rest` have in common.

    Float `[pairs, features]`: the intervals between them at the same time, beside those that their notes make at any
    times; the tonal distance, in the same beat and in any; which of their notes begin together, beside what bars drawn
    anew have; whether the one repeats bars where the other does, in rhythm and in harmony; how much each plays. What a
    pair does not have (phrases of one bar repeat none) is 0.
    """
    rows = torch.split(torch.arange(len(tracks)), PAIRS_AT_ONCE)
    return torch.cat([_relations(Pairs.of(given[some], rest[some], tracks[some])) for some in rows])


def _relations(pairs: Pairs) -> Tensor:
    harmony = [
        _intervals(pairs.given, pairs.rest),
        _intervals(pairs.given_struck, pairs.rest_struck),
        _intervals(pairs.given, pairs.bass),
        _intervals(pairs.given_struck, pairs.rest),
    ]
    return torch.cat([*harmony, _tonal(pairs), _rhythm(pairs), _form(pairs)], dim=1).nan_to_num()


def _shares(counts: Tensor) -> Tensor:
    return counts / counts.sum(-1, keepdim=True).clamp(min=1)


def _intervals(upper: Tensor, lower: Tensor) -> Tensor:
    """Shares of the 12 intervals between two sequences of pitch classes at once, and how far from those at any time.

    `[pairs, time, 12]` each to `[pairs, 24]`.
    """
    classes = torch.arange(12)
    turned = torch.nn.functional.one_hot((classes.unsqueeze(1) - classes) % 12, 12).view(144, 12).float()
    together = upper.transpose(1, 2) @ lower  # [pairs, 12, 12]
    anyhow = upper.sum(1).unsqueeze(2) * lower.sum(1).unsqueeze(1)
    at_once, by_chance = (_shares(counts.flatten(1) @ turned) for counts in (together, anyhow))
    return torch.cat([at_once, at_once - by_chance], dim=1)


def _by_beat(steps: Tensor, spec: RollSpec) -> Tensor:
    """`[pairs, time, 12]` summed to `[pairs, beats, 12]`."""
    return steps.view(len(steps), -1, spec.steps_per_beat, 12).sum(2)


def _tonal(pairs: Pairs) -> Tensor:
    """Distance of the tonal centroids in the same beat and in any two beats, `[pairs, 2]`; NaN where one is silent."""
    given, rest = (centroids(_by_beat(steps, pairs.spec)) for steps in (pairs.given, pairs.rest))
    apart = torch.cdist(given.nan_to_num(), rest.nan_to_num())  # [pairs, beats, beats]
    both = ~given.isnan().any(-1).unsqueeze(2) & ~rest.isnan().any(-1).unsqueeze(1)
    apart = torch.where(both, apart, torch.nan)
    same = apart.diagonal(dim1=1, dim2=2).nanmean(1)
    return torch.stack([same, apart.nanmean((1, 2))], dim=1)


def _rhythm(pairs: Pairs) -> Tensor:
    """Of each stream: onsets shared with the given track, by bars as they are and drawn anew, and how many there are.

    `[pairs, streams * 6]`.
    """
    given, others = pairs.beats.unsqueeze(1), pairs.streams
    mine, theirs = given.sum(-1), others.sum(-1)  # [pairs, 1], [pairs, streams]
    both = (given * others).sum(-1)
    by_place = [x.view(*x.shape[:2], pairs.spec.bars, -1).sum(2) for x in (given, others)]
    anew = (by_place[0] * by_place[1]).sum(-1) / pairs.spec.bars
    size = (mine * theirs).clamp(min=1).sqrt()
    columns = [both / mine.clamp(min=1), both / theirs.clamp(min=1), both / size, (both - anew) / size]
    return torch.stack([*columns, theirs.log1p(), mine.log1p().expand_as(theirs)], dim=-1).flatten(1)


def _form(pairs: Pairs) -> Tensor:
    """Whether bars that are alike in the given track are alike in the others: of each stream, and of harmony.

    `[pairs, (streams + 1) * 3]`: mean likeness of two bars of each, and the covariance of the two.
    """
    bars = pairs.spec.bars
    rhythm = torch.cat([pairs.beats.unsqueeze(1), pairs.streams], dim=1)  # [pairs, 1 + streams, time]
    harmony = torch.stack([_by_beat(steps, pairs.spec) for steps in (pairs.given, pairs.rest)], dim=1)
    columns = []
    for each in (rhythm, harmony):
        likeness = _likeness(each.reshape(*each.shape[:2], bars, -1))  # [pairs, 1 + others, pairs of bars]
        mine, theirs = likeness[:, :1], likeness[:, 1:]
        varied = [x - x.mean(-1, keepdim=True) for x in (mine, theirs)]
        columns += [mine.mean(-1), theirs.mean(-1), (varied[0] * varied[1]).mean(-1)]
    return torch.cat(columns, dim=1)


def _likeness(bars: Tensor) -> Tensor:
    """Cosine of any two bars, `[..., bars, size]` to `[..., pairs of bars]`."""
    unit = torch.nn.functional.normalize(bars, dim=-1)
    first, second = torch.triu_indices(bars.shape[-2], bars.shape[-2], offset=1)
    found: Tensor = (unit @ unit.transpose(-1, -2))[..., first, second]
    return found

"""How far an accompaniment depends on the track that it was generated for, beside tracks of other songs.

Each figure is of one phrase with one given track. The negatives are the same track of phrases of other songs, held
against the same accompaniment; where music depends on nothing, they fit as well as the right one. A classifier (the
matcher) learns from real phrases which given track belongs to an accompaniment, from what the two have in common; all
that it sees stays the same when both are transposed together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gan.metrics.classifier_training import BATCH, MAX_TRAINING, FigureClassifier, train_classifier
from gan.metrics.counts import PhraseCounts, chunked_counts, evenly_spread
from gan.metrics.musegan import centroids
from gan.seeds import mix_seed
from gan.spec import RollSpec

NUM_NEGATIVES = 3
"""Given tracks of other songs for each right one that the matcher learns from."""
EPOCHS = 20
PAIRS_AT_ONCE = 256
ROUNDS = 100
"""Times that `draw_negatives` draws again; it needs a few."""
SILENT = -1
"""Stands for the lowest pitch where a track is silent."""


@dataclass(frozen=True)
class TrackContent:
    """The tracks of some phrases, as far as harmony and rhythm go.

    Attributes
    ----------
    sounding, onsets
        Notes of each pitch class that sound, and that begin, at each step: uint8 `[phrases, tracks, time, 12]`.
    lowest
        The lowest sounding pitch above the roll's lowest, int16 `[phrases, tracks, time]`; `SILENT` in rests.
    """

    sounding: Tensor
    onsets: Tensor
    lowest: Tensor
    spec: RollSpec

    @classmethod
    def of(cls, rolls: Tensor, spec: RollSpec) -> TrackContent:
        """That of rolls, bool or packed `[phrases, *spec.shape]`."""
        sounding, onsets, lowest = zip(*map(_track_content, chunked_counts(rolls, spec)), strict=True)
        return cls(torch.cat(sounding), torch.cat(onsets), torch.cat(lowest), spec)

    def __len__(self) -> int:
        return len(self.sounding)

    def __getitem__(self, rows: Tensor) -> TrackContent:
        """Some of the phrases."""
        return TrackContent(self.sounding[rows], self.onsets[rows], self.lowest[rows], self.spec)

    @property
    def plays(self) -> Tensor:
        """Whether a track begins any note, bool `[phrases, tracks]`."""
        return self.onsets.flatten(2).ne(0).any(-1)


def _track_content(counts: PhraseCounts) -> tuple[Tensor, Tensor, Tensor]:
    sounding = (counts.onset + counts.hold) > 0  # [phrases, tracks, time, pitches]
    lowest = torch.where(sounding.any(-1), sounding.int().argmax(-1), SILENT)
    return counts.chroma.to(torch.uint8), (counts.onset @ counts.fold).to(torch.uint8), lowest.to(torch.int16)


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


def draw_negatives(plays: Tensor, songs: Tensor, tracks: Tensor, count: int, generator: torch.Generator) -> Tensor:
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
class _TrackPairs:
    """Given tracks and what accompanies them, as float.

    Attributes
    ----------
    given, given_onsets, others, others_onsets, bass
        Pitch classes that sound or begin, 0 or 1, `[pairs, time, 12]`; the others are all pitched tracks but the given
        one, the bass is their lowest note.
    given_rhythm
        Whether the given track begins notes, 0 or 1, `[pairs, time]`.
    rhythms
        Whether others begin notes: each track (none in the place of the given one), and all pitched ones, 0 or 1,
        `[pairs, tracks + 1, time]`.
    """

    given: Tensor
    given_onsets: Tensor
    others: Tensor
    others_onsets: Tensor
    bass: Tensor
    given_rhythm: Tensor
    rhythms: Tensor
    spec: RollSpec

    @classmethod
    def of(cls, given: TrackContent, accompaniment: TrackContent, tracks: Tensor) -> _TrackPairs:
        """Track `tracks[n]` of phrase n of `given`, and the other tracks of phrase n of `accompaniment`."""
        spec, rows = given.spec, torch.arange(len(tracks))
        others = torch.ones(len(tracks), spec.num_tracks, dtype=torch.bool)
        others[rows, tracks] = False
        pitched = torch.tensor([not track.is_drum for track in spec.tracks])
        chosen = (others & pitched).view(*others.shape, 1, 1)
        rhythms = accompaniment.onsets.ne(0).any(-1) & others.unsqueeze(-1)  # [pairs, tracks, time]
        silent = (accompaniment.lowest == SILENT) | ~chosen.squeeze(-1)
        lowest = torch.where(silent, spec.num_pitches, accompaniment.lowest).amin(1)
        bass = F.one_hot((lowest.long() + spec.lowest_pitch) % 12, 12)
        return cls(
            given=(given.sounding[rows, tracks] > 0).float(),
            given_onsets=(given.onsets[rows, tracks] > 0).float(),
            others=(accompaniment.sounding.bool() & chosen).any(1).float(),
            others_onsets=(accompaniment.onsets.bool() & chosen).any(1).float(),
            bass=(bass * (lowest < spec.num_pitches).unsqueeze(-1)).float(),
            given_rhythm=given.onsets[rows, tracks].ne(0).any(-1).float(),
            rhythms=torch.cat([rhythms, (rhythms & pitched.view(-1, 1)).any(1, keepdim=True)], dim=1).float(),
            spec=spec,
        )


def pair_features(given: TrackContent, accompaniment: TrackContent, tracks: Tensor) -> Tensor:
    """What track `tracks[n]` of phrase n of `given` and the other tracks of phrase n of `accompaniment` have in common.

    Float `[pairs, features]`: the intervals between them at the same time, beside those that their notes make at any
    times; the tonal distance, in the same beat and in any; which of their notes begin together, beside what bars drawn
    anew have; whether the one repeats bars where the other does, in rhythm and in harmony; how much each plays. What a
    pair does not have (phrases of one bar repeat none) is 0. A pair need not be of one phrase.
    """
    rows = torch.split(torch.arange(len(tracks)), PAIRS_AT_ONCE)
    return torch.cat([_pair_features(_TrackPairs.of(given[r], accompaniment[r], tracks[r])) for r in rows])


def _pair_features(pairs: _TrackPairs) -> Tensor:
    harmony = [
        _intervals(pairs.given, pairs.others),
        _intervals(pairs.given_onsets, pairs.others_onsets),
        _intervals(pairs.given, pairs.bass),
        _intervals(pairs.given_onsets, pairs.others),
    ]
    return torch.cat([*harmony, _tonal(pairs), _rhythm(pairs), _repetition(pairs)], dim=1).nan_to_num()


def _shares(counts: Tensor) -> Tensor:
    return counts / counts.sum(-1, keepdim=True).clamp(min=1)


def _intervals(upper: Tensor, lower: Tensor) -> Tensor:
    """Shares of the 12 intervals between two sequences of pitch classes at once, and how far from those at any time.

    `[pairs, time, 12]` each to `[pairs, 24]`.
    """
    classes = torch.arange(12)
    to_interval = F.one_hot((classes.unsqueeze(1) - classes) % 12, 12).view(144, 12).float()
    together = upper.transpose(1, 2) @ lower  # [pairs, 12, 12]
    anyhow = upper.sum(1).unsqueeze(2) * lower.sum(1).unsqueeze(1)
    at_once, by_chance = (_shares(counts.flatten(1) @ to_interval) for counts in (together, anyhow))
    return torch.cat([at_once, at_once - by_chance], dim=1)


def _by_beat(steps: Tensor, spec: RollSpec) -> Tensor:
    """`[..., time, 12]` summed to `[..., beats, 12]`."""
    return steps.reshape(*steps.shape[:-2], -1, spec.steps_per_beat, 12).sum(-2)


def _tonal(pairs: _TrackPairs) -> Tensor:
    """Distance of the tonal centroids in the same beat and in any two beats, `[pairs, 2]`; NaN where one is silent."""
    given, others = (centroids(_by_beat(steps, pairs.spec)) for steps in (pairs.given, pairs.others))
    distance = torch.cdist(given.nan_to_num(), others.nan_to_num())  # [pairs, beats, beats]
    both = ~given.isnan().any(-1).unsqueeze(2) & ~others.isnan().any(-1).unsqueeze(1)
    distance = torch.where(both, distance, torch.nan)
    same = distance.diagonal(dim1=1, dim2=2).nanmean(1)
    return torch.stack([same, distance.nanmean((1, 2))], dim=1)


def _rhythm(pairs: _TrackPairs) -> Tensor:
    """Of each rhythm: onsets shared with the given track, by bars as they are and drawn anew, and how many there are.

    `[pairs, rhythms * 6]`.
    """
    given, others = pairs.given_rhythm.unsqueeze(1), pairs.rhythms
    num_given, num_others = given.sum(-1), others.sum(-1)  # [pairs, 1], [pairs, rhythms]
    both = (given * others).sum(-1)
    by_place = [x.view(*x.shape[:2], pairs.spec.bars, -1).sum(2) for x in (given, others)]
    anew = (by_place[0] * by_place[1]).sum(-1) / pairs.spec.bars
    size = (num_given * num_others).clamp(min=1).sqrt()
    shares = [both / num_given.clamp(min=1), both / num_others.clamp(min=1), both / size, (both - anew) / size]
    sizes = [num_others.log1p(), num_given.log1p().expand_as(num_others)]
    return torch.stack([*shares, *sizes], dim=-1).flatten(1)


def _repetition(pairs: _TrackPairs) -> Tensor:
    """Whether bars that are alike in the given track are alike in the others: of each rhythm, and of harmony.

    `[pairs, (rhythms + 1) * 3]`: mean similarity of two bars of each, and the covariance of the two.
    """
    bars = pairs.spec.bars
    rhythm = torch.cat([pairs.given_rhythm.unsqueeze(1), pairs.rhythms], dim=1)  # [pairs, 1 + rhythms, time]
    harmony = torch.stack([_by_beat(steps, pairs.spec) for steps in (pairs.given, pairs.others)], dim=1)
    columns = []
    for each in (rhythm, harmony):
        similarity = _bar_similarity(each.reshape(*each.shape[:2], bars, -1))  # [pairs, 1 + others, pairs of bars]
        given, others = similarity[:, :1], similarity[:, 1:]
        covariance = ((given - given.mean(-1, keepdim=True)) * (others - others.mean(-1, keepdim=True))).mean(-1)
        columns += [given.mean(-1), others.mean(-1), covariance]
    return torch.cat(columns, dim=1)


def _bar_similarity(bars: Tensor) -> Tensor:
    """Cosine of any two bars, `[..., bars, size]` to `[..., pairs of bars]`."""
    unit = F.normalize(bars, dim=-1)
    first, second = torch.triu_indices(bars.shape[-2], bars.shape[-2], offset=1)
    found: Tensor = (unit @ unit.transpose(-1, -2))[..., first, second]
    return found


class AccompanimentMatcher(FigureClassifier):
    """A score of each pair of a given track and an accompaniment, higher where they belong together."""

    @torch.no_grad()
    def scores(self, given: TrackContent, accompaniment: TrackContent, tracks: Tensor) -> Tensor:
        """How well track `tracks[n]` of phrase n of `given` fits phrase n of `accompaniment` without it, `[pairs]`."""
        found: Tensor = self(pair_features(given, accompaniment, tracks)).squeeze(-1)
        return found


def train_matcher(rolls: Tensor, songs: Tensor, spec: RollSpec, seed: int = 0) -> AccompanimentMatcher:
    """A classifier that learnt from real phrases, each right pair among `NUM_NEGATIVES` wrong ones.

    Parameters
    ----------
    rolls
        Training phrases, bool or packed `[phrases, *spec.shape]`.
    songs
        The number of each phrase's song, int64 `[phrases]`. Raises `ValueError` where no two songs can be paired.
    spec
        The shape of the rolls.
    seed
        Decides the pairs, their order and the first weights.
    """
    random = torch.Generator().manual_seed(mix_seed(seed, 1))
    chosen = evenly_spread(len(rolls), MAX_TRAINING)
    rolls, songs = rolls[chosen], songs[chosen]
    content = TrackContent.of(rolls, spec)
    tracks = draw_tracks(content.plays, spec, random)
    negatives = draw_negatives(content.plays, songs, tracks, NUM_NEGATIVES, random)
    rows = ((tracks >= 0) & (negatives >= 0).all(1)).nonzero().flatten()
    if len(rows) < 2:
        raise ValueError("there are no two songs whose tracks could be exchanged")
    shown = torch.cat([rows.unsqueeze(1), negatives[rows]], dim=1)  # the right one first
    features = torch.stack([pair_features(content[column], content[rows], tracks[rows]) for column in shown.T], dim=1)
    batches = [
        batch for _ in range(EPOCHS) for batch in torch.split(torch.randperm(len(rows), generator=random), BATCH)
    ]
    return train_classifier(
        lambda: AccompanimentMatcher(features.flatten(0, 1), 1),
        lambda matcher, batch: F.cross_entropy(
            matcher(features[batch]).squeeze(-1), torch.zeros(len(batch), dtype=torch.long)
        ),
        batches,
        mix_seed(seed, 2),
    )


def accompaniment_figures(
    given: TrackContent,
    generated: TrackContent,
    tracks: Tensor,
    negatives: Tensor,
    matcher: AccompanimentMatcher,
) -> dict[str, Tensor]:
    """What the accompaniments have to do with their given tracks, each `[phrases]`.

    `matched`: the share of negatives that `matcher` scores below the right given track (0.5 is a toss of a coin).
    `tonal`, `rhythmic`: the distances `tonal_distance_to` and `rhythmic_distance_to` the right given track, mean over
    the other tracks; `tonal_shuffled`, `rhythmic_shuffled`: to a negative; `tonal_nearer`, `rhythmic_nearer`: the
    share of negatives that are further off. Ties count half, and so does an accompaniment without notes.

    Parameters
    ----------
    given, generated
        Phrases that the given tracks are from, and the phrases with what was generated for them; the given track of
        the latter is not read. For real music both are the same.
    tracks
        The given track of each phrase, int64 `[phrases]`.
    negatives
        The negatives of each, rows of `given`, int64 `[phrases, negatives]`; -1 where there is none.
    matcher
        The classifier.
    """
    others = generated.plays.clone()
    others[torch.arange(len(tracks)), tracks] = False
    silent = ~others.any(1)
    measures: dict[str, Callable[[TrackContent], Tensor]] = {
        "matched": lambda one: torch.where(silent, torch.nan, -matcher.scores(one, generated, tracks)),
        "tonal": lambda one: tonal_distance_to(one, generated, tracks).nanmean(1),
        "rhythmic": lambda one: rhythmic_distance_to(one, generated, tracks).nanmean(1),
    }
    found = {}
    for name, measure in measures.items():
        right = measure(given)  # [phrases], less is nearer
        wrong = torch.stack([measure(given[column.clamp(min=0)]) for column in negatives.T], dim=1)
        gap = torch.where(negatives < 0, torch.nan, wrong - right.unsqueeze(1))
        nearer = torch.where(gap.isnan(), torch.nan, 0.5 * (1 + gap.sign())).nanmean(1)
        if name == "matched":
            found[name] = torch.where(silent, 0.5, nearer)
        else:
            shuffled = torch.where(gap.isnan(), torch.nan, wrong).nanmean(1)
            found |= {name: right, f"{name}_shuffled": shuffled, f"{name}_nearer": nearer}
    return found


def tonal_distance_to(given: TrackContent, generated: TrackContent, tracks: Tensor) -> Tensor:
    """Tonal distance (Harte et al. 2006) of each pitched track and the given one, mean over beats in which both sound.

    `[phrases, pitched tracks]`, as `gan.metrics.musegan.tonal_distance` has it; NaN where the two never sound in the
    same beat, and of the given track itself.
    """
    spec, rows = given.spec, torch.arange(len(tracks))
    centres = [
        centroids(_by_beat(sounding.float(), spec))  # [phrases, tracks, beats, 6]
        for sounding in (given.sounding[rows, tracks].unsqueeze(1), generated.sounding[:, list(spec.pitched)])
    ]
    distance: Tensor = torch.linalg.vector_norm(centres[1] - centres[0], dim=-1).nanmean(-1)
    return distance.masked_fill(tracks.unsqueeze(1) == torch.tensor(spec.pitched), torch.nan)


def rhythmic_distance_to(given: TrackContent, generated: TrackContent, tracks: Tensor) -> Tensor:
    """Jaccard distance of rhythms: `1 - steps at which both begin notes / steps at which either does`.

    Of each track and the given one, `[phrases, tracks]`, 0 (the same rhythm) to 1 (never together); NaN where either
    is silent, and of the given track.
    """
    rows = torch.arange(len(tracks))
    of_given = given.onsets[rows, tracks].ne(0).any(-1).unsqueeze(1)  # [phrases, 1, time]
    of_others = generated.onsets.ne(0).any(-1)
    distance = 1 - (of_given & of_others).sum(-1) / (of_given | of_others).sum(-1)
    unknown = ~of_given.any(-1) | ~of_others.any(-1)
    unknown[rows, tracks] = True
    return distance.masked_fill(unknown, torch.nan)


def unisons(given: Tensor, generated: Tensor, tracks: Tensor, spec: RollSpec) -> dict[str, Tensor]:
    """Of the notes of the other pitched tracks, the shares that begin with a note of the given one, each `[phrases]`.

    `unison`: with one of the same pitch; `octave`: with one of the same pitch class, and none of the same pitch. NaN
    where the accompaniment has no notes. An accompaniment that copies what was given follows it best of all, and is
    found out by these.

    Parameters
    ----------
    given, generated
        Rolls, bool or packed `[phrases, *spec.shape]`; as of `accompaniment_figures`.
    tracks
        The given track of each phrase, int64 `[phrases]`.
    spec
        The shape of the rolls.
    """
    shares: dict[str, list[Tensor]] = {"unison": [], "octave": []}
    start = 0
    for counts, given_counts in zip(chunked_counts(generated, spec), chunked_counts(given, spec), strict=True):
        rows = torch.arange(len(counts))
        chosen = tracks[start : start + len(counts)]
        start += len(counts)
        onset = given_counts.onset[rows, chosen].unsqueeze(1)  # [phrases, 1, time, pitches]
        in_class = (onset @ counts.fold > 0).float() @ counts.fold.T
        counted = torch.tensor([float(not track.is_drum) for track in spec.tracks]).expand(len(counts), -1).clone()
        counted[rows, chosen] = 0
        others = counts.onset * counted.view(*counted.shape, 1, 1)
        notes = others.sum((1, 2, 3))
        same_pitch, same_class = (others * onset).sum((1, 2, 3)), (others * in_class).sum((1, 2, 3))
        shares["unison"].append(same_pitch / notes)
        shares["octave"].append((same_class - same_pitch) / notes)
    return {name: torch.cat(chunks) for name, chunks in shares.items()}

"""The features of the headline overlap, and the counts along a line or a chord that they and others are made of.

A feature that a phrase does not have (the mean note length of a silent track) is NaN and left out of distributions.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan.metrics.counts import Tally, tabulate
from gan.spec import RollSpec

MAJOR = (0, 2, 4, 5, 7, 9, 11)
DISSONANT = (1, 2, 6, 10, 11)
"""Intervals in semitones, octaves folded, that are seconds, sevenths or the tritone."""


def scales(device: torch.device | None = None) -> Tensor:
    """`[12, 12]`: whether a pitch class (first axis) is in the major scale on a key (second axis), as float."""
    table = torch.zeros(12, 12, device=device)
    for key in range(12):
        table[[(key + degree) % 12 for degree in MAJOR], key] = 1
    return table


def scale_share(tally: Tally) -> Tensor:
    """Share of the notes of pitched tracks in the best of the 12 major scales, `[phrases]`.

    `max over keys k of sum(notes whose (pitch - k) % 12 is in MAJOR) / notes`; NaN without notes.
    """
    counts = tally.struck_classes[:, list(tally.spec.pitched)].sum(1)  # [phrases, 12]
    return (counts @ scales(counts.device)).max(1).values / counts.sum(1)


def empty_bars(tally: Tally) -> Tensor:
    """Share of bars in which nothing sounds, `[phrases, tracks]`."""
    return 1 - tally.sounds.any(-1).float().mean(-1)


def notes_per_bar(tally: Tally) -> Tensor:
    """Mean number of onsets a bar, `[phrases, tracks]`."""
    return tally.notes / tally.spec.bars


def mean_length(tally: Tally) -> Tensor:
    """Mean note length in steps, `[phrases, tracks]`: `steps of onsets and holds / onsets`; NaN without notes."""
    return torch.where(tally.notes > 0, (tally.notes + tally.held_steps) / tally.notes, torch.nan)


def short_share(tally: Tally) -> Tensor:
    """Share of notes of one step, `[phrases, tracks]`: `onsets that no hold follows / onsets`; NaN without notes."""
    return 1 - tally.at_least(2) / tally.notes


def dissonance(tally: Tally) -> Tensor:
    """Share of dissonant intervals among the pairs of notes that sound at once in two pitched tracks, `[phrases]`.

    Counted once a step; intervals are `DISSONANT`. NaN where no two tracks sound together.
    """
    classes = torch.arange(12, device=tally.chroma.device)
    rough_with = torch.isin((classes[:, None] - classes) % 12, classes.new_tensor(DISSONANT)).float()
    total, rough = tally.chroma.new_zeros(len(tally)), tally.chroma.new_zeros(len(tally))
    for first, second in tally.pairs:
        rough += (tally.chroma[:, first] @ rough_with * tally.chroma[:, second]).sum((1, 2))
        total += (tally.voices[:, first] * tally.voices[:, second]).sum(1)
    return rough / total


def stepwise_share(tally: Tally) -> Tensor:
    """Of the moves from one note to a different one in a line, the share by one or two semitones, `[phrases, tracks]`.

    The line of a track is its highest onset at each step. NaN where a track never moves, and of drums.
    """
    pitched = list(tally.spec.pitched)
    onset = tally.onset[:, pitched]  # [phrases, pitched, time, pitches]
    top = (onset * torch.arange(1, onset.shape[-1] + 1, device=onset.device)).amax(-1)  # 0: no onset
    time = torch.arange(top.shape[2], device=onset.device)
    latest = torch.where(top > 0, time, 0).cummax(2).values
    line = top.gather(2, latest)  # the note struck last
    move = (line[..., 1:] - line[..., :-1]).abs() * (line[..., :-1] > 0)
    share = torch.full_like(tally.notes, torch.nan)
    share[:, pitched] = ((move >= 1) & (move <= 2)).sum(2) / (move >= 1).sum(2)
    return share


def features_of(tally: Tally) -> dict[str, Tensor]:
    """`features` of the phrases of a tally."""
    spec = tally.spec
    columns = {
        "onsets": tally.notes,
        "length": mean_length(tally),
        "pitches": (tally.struck_classes > 0).sum(-1).float(),
        "empty": empty_bars(tally),
        "voices": tally.voices.sum(-1) / tally.sounds.sum((2, 3)),
        "short": short_share(tally),
    }
    drums = columns | {"pitches": (tally.struck_pitches > 0).sum(-1).float()}
    del drums["short"]
    named: dict[str, Tensor] = {}
    for index, track in enumerate(spec.tracks):
        named |= {f"{track.name} {name}": c[:, index] for name, c in (drums if track.is_drum else columns).items()}
    if spec.pitched:
        named["scale"] = scale_share(tally)
    struck = tally.by_bar(tally.struck > 0).float().mean((1, 2))  # [phrases, steps]
    for place in range(min(16, spec.steps_per_bar)):
        named[f"position {place}"] = struck[:, place * spec.steps_per_bar // 16 if spec.steps_per_bar >= 16 else place]
    return named


def features(rolls: Tensor, spec: RollSpec) -> dict[str, Tensor]:
    """The features of the headline overlap of rolls, bool or packed `[phrases, *spec.shape]`: each `[phrases]`.

    For each track `onsets`, `length` (mean, steps), `pitches` (pitch classes used; drums: pitches), `empty` (share of
    bars), `voices` (mean notes sounding together where any sounds), `short` (share of notes of one step; not drums).
    For the phrase `scale`, and `position 0` to `position 15`: of all bars of all tracks, the share with an onset at
    this place. With another number of steps a bar, positions are sixteenths of a bar.
    """
    return tabulate(rolls, spec, features_of)


def groove_consistency(tally: Tally) -> Tensor:
    """How alike the rhythms of one bar and the next are, mean over neighbouring bars, `[phrases]`.

    `1 - share of steps at which one bar has an onset, in any track, and the other none` (Wu and Yang 2020, as Dong et
    al. 2023 measure it). It rises with the number of steps a beat, since most steps are empty. NaN of one bar, or
    where nothing is struck.
    """
    struck = tally.by_bar(tally.struck).sum(1) > 0  # [phrases, bars, steps]
    alike = (struck[:, 1:] == struck[:, :-1]).float().mean((1, 2))
    return torch.where(struck.any(2).any(1), alike, torch.nan)


def pitch_class_entropy(tally: Tally) -> Tensor:
    """Entropy of the pitch classes of the pitched tracks' notes in bits, 0 to log2(12) = 3.58, `[phrases]`.

    NaN without notes.
    """
    counts = tally.struck_classes[:, list(tally.spec.pitched)].sum(1)
    shares = counts / counts.sum(1, keepdim=True)
    return torch.sum(torch.special.entr(shares), 1) / math.log(2)


def _likeness(tally: Tally) -> Tensor:
    """`onsets at the same step, track and pitch / onsets in either` of any two bars, `[phrases, bars, bars]`."""
    shared = tally.shared_notes
    sizes = torch.diagonal(shared, dim1=1, dim2=2)
    likeness: Tensor = shared / (sizes.unsqueeze(1) + sizes.unsqueeze(2) - shared)
    return likeness


def repetition_next(tally: Tally) -> Tensor:
    """How many notes a bar shares with the next (Jaccard), mean over neighbouring bars, `[phrases]`.

    Pairs of silent bars are left out; NaN where no pair is left.
    """
    return _likeness(tally).diagonal(offset=1, dim1=1, dim2=2).nanmean(1)


def repetition_any(tally: Tally) -> Tensor:
    """How many notes two bars share (Jaccard), mean over any two bars, `[phrases]`; NaN as in `repetition_next`."""
    first, second = torch.triu_indices(tally.spec.bars, tally.spec.bars, offset=1)
    return _likeness(tally)[:, first, second].nanmean(1)


def consonance(tally: Tally) -> Tensor:
    """Share of the intervals between pitched tracks that are not dissonant, `[phrases]`: `1 - dissonance`."""
    return 1 - dissonance(tally)


def length_in_beats(tally: Tally) -> Tensor:
    """Mean note length in beats, `[phrases, tracks]`; NaN without notes."""
    return mean_length(tally) / tally.spec.steps_per_beat

"""Statistics of symbolic music, of each phrase: density, note lengths, scale, groove, entropy, repetition, consonance.

`features` are those of which the headline overlap is the mean. What a phrase does not have (the mean note length of a
silent track) is NaN and left out of distributions.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan.metrics.counts import PhraseCounts, tabulate
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


def scale_share(counts: PhraseCounts) -> Tensor:
    """Share of the notes of pitched tracks in the best of the 12 major scales, `[phrases]`.

    `max over keys k of sum(notes whose (pitch - k) % 12 is in MAJOR) / notes`; NaN without notes.
    """
    classes = counts.onsets_by_class[:, list(counts.spec.pitched)].sum(1)  # [phrases, 12]
    return (classes @ scales(classes.device)).max(1).values / classes.sum(1)


def empty_bars(counts: PhraseCounts) -> Tensor:
    """Share of bars in which nothing sounds, `[phrases, tracks]`."""
    return 1 - counts.sounding.any(-1).float().mean(-1)


def notes_per_bar(counts: PhraseCounts) -> Tensor:
    """Mean number of onsets a bar, `[phrases, tracks]`."""
    return counts.num_notes / counts.spec.bars


def mean_length(counts: PhraseCounts) -> Tensor:
    """Mean note length in steps, `[phrases, tracks]`: `steps of onsets and holds / onsets`; NaN without notes."""
    return torch.where(counts.num_notes > 0, (counts.num_notes + counts.held_steps) / counts.num_notes, torch.nan)


def short_share(counts: PhraseCounts) -> Tensor:
    """Share of notes of one step, `[phrases, tracks]`: `onsets that no hold follows / onsets`; NaN without notes."""
    return 1 - counts.num_lasting(2) / counts.num_notes


def dissonance(counts: PhraseCounts) -> Tensor:
    """Share of dissonant intervals among the pairs of notes that sound at once in two pitched tracks, `[phrases]`.

    Counted once a step; intervals are `DISSONANT`. NaN where no two tracks sound together.
    """
    classes = torch.arange(12, device=counts.chroma.device)
    dissonant_with = torch.isin((classes[:, None] - classes) % 12, classes.new_tensor(DISSONANT)).float()
    total, dissonant = counts.chroma.new_zeros(len(counts)), counts.chroma.new_zeros(len(counts))
    for first, second in counts.pairs:
        dissonant += (counts.chroma[:, first] @ dissonant_with * counts.chroma[:, second]).sum((1, 2))
        total += (counts.voices[:, first] * counts.voices[:, second]).sum(1)
    return dissonant / total


def stepwise_share(counts: PhraseCounts) -> Tensor:
    """Of the moves from one note to a different one in a line, the share by one or two semitones, `[phrases, tracks]`.

    The line of a track is its highest onset at each step. NaN where a track never moves, and of drums.
    """
    pitched = list(counts.spec.pitched)
    onset = counts.onset[:, pitched]  # [phrases, pitched, time, pitches]
    top = (onset * torch.arange(1, onset.shape[-1] + 1, device=onset.device)).amax(-1)  # 0: no onset
    time = torch.arange(top.shape[2], device=onset.device)
    latest = torch.where(top > 0, time, 0).cummax(2).values
    line = top.gather(2, latest)  # the latest onset
    move = (line[..., 1:] - line[..., :-1]).abs() * (line[..., :-1] > 0)
    share = torch.full_like(counts.num_notes, torch.nan)
    share[:, pitched] = ((move >= 1) & (move <= 2)).sum(2) / (move >= 1).sum(2)
    return share


def features_of(counts: PhraseCounts) -> dict[str, Tensor]:
    """`features` of the phrases that were counted."""
    spec = counts.spec
    columns = {
        "onsets": counts.num_notes,
        "length": mean_length(counts),
        "pitches": (counts.onsets_by_class > 0).sum(-1).float(),
        "empty": empty_bars(counts),
        "voices": counts.voices.sum(-1) / counts.sounding.sum((2, 3)),
        "short": short_share(counts),
    }
    drums = columns | {"pitches": (counts.onsets_by_pitch > 0).sum(-1).float()}
    del drums["short"]
    named: dict[str, Tensor] = {}
    for index, track in enumerate(spec.tracks):
        named |= {f"{track.name} {name}": c[:, index] for name, c in (drums if track.is_drum else columns).items()}
    if spec.pitched:
        named["scale"] = scale_share(counts)
    onsets = counts.by_bar(counts.onsets_by_step > 0).float().mean((1, 2))  # [phrases, steps]
    for place in range(min(16, spec.steps_per_bar)):
        named[f"position {place}"] = onsets[:, place * spec.steps_per_bar // 16 if spec.steps_per_bar >= 16 else place]
    return named


def features(rolls: Tensor, spec: RollSpec) -> dict[str, Tensor]:
    """The features of the headline overlap of rolls, bool or packed `[phrases, *spec.shape]`: each `[phrases]`.

    For each track `onsets`, `length` (mean, steps), `pitches` (pitch classes used; drums: pitches), `empty` (share of
    bars), `voices` (mean notes sounding together where any sounds), `short` (share of notes of one step; not drums).
    For the phrase `scale`, and `position 0` to `position 15`: of all bars of all tracks, the share with an onset at
    this place. With another number of steps a bar, positions are sixteenths of a bar.
    """
    return tabulate(rolls, spec, features_of)


def groove_consistency(counts: PhraseCounts) -> Tensor:
    """Groove consistency (Wu and Yang 2020): how alike the rhythms of neighbouring bars are, mean, `[phrases]`.

    `1 - share of steps at which one bar has an onset, in any track, and the other none`, as Dong et al. 2023 measure
    it. It rises with the number of steps a beat, since most steps are empty. NaN of one bar, or
    where no note begins.
    """
    onsets = counts.by_bar(counts.onsets_by_step).sum(1) > 0  # [phrases, bars, steps]
    alike = (onsets[:, 1:] == onsets[:, :-1]).float().mean((1, 2))
    return torch.where(onsets.any(2).any(1), alike, torch.nan)


def pitch_class_entropy(counts: PhraseCounts) -> Tensor:
    """Entropy of the pitch classes of the pitched tracks' notes in bits, 0 to log2(12) = 3.58, `[phrases]`.

    NaN without notes.
    """
    classes = counts.onsets_by_class[:, list(counts.spec.pitched)].sum(1)
    shares = classes / classes.sum(1, keepdim=True)
    return torch.sum(torch.special.entr(shares), 1) / math.log(2)


def _bar_similarity(counts: PhraseCounts) -> Tensor:
    """`onsets at the same step, track and pitch / onsets in either` of any two bars, `[phrases, bars, bars]`."""
    shared = counts.shared_onsets
    sizes = torch.diagonal(shared, dim1=1, dim2=2)
    similarity: Tensor = shared / (sizes.unsqueeze(1) + sizes.unsqueeze(2) - shared)
    return similarity


def repetition_next(counts: PhraseCounts) -> Tensor:
    """How many notes a bar shares with the next (Jaccard), mean over neighbouring bars, `[phrases]`.

    Pairs of silent bars are left out; NaN where no pair is left.
    """
    return _bar_similarity(counts).diagonal(offset=1, dim1=1, dim2=2).nanmean(1)


def repetition_any(counts: PhraseCounts) -> Tensor:
    """How many notes two bars share (Jaccard), mean over any two bars, `[phrases]`; NaN as in `repetition_next`."""
    first, second = torch.triu_indices(counts.spec.bars, counts.spec.bars, offset=1)
    return _bar_similarity(counts)[:, first, second].nanmean(1)


def consonance(counts: PhraseCounts) -> Tensor:
    """Share of the intervals between pitched tracks that are not dissonant, `[phrases]`: `1 - dissonance`."""
    return 1 - dissonance(counts)


def length_in_beats(counts: PhraseCounts) -> Tensor:
    """Mean note length in beats, `[phrases, tracks]`; NaN without notes."""
    return mean_length(counts) / counts.spec.steps_per_beat

"""How close generated phrases are to real ones: features of each phrase, and the overlap of their distributions.

Rolls are bool `[phrases, 2, tracks, bars, steps, pitches]`. A feature that a phrase does not have (the mean note length
of a silent track) is NaN and left out of distributions. Pitch classes fold octaves: `(lowest_pitch + index) % 12`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.spec import HOLD, ONSET, RollSpec

MAJOR = (0, 2, 4, 5, 7, 9, 11)
DISSONANT = (1, 2, 6, 10, 11)
"""Intervals in semitones, octaves folded, that are seconds, sevenths or the tritone."""
BINS = 20
TAILS = (0.005, 0.995)
"""Quantiles between which the histograms of `overlap` lie."""


def _sounding(rolls: Tensor) -> Tensor:
    return rolls[:, ONSET] | rolls[:, HOLD]


def _classes(spec: RollSpec, device: torch.device) -> Tensor:
    """`[pitches, 12]`: one-hot pitch class of each pitch, as float."""
    pitches = torch.arange(spec.num_pitches, device=device) + spec.lowest_pitch
    return torch.nn.functional.one_hot(pitches % 12, 12).float()


def pitch_class_counts(rolls: Tensor, spec: RollSpec) -> Tensor:
    """Notes of each pitch class, `[phrases, tracks, 12]`, octaves folded."""
    notes = rolls[:, ONSET].sum((2, 3)).float()  # [phrases, tracks, pitches]
    return notes @ _classes(spec, rolls.device)


def scale_share(rolls: Tensor, spec: RollSpec) -> Tensor:
    """Share of the notes of pitched tracks in the best of the 12 major scales, `[phrases]`.

    `max over keys k of sum(notes whose (pitch - k) % 12 is in MAJOR) / notes`; NaN without notes.
    """
    counts = pitch_class_counts(rolls, spec)[:, list(spec.pitched)].sum(1)  # [phrases, 12]
    scales = torch.zeros(12, 12, device=rolls.device)
    for key in range(12):
        scales[[(key + degree) % 12 for degree in MAJOR], key] = 1
    return (counts @ scales).max(1).values / counts.sum(1)


def empty_bars(rolls: Tensor) -> Tensor:
    """Share of bars in which nothing sounds, `[phrases, tracks]`."""
    return 1 - _sounding(rolls).any(-1).any(-1).float().mean(-1)


def notes_per_bar(rolls: Tensor) -> Tensor:
    """Mean number of onsets a bar, `[phrases, tracks]`."""
    return rolls[:, ONSET].sum((3, 4)).float().mean(-1)


def note_lengths(rolls: Tensor) -> tuple[Tensor, Tensor]:
    """Mean note length in steps, and share of notes of one step, both `[phrases, tracks]`; NaN without notes.

    `steps sounding / onsets`, and `onsets that no hold follows / onsets`.
    """
    onset, hold = (rolls[:, plane].flatten(2, 3) for plane in (ONSET, HOLD))  # [phrases, tracks, time, pitches]
    notes = onset.sum((2, 3)).float()
    notes = torch.where(notes > 0, notes, torch.nan)
    length = (notes + hold.sum((2, 3))) / notes
    longer = (onset[:, :, :-1] & hold[:, :, 1:]).sum((2, 3))
    return length, 1 - longer / notes


def dissonance(rolls: Tensor, spec: RollSpec) -> Tensor:
    """Share of dissonant intervals among the pairs of notes that sound at once in two pitched tracks, `[phrases]`.

    Counted once a step; intervals are `DISSONANT`. NaN where no two tracks sound together.
    """
    chroma = _sounding(rolls)[:, list(spec.pitched)].flatten(2, 3).float() @ _classes(spec, rolls.device)
    total, rough = chroma.new_zeros(len(rolls)), chroma.new_zeros(len(rolls))
    for upper in range(len(spec.pitched)):
        for lower in range(upper):
            for interval in range(12):
                pairs = (chroma[:, upper].roll(-interval, -1) * chroma[:, lower]).sum((1, 2))
                total += pairs
                rough += pairs if interval in DISSONANT else 0
    return rough / total


def stepwise_share(rolls: Tensor, spec: RollSpec) -> Tensor:
    """Of the moves from one note to a different one in a line, the share by one or two semitones, `[phrases, pitched]`.

    The line of a track is its highest onset at each step. NaN where a track never moves.
    """
    onset = rolls[:, ONSET, list(spec.pitched)].flatten(2, 3)  # [phrases, pitched, time, pitches]
    top = (onset * torch.arange(1, spec.num_pitches + 1, device=rolls.device)).amax(-1)  # 0: no onset
    time = torch.arange(top.shape[2], device=rolls.device)
    latest = torch.where(top > 0, time, 0).cummax(2).values
    line = top.gather(2, latest)  # the note struck last
    move = (line[..., 1:] - line[..., :-1]).abs() * (line[..., :-1] > 0)
    return ((move >= 1) & (move <= 2)).sum(2) / (move >= 1).sum(2)


def features(rolls: Tensor, spec: RollSpec) -> dict[str, Tensor]:
    """The features of the headline overlap, each `[phrases]`.

    For each track `onsets`, `length` (mean, steps), `pitches` (pitch classes used; drums: pitches), `empty` (share of
    bars), `voices` (mean notes sounding together where any sounds), `short` (share of notes of one step; not drums).
    For the phrase `scale`, and `position 0` to `position 15`: of all bars of all tracks, the share with an onset at
    this place. With another number of steps a bar, positions are sixteenths of a bar.
    """
    onset, sounding = rolls[:, ONSET], _sounding(rolls)
    lengths, short = note_lengths(rolls)
    classes = (pitch_class_counts(rolls, spec) > 0).sum(-1)
    pitches = onset.any(2).any(2).sum(-1)
    empty = empty_bars(rolls)
    voices = sounding.sum((2, 3, 4)) / sounding.any(-1).sum((2, 3))
    notes = onset.sum((2, 3, 4))
    named: dict[str, Tensor] = {}
    for index, track in enumerate(spec.tracks):
        used = pitches if track.is_drum else classes
        columns = {"onsets": notes, "length": lengths, "pitches": used, "empty": empty, "voices": voices}
        if not track.is_drum:
            columns["short"] = short
        named |= {f"{track.name} {name}": column[:, index].float() for name, column in columns.items()}
    if spec.pitched:
        named["scale"] = scale_share(rolls, spec)
    struck = onset.any(-1).float().mean((1, 2))  # [phrases, steps]
    for place in range(min(16, spec.steps_per_bar)):
        named[f"position {place}"] = struck[:, place * spec.steps_per_bar // 16 if spec.steps_per_bar >= 16 else place]
    return named


def histogram_overlap(first: Tensor, second: Tensor) -> float:
    """Area under both of two histograms of 20 bins on one grid, 0 (apart) to 1 (alike); NaN values are left out.

    `sum over bins of min(p, q)`, the grid between the 0.5 and 99.5 percentiles of the two pooled (each set weighs the
    same); values beyond fall into the end bins. NaN when a set is empty (Yang and Lerch 2018).
    """
    first, second = first[~first.isnan()].double(), second[~second.isnan()].double()
    if len(first) == 0 or len(second) == 0:
        return float("nan")
    pooled = torch.cat([first, second])
    low, high = (float(pooled.quantile(share)) for share in TAILS)
    if high <= low:
        high = low + 1
    shares = []
    for values in (first, second):
        places = ((values - low) / (high - low) * BINS).floor().clamp(0, BINS - 1).long()
        shares.append(torch.bincount(places, minlength=BINS) / len(values))
    return float(torch.minimum(shares[0], shares[1]).sum())


def overlap(rolls: Tensor, reference: Tensor, spec: RollSpec) -> tuple[float, dict[str, float]]:
    """Mean overlap over `features` of two sets of phrases (the headline OA, 1 is alike), and that of each feature.

    A feature that one set has and the other lacks altogether counts 0; one that both lack is left out.
    """
    mine, theirs = features(rolls, spec), features(reference, spec)
    each = {}
    for name, values in mine.items():
        have = [not bool(column.isnan().all()) for column in (values, theirs[name])]
        if any(have):
            each[name] = histogram_overlap(values, theirs[name]) if all(have) else 0.0
    return sum(each.values()) / max(1, len(each)), each

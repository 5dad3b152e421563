"""Data statistics: note rates, polyphony and drum patterns, counted once before training.

They decide which pitches a track is modelled in, how many notes it strikes at once, in which order tracks decide, and
which patterns its drums are chosen from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gan.conditions import NUM_ATTRIBUTES, STYLE, ConditionLayout, complete_examples, conditions_of, no_labels
from gan.ops.counts import pack_cells
from gan.rolls import unpack
from gan.spec import HOLD, ONSET, RollSpec

MOST_COUNTED = 2048
"""Phrases that are counted where a data set has more."""
MOST_PATTERNS = 512
"""Sets of drums struck together that are told apart."""
MOST_EXAMPLES = 1024
"""The conditions of so many phrases are kept."""
MONOPHONIC_SHARE = 0.1
"""A track is taken as monophonic when at most this share of its sounding steps has two pitches or more."""
PITCH_RANGE_SHARE = 0.999
"""A track is modelled within the pitches that hold this share of its notes; rare outliers would widen every product."""


@dataclass(frozen=True)
class DataStatistics:
    """Rates a track, counted over the phrases of a data set that know it. All are shares between 0 and 1.

    Attributes
    ----------
    num_phrases
        Phrases counted.
    sounding
        `[tracks][pitches]`: share of steps at which the pitch sounds.
    polyphony
        `[tracks]`: of the steps that sound, the share with two pitches or more.
    notes_per_bar
        `[tracks]`: mean number of notes in a bar.
    empty_bars
        `[tracks]`: share of bars without a sounding step.
    patterns
        `[tracks][up to MOST_PATTERNS]`: of drum tracks the pitches (roll indices) that are struck together, the most
        frequent first; silence is one of them.
    examples
        `[phrases, up to MOST_EXAMPLES][ConditionLayout.size]`: the conditions of evenly spread phrases
        (`gan.conditions`), NaN for what is open; unknown tracks have those of phrases like them. Where conditions are
        left open, one of them is drawn.
    num_styles
        Styles that the data's labels tell apart.
    """

    num_phrases: int
    sounding: list[list[float]]
    polyphony: list[float]
    notes_per_bar: list[float]
    empty_bars: list[float]
    patterns: list[list[list[int]]]
    examples: list[list[float]]
    num_styles: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file or a checkpoint; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DataStatistics:
        """The statistics that `to_dict` wrote. Raises `TypeError` when a field is missing or unknown."""
        return cls(**values)

    @classmethod
    def of(
        cls, batches: Iterable[Tensor], spec: RollSpec, labels: Tensor | None = None, known: Tensor | None = None
    ) -> DataStatistics:
        """Count over batches of rolls, bool `[batch, *spec.shape]`.

        `labels` `[phrases, 3 * half_bars + 3]` of all of them are chords, key, tempo and style, NaN where unknown
        (`gan.conditions`); `known` bool `[phrases, tracks]` says which tracks are known, without it all are.
        Raises `ValueError` when there is no phrase.
        """
        totals: dict[str, Tensor] = {}
        num_phrases = 0
        examples: list[Tensor] = []
        patterns: list[Counter[bytes]] = [Counter() for _ in spec.tracks]
        all_known: list[Tensor] = []
        for rolls in batches:
            here = slice(num_phrases, num_phrases + len(rolls))
            told = no_labels(len(rolls), spec) if labels is None else labels[here]
            known_here = torch.ones(len(rolls), spec.num_tracks, dtype=torch.bool) if known is None else known[here]
            examples.append(conditions_of(rolls, told, spec, known_here))
            all_known.append(known_here)
            num_phrases += len(rolls)
            for track, kind in enumerate(spec.tracks):
                if kind.is_drum:
                    patterns[track].update(_patterns_of(rolls[known_here[:, track], ONSET, track]))
            for name, count in _count(rolls, spec).items():
                totals[name] = totals[name] + count if name in totals else count
        if num_phrases == 0:
            raise ValueError("there are no phrases to count")
        conditions, known = torch.cat(examples), torch.cat(all_known)
        every = -(-num_phrases // MOST_EXAMPLES)
        kept = complete_examples(conditions[::every], known[::every].to(conditions.device), ConditionLayout.of(spec))
        num_bars = spec.bars * known.sum(0).clamp(min=1).to(totals["notes"])  # [tracks]
        num_steps = spec.steps_per_bar * num_bars.unsqueeze(1)
        return cls(
            num_phrases=num_phrases,
            sounding=(totals["sounding"] / num_steps).tolist(),
            polyphony=(totals["chords"] / totals["sounding_steps"].clamp(min=1)).tolist(),
            notes_per_bar=(totals["notes"] / num_bars).tolist(),
            empty_bars=(1 - totals["full_bars"] / num_bars).tolist(),
            patterns=[_most_frequent(counts) for counts in patterns],
            examples=kept.tolist(),
            num_styles=int(conditions[:, STYLE].nan_to_num(-1).max()) + 1,
        )


def count_some(
    rolls: Tensor,
    spec: RollSpec,
    labels: Tensor | None = None,
    known: Tensor | None = None,
    repeats: Tensor | None = None,
    weights: Tensor | None = None,
) -> DataStatistics:
    """Statistics of at most `MOST_COUNTED` phrases, evenly spread: enough to start from, and quickly counted.

    `rolls` `[phrases, ...]` are bool or packed (`gan.rolls.unpack`), `labels` and `known` as in `DataStatistics.of`,
    `repeats` int64 `[phrases]` says how often each phrase counts, `weights` `[phrases]` how much beside others.
    """
    entries = torch.arange(len(rolls))
    if repeats is not None:
        entries = entries.repeat_interleave(repeats)
    if weights is not None:  # phrases of half the weight: every other one of them
        reached = torch.cumsum(weights[entries].double() / weights.max(), 0).floor()
        entries = entries[reached.diff(prepend=reached.new_zeros(1)) > 0]
    entries = entries[:: -(-len(entries) // MOST_COUNTED)]
    pieces = (unpack(rolls[entries[at : at + 256]], spec) for at in range(0, len(entries), 256))
    labels, known = (None if one is None else one[entries] for one in (labels, known))
    return DataStatistics.of(pieces, spec, labels, known)


def with_tracks_of(
    own: DataStatistics, spec: RollSpec, other: DataStatistics, other_spec: RollSpec, tracks: Sequence[int]
) -> DataStatistics:
    """Statistics with those of some tracks taken from other data (cold-deck imputation), found there by their names.

    Of each example these tracks have the attributes of the other data's phrase in which the rest plays most alike.

    Parameters
    ----------
    own, spec
        The statistics and their tracks.
    other, other_spec
        Of the other data; its range of pitches may be another.
    tracks
        Those of which our own phrases say too little.
    """
    places = [other_spec.names.index(spec.names[track]) for track in tracks]
    up = other_spec.lowest_pitch - spec.lowest_pitch
    sounding, patterns = list(own.sounding), list(own.patterns)
    for track, place in zip(tracks, places, strict=True):
        rates = {up + pitch: rate for pitch, rate in enumerate(other.sounding[place])}
        sounding[track] = [rates.get(pitch, 0.0) for pitch in range(spec.num_pitches)]
        inside = [[up + pitch for pitch in pattern] for pattern in other.patterns[place]]
        patterns[track] = [one for one in inside if all(0 <= pitch < spec.num_pitches for pitch in one)]

    def mixed(mine: Sequence[float], theirs: Sequence[float]) -> list[float]:
        taken = dict(zip(tracks, places, strict=True))
        return [theirs[taken[track]] if track in taken else rate for track, rate in enumerate(mine)]

    return replace(
        own,
        sounding=sounding,
        polyphony=mixed(own.polyphony, other.polyphony),
        notes_per_bar=mixed(own.notes_per_bar, other.notes_per_bar),
        empty_bars=mixed(own.empty_bars, other.empty_bars),
        patterns=patterns,
        examples=_examples_with_tracks_of(own.examples, spec, other.examples, other_spec, tracks),
    )


def _examples_with_tracks_of(
    own: list[list[float]], spec: RollSpec, other: list[list[float]], other_spec: RollSpec, tracks: Sequence[int]
) -> list[list[float]]:
    """Conditions with the attributes of some tracks from those of other phrases whose other tracks play as densely."""
    mine, theirs = torch.tensor(own), torch.tensor(other)
    shared = [name for name in spec.names if name in other_spec.names]
    alike = [name for name in shared if spec.names.index(name) not in tracks]
    densities = [
        torch.log1p(examples[:, [kind.names.index(name) for name in alike]])
        for examples, kind in ((mine, spec), (theirs, other_spec))
    ]
    apart = (densities[0].unsqueeze(1) - densities[1]).square().nan_to_num(0.0).sum(2)
    donors = theirs[apart.argmin(1)]
    for attribute in range(NUM_ATTRIBUTES):
        for track in tracks:
            place = attribute * other_spec.num_tracks + other_spec.names.index(spec.names[track])
            mine[:, attribute * spec.num_tracks + track] = donors[:, place]
    return mine.tolist()


def _count(rolls: Tensor, spec: RollSpec) -> dict[str, Tensor]:
    """Sums over one batch; float64, so that large sets stay exact."""
    onset = rolls[:, ONSET]  # [batch, tracks, bars, steps, pitches]
    sounding = onset | rolls[:, HOLD]
    together = sounding.sum(-1)  # [batch, tracks, bars, steps]
    counts = {
        "sounding": sounding.sum((0, 2, 3)),
        "chords": (together >= 2).sum((0, 2, 3)),
        "sounding_steps": (together >= 1).sum((0, 2, 3)),
        "notes": onset.sum((0, 2, 3, 4)),
        "full_bars": together.any(-1).sum((0, 2)),
    }
    return {name: count.to(torch.float64) for name, count in counts.items()}


def _patterns_of(onsets: Tensor) -> dict[bytes, int]:
    """How often each set of drums is struck at a step, a byte a pitch, of onsets `[batch, bars, steps, pitches]`."""
    steps = onsets.flatten(0, 2)
    words = pack_cells(steps)
    patterns, counts = torch.unique(words, dim=0, return_counts=True)
    return {
        bytes(pattern.contiguous().view(torch.uint8).tolist()): int(count)
        for pattern, count in zip(patterns.cpu(), counts.tolist(), strict=True)
    }


def _most_frequent(counts: Counter[bytes]) -> list[list[int]]:
    """The `MOST_PATTERNS` most frequent patterns as lists of pitches; silence always among them."""
    patterns = [
        [pitch for pitch, struck in enumerate(pattern) if struck]
        for pattern, _ in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_PATTERNS]
    ]
    return patterns if not patterns or [] in patterns else [*patterns[:-1], []]


def most_notes(statistics: DataStatistics, spec: RollSpec, voices: int) -> tuple[int, ...]:
    """Most notes that each track strikes at once: 1 where it is monophonic in the data, else `voices`."""
    return tuple(1 if share <= MONOPHONIC_SHARE else voices for share in statistics.polyphony)


def decision_order(statistics: DataStatistics, spec: RollSpec) -> tuple[int, ...]:
    """The order in which tracks decide at a step: drums, then single voices, outer ones first, then chords.

    As harmony is written: bass and tune, then the voices between them.
    """
    means = []
    for rates in statistics.sounding:
        means.append(sum(pitch * rate for pitch, rate in enumerate(rates)) / max(sum(rates), 1e-9))
    drums = [track for track in range(spec.num_tracks) if track not in spec.pitched]
    order: list[int] = []
    for single in (True, False):
        kind = [track for track in spec.pitched if (statistics.polyphony[track] <= MONOPHONIC_SHARE) == single]
        rising = sorted(kind, key=lambda track: means[track])
        while rising:
            order.append(rising.pop(0 if len(order) % 2 == 0 else -1))
    return (*drums, *order)


def choose_pitch_ranges(
    statistics: DataStatistics, spec: RollSpec, share: float = PITCH_RANGE_SHARE
) -> tuple[tuple[int, ...], int]:
    """The window of pitches in which each track is modelled.

    Returns
    -------
    lowest_pitches, pitch_range
        For each track the roll index of its lowest pitch, and the number of pitches of the widest track, which is
        used for all of them. At least `share` of the sounding steps of each track lie inside its window.
    """
    bounds = []
    for rates in statistics.sounding:
        total, spare = sum(rates), (1 - share) * sum(rates) / 2
        if total == 0:
            bounds.append((0, 0))
            continue
        low, lost = 0, rates[0]
        while lost <= spare:
            low += 1
            lost += rates[low]
        high, lost = len(rates) - 1, rates[-1]
        while lost <= spare:
            high -= 1
            lost += rates[high]
        bounds.append((low, high))
    pitch_range = max(high - low + 1 for low, high in bounds)
    lowest_pitches = tuple(min(low, spec.num_pitches - pitch_range) for low, _ in bounds)
    return lowest_pitches, pitch_range

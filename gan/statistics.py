"""Data statistics: note rates, polyphony, motions and harmony, from which output biases start.

They are counted once before training, and say which heads fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from gan.conditions import STYLE, ConditionLayout, complete_examples, conditions_of, no_labels, pitch_class_matrix
from gan.rolls import unpack
from gan.settings import AlbumGANSettings
from gan.spec import HOLD, ONSET, RollSpec

MAX_VOICES = 6
"""Chords are counted up to so many notes."""

WIDEST_MOTION = 12
"""Melodic motion is counted up to an octave."""

INTERVAL_SHARE = 8
"""Intervals between tracks are counted in one of so many phrases."""
MOST_COUNTED = 2048
"""Phrases that are counted where a data set has more."""
MOST_EXAMPLES = 1024
"""The conditions of so many phrases are kept."""
MONOPHONIC_SHARE = 0.03
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
    onsets
        `[tracks][steps of a bar][pitches]`: share of bars in which the pitch has an onset at this place.
    polyphony
        `[tracks]`: of the steps that sound, the share with two pitches or more.
    voices
        `[tracks][MAX_VOICES]`: share of steps at which at least 1, 2, ... pitches sound.
    holds
        `[tracks]`: of the pitches that sound at a step, the share that is held over the next (the last step left out).
    motions
        `[tracks][25]`: how much more often than by chance the highest voice moves by -12 to 12 semitones from one
        note to the next, as a natural logarithm.
    harmony
        `[tracks][12]`: how much more often than by chance a note begins 0 to 11 semitones above a pitch class that
        sounds in another track, as a natural logarithm; 0 for drums.
    notes_per_bar
        `[tracks]`: mean number of notes in a bar.
    empty_bars
        `[tracks]`: share of bars without a sounding step.
    examples
        `[phrases, up to MOST_EXAMPLES][ConditionLayout.size]`: the conditions of evenly spread phrases
        (`gan.conditions`), NaN for what is open; unknown tracks have those of phrases like them. Where conditions are
        left open, one of them is drawn.
    num_styles
        Styles that the data's labels tell apart.
    """

    num_phrases: int
    sounding: list[list[float]]
    onsets: list[list[list[float]]]
    polyphony: list[float]
    voices: list[list[float]]
    holds: list[float]
    motions: list[list[float]]
    notes_per_bar: list[float]
    empty_bars: list[float]
    harmony: list[list[float]]
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
        all_known: list[Tensor] = []
        for rolls in batches:
            here = slice(num_phrases, num_phrases + len(rolls))
            told = no_labels(len(rolls), spec) if labels is None else labels[here]
            known_here = torch.ones(len(rolls), spec.num_tracks, dtype=torch.bool) if known is None else known[here]
            examples.append(conditions_of(rolls, told, spec, known_here))
            all_known.append(known_here)
            num_phrases += len(rolls)
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
            onsets=(totals["onsets"] / num_bars[:, None, None]).tolist(),
            polyphony=(totals["chords"] / totals["sounding_steps"].clamp(min=1)).tolist(),
            voices=(totals["voices"] / num_steps).tolist(),
            holds=(totals["held"] / totals["before"].clamp(min=1)).tolist(),
            motions=_motion_gain(totals["moves"], totals["tops"]).tolist(),
            harmony=interval_gain(totals["intervals"], totals["interval_onsets"], totals["interval_context"]).tolist(),
            notes_per_bar=(totals["notes"] / num_bars).tolist(),
            empty_bars=(1 - totals["full_bars"] / num_bars).tolist(),
            examples=kept.tolist(),
            num_styles=int(conditions[:, STYLE].nan_to_num(-1).max()) + 1,
        )


def count_some(
    rolls: Tensor, spec: RollSpec, labels: Tensor | None = None, known: Tensor | None = None
) -> DataStatistics:
    """Statistics of at most `MOST_COUNTED` phrases, evenly spread: enough to start from, and quickly counted.

    `rolls` `[phrases, ...]` are bool or packed (`gan.rolls.unpack`), `labels` and `known` as in `DataStatistics.of`.
    """
    every = -(-len(rolls) // MOST_COUNTED)
    some = rolls[::every]
    pieces = (unpack(some[at : at + 256], spec) for at in range(0, len(some), 256))
    labels, known = (None if one is None else one[::every] for one in (labels, known))
    return DataStatistics.of(pieces, spec, labels, known)


def _count(rolls: Tensor, spec: RollSpec) -> dict[str, Tensor]:
    """Sums over one batch; float64, so that large sets stay exact."""
    onset = rolls[:, ONSET]  # [batch, tracks, bars, steps, pitches]
    sounding = onset | rolls[:, HOLD]
    voices = sounding.sum(-1)  # [batch, tracks, bars, steps]
    counts = {
        "sounding": sounding.sum((0, 2, 3)),
        "onsets": onset.sum((0, 2)),
        "chords": (voices >= 2).sum((0, 2, 3)),
        "voices": torch.stack([(voices >= least).sum((0, 2, 3)) for least in range(1, MAX_VOICES + 1)], dim=1),
        "sounding_steps": (voices >= 1).sum((0, 2, 3)),
        "before": sounding.flatten(2, 3)[:, :, :-1].sum((0, 2, 3)),
        "held": rolls[:, HOLD].flatten(2, 3)[:, :, 1:].sum((0, 2, 3)),
        "notes": onset.sum((0, 2, 3, 4)),
        "full_bars": voices.any(-1).sum((0, 2)),
    }
    counts |= _count_moves(onset.flatten(2, 3))
    classes = pitch_class_matrix(spec).to(rolls.device, torch.float32)
    few = (planes[::INTERVAL_SHARE].flatten(2, 3).to(torch.float32) for planes in (onset, sounding))
    onset_classes, sounding_classes = (planes @ classes for planes in few)
    is_drum = torch.tensor([track.is_drum for track in spec.tracks], device=rolls.device)
    counts |= count_intervals(onset_classes, sounding_classes, is_drum)
    return {name: count.to(torch.float64) for name, count in counts.items()}


def _count_moves(onsets: Tensor) -> dict[str, Tensor]:
    """`moves` `[tracks, 25]` from each highest onset to the next, and `tops` `[tracks, pitches]`: those onsets."""
    time, pitches = onsets.shape[2:]
    top = (onsets * torch.arange(1, pitches + 1, device=onsets.device)).amax(-1)  # [batch, tracks, time]; 0: none
    latest = torch.where(top > 0, torch.arange(time, device=onsets.device), -1).cummax(2).values[..., :-1]
    before = top.gather(2, latest.clamp(min=0)) * (latest >= 0)
    move = top[..., 1:] - before
    moved = (top[..., 1:] > 0) & (before > 0) & (move.abs() <= WIDEST_MOTION)
    moves = torch.stack([((move == size) & moved).sum((0, 2)) for size in range(-WIDEST_MOTION, WIDEST_MOTION + 1)], 1)
    tops = torch.stack([(top == pitch).sum((0, 2)) for pitch in range(1, pitches + 1)], 1)
    return {"moves": moves, "tops": tops}


def _motion_gain(moves: Tensor, tops: Tensor) -> Tensor:
    """Log of how much more often each motion happens than between two notes drawn alone, `[tracks, 25]`."""
    share = tops / tops.sum(1, keepdim=True).clamp(min=1)
    size = tops.shape[1]
    chance = []
    for motion in range(-WIDEST_MOTION, WIDEST_MOTION + 1):
        later, earlier = (
            share[:, max(0, motion) : size + min(0, motion)],
            share[:, max(0, -motion) : size - max(0, motion)],
        )
        chance.append((later * earlier).sum(1))
    expected = torch.stack(chance, 1) * moves.sum(1, keepdim=True)
    return torch.log((moves + 1) / (expected + 1))


def count_intervals(onsets: Tensor, sounding: Tensor, is_drum: Tensor) -> dict[str, Tensor]:
    """How the notes of each track lie above what the other tracks sound at the same step.

    Parameters
    ----------
    onsets, sounding
        Pitch classes that have an onset, and that sound, `[batch, tracks, time, 12]`.
    is_drum
        Bool `[tracks]`.

    Returns
    -------
    dict
        `intervals` `[tracks, 12]`: pairs by semitones; `interval_onsets` and `interval_context` `[tracks, 12]`: how
        often either side of a pair has each pitch class.
    """
    pitched = (~is_drum).view(-1, 1, 1).to(onsets)
    onsets, sounding = onsets * pitched, sounding.clamp(max=1) * pitched
    context = (sounding.sum(1, keepdim=True) - sounding).clamp(max=1)
    intervals = [(onsets.roll(-size, -1) * context).sum((0, 2, 3)) for size in range(12)]
    return {
        "intervals": torch.stack(intervals, dim=1),
        "interval_onsets": (onsets * context.any(-1, keepdim=True)).sum((0, 2)),
        "interval_context": (context * onsets.any(-1, keepdim=True)).sum((0, 2)),
    }


def interval_gain(intervals: Tensor, onsets: Tensor, context: Tensor) -> Tensor:
    """Log of how much more often each interval happens than between pitch classes drawn alone, `[tracks, 12]`."""
    shares = [one / one.sum(1, keepdim=True).clamp(min=1) for one in (onsets, context)]
    chance = torch.stack([(shares[0].roll(-size, 1) * shares[1]).sum(1) for size in range(12)], dim=1)
    return torch.log((intervals + 1) / (chance * intervals.sum(1, keepdim=True) + 1))


def choose_heads(statistics: DataStatistics, spec: RollSpec, settings: AlbumGANSettings) -> tuple[str, ...]:
    """`choice`, `voices` or `neurons` for each track: drums always get neurons, pitched tracks what fits the data."""
    heads = []
    for track, polyphony in zip(spec.tracks, statistics.polyphony, strict=True):
        suited = "choice" if polyphony <= MONOPHONIC_SHARE else "voices"
        chosen = suited if settings.heads == "auto" else settings.heads
        heads.append("neurons" if track.is_drum else chosen)
    return tuple(heads)


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

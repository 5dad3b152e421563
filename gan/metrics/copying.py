"""Copying and diversity: the nearest training phrase of each generated one, in any key, and the distinct phrases.

What near means is read from real music: how near held-out phrases, which nobody copied, come to the training phrases.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gan.rolls import unpack
from gan.spec import ONSET, RollSpec

SHIFTS = tuple(range(-6, 6))
"""Semitones that the pitched tracks are moved by: every key once."""
CELLS_AT_ONCE = 2**22
"""Onset cells of training phrases compared at once: 16 MB, near what a processor keeps at hand."""
UNCOPIED = 0.95
"""Share of held-out phrases that count as not near."""


@dataclass(frozen=True)
class NearestPhrases:
    """For each phrase the most similar training phrase, `[phrases]` each."""

    similarity: Tensor
    """Onsets at the same track, step and pitch over onsets in either (Jaccard), 0 to 1; 0 for a silent phrase."""
    index: Tensor
    """Which training phrase."""
    shift: Tensor
    """Semitones that the phrase's pitched tracks were moved by to be so similar."""


def _onsets(rolls: Tensor, spec: RollSpec) -> Tensor:
    """Onset cells of all tracks, bool `[phrases, tracks * time * pitches]`."""
    return unpack(rolls, spec)[:, ONSET].flatten(1)


def _moved(cells: Tensor, spec: RollSpec) -> Tensor:
    """Cells `[onsets]` moved by each of `SHIFTS`, `[12, onsets]`; those that leave the roll become the cell after all.

    Drums stay.
    """
    num_cells = spec.num_tracks * spec.num_steps * spec.num_pitches
    drums = torch.tensor([track.is_drum for track in spec.tracks])[cells // (spec.num_steps * spec.num_pitches)]
    shifts = torch.tensor(SHIFTS).unsqueeze(1) * ~drums  # [12, onsets]
    pitches = cells % spec.num_pitches + shifts
    return torch.where((pitches >= 0) & (pitches < spec.num_pitches), cells + shifts, num_cells)


def nearest_phrases(rolls: Tensor, training: Tensor, spec: RollSpec) -> NearestPhrases:
    """Nearest neighbour of each phrase among the training phrases, over all 12 transpositions.

    Both are rolls `[phrases, *spec.shape]`, bool or packed, on the CPU. Raises `ValueError` without training phrases or
    when shapes differ.
    """
    if len(training) == 0:
        raise ValueError("there are no training phrases to compare with")
    onsets = [_onsets(roll, spec).nonzero()[:, 1] for roll in torch.split(rolls, 1)]
    bags = [moved for cells in onsets for moved in _moved(cells, spec)]  # a row of cells for each phrase and shift
    starts = torch.tensor([0, *(len(bag) for bag in bags[:-1])]).cumsum(0)
    cells, sizes = torch.cat(bags), torch.tensor([len(one) for one in onsets]).unsqueeze(1)

    similarity = torch.full((len(rolls),), -1.0)
    index, shift = torch.zeros(len(rolls), dtype=torch.int64), torch.zeros(len(rolls), dtype=torch.int64)
    step = max(1, CELLS_AT_ONCE // (spec.num_tracks * spec.num_steps * spec.num_pitches))
    for start in range(0, len(training), step):
        some = training[start : start + step]
        training_onsets = _onsets(some, spec)
        table = torch.zeros(
            training_onsets.shape[1] + 1, len(some)
        )  # [cells + 1, training phrases], the last row empty
        table[:-1] = training_onsets.T
        shared = F.embedding_bag(cells, table, starts, mode="sum").view(len(rolls), len(SHIFTS), len(some))
        shared, shifts = shared.max(1)  # onsets in common are all that a shift changes
        best, place = (shared / (sizes + training_onsets.sum(1) - shared).clamp(min=1)).max(1)
        nearer = best > similarity
        similarity = torch.where(nearer, best, similarity)
        index = torch.where(nearer, start + place, index)
        shift = torch.where(nearer, torch.tensor(SHIFTS)[shifts[torch.arange(len(rolls)), place]], shift)
    return NearestPhrases(similarity, index, shift)


def copied_share(similarity: Tensor, held_out: Tensor) -> float:
    """Share of phrases nearer to the training phrases than 95 % of held-out phrases are: 0.05 is no copying.

    Both arguments are similarities to the nearest training phrase, `[phrases]`.
    """
    return float((similarity > held_out.quantile(UNCOPIED)).float().mean())


def num_distinct(rolls: Tensor, spec: RollSpec) -> int:
    """How many different phrases there are among rolls `[phrases, *spec.shape]`, bool or packed.

    Two phrases that differ in one cell are two. They are told apart by a 64-bit sum, which confuses a pair of them once
    in 10^19.
    """
    size = spec.num_tracks * spec.num_steps * spec.num_pitches * 2
    weights = torch.randint(-(2**62), 2**62, (size,), generator=torch.Generator().manual_seed(0))
    sums = [torch.where(unpack(roll, spec).flatten(), weights, 0).sum() for roll in torch.split(rolls, 1)]
    return len(torch.unique(torch.stack(sums))) if sums else 0

"""MuseGAN's figures as its published code defines them, faults included, to stand beside the paper's tables.

From the definitions of `salu133445/musegan`, version 1: each bar by itself, on the sounding plane (a repeated note is
one run, a bar line cuts a note), 24 steps a beat only. Its "chroma" groups adjacent pitches: of 84 pitches, 7 to each
of 12 groups. All figures are `[phrases, bars]`, NaN in bars in which the track is silent; the published tables average
over all bars of the set that have a value.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from gan.metrics.counts import Tally
from gan.metrics.features import scales
from gan.metrics.musegan import centroids
from gan.spec import HOLD, ONSET, RollSpec

STEPS_PER_BEAT = 24
DRUM_MASK = (1.0, 0.3, 0.0, 0.0, 0.0, 0.3)
"""What an onset counts at each sixth of a beat's quarter; turned to where it fits best."""


def applies(spec: RollSpec) -> bool:
    """Whether the published definitions are made for such rolls."""
    return spec.steps_per_beat == STEPS_PER_BEAT


class BarTally:
    """The sounding plane of a few phrases, bar by bar."""

    def __init__(self, tally: Tally) -> None:
        if not applies(tally.spec):
            raise ValueError(
                f"the published definitions are for {STEPS_PER_BEAT} steps a beat, not {tally.spec.steps_per_beat}"
            )
        self.spec, self.uppers, self.lowers = tally.spec, tally.uppers, tally.lowers
        sounding = tally.rolls[:, ONSET] | tally.rolls[:, HOLD]
        self.sounding = sounding.float()  # [phrases, tracks, bars, steps, pitches]
        before = F.pad(sounding[..., :-1, :], (0, 0, 1, 0))
        self.starts = sounding & ~before  # first steps of runs
        self.empty = ~sounding.any(-1).any(-1)  # [phrases, tracks, bars]

        width = math.ceil(self.spec.num_pitches / 12)
        padded = F.pad(self.sounding, (0, 12 * width - self.spec.num_pitches))
        self.groups = padded.view(*padded.shape[:-1], 12, width).sum(-1)  # [phrases, tracks, bars, steps, 12]

    def where_heard(self, figure: Tensor) -> Tensor:
        """The figure `[phrases, tracks, bars]`, NaN in empty bars."""
        return torch.where(self.empty, torch.nan, figure)


def empty_bars(bars: BarTally) -> Tensor:
    """1 for a bar in which nothing sounds, 0 for others, `[phrases, tracks, bars]`: the empty ones, not the others."""
    return bars.empty.float()


def pitch_classes(bars: BarTally) -> Tensor:
    """Groups of adjacent pitches that sound in a bar, `[phrases, tracks, bars]`."""
    return bars.where_heard((bars.groups.sum(3) > 0).sum(-1).float())


def qualified_notes(bars: BarTally) -> Tensor:
    """Share of runs of at least two steps, `[phrases, tracks, bars]`; the paper says three."""
    longer = bars.starts[..., :-1, :] * bars.sounding[..., 1:, :]  # the step after the start sounds as well
    return longer.sum((3, 4)) / bars.starts.sum((3, 4))


def polyphony(bars: BarTally) -> Tensor:
    """Share of all steps of a bar at which two pitches or more sound, `[phrases, tracks, bars]`."""
    return bars.where_heard((bars.sounding.sum(-1) >= 2).float().mean(-1))


def drum_pattern(bars: BarTally) -> Tensor:
    """Runs that start where `DRUM_MASK` lies, each with its weight, over all runs: `[phrases, tracks, bars]`."""
    mask = torch.tensor(DRUM_MASK, device=bars.sounding.device)
    starts = bars.starts.sum(-1).float()  # [phrases, tracks, bars, steps]
    turns = torch.stack([mask.roll(turn).repeat(bars.spec.steps_per_bar // len(DRUM_MASK)) for turn in range(6)], 1)
    return torch.amax(starts @ turns, -1) / starts.sum(-1)


def in_scale(bars: BarTally) -> Tensor:
    """Share of the sounding cells whose group of pitches has the number of a note of C major, `[..., bars]`."""
    counts = bars.groups.sum(3)
    share: Tensor = counts @ scales(counts.device)[:, 0] / counts.sum(-1)
    return share


def tonal_distance(bars: BarTally) -> Tensor:
    """Distance of the tonal centroids of the groups of two pitched tracks, mean over a bar's beats.

    `[phrases, pairs, bars]`, NaN in a bar in which either is silent for a beat.
    """
    beats = bars.groups.view(*bars.groups.shape[:3], -1, STEPS_PER_BEAT, 12).sum(4)
    centres = centroids(beats)  # [phrases, tracks, bars, beats, 6]
    apart: Tensor = torch.linalg.vector_norm(centres[:, bars.uppers] - centres[:, bars.lowers], dim=-1)
    return apart.mean(-1)

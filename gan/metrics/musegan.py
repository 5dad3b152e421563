"""MuseGAN's metrics (Dong et al. 2018, section 5.4), corrected and as published: empty bars, pitch classes and others.

First as the paper means them, at any number of steps a beat, `[phrases, tracks]`; a metric that a phrase does not have
(pitch classes of a track that is silent throughout) is NaN.

Then, as `published_...`, as the published code defines them (`salu133445/musegan`, version 1), faults included, to
stand beside the paper's tables: each bar by itself, on the sounding plane (a repeated note is one run, a bar line cuts
a note), 24 steps a beat only. Its "chroma" groups adjacent pitches: of 84 pitches, 7 to each of 12 groups. These are
`[phrases, ..., bars]`, NaN in bars in which the track is silent; the published tables average over all bars of the set
that have a value.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from gan.metrics.counts import PhraseCounts
from gan.metrics.features import scales
from gan.spec import HOLD, ONSET, RollSpec

PUBLISHED_STEPS_PER_BEAT = 24
"""The only resolution of the published definitions."""
DRUM_MASK = (1.0, 0.3, 0.0, 0.0, 0.0, 0.3)
"""What an onset counts at each sixth of a beat's quarter; turned to where it fits best."""
QUALIFIED_QUARTERS = 1 / 8
"""Length from which a note is no fragment: the paper's 3 steps of 24 a beat, a 32nd note."""


def pitch_classes(counts: PhraseCounts) -> Tensor:
    """Pitch classes that sound in a bar, mean over the bars in which the track sounds, `[phrases, tracks]`."""
    used = (counts.by_bar(counts.chroma).sum(3) > 0).sum(-1).float()  # [phrases, tracks, bars]
    return used.sum(-1) / (used > 0).sum(-1)


def qualified_steps(spec: RollSpec) -> int:
    """Steps from which a note is qualified; at up to 8 steps a quarter note it is 1, and every note is."""
    return max(1, math.ceil(QUALIFIED_QUARTERS * spec.steps_per_quarter))


def qualified_notes(counts: PhraseCounts) -> Tensor:
    """Share of notes of an eighth of a quarter note or longer, `[phrases, tracks]`; NaN without notes.

    A note is as long as its onset and holds: bar lines and repeated notes make no difference.
    """
    return counts.num_lasting(qualified_steps(counts.spec)) / counts.num_notes


def polyphony(counts: PhraseCounts) -> Tensor:
    """Of the steps at which the track sounds, the share with two pitches or more, `[phrases, tracks]`.

    Unlike the published rate, which is over all steps, it doesn't sink with rests: those are counted by empty bars.
    """
    return (counts.voices >= 2).sum(-1) / (counts.voices >= 1).sum(-1)


def _on_grid(counts: PhraseCounts, places: int) -> Tensor:
    """Share of onsets at one of so many places a quarter note, `[phrases, tracks]`; NaN without onsets."""
    steps = torch.arange(counts.onsets_by_step.shape[2], device=counts.onsets_by_step.device)
    return counts.onsets_by_step @ (steps * places % counts.spec.steps_per_quarter == 0).float() / counts.num_notes


def eighths(counts: PhraseCounts) -> Tensor:
    """Share of onsets on the paper's 8-beat pattern, eighth notes from the bar line on, `[phrases, tracks]`.

    Only a step at the exact place counts, and the grid is not turned to fit. NaN without onsets.
    """
    return _on_grid(counts, 2)


def sixteenths(counts: PhraseCounts) -> Tensor:
    """Share of onsets on the 16-beat pattern, sixteenth notes, `[phrases, tracks]`, counted as `eighths` are."""
    return _on_grid(counts, 4)


def tonal_space(device: torch.device | None = None) -> Tensor:
    """`[12, 6]`: chroma to tonal centroid, circles of fifths, minor and major thirds of radius 1, 1 and 1/2.

    Harte, Sandler and Gasser, "Detecting harmonic change in musical audio" (2006).
    """
    classes = torch.arange(12, device=device, dtype=torch.float32)
    axes = []
    for angle, radius in ((7 / 6, 1.0), (3 / 2, 1.0), (2 / 3, 0.5)):
        axes += [radius * (classes * angle * math.pi).sin(), radius * (classes * angle * math.pi).cos()]
    return torch.stack(axes, dim=1)


def centroids(chroma: Tensor) -> Tensor:
    """Tonal centroids `[..., 6]` of chroma `[..., 12]`; NaN where nothing sounds."""
    return chroma / chroma.sum(-1, keepdim=True) @ tonal_space(chroma.device)


def tonal_distance(counts: PhraseCounts) -> Tensor:
    """Tonal distance: that of the tonal centroids of pairs of pitched tracks, mean over beats in which both sound.

    `[phrases, pairs]`, in the order of `counts.pairs`; NaN where the two never sound in the same beat.
    """
    spec = counts.spec
    beats = counts.chroma.view(len(counts), spec.num_tracks, -1, spec.steps_per_beat, 12).sum(3)
    centres = centroids(beats)  # [phrases, tracks, beats, 6]
    distance: Tensor = torch.linalg.vector_norm(
        centres[:, counts.first_tracks] - centres[:, counts.second_tracks], dim=-1
    )
    return distance.nanmean(-1)


def in_best_scale(counts: PhraseCounts) -> Tensor:
    """Share of each track's notes in the major scale that fits all pitched tracks of the phrase best.

    `[phrases, tracks]`; NaN without notes. Of several scales that fit as well, the first from C upwards.
    """
    scale = scales(counts.onsets_by_class.device)
    best = (counts.onsets_by_class[:, list(counts.spec.pitched)].sum(1) @ scale).argmax(1)  # [phrases]
    chosen = scale.T[best].unsqueeze(1)  # [phrases, 1, 12]
    return (counts.onsets_by_class * chosen).sum(-1) / counts.num_notes


def in_c_major(counts: PhraseCounts) -> Tensor:
    """Share of each track's notes in C major, `[phrases, tracks]`: of music in a common key. NaN without notes."""
    return counts.onsets_by_class @ scales(counts.onsets_by_class.device)[:, 0] / counts.num_notes


def has_published_form(spec: RollSpec) -> bool:
    """Whether the published definitions are made for such rolls."""
    return spec.steps_per_beat == PUBLISHED_STEPS_PER_BEAT and not spec.is_compound


class PublishedCounts:
    """The sounding plane of a few phrases, bar by bar."""

    def __init__(self, counts: PhraseCounts) -> None:
        if not has_published_form(counts.spec):
            spec = counts.spec
            raise ValueError(
                f"the published definitions are for {PUBLISHED_STEPS_PER_BEAT} steps a quarter note, not "
                f"{spec.steps_per_beat} in {spec.metre}"
            )
        self.spec, self.first_tracks, self.second_tracks = counts.spec, counts.first_tracks, counts.second_tracks
        sounding = counts.rolls[:, ONSET] | counts.rolls[:, HOLD]
        self.sounding = sounding.float()  # [phrases, tracks, bars, steps, pitches]
        before = F.pad(sounding[..., :-1, :], (0, 0, 1, 0))
        self.starts = sounding & ~before  # first steps of runs
        self.empty = ~sounding.any(-1).any(-1)  # [phrases, tracks, bars]

        width = math.ceil(self.spec.num_pitches / 12)
        padded = F.pad(self.sounding, (0, 12 * width - self.spec.num_pitches))
        self.groups = padded.view(*padded.shape[:-1], 12, width).sum(-1)  # [phrases, tracks, bars, steps, 12]

    def where_sounding(self, values: Tensor) -> Tensor:
        """Values `[phrases, tracks, bars]`, NaN in empty bars."""
        return torch.where(self.empty, torch.nan, values)


def published_empty_bars(bars: PublishedCounts) -> Tensor:
    """1 for a bar in which nothing sounds, 0 for others, `[phrases, tracks, bars]`: the empty ones, not the others."""
    return bars.empty.float()


def published_pitch_classes(bars: PublishedCounts) -> Tensor:
    """Groups of adjacent pitches that sound in a bar, `[phrases, tracks, bars]`."""
    return bars.where_sounding((bars.groups.sum(3) > 0).sum(-1).float())


def published_qualified_notes(bars: PublishedCounts) -> Tensor:
    """Share of runs of at least two steps, `[phrases, tracks, bars]`; the paper says three."""
    longer = bars.starts[..., :-1, :] * bars.sounding[..., 1:, :]  # the step after the start sounds as well
    return longer.sum((3, 4)) / bars.starts.sum((3, 4))


def published_polyphony(bars: PublishedCounts) -> Tensor:
    """Share of all steps of a bar at which two pitches or more sound, `[phrases, tracks, bars]`."""
    return bars.where_sounding((bars.sounding.sum(-1) >= 2).float().mean(-1))


def published_drum_pattern(bars: PublishedCounts) -> Tensor:
    """Runs that start where `DRUM_MASK` lies, each with its weight, over all runs: `[phrases, tracks, bars]`."""
    mask = torch.tensor(DRUM_MASK, device=bars.sounding.device)
    starts = bars.starts.sum(-1).float()  # [phrases, tracks, bars, steps]
    masks = torch.stack([mask.roll(shift).repeat(bars.spec.steps_per_bar // len(DRUM_MASK)) for shift in range(6)], 1)
    return torch.amax(starts @ masks, -1) / starts.sum(-1)


def published_in_scale(bars: PublishedCounts) -> Tensor:
    """Share of the sounding cells whose group of pitches has the number of a note of C major, `[..., bars]`."""
    cells = bars.groups.sum(3)
    share: Tensor = cells @ scales(cells.device)[:, 0] / cells.sum(-1)
    return share


def published_tonal_distance(bars: PublishedCounts) -> Tensor:
    """Distance of the tonal centroids of the groups of two pitched tracks, mean over a bar's beats.

    `[phrases, pairs, bars]`, NaN in a bar in which either is silent for a beat.
    """
    beats = bars.groups.view(*bars.groups.shape[:3], -1, PUBLISHED_STEPS_PER_BEAT, 12).sum(4)
    centres = centroids(beats)  # [phrases, tracks, bars, beats, 6]
    distance: Tensor = torch.linalg.vector_norm(centres[:, bars.first_tracks] - centres[:, bars.second_tracks], dim=-1)
    return distance.mean(-1)

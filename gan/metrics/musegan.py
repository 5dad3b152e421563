"""MuseGAN's figures (Dong et al. 2018, section 5.4), as the paper means them, at any number of steps a beat.

What its code counts instead is in `gan.metrics.musegan_published`. A figure that a phrase does not have (pitch classes
of a track that is silent throughout) is NaN.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gan.metrics.counts import Tally
from gan.metrics.features import scales
from gan.spec import RollSpec

QUALIFIED_BEATS = 1 / 8
"""Length from which a note is no fragment: the paper's 3 steps of 24 a beat, a 32nd note."""


def pitch_classes(tally: Tally) -> Tensor:
    """Pitch classes that sound in a bar, mean over the bars in which the track sounds, `[phrases, tracks]`."""
    used = (tally.by_bar(tally.chroma).sum(3) > 0).sum(-1).float()  # [phrases, tracks, bars]
    return used.sum(-1) / (used > 0).sum(-1)


def qualified_steps(spec: RollSpec) -> int:
    """Steps from which a note is qualified; at up to 8 steps a beat it is 1, and every note is."""
    return max(1, math.ceil(QUALIFIED_BEATS * spec.steps_per_beat))


def qualified_notes(tally: Tally) -> Tensor:
    """Share of notes of an eighth of a beat or longer, `[phrases, tracks]`; NaN without notes.

    A note is as long as its onset and holds: bar lines and repeated notes make no difference.
    """
    return tally.at_least(qualified_steps(tally.spec)) / tally.notes


def polyphony(tally: Tally) -> Tensor:
    """Of the steps at which the track sounds, the share with two pitches or more, `[phrases, tracks]`.

    Unlike the published rate, which is over all steps, it doesn't sink with rests: those are counted by empty bars.
    """
    return (tally.voices >= 2).sum(-1) / (tally.voices >= 1).sum(-1)


def _on_grid(tally: Tally, places: int) -> Tensor:
    """Share of onsets at one of so many places a beat, `[phrases, tracks]`; NaN without onsets."""
    steps = torch.arange(tally.struck.shape[2], device=tally.struck.device)
    return tally.struck @ (steps * places % tally.spec.steps_per_beat == 0).float() / tally.notes


def eighths(tally: Tally) -> Tensor:
    """Share of onsets on the paper's 8-beat pattern, eighth notes from the bar line on, `[phrases, tracks]`.

    Only a step at the exact place counts, and the grid is not turned to fit. NaN without onsets.
    """
    return _on_grid(tally, 2)


def sixteenths(tally: Tally) -> Tensor:
    """Share of onsets on the 16-beat pattern, sixteenth notes, `[phrases, tracks]`, counted as `eighths` are."""
    return _on_grid(tally, 4)


def tonal_space(device: torch.device | None = None) -> Tensor:
    """`[12, 6]`: chroma to tonal centroid, circles of fifths, minor and major thirds of radius 1, 1 and 1/2.

    Harte, Sandler and Gasser, "Detecting harmonic change in musical audio" (2006).
    """
    classes = torch.arange(12, device=device, dtype=torch.float32)
    axes = []
    for turn, radius in ((7 / 6, 1.0), (3 / 2, 1.0), (2 / 3, 0.5)):
        axes += [radius * (classes * turn * math.pi).sin(), radius * (classes * turn * math.pi).cos()]
    return torch.stack(axes, dim=1)


def centroids(chroma: Tensor) -> Tensor:
    """Tonal centroids `[..., 6]` of chroma `[..., 12]`; NaN where nothing sounds."""
    return chroma / chroma.sum(-1, keepdim=True) @ tonal_space(chroma.device)


def tonal_distance(tally: Tally) -> Tensor:
    """Distance of the tonal centroids of pairs of pitched tracks, mean over beats in which both sound.

    `[phrases, pairs]`, in the order of `tally.pairs`; NaN where the two never sound in the same beat.
    """
    spec = tally.spec
    beats = tally.chroma.view(len(tally), spec.num_tracks, -1, spec.steps_per_beat, 12).sum(3)
    centres = centroids(beats)  # [phrases, tracks, beats, 6]
    apart: Tensor = torch.linalg.vector_norm(centres[:, tally.uppers] - centres[:, tally.lowers], dim=-1)
    return apart.nanmean(-1)


def in_best_scale(tally: Tally) -> Tensor:
    """Share of each track's notes in the major scale that fits all pitched tracks of the phrase best.

    `[phrases, tracks]`; NaN without notes. Of several scales that fit as well, the first from C upwards.
    """
    scale = scales(tally.struck_classes.device)
    best = (tally.struck_classes[:, list(tally.spec.pitched)].sum(1) @ scale).argmax(1)  # [phrases]
    chosen = scale.T[best].unsqueeze(1)  # [phrases, 1, 12]
    return (tally.struck_classes * chosen).sum(-1) / tally.notes


def in_c_major(tally: Tally) -> Tensor:
    """Share of each track's notes in C major, `[phrases, tracks]`: of music in a common key. NaN without notes."""
    return tally.struck_classes @ scales(tally.struck_classes.device)[:, 0] / tally.notes

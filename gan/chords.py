"""Chords of half bars: root, quality and bass, as numbers of a tensor `[..., 3]`.

The root and the bass are pitch classes, 0 for C to 11 for B; the quality is the index of a name in `QUALITIES`, or
`NO_CHORD` where no chord sounds (then root and bass are `NO_PITCH_CLASS`). Where a chord is unknown, all three are NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.ops.upload import upload

CHORD_NUMBERS = 3
ROOT, QUALITY, BASS = range(CHORD_NUMBERS)
"""Places of a chord's numbers."""
CHORD_TONES: dict[str, tuple[int, ...]] = {
    "maj": (0, 4, 7),
    "min": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "maj7": (0, 4, 7, 11),
    "min7": (0, 3, 7, 10),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
    "sus4": (0, 5, 7),
    "m7b5": (0, 3, 6, 10),
}
"""Semitones above the root of the tones of each quality."""
QUALITIES = tuple(CHORD_TONES)
NO_CHORD = len(QUALITIES)
"""The quality where no chord sounds."""
NO_PITCH_CLASS = -1
"""Root and bass where no chord sounds."""
CHORD_SIZE = 12 + 12 + 12 + 1
"""Numbers in which a network is told a chord: the root, the chord tones, the bass, whether anything is known."""


def chord_tones(chords: Tensor) -> Tensor:
    """Pitch classes that belong to chords `[..., 3]`, as ones of `[..., 12]`; none where no chord sounds or is known.

    The bass of an inversion or of a slash chord counts as a tone of it.
    """
    table = torch.zeros(NO_CHORD + 1, 12)
    for row, tones in enumerate(CHORD_TONES.values()):
        table[row, list(tones)] = 1
    table = upload(table, chords.device).to(chords.dtype)
    root, quality = chords[..., ROOT], chords[..., QUALITY].nan_to_num(NO_CHORD).long()
    above = (torch.arange(12, device=chords.device) - root.nan_to_num(0).long().unsqueeze(-1)) % 12
    return torch.maximum(table[quality].gather(-1, above), _one_hot(chords[..., BASS]))


def encode_chords(chords: Tensor) -> Tensor:
    """Chords `[..., 3]` as inputs of a network, `[..., CHORD_SIZE]`; what is unknown is all zeros."""
    known = ~chords[..., QUALITY, None].isnan()
    roots, basses = _one_hot(chords[..., ROOT]), _one_hot(chords[..., BASS])
    return torch.cat([roots, chord_tones(chords), basses, known.to(chords)], dim=-1)


def transpose_chords(chords: Tensor, semitones: Tensor) -> Tensor:
    """Chords `[batch, half_bars, 3]` of phrases that were moved by `semitones` `[batch]`: roots and basses move."""
    moved = chords.clone()
    for place in (ROOT, BASS):
        pitch_class = chords[..., place]
        moved[..., place] = torch.where(pitch_class >= 0, (pitch_class + semitones.unsqueeze(1)) % 12, pitch_class)
    return moved


def same_chords(found: Tensor, requested: Tensor) -> Tensor:
    """The share of the half bars with a requested chord in which the root and the third are as requested, `[phrases]`.

    Chords are `[phrases, half_bars, 3]`, NaN where none is requested.
    """
    thirds = torch.tensor([3 in tones for tones in CHORD_TONES.values()] + [False])
    known = requested[..., ROOT] >= 0
    minor, requested_minor = (thirds[one[..., QUALITY].nan_to_num(NO_CHORD).long()] for one in (found, requested))
    same = (found[..., ROOT] == requested[..., ROOT]) & (minor == requested_minor)
    return (same & known).sum(1) / known.sum(1)


def _one_hot(pitch_classes: Tensor) -> Tensor:
    """`[...]` to `[..., 12]`; none and unknown give zeros."""
    return (pitch_classes.unsqueeze(-1) == torch.arange(12, device=pitch_classes.device)).to(pitch_classes)

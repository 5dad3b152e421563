"""Rolls of two voices and a kit, written note by note."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from gan.spec import HOLD, ONSET, RollSpec, Track

SPEC = RollSpec((Track("Drums", is_drum=True), Track("Lead"), Track("Bass")), bars=2, num_pitches=36, lowest_pitch=36)
LEAD, BASS = 1, 2

Note = tuple[int, int, int, int]
"""Track, first step, length in steps and MIDI pitch."""


def roll(notes: Iterable[Note], spec: RollSpec = SPEC) -> Tensor:
    """A roll of these notes, `spec.shape`."""
    planes = torch.zeros(2, spec.num_tracks, spec.num_steps, spec.num_pitches, dtype=torch.bool)
    for track, start, length, pitch in notes:
        planes[ONSET, track, start, pitch - spec.lowest_pitch] = True
        planes[HOLD, track, start + 1 : start + length, pitch - spec.lowest_pitch] = True
    return planes.view(spec.shape)


def quarters(track: int, pitches: Iterable[int]) -> list[Note]:
    """A line of quarter notes from the first step on."""
    return [(track, 4 * place, 4, pitch) for place, pitch in enumerate(pitches)]

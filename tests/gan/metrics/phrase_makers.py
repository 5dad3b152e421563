"""Phrases of drums, a lead and a bass over two bars, written note by note."""

import torch

from gan.metrics.counts import PhraseCounts
from gan.spec import HOLD, ONSET, RollSpec, Track

DRUMS, LEAD, BASS = 0, 1, 2
SPEC = RollSpec((Track("Drums", is_drum=True), Track("Lead"), Track("Bass")), bars=2, num_pitches=48, lowest_pitch=36)
BAR = 16

Row = tuple[int, int, int, int]
"""Track, start, length, MIDI pitch."""


def roll(*notes: Row, spec: RollSpec = SPEC) -> torch.Tensor:
    """One phrase of notes."""
    planes = torch.zeros((2, spec.num_tracks, spec.num_steps, spec.num_pitches), dtype=torch.bool)
    for track, start, length, pitch in notes:
        planes[ONSET, track, start, pitch - spec.lowest_pitch] = True
        planes[HOLD, track, start + 1 : start + length, pitch - spec.lowest_pitch] = True
    return planes.reshape(1, *spec.shape)


def counted(*notes: Row, spec: RollSpec = SPEC) -> PhraseCounts:
    return PhraseCounts(roll(*notes, spec=spec), spec)


def octaves(count: int, seed: int, keys: tuple[int, ...] = (0,)) -> torch.Tensor:
    """Phrases in which the lead and the bass play in octaves, in one of the keys, over a steady drum."""
    random = torch.Generator().manual_seed(seed)
    phrases = []
    for number in range(count):
        key = keys[number % len(keys)]
        notes = [(DRUMS, step, 1, 36) for step in range(0, 2 * BAR, 4)]
        for step in range(0, 2 * BAR, 4):
            pitch = 60 + key + (0, 2, 4, 5, 7)[int(torch.randint(5, (1,), generator=random))]
            notes += [(LEAD, step, 3, pitch), (BASS, step, 4, pitch - 24)]
        phrases.append(roll(*notes))
    return torch.cat(phrases)

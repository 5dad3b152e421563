"""Drums, piano and bass over two short bars, for tests that decide note by note: phrases, a generator, masks."""

from __future__ import annotations

import torch
from torch import Tensor

from gan.networks.generator import Generator
from gan.spec import HOLD, ONSET, RollSpec
from tests.gan import trio

SPEC = RollSpec(trio.SPEC.tracks, bars=2, beats_per_bar=2, num_pitches=12)
DRUMS, PIANO, BASS = range(3)
STEPS, BAR = SPEC.num_steps, SPEC.steps_per_bar


def music(count: int = 8, seed: int = 0) -> Tensor:
    """Two kinds of drums, chords of which some notes go on while others are struck again, a bass over the bar line."""
    random = torch.Generator().manual_seed(seed)
    rolls = torch.zeros((count, *SPEC.shape), dtype=torch.bool)
    for index in range(count):
        root = int(torch.randint(0, 5, (), generator=random))
        rolls[index, ONSET, DRUMS, :, ::2, 3] = True
        rolls[index, ONSET, DRUMS, :, 4, 7] = True
        rolls[index, ONSET, PIANO, :, 0, [root, root + 4]] = True
        rolls[index, HOLD, PIANO, :, 1:6, root] = True
        rolls[index, HOLD, PIANO, :, 1:3, root + 4] = True
        rolls[index, ONSET, PIANO, :, 3, [root + 4, root + 7]] = True
        rolls[index, ONSET, BASS, 0, [0, 5], root] = True
        rolls[index, HOLD, BASS, 0, 6:, root] = True
        rolls[index, HOLD, BASS, 1, :4, root] = True
    return rolls


def make_generator() -> Generator:
    """A generator with loud heads."""
    return trio.lively(trio.networks(SPEC, music())[0])


def mask_of(*cells: tuple[int, int], count: int = 6) -> Tensor:
    """Bool `[count, tracks, bars]`, true at these (track, bar)."""
    mask = torch.zeros(count, SPEC.num_tracks, SPEC.bars, dtype=torch.bool)
    for track, bar in cells:
        mask[:, track, bar] = True
    return mask

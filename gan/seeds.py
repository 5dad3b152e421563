"""Seeds of random streams: one for each purpose, so that what one purpose draws never shifts what another draws."""

from __future__ import annotations

from enum import IntEnum

import torch


class RandomStream(IntEnum):
    """What a random stream of training is for; the numbers are part of what a seed means and never change."""

    BATCH_ORDER = 1
    WEIGHTS = 2
    FIXED_LATENTS = 3
    LATENTS = 4
    NOISE = 5
    TRANSPOSITION = 6
    PENALTY = 7
    CONDITIONS_AND_MASKS = 8
    MATCHING = 9
    DROPOUT = 10
    PHRASE_WEIGHTS = 11


def mix_seed(seed: int, *numbers: int) -> int:
    """One 63-bit seed out of several numbers (splitmix64), so that (seed, purpose, step) names a stream of its own."""
    value = 0
    for number in (seed, *numbers):  # the finaliser: neighbouring steps get unrelated seeds
        value = (value ^ (number & 0xFFFFFFFFFFFFFFFF)) + 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        value ^= value >> 31
    return value >> 1


def random_stream(seed: int, *numbers: int, device: torch.device | str = "cpu") -> torch.Generator:
    """The random stream that these numbers name."""
    return torch.Generator(device).manual_seed(mix_seed(seed, *numbers))

"""Examples for the drum network: drums with music and without, at any level and colour, and where the hits are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.drums.drum_material import Material
from pipeline.transcription.drums.features import BANDS, FRAMES_PER_SECOND
from pipeline.transcription.drums.kit import DRUMS
from pipeline.transcription.drums.network import scale_power
from pipeline.transcription.drums.stems import FLOOR, Stem

FRAMES = 400
"""Length of an example: 4 s."""

MUSIC_ALONE, DRUMS_ALONE = 0.2, 0.12
"""Share of the examples without drums, and with nothing else."""

BESIDE_HIT = 0.4
"""Chance of a hit that the network is to give in the frame before a hit's and in the one after."""


@dataclass(frozen=True)
class Examples:
    """A batch: `scaled` `[batch, frames, BANDS]` and three arrays `[batch, drums, frames]`.

    `chance` is wanted of the network, `strength` (0 to 1) too where it is above zero, `known` is 0 where percussion
    that is no part of a drum kit sounds, and 1 elsewhere.
    """

    scaled: NDArray[np.float32]
    chance: NDArray[np.float32]
    strength: NDArray[np.float32]
    known: NDArray[np.float32]


def make_examples(material: Material, number: int, random: np.random.Generator) -> Examples:
    """A batch of `number` random mixes of stems to learn from."""
    scaled = np.empty((number, FRAMES, BANDS), np.float32)
    targets = np.empty((number, 3, len(DRUMS), FRAMES), np.float32)
    for index in range(number):
        kind = random.random()
        hits, power = np.zeros((0, 3), np.float32), np.full((FRAMES, BANDS), FLOOR, np.float32)
        if kind >= MUSIC_ALONE:
            stem = material.drums[int(random.integers(len(material.drums)))]
            hits, drums = _window(stem, random)
            shift = int(random.integers(-1, 2))
            power = power + _coloured(_shifted(drums, shift), random)
        if not MUSIC_ALONE <= kind < MUSIC_ALONE + DRUMS_ALONE:
            stem = material.music[int(random.integers(len(material.music)))]
            music = _coloured(_window(stem, random)[1], random)
            ratio = (
                10 ** (random.uniform(-1.2, 1.0)) * max(float(power.mean()), FLOOR) / max(float(music.mean()), FLOOR)
            )
            power = power + music * np.float32(ratio)
        scaled[index] = _recorded(power, random)
        targets[index] = make_targets(hits, FRAMES)
    return Examples(scaled, targets[:, 0], targets[:, 1], targets[:, 2])


def make_targets(hits: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Chance, strength and known of rows of seconds, number in `DRUMS` and velocity: `[3, drums, frames]`."""
    targets = np.zeros((3, len(DRUMS), frames), np.float32)
    targets[2] = 1
    for seconds, drum, velocity in hits:
        frame = round(float(seconds) * FRAMES_PER_SECOND)
        if not 0 <= frame < frames:
            continue
        if drum < 0:
            targets[2, :, max(frame - 2, 0) : frame + 5] = 0
            continue
        row = int(drum)
        around = slice(max(frame - 1, 0), frame + 2)
        targets[0, row, around] = np.maximum(targets[0, row, around], BESIDE_HIT)
        targets[0, row, frame] = 1
        targets[1, row, around] = velocity / 127
    return targets


def _window(stem: Stem, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Hits and power of `FRAMES` of a stem from anywhere."""
    first = int(random.integers(0, len(stem.log_power) - FRAMES + 1))
    hits = stem.hits.copy()
    hits[:, 0] -= first / FRAMES_PER_SECOND
    return hits, np.exp(stem.log_power[first : first + FRAMES].astype(np.float32))


def _shifted(power: NDArray[np.float32], bands: int) -> NDArray[np.float32]:
    """The power some bands higher or lower, as a larger or smaller drum has it."""
    return power[:, np.clip(np.arange(BANDS) - bands, 0, BANDS - 1)]


def _coloured(power: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """The power through a random equaliser: a slope of up to 8 decibels and three gentle bumps of up to 5."""
    place = np.linspace(-1, 1, BANDS)
    decibels = random.uniform(-8, 8) * place
    for _ in range(3):
        decibels += random.uniform(-5, 5) * np.exp(-(((place - random.uniform(-1, 1)) / random.uniform(0.1, 0.5)) ** 2))
    return power * (10 ** (decibels / 10)).astype(np.float32)


def _recorded(power: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """The power as some recording has it (hiss, treble cut off, softer than the rest), scaled for the network."""
    mean = max(float(power.sum(axis=1).mean()), FLOOR)
    if random.random() < 0.5:
        slope = random.uniform(-3, 1) * np.linspace(0, 1, BANDS)
        hiss = mean * 10 ** (random.uniform(-7, -3) + slope) / BANDS
        power = power + (hiss * random.exponential(size=power.shape)).astype(np.float32)
    if random.random() < 0.35:
        last = int(random.integers(BANDS - 9, BANDS))
        power = power.copy()
        power[:, last:] *= np.float32(1e-6)
    louder = np.float32(10 ** random.uniform(-0.7, 0.5))
    return scale_power(power * louder, mean=float(power.sum(axis=1).mean()))

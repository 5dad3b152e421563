"""Random mixes of drums and music that the drum network is trained on, as log band power with targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.transcription.drums.drum_map import DRUMS
from pipeline.transcription.drums.features import BANDS, FRAMES_PER_SECOND
from pipeline.transcription.drums.network import scale_power
from pipeline.transcription.training.drum_stems import FLOOR, BandPowerStem, StemSet

FRAMES = 600
"""Length of an example: 6 s."""

MUSIC_ALONE, DRUMS_ALONE = 0.2, 0.12
"""Share of the examples without drums, and with nothing else."""

BESIDE_HIT = 0.4
"""Target probability of a hit in the frame before a hit's and in the one after."""


@dataclass(frozen=True)
class DrumBatch:
    """A training batch: `scaled` `[batch, frames, BANDS]` and two arrays `[batch, drums, frames]`.

    `probability` and, where it is above zero, `strength` (0 to 1) are targets.
    """

    scaled: NDArray[np.float32]
    probability: NDArray[np.float32]
    strength: NDArray[np.float32]


def make_batch(stems: StemSet, number: int, random: np.random.Generator) -> DrumBatch:
    """A batch of `number` random mixes of the training stems, augmented."""
    scaled = np.empty((number, FRAMES, BANDS), np.float32)
    targets = np.empty((number, 2, len(DRUMS), FRAMES), np.float32)
    for index in range(number):
        kind = random.random()
        hits, power = np.zeros((0, 3), np.float32), np.full((FRAMES, BANDS), FLOOR, np.float32)
        if kind >= MUSIC_ALONE:
            stem = stems.drums[int(random.integers(len(stems.drums)))]
            hits, drums = _window(stem, random)
            power = power + _equalised(_shifted(drums, int(random.integers(-1, 2))), random)
        if not MUSIC_ALONE <= kind < MUSIC_ALONE + DRUMS_ALONE:
            stem = stems.music[int(random.integers(len(stems.music)))]
            music = _equalised(_shifted(_window(stem, random)[1], int(random.integers(-2, 3))), random)
            ratio = (
                10 ** (random.uniform(-1.2, 1.0)) * max(float(power.mean()), FLOOR) / max(float(music.mean()), FLOOR)
            )
            power = power + music * np.float32(ratio)
        scaled[index] = _recorded(power, random)
        targets[index] = make_targets(hits, FRAMES)
    return DrumBatch(scaled, targets[:, 0], targets[:, 1])


def make_targets(hits: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Targets of the network, `[2, drums, frames]`: probability and strength.

    `hits` are rows of seconds, number in `DRUMS` and velocity.
    """
    targets = np.zeros((2, len(DRUMS), frames), np.float32)
    for seconds, drum, velocity in hits:
        frame, row = round(float(seconds) * FRAMES_PER_SECOND), int(drum)
        if not 0 <= frame < frames:
            continue
        around = slice(max(frame - 1, 0), frame + 2)
        targets[0, row, around] = np.maximum(targets[0, row, around], BESIDE_HIT)
        targets[0, row, frame] = 1
        targets[1, row, around] = velocity / 127
    return targets


def _window(stem: BandPowerStem, random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Random crop of a stem: hits and power of `FRAMES`."""
    first = int(random.integers(0, len(stem.log_power) - FRAMES + 1))
    hits = stem.hits.copy()
    hits[:, 0] -= first / FRAMES_PER_SECOND
    return hits, np.exp(stem.log_power[first : first + FRAMES].astype(np.float32))


def _shifted(power: NDArray[np.float32], bands: int) -> NDArray[np.float32]:
    """Frequency shift: the power some bands higher or lower, as a larger or smaller drum has it."""
    return power[:, np.clip(np.arange(BANDS) - bands, 0, BANDS - 1)]


def _equalised(power: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Random equaliser: a tilt of up to 10 decibels and three gentle bumps of up to 6."""
    place = np.linspace(-1, 1, BANDS)
    decibels = random.uniform(-10, 10) * place
    for _ in range(3):
        decibels += random.uniform(-6, 6) * np.exp(-(((place - random.uniform(-1, 1)) / random.uniform(0.1, 0.5)) ** 2))
    return power * (10 ** (decibels / 10)).astype(np.float32)


def _reverberant(power: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Reverberation: each band's power decays exponentially, the treble faster, beside the direct sound."""
    from scipy.signal import lfilter

    seconds = random.uniform(0.2, 1.5) * np.linspace(1, random.uniform(0.2, 1), BANDS)
    kept = 10 ** (-6 / (seconds * FRAMES_PER_SECOND))  # 60 decibels in so many seconds
    wet = np.stack([lfilter([0, 1 - one], [1, -one], band) for one, band in zip(kept, power.T, strict=True)], axis=1)
    return power + np.float32(10 ** random.uniform(-1.5, 0)) * wet.astype(np.float32)


def _compressed(power: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Compressor: loud moments are turned down by a part of what they are louder, at once, and released slowly."""
    loudness = np.log(power.sum(axis=1) + FLOOR)
    release = random.uniform(0.05, 0.5)
    level = np.empty_like(loudness)
    held = -np.inf
    for frame, here in enumerate(loudness.tolist()):
        held = level[frame] = max(here, held - release)
    gain = np.exp(-random.uniform(0.2, 0.8) * np.maximum(level - level.mean(), -2))
    compressed: NDArray[np.float32] = power * gain[:, None].astype(np.float32)
    return compressed


def _encoded(power: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Lossy encoder: what the loudest band of a moment masks is left out."""
    masked = power < 10 ** random.uniform(-5, -2.5) * power.max(axis=1, keepdims=True)
    return np.where(masked, np.float32(0.01) * power, power)


def _recorded(power: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Recording conditions, then the scale of the network.

    Now and then there are reverberation, compression, the losses of an encoder, hiss, and treble that is cut off; the
    level always differs.
    """
    for change, share in ((_reverberant, 0.2), (_compressed, 0.35), (_encoded, 0.2)):
        if random.random() < share:
            power = change(power, random)
    mean = max(float(power.sum(axis=1).mean()), FLOOR)
    if random.random() < 0.5:
        tilt = random.uniform(-3, 1) * np.linspace(0, 1, BANDS)
        hiss = mean * 10 ** (random.uniform(-7, -3) + tilt) / BANDS
        power = power + (hiss * random.exponential(size=power.shape)).astype(np.float32)
    if random.random() < 0.35:
        last = int(random.integers(BANDS - 9, BANDS))
        power = power.copy()
        power[:, last:] *= np.float32(1e-6)
    louder = np.float32(10 ** random.uniform(-0.7, 0.5))
    return scale_power(power * louder, mean=float(power.sum(axis=1).mean()))

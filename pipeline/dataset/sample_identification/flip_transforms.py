"""What songs do to their samples, and a draw from it: a distribution of what was learnt, mixed with usual values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.dataset.sample_identification.matches import SampleMatch

DEFAULT_WEIGHT = 8.0
"""The usual values count as so many pairs of a sample and a song."""
USUAL_BARS = {1: 0.15, 2: 0.45, 4: 0.4}
USUAL_SEMITONES = {-3: 0.03, -2: 0.06, -1: 0.08, 0: 0.3, 1: 0.12, 2: 0.13, 3: 0.12, 4: 0.08, 5: 0.08}
USUAL_RATIOS = (0.8, 1.25)
USUAL_TURNTABLE = 0.35
USUAL_SHARES = (0.3, 0.8)
"""In what share of the bars of its song a sample usually plays."""
RATIO_DEVIATION, SHARE_DEVIATION = 0.02, 0.05
"""What is drawn from a pair differs a little from it: by this deviation (of a ratio relative)."""
RATIO_LIMITS = (0.6, 1.68)


@dataclass(frozen=True)
class FlipTransform:
    """What is done to a record: semitones up, how many times as fast, how long a loop, and how much of the song has it.

    `semitones` follows from `ratio` where `is_turntable` says that pitch and speed move together; it is then the
    nearest whole number.
    """

    semitones: int
    ratio: float
    loop_bars: int
    is_turntable: bool
    share_of_bars: float


def transforms_of(matches: Sequence[SampleMatch]) -> list[FlipTransform]:
    """The transforms of the pairs of which a match is sure."""
    return [
        FlipTransform(
            semitones=round(one.semitones),
            ratio=one.ratio,
            loop_bars=max(round(one.loop_bars), 1),
            is_turntable=one.is_turntable,
            share_of_bars=one.share_of_bars,
        )
        for one in matches
        if not one.problem
    ]


def draw_transform(transforms: Sequence[FlipTransform], random: np.random.Generator) -> FlipTransform:
    """One of the transforms, smoothed a little, or a usual one: as often as if there were 8 pairs more."""
    if random.random() * (len(transforms) + DEFAULT_WEIGHT) < DEFAULT_WEIGHT:
        return usual_transform(random)
    one = transforms[int(random.integers(len(transforms)))]
    ratio = float(np.clip(one.ratio * np.exp(random.normal(0, RATIO_DEVIATION)), *RATIO_LIMITS))
    return FlipTransform(
        semitones=turntable_semitones(ratio) if one.is_turntable else one.semitones,
        ratio=ratio,
        loop_bars=one.loop_bars,
        is_turntable=one.is_turntable,
        share_of_bars=float(np.clip(one.share_of_bars + random.normal(0, SHARE_DEVIATION), 0.05, 0.95)),
    )


def usual_transform(random: np.random.Generator) -> FlipTransform:
    """A transform as musicians use them: two or four bars, up to five semitones up, a little slower or faster."""
    ratio = float(np.exp(random.uniform(*np.log(USUAL_RATIOS))))
    is_turntable = bool(random.random() < USUAL_TURNTABLE)
    semitones = int(random.choice(list(USUAL_SEMITONES), p=list(USUAL_SEMITONES.values())))
    return FlipTransform(
        semitones=turntable_semitones(ratio) if is_turntable else semitones,
        ratio=ratio,
        loop_bars=int(random.choice(list(USUAL_BARS), p=list(USUAL_BARS.values()))),
        is_turntable=is_turntable,
        share_of_bars=float(random.uniform(*USUAL_SHARES)),
    )


def turntable_semitones(ratio: float) -> int:
    """The whole semitones nearest to what a record rises by that plays so many times as fast."""
    return round(12 * float(np.log2(ratio)))


def pack_transforms(transforms: Sequence[FlipTransform]) -> torch.Tensor:
    """Transforms for a checkpoint, float64 `[transforms, 5]`."""
    rows = [(one.semitones, one.ratio, one.loop_bars, float(one.is_turntable), one.share_of_bars) for one in transforms]
    return torch.tensor(rows, dtype=torch.float64).reshape(-1, 5)


def unpack_transforms(rows: torch.Tensor) -> tuple[FlipTransform, ...]:
    """The transforms of a checkpoint. Raises `ValueError` for a tensor of another shape."""
    if rows.ndim != 2 or rows.shape[1] != 5:
        raise ValueError(f"transforms of shape {list(rows.shape)}")
    return tuple(
        FlipTransform(round(semitones), ratio, round(bars), turntable > 0, share)
        for semitones, ratio, bars, turntable, share in rows.tolist()
    )

"""What the two networks argue about: real phrases, and as many generated ones that were asked to be like them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gan.conditions import ConditionLayout, conditions_of, transpose_conditions
from gan.context import Conditioning, StreamContext, mask_of_steps
from gan.interface import PhraseGenerator
from gan.rolls import Batch
from gan.seeds import RandomStream
from gan.training.augmentation import draw_masks, drop_conditions, random_semitones, transpose
from gan.training.distributed import ALONE, Team

ALL_LEFT_OUT, EACH_LEFT_OUT = 0.1, 0.15
"""In training all conditions are left out of this share of the phrases, and each condition of this share of the
others.
"""


@dataclass(frozen=True)
class Heard:
    """Which notes begin where in a batch, as sums over its phrases, those of all processes.

    Attributes
    ----------
    onsets
        `[time, tracks, pitches]`: in how many phrases a note begins here.
    phrases
        `[time, tracks]`: how many phrases count here; where notes were given, a phrase does not.
    """

    onsets: Tensor
    phrases: Tensor

    @classmethod
    def of(cls, strikes: Tensor, counts: Tensor | None = None, team: Team = ALONE) -> Heard:
        """Sums of onsets `[batch, time, tracks, pitches]` where they count, bool `[batch, time, tracks]`; or of all."""
        if counts is None:
            onsets, phrases = strikes.sum(0), strikes.new_full(strikes.shape[1:3], len(strikes))
        else:
            onsets, phrases = (strikes * counts.unsqueeze(3)).sum(0), counts.sum(0).to(strikes)
        return cls(team.sum(onsets), team.sum(phrases))

    def notes_per_bar(self, bars: int) -> Tensor:
        """Mean number of notes, `[tracks]`, as if every track had counted everywhere."""
        shares = self.phrases.mean(0).clamp(min=1e-6)
        return self.onsets.sum((0, 2)) / shares / bars

    def variety(self) -> float:
        """How different the phrases are from each other: 1 where no two begin a note alike, 0 where all are the same.

        `sum of p (1 - p) n / (n - 1)` over `sum of p`, p the share of the n phrases in which a note begins at a step
        and pitch. NaN where nothing is heard.
        """
        count = self.phrases.unsqueeze(2)
        share = self.onsets / count.clamp(min=1)
        apart = share * (1 - share) * count / (count - 1).clamp(min=1)
        several = count >= 2
        return float((apart * several).sum() / (share * several).sum())


@dataclass(frozen=True)
class Pair:
    """Real and generated phrases, in the design's form `[batch, ...]`, and what they were asked to be, if anything."""

    real: Tensor
    fake: Tensor
    asked: Conditioning | None

    def heard(self, generator: PhraseGenerator, team: Team) -> tuple[Heard, Heard]:
        """What was made, without what was given, and the real phrases."""
        fake, real = generator.onsets(self.fake), generator.onsets(self.real)
        free = None if self.asked is None else ~mask_of_steps(self.asked.mask, generator.spec)
        return Heard.of(fake, free, team), Heard.of(real, team=team)


def pair_up(
    generator: PhraseGenerator,
    batch: Batch,
    max_transposition: int,
    noise: float,
    random: Callable[[RandomStream, torch.device | str], torch.Generator],
    team: Team,
) -> Pair:
    """Real phrases of a batch and as many generated ones: of a team's batch, this process's rows.

    Where the design can be asked, each generated phrase is asked for what the real one beside it is, and part of that
    is given to it. All that is random is drawn for the whole batch.

    Parameters
    ----------
    generator
        Makes phrases, on its device.
    batch
        The whole of it, on any device.
    max_transposition
        Real phrases are moved by up to so many semitones.
    noise
        Amount of noise in the generator's decisions.
    random
        Makes the random stream of a purpose, on a device.
    team
        Whose batch it is.
    """
    spec, device = generator.spec, next(generator.parameters()).device
    count = len(batch.rolls)
    rows = team.rows(count)
    rolls, labels = batch.rolls[rows].to(device), batch.labels[rows]
    real = generator.encode(rolls)
    latents = generator.sample_latents(count, random(RandomStream.LATENTS, "cpu"))[rows]
    if max_transposition:
        semitones = random_semitones(count, max_transposition, random(RandomStream.TRANSPOSITION, "cpu"))[rows].to(
            device
        )
        real = transpose(real, semitones, spec)
    asked: Conditioning | None = None
    more: dict[str, Any] = {}
    if generator.inpaints:
        draws, layout = random(RandomStream.CONDITIONS_AND_MASKS, "cpu"), ConditionLayout.of(spec)
        conditions = conditions_of(rolls, labels, spec)
        if max_transposition:
            conditions = transpose_conditions(conditions, semitones, layout)
        conditions = drop_conditions(conditions, layout, ALL_LEFT_OUT, EACH_LEFT_OUT, draws, team)
        mask = draw_masks(count, spec, draws)[rows].to(device)
        latents, more = replace(latents, conditions=conditions), {"context": StreamContext(real, mask), "shard": team}
        asked = Conditioning(conditions, mask)
    fake = generator(latents, noise, random(RandomStream.NOISE, device), **more)
    return Pair(real, fake, asked)

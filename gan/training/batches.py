"""Training batches: real phrases, and as many generated ones with the same conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from gan.conditions import ConditionLayout, conditions_of, no_labels, transpose_conditions
from gan.context import Conditioning, StreamContext
from gan.interface import PhraseGenerator
from gan.ops.shard import WHOLE, Shard
from gan.rolls import unpack
from gan.seeds import RandomStream, mix_seed
from gan.spec import RollSpec
from gan.training.augmentation import (
    draw_masks,
    drop_conditions,
    mismatch_tracks,
    random_semitones,
    silence_unknown,
    transpose,
)

DROP_ALL_SHARE, DROP_EACH_SHARE = 0.1, 0.15
"""Condition dropout: all conditions of this share of the phrases, and each condition of this share of the others."""


@dataclass(frozen=True)
class Batch:
    """Phrases to learn from.

    Attributes
    ----------
    rolls
        Bool `[batch, *spec.shape]`.
    labels
        See `gan.conditions.no_labels`.
    known
        Bool `[batch, tracks]`, false where a track is silent for want of knowledge; None where all are known.
    """

    rolls: Tensor
    labels: Tensor
    known: Tensor | None = None

    def chunks(self, count: int) -> list[Batch]:
        """`count` batches of an equal share of the phrases."""
        known = [None] * count if self.known is None else self.known.chunk(count)
        return [Batch(*parts) for parts in zip(self.rolls.chunk(count), self.labels.chunk(count), known, strict=True)]


def batches_from(
    rolls: Tensor,
    spec: RollSpec,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    labels: Tensor | None = None,
    known: Tensor | None = None,
) -> Iterator[Batch]:
    """Endless batches of `batch_size` phrases, each a function of `seed` and its step alone.

    Every phrase comes once before any comes again. Start at `trainer.step` to resume.

    Parameters
    ----------
    rolls
        All phrases, `[count, *spec.shape]`, bool or packed along pitches (uint8); they stay as they are in memory.
    spec
        The shape of a roll.
    batch_size
        Phrases in a batch.
    seed
        Decides on the order.
    start_step
        The step whose batch comes first.
    labels
        Of all phrases, see `gan.conditions.no_labels`; without them nothing is told.
    known
        Which tracks of all phrases are known, bool `[count, tracks]`; without it all are.
    """
    count = len(rolls)
    if count == 0:
        raise ValueError("there are no phrases to train on")
    told = no_labels(count, spec) if labels is None else labels
    orders: dict[int, Tensor] = {}
    step = start_step
    while True:
        places = range(step * batch_size, (step + 1) * batch_size)
        for epoch in {place // count for place in places} - set(orders):
            shuffler = torch.Generator().manual_seed(mix_seed(seed, RandomStream.BATCH_ORDER, epoch))
            orders[epoch] = torch.randperm(count, generator=shuffler)
        chosen = torch.stack([orders[place // count][place % count] for place in places])
        some = unpack(rolls.index_select(0, chosen.to(rolls.device)), spec)
        yield Batch(some, told[chosen], None if known is None else known[chosen])
        for epoch in [epoch for epoch in orders if epoch < places[-1] // count]:
            del orders[epoch]
        step += 1


@dataclass(frozen=True)
class PhrasePair:
    """Real and generated phrases, in the design's form `[batch, ...]`, and the conditioning of both, if any.

    Tracks that are not `known` (bool `[batch, tracks]`; None where all are) are silent in both.
    """

    real: Tensor
    fake: Tensor
    conditioning: Conditioning | None
    spec: RollSpec
    known: Tensor | None = None

    def mismatched(self, random: torch.Generator, shard: Shard) -> tuple[Tensor, Tensor, Conditioning]:
        """Real phrases to match and to tell from them, see `mismatch_tracks`."""
        return mismatch_tracks(self.real, self.spec, random, shard, self.known)


def make_pair(
    generator: PhraseGenerator,
    batch: Batch,
    max_transposition: int,
    noise: float,
    random: Callable[[RandomStream, torch.device | str], torch.Generator],
    shard: Shard = WHOLE,
) -> PhrasePair:
    """Real phrases of a batch and as many generated ones: of a whole batch, the rows of a shard.

    Where the design has conditions, each generated phrase has those of the real one beside it, and part of that is
    given to it as context. Tracks that are unknown in the real phrase are silenced in the generated one, and neither
    conditions nor context say anything of them, so that their silence is not learned. All that is random is drawn for
    the whole batch.

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
    shard
        Whose rows are wanted.
    """
    spec, device = generator.spec, next(generator.parameters()).device
    count = len(batch.rolls)
    rows = shard.rows(count)
    rolls, labels = batch.rolls[rows].to(device), batch.labels[rows]
    known = None if batch.known is None else batch.known[rows].to(device)
    real = generator.encode(rolls)
    latents = generator.sample_latents(count, random(RandomStream.LATENTS, "cpu"))[rows]
    if max_transposition:
        semitones = random_semitones(count, max_transposition, random(RandomStream.TRANSPOSITION, "cpu"))
        semitones = semitones[rows].to(device)
        real = transpose(real, semitones, spec)
    conditioning: Conditioning | None = None
    more: dict[str, Any] = {}
    if generator.inpaints:
        draws, layout = random(RandomStream.CONDITIONS_AND_MASKS, "cpu"), ConditionLayout.of(spec)
        conditions = conditions_of(rolls, labels, spec, known)
        if max_transposition:
            conditions = transpose_conditions(conditions, semitones, layout)
        conditions = drop_conditions(conditions, layout, DROP_ALL_SHARE, DROP_EACH_SHARE, draws, shard)
        mask = draw_masks(count, spec, draws)[rows].to(device)
        mask = mask if known is None else mask & known.unsqueeze(2)
        latents = replace(latents, conditions=conditions)
        conditioning = Conditioning(conditions, mask)
        more = {"context": StreamContext(real, mask), "shard": shard}
    fake = generator(latents, noise, random(RandomStream.NOISE, device), **more)
    if generator.inpaints and known is not None:
        fake = silence_unknown(fake, known)
    return PhrasePair(real, fake, conditioning, spec, known)

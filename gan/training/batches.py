"""Training batches: real phrases, and as many generated ones with the same conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gan.conditions import STYLE, conditions_of, no_labels, transpose_conditions
from gan.context import Conditioning, StreamContext
from gan.interface import PhraseGenerator
from gan.latents import Latents
from gan.networks.generator import Generator
from gan.ops.shard import WHOLE, Shard
from gan.ops.upload import upload
from gan.rolls import unpack
from gan.seeds import RandomStream, random_stream
from gan.spec import RollSpec
from gan.training.augmentation import (
    draw_masks,
    drop_conditions,
    random_semitones,
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
        Bool `[batch, tracks]`: of which tracks it is known what they play. The others are silent in the rolls.
    """

    rolls: Tensor
    labels: Tensor
    known: Tensor

    def chunk(self, count: int) -> list[Batch]:
        """So many batches of equal size."""
        parts = zip(self.rolls.chunk(count), self.labels.chunk(count), self.known.chunk(count), strict=True)
        return [Batch(*part) for part in parts]


def repeats_for_balance(labels: Tensor, balance: float) -> Tensor:
    """How often each phrase comes in an epoch so that rare styles are oversampled: int64 `[phrases]`, at least 1.

    A style of n phrases comes (most / n) ** balance times as often as the most frequent one, rounded: temperature
    sampling, as multilingual models use it (Arivazhagan et al., arXiv 1907.05019). Phrases without a style count as
    one style. `labels` `[phrases, ...]` are those of `gan.conditions.no_labels`, `balance` lies between 0 and 1.
    """
    styles = labels[:, STYLE].nan_to_num(-1)
    _, places, counts = torch.unique(styles, return_inverse=True, return_counts=True)
    often: Tensor = ((counts.max() / counts.double()) ** balance).round().long()
    return often[places]


def replace_unlikely(order: Tensor, weights: Tensor, random: torch.Generator) -> None:
    """Draw the entries of an epoch in proportion to their weights, in place (acceptance, then resampling).

    Each entry stays with the probability of its weight over the largest; what falls out is drawn anew from all, in
    proportion to the weights. Then entries come as often as they weigh, and where all weigh the same none is replaced.

    Parameters
    ----------
    order
        Entries, int64 `[count]`, each once.
    weights
        Of each entry, `[count]`, more than 0.
    random
        What is drawn from.
    """
    shares = weights.double() / weights.max()
    falls_out = torch.rand(len(order), generator=random, dtype=torch.float64) >= shares[order]
    count = int(falls_out.sum())
    if count:
        order[falls_out] = torch.multinomial(shares, count, replacement=True, generator=random)


def batches_from(
    rolls: Tensor,
    spec: RollSpec,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    labels: Tensor | None = None,
    known: Tensor | None = None,
    repeats: Tensor | None = None,
    weights: Tensor | None = None,
    device: torch.device | str | None = None,
) -> Iterator[Batch]:
    """Endless batches of `batch_size` phrases, each a function of `seed` and its step alone.

    Every phrase comes once, or as often as `repeats` says, before an epoch ends; phrases that weigh less than others
    come less often. Start at `trainer.step` to resume.

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
        Of all phrases, see `gan.conditions.no_labels`; without them nothing is known.
    known
        Of all phrases, bool `[count, tracks]`; without it all tracks are.
    repeats
        How often each phrase comes in an epoch, int64 `[count]`; without it once.
    weights
        In proportion to which phrases are drawn, float `[count]`, more than 0; without them all alike.
    device
        Where the batches are wanted; without it where the rolls are. Rolls that are there are indexed there (resident
        data); of others the rows of a batch are copied, packed as they are, and unpacked there.
    """
    if len(rolls) == 0:
        raise ValueError("there are no phrases to train on")
    entries = torch.arange(len(rolls))
    if repeats is not None:
        entries = entries.repeat_interleave(repeats)
    count = len(entries)
    all_labels = no_labels(len(rolls), spec) if labels is None else labels
    all_known = torch.ones(len(rolls), spec.num_tracks, dtype=torch.bool) if known is None else known
    columns = [rolls, all_labels.to(rolls.device), all_known.to(rolls.device)]
    target = rolls.device if device is None else device
    orders: dict[int, Tensor] = {}
    step = start_step
    while True:
        places = range(step * batch_size, (step + 1) * batch_size)
        for epoch in {place // count for place in places} - set(orders):
            shuffler = random_stream(seed, RandomStream.BATCH_ORDER, epoch)
            orders[epoch] = torch.randperm(count, generator=shuffler)
            if weights is not None:
                replace_unlikely(
                    orders[epoch], weights[entries], random_stream(seed, RandomStream.PHRASE_WEIGHTS, epoch)
                )
        chosen = entries[torch.stack([orders[place // count][place % count] for place in places])]
        rows = upload(chosen, rolls.device)
        packed, *told = (upload(column.index_select(0, rows), target) for column in columns)
        yield Batch(unpack(packed, spec), *told)
        for epoch in [epoch for epoch in orders if epoch < places[-1] // count]:
            del orders[epoch]
        step += 1


@dataclass(frozen=True)
class PhrasePair:
    """Real and generated phrases, in the design's form `[batch, ...]`.

    Attributes
    ----------
    real, fake
        The phrases; no generated ones while the generator learns real ones alone.
    conditioning
        Of both, if any.
    spec
        Of the phrases.
    """

    real: Tensor
    fake: Tensor | None
    conditioning: Conditioning | None
    spec: RollSpec


RandomStreams = Callable[[RandomStream, torch.device | str], torch.Generator]
"""Makes the random stream of a purpose, on a device."""


def make_pair(
    generator: PhraseGenerator, batch: Batch, max_transposition: int, random: RandomStreams, shard: Shard = WHOLE
) -> PhrasePair:
    """Real phrases of a batch and as many generated ones, for designs without conditions; see `make_pairs`."""
    device = next(generator.parameters()).device
    rows = shard.rows(len(batch.rolls))
    latents = generator.sample_latents(len(batch.rolls), random(RandomStream.LATENTS, "cpu"))[rows]
    real, _ = _real_phrases(generator, batch, max_transposition, random, shard)
    return PhrasePair(real, generator(latents, random(RandomStream.NOISE, device)), None, generator.spec)


def make_pairs(
    generator: Generator,
    batches: Sequence[Batch],
    max_transposition: int,
    random: Sequence[RandomStreams],
    shard: Shard = WHOLE,
    real_alone: bool = False,
) -> list[PhrasePair]:
    """Real phrases of batches and as many generated ones, sampled all at once: of whole batches, the rows of a shard.

    Each generated phrase has the conditions of the real one beside it, and part of that is given to it as context. All
    that is random is drawn for whole batches.

    Parameters
    ----------
    generator
        Makes phrases, on its device.
    batches
        The whole of them, on any device.
    max_transposition
        Real phrases are moved by up to so many semitones.
    random
        Of each batch.
    shard
        Whose rows are wanted.
    real_alone
        Whether no phrases are generated.
    """
    spec, layout = generator.spec, generator.layout
    device = next(generator.parameters()).device
    pairs, latents, all_known = [], [], []
    for batch, streams in zip(batches, random, strict=True):
        count = len(batch.rolls)
        rows = shard.rows(count)
        real, semitones = _real_phrases(generator, batch, max_transposition, streams, shard)
        draws = streams(RandomStream.CONDITIONS_AND_MASKS, "cpu")
        known = upload(batch.known[rows], device)
        all_known.append(known)
        labels = upload(batch.labels[rows], device)
        conditions = conditions_of(upload(batch.rolls[rows], device), labels, spec, known)
        if semitones is not None:
            conditions = transpose_conditions(conditions, semitones, layout)
        conditions = drop_conditions(conditions, layout, DROP_ALL_SHARE, DROP_EACH_SHARE, draws, shard)
        mask = upload(draw_masks(count, spec, draws)[rows], device) & known.unsqueeze(2)
        conditioning = Conditioning(conditions, mask, known)
        pairs.append(PhrasePair(real, None, conditioning, spec))
        if not real_alone:
            drawn = generator.sample_latents(count, streams(RandomStream.LATENTS, "cpu"))[rows]
            latents.append(replace(drawn, conditions=conditions))
    if real_alone:
        return pairs
    masks = torch.cat([pair.conditioning.mask for pair in pairs if pair.conditioning])
    context = StreamContext(torch.cat([pair.real for pair in pairs]), masks)
    made = generator.streams(Latents.cat(latents), context, known=torch.cat(all_known))
    fakes = torch.split(made, [len(pair.real) for pair in pairs])
    return [replace(pair, fake=fake) for pair, fake in zip(pairs, fakes, strict=True)]


def _real_phrases(
    generator: PhraseGenerator, batch: Batch, max_transposition: int, random: RandomStreams, shard: Shard
) -> tuple[Tensor, Tensor | None]:
    """A shard's real phrases in the design's form, and by how many semitones they were moved, if they were."""
    device, count = next(generator.parameters()).device, len(batch.rolls)
    rows = shard.rows(count)
    real = generator.encode(upload(batch.rolls[rows], device))
    if not max_transposition:
        return real, None
    semitones = random_semitones(count, max_transposition, random(RandomStream.TRANSPOSITION, "cpu"))
    semitones = upload(semitones[rows], device)
    return transpose(real, semitones, generator.spec), semitones

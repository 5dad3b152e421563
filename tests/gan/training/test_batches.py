"""Batches of real phrases, and generated ones beside them."""

import itertools
from collections.abc import Iterable, Iterator

import torch

from gan.ops.shard import Shard
from gan.rolls import STREAM_SOUNDING
from gan.seeds import RandomStream, random_stream
from gan.spec import ONSET
from gan.training.batches import Batch, PhrasePair, batches_from, make_pair
from tests.label_makers import labels_for
from tests.roll_makers import SPEC, empty
from tests.trainer_makers import SPEC as TRIO
from tests.trainer_makers import make_trainer, scale_rolls


def phrases(count: int) -> torch.Tensor:
    rolls = empty(count)
    for index in range(count):
        rolls[index, ONSET, 1, 0, 0, index] = True
    return rolls


def rolls_of(batches: Iterable[Batch]) -> Iterator[torch.Tensor]:
    return (batch.rolls for batch in batches)


def test_batches_depend_on_seed_and_step_alone():
    rolls = phrases(10)
    first = list(itertools.islice(rolls_of(batches_from(rolls, SPEC, 4, seed=1)), 8))
    later = list(itertools.islice(rolls_of(batches_from(rolls, SPEC, 4, seed=1, start_step=5)), 3))
    assert all(torch.equal(a, b) for a, b in zip(first[5:], later, strict=True))
    other = list(itertools.islice(rolls_of(batches_from(rolls, SPEC, 4, seed=2)), 8))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_every_phrase_comes_once_before_any_comes_again():
    rolls = phrases(10)
    drawn = torch.cat(list(itertools.islice(rolls_of(batches_from(rolls, SPEC, 4, seed=1)), 5)))
    assert drawn.sum(0)[ONSET, 1, 0, 0, :10].tolist() == [2] * 10


def test_a_batch_may_be_larger_than_the_data():
    assert next(batches_from(phrases(3), SPEC, 8, seed=0)).rolls.shape == (8, *SPEC.shape)


def pair_of(shard: Shard) -> PhrasePair:
    trainer = make_trainer()
    labels = labels_for(SPEC, (0.0, 120.0, 0.0), count=8, chord=(0, 0, 0))

    def random(purpose: RandomStream, device: torch.device | str) -> torch.Generator:
        return random_stream(1, purpose, device=device)

    with torch.no_grad():
        return make_pair(trainer.generator, Batch(scale_rolls(8), labels), 2, 1.0, random, shard)


def test_shards_of_a_batch_are_the_rows_of_the_whole():
    """Whatever is random: latents, keys, dropped conditions, masks, noise."""
    whole, halves = pair_of(Shard()), [pair_of(Shard(rank, 2)) for rank in (0, 1)]
    assert torch.equal(torch.cat([half.real for half in halves]), whole.real)
    assert torch.equal(torch.cat([half.fake for half in halves]), whole.fake)
    assert torch.equal(torch.cat([half.conditioning.mask for half in halves]), whole.conditioning.mask)
    conditions = torch.cat([half.conditioning.conditions for half in halves])
    assert torch.equal(conditions.nan_to_num(-1), whole.conditioning.conditions.nan_to_num(-1))


def test_unknown_tracks_are_silent_in_both_and_nothing_is_said_of_them():
    trainer, rolls = make_trainer(), scale_rolls(64)
    labels = labels_for(TRIO, (0.0, 120.0, 0.0), count=64)
    known = torch.ones(64, TRIO.num_tracks, dtype=torch.bool)
    known[::2, 1] = False
    rolls[::2, :, 1] = False

    def random(purpose: RandomStream, device: torch.device | str) -> torch.Generator:
        return random_stream(1, purpose, device=device)

    with torch.no_grad():
        whole, pair = (make_pair(trainer.generator, Batch(rolls, labels, one), 2, 1.0, random) for one in (None, known))
        matched, mismatched, conditioning = pair.mismatched(torch.Generator().manual_seed(0), Shard())
    assert whole.fake[::2, :, 1].any(), "otherwise it would play there"
    assert not pair.fake[::2, :, 1].any() and not pair.real[::2, :, 1].any()
    assert pair.fake[1::2, :, 1].any()
    assert not pair.conditioning.mask[::2, 1].any() and pair.conditioning.mask[1::2, 1].any()
    densities = pair.conditioning.conditions[:, : TRIO.num_tracks]
    assert densities[::2, 1].isnan().all() and not densities[1::2, 1].isnan().all()
    assert not matched[:, :, 1].any() and not mismatched[:, :, 1].any(), "of a pair only one phrase knows the track"
    assert not conditioning.mask[:, 1].any()


def test_given_notes_are_those_of_the_real_phrase():
    pair = pair_of(Shard())
    given = pair.conditioning.mask.transpose(1, 2).repeat_interleave(pair.spec.steps_per_bar, dim=1)
    assert given.any()
    assert torch.equal(pair.real[..., STREAM_SOUNDING, :][given], pair.fake[..., STREAM_SOUNDING, :][given])

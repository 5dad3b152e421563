"""Batches of real phrases, and generated ones beside them."""

import itertools
from collections.abc import Iterable, Iterator

import pytest
import torch

from gan.conditions import STYLE, no_labels
from gan.context import mask_of_steps
from gan.ops.shard import Shard
from gan.rolls import STREAM_SOUNDING
from gan.seeds import RandomStream, random_stream
from gan.spec import ONSET
from gan.training.batches import Batch, PhrasePair, RandomStreams, batches_from, make_pairs, repeats_for_balance
from tests.gan.trio import lively
from tests.label_makers import labels_for
from tests.roll_makers import SPEC, empty
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


def test_phrases_of_rare_styles_come_more_often():
    labels = no_labels(12, SPEC)
    labels[:8, STYLE], labels[8:10, STYLE] = 0, 1  # and two of no style
    assert repeats_for_balance(labels, 0).tolist() == [1] * 12
    assert repeats_for_balance(labels, 0.5).tolist() == [1] * 8 + [2] * 4
    repeats = repeats_for_balance(labels, 1)
    assert repeats.tolist() == [1] * 8 + [4] * 4
    batches = batches_from(phrases(12), SPEC, 8, seed=1, labels=labels, repeats=repeats)
    drawn = torch.cat(list(itertools.islice(rolls_of(batches), 3)))
    assert drawn.sum(0)[ONSET, 1, 0, 0, :12].tolist() == repeats.tolist()


def test_phrases_come_in_proportion_to_their_weights():
    weights = torch.tensor([1.0, 0.5, 0.25, 1.0, 0.75, 0.25])
    batches = batches_from(phrases(6), SPEC, 6, seed=1, weights=weights)
    counts = torch.cat(list(itertools.islice(rolls_of(batches), 2000))).sum(0)[ONSET, 1, 0, 0, :6]
    assert counts.sum() == 12000
    torch.testing.assert_close(counts / counts.sum(), weights / weights.sum(), rtol=0.06, atol=0)


def test_phrases_of_equal_weight_come_as_if_they_had_none_and_a_weighted_epoch_depends_on_its_step_alone():
    rolls, ones = phrases(10), torch.ones(10)
    plain = list(itertools.islice(rolls_of(batches_from(rolls, SPEC, 4, seed=1)), 8))
    for weights in (ones, 0.3 * ones):
        same = list(itertools.islice(rolls_of(batches_from(rolls, SPEC, 4, seed=1, weights=weights)), 8))
        assert all(torch.equal(a, b) for a, b in zip(plain, same, strict=True))
    ones[3:] = 0.2
    first = list(itertools.islice(rolls_of(batches_from(rolls, SPEC, 4, seed=1, weights=ones)), 8))
    later = list(itertools.islice(rolls_of(batches_from(rolls, SPEC, 4, seed=1, start_step=5, weights=ones)), 3))
    assert all(torch.equal(a, b) for a, b in zip(first[5:], later, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(plain, first, strict=True))


def test_rare_styles_and_weights_multiply():
    repeats, weights = torch.tensor([1, 1, 4, 4]), torch.tensor([1.0, 0.5, 1.0, 0.5])
    batches = batches_from(phrases(4), SPEC, 10, seed=1, repeats=repeats, weights=weights)
    counts = torch.cat(list(itertools.islice(rolls_of(batches), 1000))).sum(0)[ONSET, 1, 0, 0, :4]
    torch.testing.assert_close(counts / counts.sum(), torch.tensor([2.0, 1, 8, 4]) / 15, rtol=0.06, atol=0)


def test_a_batch_may_be_larger_than_the_data():
    assert next(batches_from(phrases(3), SPEC, 8, seed=0)).rolls.shape == (8, *SPEC.shape)


def random_of(number: int) -> RandomStreams:
    def random(purpose: RandomStream, device: torch.device | str) -> torch.Generator:
        return random_stream(1, purpose, number, device=device)

    return random


def pairs_of(shard: Shard, real_alone: bool = False) -> list[PhrasePair]:
    """Of two batches of eight; of the first two phrases of each nobody knows the bass."""
    trainer = make_trainer()
    lively(trainer.generator)
    rolls, labels = scale_rolls(16), labels_for(SPEC, (0.0, 120.0, 0.0), count=16, chord=(0, 0, 0))
    known = torch.ones(16, trainer.spec.num_tracks, dtype=torch.bool)
    known[[0, 1, 8, 9], 2] = False
    rolls[~known[:, None, :].expand(-1, 2, -1)] = False
    batches = Batch(rolls, labels, known).chunk(2)
    return make_pairs(trainer.generator, batches, 2, [random_of(0), random_of(1)], shard, real_alone)


@pytest.mark.parametrize("size", [2, 4])
def test_shards_of_batches_are_the_rows_of_the_whole(size: int) -> None:
    """Whatever is random: latents, keys, dropped conditions, masks."""
    wholes, shards = pairs_of(Shard()), [pairs_of(Shard(rank, size)) for rank in range(size)]
    for number, whole in enumerate(wholes):
        parts = [pairs[number] for pairs in shards]
        assert torch.equal(torch.cat([part.real for part in parts]), whole.real)
        assert torch.equal(torch.cat([part.fake for part in parts]), whole.fake)
        for name in ("mask", "known", "conditions"):
            values = torch.cat([getattr(part.conditioning, name) for part in parts])
            assert torch.equal(values.nan_to_num(-1), getattr(whole.conditioning, name).nan_to_num(-1)), name
    assert not torch.equal(wholes[0].fake, wholes[1].fake)


def test_unknown_tracks_are_silent_in_both_and_nothing_is_said_of_them():
    for pair in pairs_of(Shard()):
        unknown = ~pair.conditioning.known
        assert unknown[:2, 2].all() and not unknown[2:].any()
        assert not pair.fake[:2, :, 2].any() and not pair.real[:2, :, 2].any() and pair.fake[2:, :, 2].any()
        assert not pair.conditioning.mask[:2, 2].any()
        assert pair.conditioning.conditions[:2, 2].isnan().all()


def test_given_notes_are_those_of_the_real_phrase():
    for pair in pairs_of(Shard()):
        given = mask_of_steps(pair.conditioning.mask, pair.spec)
        assert given.any()
        assert torch.equal(pair.real[..., STREAM_SOUNDING, :][given], pair.fake[..., STREAM_SOUNDING, :][given])


def test_unknown_tracks_are_silent_in_both():
    for pair in pairs_of(Shard()):
        assert not pair.real[:2, :, 2].any() and not pair.fake[:2, :, 2].any()
        assert pair.fake[2:, :, 2].any()


def test_real_phrases_alone_are_those_that_come_with_generated_ones():
    for alone, pair in zip(pairs_of(Shard(), real_alone=True), pairs_of(Shard()), strict=True):
        assert alone.fake is None
        assert torch.equal(alone.real, pair.real)
        assert torch.equal(alone.conditioning.mask, pair.conditioning.mask)

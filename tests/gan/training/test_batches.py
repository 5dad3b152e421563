"""Batches depend on seed and step alone."""

import itertools
from collections.abc import Iterable, Iterator

import torch

from gan.rolls import Batch, batches_from
from gan.spec import ONSET
from tests.roll_makers import SPEC, empty


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

"""The noise table against its plain reading, and the moments of its distributions."""

import pytest
import torch

from gan.ops.noise import GUMBEL, LOGISTIC, TABLE_SIZE


@pytest.mark.parametrize("amount", [2.0, torch.tensor([0.5, 3.0, 0.0])])
def test_the_table_is_read_number_by_number_from_a_random_place(amount):
    values = torch.randn(40, 3)
    for seed in range(3):
        plain = GUMBEL.add_reference(values, amount, torch.Generator().manual_seed(seed))
        added = GUMBEL.add_(values.clone(), amount, torch.Generator().manual_seed(seed))
        torch.testing.assert_close(added, plain)


def test_a_call_that_runs_over_the_end_of_the_table_goes_on_at_its_beginning():
    starts = ((seed, torch.Generator().manual_seed(seed)) for seed in range(10_000))
    seed = next(seed for seed, random in starts if torch.randint(TABLE_SIZE, (1,), generator=random) > TABLE_SIZE - 999)
    values = torch.zeros(2000)
    plain = LOGISTIC.add_reference(values, 1.0, torch.Generator().manual_seed(seed))
    torch.testing.assert_close(LOGISTIC.add_(values.clone(), 1.0, torch.Generator().manual_seed(seed)), plain)


def test_noise_has_the_moments_of_its_distribution():
    random = torch.Generator().manual_seed(0)
    drawn = GUMBEL.add_(torch.zeros(200_000), 2.0, random)
    assert drawn.mean().item() == pytest.approx(2 * 0.5772, abs=0.02)
    assert drawn.var().item() == pytest.approx(4 * 1.6449, rel=0.02)
    assert (LOGISTIC.add_(torch.full((200_000,), 0.5), 1.0, random) > 0).float().mean() == pytest.approx(
        0.6225, abs=0.01
    )


def test_noise_repeats_between_calls_of_one_seed_and_not_within_a_call():
    first, again, later = torch.zeros(3, TABLE_SIZE)
    random = torch.Generator().manual_seed(0)
    GUMBEL.add_(first, 1.0, random)
    GUMBEL.add_(later, 1.0, random)
    GUMBEL.add_(again, 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(first, again)
    assert not torch.equal(first, later)
    assert torch.equal(first.sort().values, later.sort().values), "every number of the table once"


def test_noise_may_be_asked_for_more_than_the_table_holds():
    drawn = LOGISTIC.add_(torch.zeros(TABLE_SIZE + 100), 1.0, torch.Generator().manual_seed(0))
    assert (drawn != 0).all()
    assert not torch.equal(drawn[:100], drawn[-100:])

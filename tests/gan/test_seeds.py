"""Seeds of random streams."""

from gan.seeds import mix_seed


def test_neighbouring_seeds_are_unrelated():
    seeds = {mix_seed(seed, number) for seed in range(30) for number in range(30)}
    assert len(seeds) == 900

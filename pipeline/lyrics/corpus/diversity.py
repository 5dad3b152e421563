"""How varied words are: distinct-2 (Li et al. 2016) and what is said twice."""

from __future__ import annotations

from collections.abc import Sequence


def distinct_2(pairs: Sequence[tuple[str, str]], num_pairs: int | None = None) -> float | None:
    """Distinct-2: different pairs of neighbouring words as a share of all (Li et al. 2016, arXiv 1510.03055).

    Parameters
    ----------
    pairs
        Each word and the next one.
    num_pairs
        The mean over stretches of so many of them, as the share falls with their number; None takes all at once.

    Returns
    -------
    float or None
        None where there are too few pairs.
    """
    size = num_pairs or len(pairs)
    if not size or len(pairs) < size:
        return None
    shares = [len({*pairs[at : at + size]}) / size for at in range(0, len(pairs) - size + 1, size)]
    return sum(shares) / len(shares)


def repeated_share(words: Sequence[str], size: int) -> float:
    """Share of the runs of `size` words that stand earlier, too; 0 for fewer words."""
    runs = [tuple(words[at : at + size]) for at in range(len(words) - size + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0

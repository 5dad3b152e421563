"""How good a freely written text is beside others: likely, without loops."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pipeline.lyrics.prose.training_text import Known, words_of

LOOP = 4
"""Words in a row that a text should not say twice."""
LOOPS, POOR, STRAY = 2.0, 2.0, 0.5
"""What shares of loops, missing variety and length gone astray count in bits a character; by reading."""


def merit(text: str, bits: float, known: Known, length: int) -> float:
    """Minus the bits a character under the model, and minus what makes a likely text a bad one.

    Counted are the share of runs of `LOOP` words that the text has said before; how far its distinct-2 is below that of
    as much training text; the share of `length` that is missing or too much.

    Parameters
    ----------
    text
        What was written.
    bits
        Its bits a character.
    known
        The training texts.
    length
        Characters asked for.
    """
    words = words_of(text.lower())
    variety = distinct_2(words_of("\n".join(known.samples).lower())[: len(words)]) - distinct_2(words)
    stray = abs(1 - len(text) / length)
    return -bits - LOOPS * repeated(words) - POOR * max(0.0, variety) - STRAY * stray


def distinct_2(words: Sequence[str]) -> float:
    """Different pairs of neighbours over all pairs (Li et al. 2016, arXiv 1510.03055); 1 for fewer than two words."""
    pairs = list(pairwise(words))
    return len(set(pairs)) / len(pairs) if pairs else 1.0


def repeated(words: Sequence[str]) -> float:
    """Share of the runs of `LOOP` words that stand earlier in the text, too; 0 for fewer words."""
    runs = [tuple(words[at : at + LOOP]) for at in range(len(words) - LOOP + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0

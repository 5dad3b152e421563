"""Reranking of candidate texts: likely, without loops, varied, of the length asked for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pipeline.lyrics.corpus.diversity import distinct_2, repeated_share
from pipeline.lyrics.prose.training_text import TrainingText, spelt_words

LOOP = 4
"""Words in a row that a text should not say twice."""
LOOPS, POOR, STRAY = 2.0, 2.0, 0.5
"""What shares of loops, missing variety and length gone astray count in bits a character; by reading."""


def score_text(text: str, bits: float, known: TrainingText, length: int) -> float:
    """Score of a text, more is better: minus its bits a character, minus what makes a likely text a bad one.

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
    words = spelt_words(text.lower())
    poor = variety(spelt_words("\n".join(known.samples).lower())[: len(words)]) - variety(words)
    stray = abs(1 - len(text) / length)
    return -bits - LOOPS * repeated_share(words, LOOP) - POOR * max(0.0, poor) - STRAY * stray


def variety(words: Sequence[str]) -> float:
    """Distinct-2 of a text's words; 1 for fewer than two."""
    found = distinct_2(list(pairwise(words)))
    return 1.0 if found is None else found

"""What a language model has to beat, and whether it copies."""

from __future__ import annotations

import lzma
import math
from collections import Counter
from collections.abc import Iterable


def trigram_bits(training: str, held_out: str) -> float:
    """Bits a character of an interpolated character trigram.

    The probability of a character is a mean of trigram, bigram, unigram and uniform estimates by Witten and Bell's
    rule: p_n = (count + d p_{n-1}) / (total + d), where d is the number of different characters seen after the context.
    """
    counts = [Counter(training[at : at + size] for at in range(len(training) - size + 1)) for size in (1, 2, 3)]
    totals: list[Counter[str]] = [Counter(), Counter(), Counter()]
    kinds: list[Counter[str]] = [Counter(), Counter(), Counter()]
    for order, grams in enumerate(counts):
        for gram, count in grams.items():
            totals[order][gram[:-1]] += count
            kinds[order][gram[:-1]] += 1
    uniform = 1 / len({*training, *held_out})
    bits = 0.0
    for at, character in enumerate(held_out):
        chance = uniform
        for order in range(min(at, 2) + 1):
            context = held_out[at - order : at]
            if total := totals[order][context]:
                distinct = kinds[order][context]
                chance = (counts[order][context + character] + distinct * chance) / (total + distinct)
        bits -= math.log2(chance)
    return bits / len(held_out)


def xz_bits(training: str, held_out: str) -> float:
    """Bits a character that xz needs more for both texts together than for the training text alone."""
    alone, both = (len(lzma.compress(text.encode(), preset=9)) for text in (training, training + held_out))
    return 8 * (both - alone) / len(held_out)


def longest_copy(lines: Iterable[str], text: str) -> str:
    """The longest run of characters in one of `lines` that stands word for word in `text`."""
    longest = ""
    for line in lines:
        start = 0
        for end in range(1, len(line) + 1):
            while start < end and line[start:end] not in text:
                start += 1
            if end - start > len(longest):
                longest = line[start:end]
    return longest

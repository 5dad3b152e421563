"""What a language model has to beat, and whether it copies."""

from __future__ import annotations

import lzma
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.lyrics.corpus.encoded_texts import Texts
from pipeline.lyrics.corpus.song_lyrics import START

MOST_TRAINING, MOST_HELD_OUT = 8_000_000, 1_000_000
"""Characters of training and of held-out text that the baselines read: xz's window of 8 MB sees no more."""
CHUNK = 1 << 21
"""Characters whose trigrams are counted at once."""
FACTOR = 0x9E3779B97F4A7C15
"""Odd, so it has an inverse modulo 2^64: the base of the rolling hash."""

Codes = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Baselines:
    """Bits a character of two models that need no training, on the same split as the language model.

    Attributes
    ----------
    trigram_bits, xz_bits
        See the functions of these names.
    training_characters, held_out_characters
        How much of both sides they read.
    """

    trigram_bits: float
    xz_bits: float
    training_characters: int
    held_out_characters: int


def baselines(texts: Texts) -> Baselines:
    """Both baselines on the test side, of at most `MOST_TRAINING` and `MOST_HELD_OUT` characters.

    The documents' first token is left out: the language model is given it, too.
    """
    training, held_out = (
        "".join(texts.read(side, most)).replace(START, "")[:most]
        for side, most in ((texts.training, MOST_TRAINING), (texts.test, MOST_HELD_OUT))
    )
    return Baselines(trigram_bits(training, held_out), xz_bits(training, held_out), len(training), len(held_out))


def trigram_bits(training: str, held_out: str) -> float:
    """Bits a character of an interpolated character trigram.

    The probability of a character is a mean of trigram, bigram, unigram and uniform estimates by Witten and Bell's
    rule: p_n = (count + d p_{n-1}) / (total + d), where d is the number of different characters seen after the context.
    """
    symbols, (seen, wanted) = _numbered(training, held_out)
    base = len(symbols)
    chance = np.full(len(wanted), 1 / base)
    for order in range(3):
        grams, counts = _count_runs(seen, order + 1, base)
        contexts, first = np.unique(grams // base, return_index=True)
        if not len(grams):
            break
        totals = np.add.reduceat(counts, first)
        kinds = np.diff([*first, len(grams)])
        runs = _runs(wanted, order + 1, base)
        place, known = _look_up(contexts, runs // base)
        at, there = _look_up(grams, runs)
        count = np.where(there, counts[at], 0)
        before = chance[order:]
        chance[order:] = np.where(known, (count + kinds[place] * before) / (totals[place] + kinds[place]), before)
    return float(-np.log2(chance).sum()) / len(held_out)


def _numbered(*texts: str) -> tuple[NDArray[np.uint32], list[Codes]]:
    """The different characters of all texts, and each text as indices among them `[characters]`."""
    codes = [np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4") for text in texts]
    symbols = np.unique(np.concatenate([np.unique(one) for one in codes])).astype(np.uint32)
    return symbols, [np.searchsorted(symbols, one).astype(np.int64) for one in codes]


def _runs(codes: Codes, size: int, base: int) -> Codes:
    """Each run of `size` indices as one number `[characters - size + 1]`."""
    count = max(0, len(codes) - size + 1)
    found = np.zeros(count, dtype=np.int64)
    for at in range(size):
        found = found * base + codes[at : at + count]
    return found


def _count_runs(codes: Codes, size: int, base: int) -> tuple[Codes, Codes]:
    """The different runs of `size` indices in order, and how often each stands in `codes`."""
    grams, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for start in range(0, len(codes), CHUNK):
        # a chunk at a time and merged: sorting all of a large text at once takes many times its memory
        more = np.unique(_runs(codes[start : start + CHUNK + size - 1], size, base), return_counts=True)
        both = np.concatenate([grams, more[0]])
        grams, place = np.unique(both, return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, more[1]]), len(grams)).astype(np.int64)
    return grams, counts


def _look_up(known: Codes, wanted: Codes) -> tuple[Codes, NDArray[np.bool_]]:
    """Where each of `wanted` stands in the sorted `known`, and whether it does."""
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return place, known[place] == wanted


def xz_bits(training: str, held_out: str) -> float:
    """Bits a character that xz needs more for both texts together than for the training text alone.

    At its strongest preset, with a window that holds all of the text up to 8 MB: the preset's own takes 700 MB.
    """
    first = training.encode()
    data = first + held_out.encode()
    window = min(1 << max(12, math.ceil(math.log2(len(data)))), 1 << 23)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "dict_size": window}]
    alone, both = (len(lzma.compress(text, filters=filters)) for text in (first, data))
    return 8 * (both - alone) / len(held_out)


class Copies:
    """Finds what stands word for word in a text: each question costs the length of the line asked about.

    Runs are compared by a rolling hash (Karp and Rabin 1987) of 64 bits; what `longest` gives was found in the text.

    Parameters
    ----------
    text
        What may have been copied from; a few MB take some 20 times that in memory.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._rolled = _Rolled(text)
        self._of_size: dict[int, Hashes] = {}

    def has_longer(self, line: str, limit: int) -> bool:
        """Whether more than `limit` characters in a row of `line` stand so in the text.

        The first question with a `limit` sorts the text's runs of that size, some 0.1 s a MB.
        """
        size = limit + 1
        if len(line) < size:
            return False
        if size not in self._of_size:
            self._of_size = {size: np.unique(self._rolled.runs(size))}
        known = self._of_size[size]
        if not len(known):
            return False
        wanted = _Rolled(line).runs(size)
        return bool((known[np.minimum(np.searchsorted(known, wanted), len(known) - 1)] == wanted).any())

    def longest(self, lines: Iterable[str]) -> str:
        """The longest run of characters in one of `lines` that stands in the text; of several the first."""
        kept = [line for line in lines if line]
        asked = _Rolled("".join(kept))
        ends = np.cumsum([len(line) for line in kept], dtype=np.int64)
        low, high, found = 0, max(map(len, kept), default=0), ""
        while low < high:
            size = (low + high + 1) // 2
            run = self._common(asked, ends, size)
            if run is None:
                high = size - 1
            else:
                low, found = size, run
        return found

    def _common(self, asked: _Rolled, ends: NDArray[np.int64], size: int) -> str | None:
        """The first run of `size` characters inside one line that stands in the text."""
        wanted = asked.runs(size)
        place = np.arange(len(wanted))
        inside = ends[np.searchsorted(ends, place, side="right")] - place >= size
        known = self._rolled.runs(size)
        # a table of 2^24 bits leaves few of the text's runs to compare
        table = np.zeros(1 << 24, dtype=np.bool_)
        table[wanted >> np.uint64(40)] = True
        known = known[table[known >> np.uint64(40)]]
        for at in np.flatnonzero(inside & np.isin(wanted, known)).tolist():
            run = asked.text[at : at + size]
            if run in self.text:
                return run
        return None


class _Rolled:
    """Hashes of all runs of any size in one text.

    With s_i = sum of x_j b^j over j < i, the hash of the run from i to i + n is (s_{i+n} - s_i) b^{-i} modulo 2^64.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
        powers = _powers(FACTOR, len(codes))
        self._sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_mixed(codes) * powers)])

    @cached_property
    def _inverse(self) -> Hashes:
        return _powers(pow(FACTOR, -1, 1 << 64), len(self._sums) - 1)

    def runs(self, size: int) -> Hashes:
        """A hash for each run of `size` characters `[characters - size + 1]`."""
        count = max(0, len(self._sums) - size)
        return _mixed((self._sums[size : size + count] - self._sums[:count]) * self._inverse[:count])


def _powers(base: int, count: int) -> Hashes:
    """base^0, base^1, ... modulo 2^64 `[count]`."""
    found = np.full(count, base, dtype=np.uint64)
    found[:1] = 1
    return np.multiply.accumulate(found, out=found)


def _mixed(values: Hashes) -> Hashes:
    """Every bit depends on all (the finaliser of SplitMix64, Steele et al. 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def longest_copy(lines: Iterable[str], text: str) -> str:
    """The longest run of characters in one of `lines` that stands word for word in `text`; of several the first."""
    return Copies(text).longest(lines)

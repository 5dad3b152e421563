"""Copy detection by a rolling hash (Karp and Rabin 1987): runs of characters that stand in another text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MOST_RUNS = 8_000_000
"""Runs that an index keeps, 8 bytes each: of a text of more characters every second run, every third one, and so on."""
CHUNK = 1_000_000
"""Characters that an index hashes at a time."""
BASE = 0x9E3779B97F4A7C15
"""Of the polynomial; odd, so it has an inverse modulo 2^64."""
INVERSE = pow(BASE, -1, 1 << 64)

Hashes = NDArray[np.uint64]


class RollingHash:
    """Rabin-Karp hashes of all runs of any size in one text, 64 bits each.

    With s_i = sum of x_j b^j over j < i, the hash of the run from i to i + n is (s_{i+n} - s_i) b^{-i} modulo 2^64.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
        self._sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_mixed(codes) * _powers(BASE, len(codes)))])

    @cached_property
    def _inverses(self) -> Hashes:
        return _powers(INVERSE, len(self._sums) - 1)

    def runs(self, size: int, stride: int = 1) -> Hashes:
        """A hash for each run of `size` characters, or for every `stride`-th one `[characters - size + 1]`."""
        count = max(0, len(self._sums) - size)
        ends, starts = self._sums[size : size + count : stride], self._sums[:count:stride]
        return _mixed((ends - starts) * self._inverses[:count:stride])


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


class CopyIndex:
    """Tells copies of more than `limit` characters while a text is written; in bounded memory.

    A text of up to `MOST_RUNS` characters is indexed whole. Of a longer one every `stride`-th run is kept, shorter by
    `stride - 1` characters: each run of `limit + 1` characters holds one of those. So a run that is too long is always
    found, and some that are a little shorter are taken for one.

    Parameters
    ----------
    texts
        What may be copied from, in parts; a run never crosses from one to the next.
    num_characters
        How many there are in `texts`.
    limit
        Characters in a row that are no copy yet.
    """

    def __init__(self, texts: Iterable[str], num_characters: int, limit: int) -> None:
        self.stride = max(1, min(-(-num_characters // MOST_RUNS), (limit + 1) // 2))
        self.size = limit + 2 - self.stride
        step = CHUNK // self.stride * self.stride
        found = [np.zeros(0, np.uint64)]
        for text in texts:
            for start in range(0, max(0, len(text) - self.size + 1), step):
                chunk = RollingHash(text[start : start + step + self.size - 1])
                found.append(chunk.runs(self.size, self.stride))
        self.hashes = np.concatenate(found)
        self.hashes.sort()

    def holds(self, text: str, since: int = 0) -> bool:
        """Whether a run that ends after character `since` of `text` is a copy."""
        if not len(self.hashes):
            return False
        wanted = RollingHash(text[max(0, since + 1 - self.size) :]).runs(self.size)
        places = np.minimum(np.searchsorted(self.hashes, wanted), len(self.hashes) - 1)
        return bool((self.hashes[places] == wanted).any())


class CopyFinder:
    """Finds the longest run that stands word for word in a text: each question costs the length of what is asked.

    Parameters
    ----------
    text
        What may have been copied from; a few MB take some 20 times that in memory.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._rolled = RollingHash(text)

    def longest(self, lines: Iterable[str]) -> str:
        """The longest run of characters in one of `lines` that stands in the text; of several the first."""
        kept = [line for line in lines if line]
        asked = RollingHash("".join(kept))
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

    def _common(self, asked: RollingHash, ends: NDArray[np.int64], size: int) -> str | None:
        """The first run of `size` characters inside one line that stands in the text; hashes are not trusted alone."""
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

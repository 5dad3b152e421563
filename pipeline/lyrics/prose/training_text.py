"""What free writing knows of the training text: its words, its titles, and its runs of characters."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.lyrics.corpus.encoded_texts import Side
from pipeline.lyrics.corpus.song_lyrics import START
from pipeline.lyrics.corpus.vocabulary import Vocabulary

MOST_INDEXED = 32_000_000
"""Characters of the training text that are read; a larger text is known by its first ones."""
MOST_RUNS = 8_000_000
"""Runs that are kept, 8 bytes each: a text of more characters keeps every second run, every third one, and so on."""
CHUNK = 1_000_000
"""Characters that are hashed at a time."""
SAMPLE = 200_000
"""Characters of the training text that its repetitions are counted in."""
SPELT = 0.5
"""Where a text's words are known to this share from before, it is one that repeats its words, as most languages do."""
APOSTROPHES = "'\u2019"
WORDS = re.compile(rf"[^\W\d_]+(?:[{APOSTROPHES}][^\W\d_]+)*")
"""Letters, with apostrophes inside; a hyphen divides two words."""
BASE = 0x9E3779B97F4A7C15
"""Of the hash; an odd number of 64 bits."""


class Runs:
    """Hashes of the runs of `limit + 1` characters in a text, in bounded memory.

    A text of up to `MOST_RUNS` characters is indexed whole. Of a longer one every `stride`-th run is kept, shorter by
    `stride - 1` characters: each run of `limit + 1` characters holds one of those. So a run that is too long is always
    found, and some that are a little shorter are taken for one. The hash is polynomial, modulo 2 ** 64.

    Parameters
    ----------
    texts
        The text, in parts; a run never crosses from one to the next.
    characters
        How many there are in `texts`.
    limit
        Characters in a row that are no copy yet.
    """

    def __init__(self, texts: Iterable[str], characters: int, limit: int) -> None:
        self.stride = max(1, min(-(-characters // MOST_RUNS), (limit + 1) // 2))
        self.size = limit + 2 - self.stride
        self._powers, self._inverses = (_powers(base, CHUNK + self.size) for base in (BASE, pow(BASE, -1, 1 << 64)))
        found = [np.zeros(0, np.uint64)]
        found += [self._hashes(codes) for text in texts for codes in self._chunks(_codes(text))]
        self.hashes = np.concatenate(found)
        self.hashes.sort()

    def holds(self, text: str, since: int) -> bool:
        """Whether a run that ends after character `since` of `text` is in the index."""
        start = max(0, since + 1 - self.size)
        codes = _codes(text[start:])
        hashes = [self._hash(codes[at : at + self.size]) for at in range(len(codes) - self.size + 1)]
        places = np.searchsorted(self.hashes, np.array(hashes, np.uint64))
        return any(
            place < len(self.hashes) and self.hashes[place] == one for place, one in zip(places, hashes, strict=True)
        )

    def _chunks(self, codes: NDArray[np.uint64]) -> Iterator[NDArray[np.uint64]]:
        """Stretches of `CHUNK` starts each, and the characters that the last runs go on with."""
        step = CHUNK // self.stride * self.stride
        for start in range(0, max(0, len(codes) - self.size + 1), step):
            yield codes[start : start + step + self.size - 1]

    def _hashes(self, codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Of the runs at every `stride`-th character: differences of the sums of code * BASE ** place."""
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(codes * self._powers[: len(codes)], dtype=np.uint64)])
        starts = np.arange(0, len(codes) - self.size + 1, self.stride)
        found: NDArray[np.uint64] = (sums[starts + self.size] - sums[starts]) * self._inverses[starts]
        return found

    def _hash(self, codes: NDArray[np.uint64]) -> np.uint64:
        return np.uint64((codes * self._powers[: self.size]).sum(dtype=np.uint64))


class Known:
    """What the training texts hold.

    Attributes
    ----------
    words
        All words.
    seen
        Which tokens stand in the texts `[tokens]`.
    titles
        The first line of each text that has one, in small letters.
    runs
        The runs of characters that are too long to be copied.
    samples
        The first texts, `SAMPLE` characters of them.
    characters, indexed
        How long the training text is, and how much of it was read.
    """

    def __init__(self, training: Side, vocabulary: Vocabulary, limit: int) -> None:
        self.characters = sum(
            int(vocabulary.widths[training.tokens[start : start + CHUNK]].sum())
            for start in range(0, len(training.tokens), CHUNK)
        )
        self.seen = np.zeros(len(vocabulary), np.bool_)
        for start in range(0, len(training.tokens), CHUNK):
            self.seen[training.tokens[start : start + CHUNK]] = True
        self.indexed = min(self.characters, MOST_INDEXED)
        self.titles: set[str] = set()
        self.samples: list[str] = []
        words: set[str] = set()
        self.runs = Runs(self._read(training, vocabulary, words), self.indexed, limit)
        self.titles.discard("")
        self.words = Words(words)
        spelt = words_of("\n".join(self.samples))
        early, late = spelt[: len(spelt) // 2], spelt[len(spelt) // 2 :]
        self.repeats_words = Words(early).share(late) >= SPELT
        """Whether words that are not in `words` are none: not so in a language that writes no spaces."""

    def _read(self, training: Side, vocabulary: Vocabulary, words: set[str]) -> Iterator[str]:
        """The texts as they stand, until there are `MOST_INDEXED` characters; their words are noted on the way."""
        seen = 0
        for number in range(len(training)):
            text = vocabulary.decode(training.document(number).tolist()).replace(START, "")[: MOST_INDEXED - seen]
            words.update(words_of(text))
            self.titles.add(text.partition("\n")[0].strip().lower())
            if seen < SAMPLE:
                self.samples.append(text[: SAMPLE - seen])
            yield text
            seen += len(text)
            if seen >= MOST_INDEXED:
                return


class Words:
    """Words as they are spelt, and how they begin; any of them may have a large first letter."""

    def __init__(self, words: Iterable[str]) -> None:
        self._ordered = sorted(set(words))

    def __contains__(self, word: object) -> bool:
        """Whether it is one of the words."""
        return isinstance(word, str) and any(self._from(form) == form for form in _forms(word))

    def begin(self, start: str) -> bool:
        """Whether one of the words begins with `start`."""
        return any(self._from(form).startswith(form) for form in _forms(start))

    def share(self, words: Sequence[str]) -> float:
        """The share of `words` that are in these; 1 where there are none."""
        return sum(word in self for word in words) / len(words) if words else 1.0

    def _from(self, start: str) -> str:
        """The first word that is not before `start` in order."""
        place = bisect_left(self._ordered, start)
        return self._ordered[place] if place < len(self._ordered) else ""


def words_of(text: str) -> list[str]:
    """The words of a text in order, as they are spelt."""
    return WORDS.findall(text)


def _forms(word: str) -> tuple[str, str]:
    return word, word[:1].lower() + word[1:]


def _codes(text: str) -> NDArray[np.uint64]:
    return np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)


def _powers(base: int, number: int) -> NDArray[np.uint64]:
    """`base ** 0` to `base ** (number - 1)`, modulo 2 ** 64."""
    factors = np.full(number, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)

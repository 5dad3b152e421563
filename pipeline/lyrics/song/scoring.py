"""Reranking of candidate lines: likelihood, idiom, theme and freshness."""

from __future__ import annotations

import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from pipeline.lyrics.alignment.alignment import STRESSES, WEAK_PLACE, WEIGHT_ON_STRONG

IDIOM, THEME, RARE, WORN, SAME_START, ECHO, OWN = 2.0, 1.0, 0.7, 0.1, 0.12, 3.0, 3.0
"""What each counts beside one nat a character of likelihood; chosen by reading."""
HANGING = 0.5
"""A comma at the end of a section."""
PAIR_SHARES = 12
"""Each song prefers one in so many pairs of words, which keeps songs different without one knowing of the other."""
BEAT = 2.0
"""What the price of an average syllable's place counts."""
COMMON_SHARE = 0.25
"""Words in more than this share of the texts carry no theme."""


class WordUsage:
    """How the training texts use words.

    Parameters
    ----------
    documents
        For each document its lines, each a sequence of words in small letters.
    """

    def __init__(self, documents: Iterable[Sequence[Sequence[str]]]) -> None:
        self.triples: set[tuple[str, ...]] = set()
        self.homes: dict[str, set[int]] = defaultdict(set)
        number = 0
        for number, lines in enumerate(documents):
            for words in lines:
                self.triples.update(_triples(words))
                for word in words:
                    self.homes[word].add(number)
        self.num_texts = number + 1
        self.most = max(3.0, COMMON_SHARE * self.num_texts)

    def carries_theme(self, word: str) -> bool:
        """Whether a word tells what a text is about."""
        return 1 < len(self.homes.get(word, ())) <= self.most

    def idiom(self, words: Sequence[str]) -> float:
        """Share of the line's three words in a row (its two ends count as words) that stand so in the texts, too."""
        triples = _triples(words)
        return sum(triple in self.triples for triple in triples) / len(triples)

    def rarity(self, words: Sequence[str]) -> float:
        """Mean over the words of -log(share of the texts that have it) / log(number of texts): 0 common, 1 rare."""
        shares = [len(self.homes.get(word, ())) / self.num_texts for word in words]
        return (
            sum(-math.log(max(share, 1 / self.num_texts)) for share in shares)
            / math.log(max(2, self.num_texts))
            / len(words)
        )

    def theme(self, words: Sequence[str], before: Iterable[str]) -> float:
        """How much the line's words keep company with those before: mean of the nearest cosine of their documents."""
        earlier = [word for word in before if self.carries_theme(word)]
        own = [word for word in set(words) if self.carries_theme(word)]
        if not earlier or not own:
            return 0.0
        return sum(max(self._cosine(word, other) for other in earlier) for word in own) / len(own)

    def _cosine(self, first: str, second: str) -> float:
        if first == second:
            return 0.0
        here, there = self.homes[first], self.homes[second]
        return len(here & there) / math.sqrt(len(here) * len(there))


def _triples(words: Sequence[str]) -> list[tuple[str, ...]]:
    padded = ("", *words, "")
    return [padded[at : at + 3] for at in range(len(padded) - 2)]


def off_beat(stresses: Sequence[int], beats: Sequence[float]) -> float:
    """What it costs an average syllable to be sung in its place of the bar, by the prices of the alignment.

    Parameters
    ----------
    stresses
        Of the syllables: 1 for the main stress of a word, 2 for another, 0 for none.
    beats
        How strong the place of each is, from 0 to 1; where there are not as many, nothing is known and costs nothing.
    """
    if len(stresses) != len(beats):
        return 0.0
    weights = [STRESSES[stress] for stress in stresses]
    costs = [
        WEAK_PLACE * weight * (1 - beat) + WEIGHT_ON_STRONG * (1 - weight) * beat
        for weight, beat in zip(weights, beats, strict=True)
    ]
    return sum(costs) / len(costs)


class LineScorer:
    """Scores a song's next line by the words that the song has used."""

    def __init__(self, usage: WordUsage, number: int) -> None:
        self.usage, self.number = usage, number
        self.counts: Counter[str] = Counter()
        self.starts: Counter[str] = Counter()
        self.pairs: frozenset[tuple[str, str]] = frozenset()

    def with_line(self, words: Sequence[str]) -> LineScorer:
        """The scorer of the song with one more line, which has at least one word."""
        after = LineScorer(self.usage, self.number)
        after.counts = self.counts + Counter(set(words))
        after.starts = self.starts + Counter(words[:1])
        after.pairs = self.pairs | set(pairwise(words))
        return after

    def owns(self, pair: tuple[str, str]) -> bool:
        """Whether two words side by side are among those that this song prefers."""
        return zlib.crc32(" ".join(pair).encode()) % PAIR_SHARES == self.number % PAIR_SHARES

    def score(self, words: Sequence[str], likelihood: float) -> float:
        """How good the line would be next (more is better); `likelihood` is its mean log-probability a character."""
        pairs = list(pairwise(words))
        worn = sum(self.counts[word] for word in set(words) if len(self.usage.homes.get(word, ())) <= self.usage.most)
        return (
            likelihood
            + IDIOM * self.usage.idiom(words)
            + THEME * self.usage.theme(words, self.counts)
            + RARE * self.usage.rarity(words)
            - WORN * worn
            - SAME_START * self.starts[words[0]]
            - ECHO * sum(pair in self.pairs for pair in pairs) / max(1, len(pairs))
            + OWN * sum(self.owns(pair) for pair in pairs) / max(1, len(pairs))
        )

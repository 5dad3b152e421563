"""What the prose writer knows of the training text: its words, its titles, and its runs of characters."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from pipeline.lyrics.corpus.copy_detection import CopyIndex
from pipeline.lyrics.corpus.encoded_texts import TextSplit
from pipeline.lyrics.corpus.song_lyrics import START
from pipeline.lyrics.corpus.vocabulary import Vocabulary

MOST_INDEXED = 32_000_000
"""Characters of the training text that are read; a larger text is known by its first ones."""
TOKENS_AT_ONCE = 1_000_000
"""Tokens that are looked at at a time."""
SAMPLED = 200_000
"""Characters of the training text that its repetitions are counted in."""
SPELT = 0.5
"""Where a text's words are known to this share from before, it is one that repeats its words, as most languages do."""
APOSTROPHES = "'\u2019"
WORDS = re.compile(rf"[^\W\d_]+(?:[{APOSTROPHES}][^\W\d_]+)*")
"""Letters, with apostrophes inside; a hyphen divides two words."""


class TrainingText:
    """An index of the training texts: what they hold.

    Attributes
    ----------
    words
        All words.
    seen
        Which tokens stand in the texts `[tokens]`.
    titles
        The first line of each text that has one, in small letters.
    copies
        The runs of characters that are too long to be copied.
    samples
        The first texts, `SAMPLED` characters of them.
    characters, indexed
        How long the training text is, and how much of it was read.
    """

    def __init__(self, training: TextSplit, vocabulary: Vocabulary, limit: int) -> None:
        self.characters = sum(
            int(vocabulary.widths[training.tokens[start : start + TOKENS_AT_ONCE]].sum())
            for start in range(0, len(training.tokens), TOKENS_AT_ONCE)
        )
        self.seen = np.zeros(len(vocabulary), np.bool_)
        for start in range(0, len(training.tokens), TOKENS_AT_ONCE):
            self.seen[training.tokens[start : start + TOKENS_AT_ONCE]] = True
        self.indexed = min(self.characters, MOST_INDEXED)
        self.titles: set[str] = set()
        self.samples: list[str] = []
        words: set[str] = set()
        self.copies = CopyIndex(self._read(training, vocabulary, words), self.indexed, limit)
        self.titles.discard("")
        self.words = KnownWords(words)
        spelt = spelt_words("\n".join(self.samples))
        early, late = spelt[: len(spelt) // 2], spelt[len(spelt) // 2 :]
        self.repeats_words = KnownWords(early).share(late) >= SPELT
        """Whether words that are not in `words` are none: not so in a language that writes no spaces."""

    def _read(self, training: TextSplit, vocabulary: Vocabulary, words: set[str]) -> Iterator[str]:
        """The texts as they stand, until there are `MOST_INDEXED` characters; their words are noted on the way."""
        seen = 0
        for number in range(len(training)):
            text = vocabulary.decode(training.document(number).tolist()).replace(START, "")[: MOST_INDEXED - seen]
            words.update(spelt_words(text))
            self.titles.add(text.partition("\n")[0].strip().lower())
            if seen < SAMPLED:
                self.samples.append(text[: SAMPLED - seen])
            yield text
            seen += len(text)
            if seen >= MOST_INDEXED:
                return


class KnownWords:
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


def spelt_words(text: str) -> list[str]:
    """The words of a text in order, as they are spelt."""
    return WORDS.findall(text)


def _forms(word: str) -> tuple[str, str]:
    return word, word[:1].lower() + word[1:]

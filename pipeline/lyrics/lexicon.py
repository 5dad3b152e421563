"""What the training lines teach about words: which there are, which stand before which, and which lines there are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.lyrics.rhyme import rhyme_key, rhyme_keys
from pipeline.lyrics.syllables import is_english, split_word
from pipeline.lyrics.verse import WORD


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


MIN_CHOICE = 3
PAUSE = re.compile(rf"({WORD.pattern}),(?= )")
DANGLING = _set(
    "a an the my your his her our their its every no and or nor but of than as at by for from into with is was were "
    "are am be been that i'm it's he's she's we're they're there's i'd i'll i've we'll you'll you're who's "
    "if because while when where what who whose which i he she we they"
)
"""Words that leave the ear waiting at the end of a line."""


class Tree:
    """Words spelt backwards, as a tree of their characters; each branch knows how many syllables its words have.

    Parameters
    ----------
    words
        In reading order.
    lexicon
        Knows their syllables, and which begin a line.
    """

    def __init__(self, words: Iterable[str], lexicon: Lexicon) -> None:
        self.next: dict[str, set[str]] = defaultdict(set)
        self.whole: set[str] = set()
        self._sizes: dict[str, int] = defaultdict(int)
        self._opening: dict[str, int] = defaultdict(int)
        for word in words:
            spelt, size = word[::-1], 1 << lexicon.syllables(word)
            opening = size if word in lexicon.starts else 0
            self.whole.add(spelt)
            for at in range(len(spelt) + 1):
                self._sizes[spelt[:at]] |= size
                self._opening[spelt[:at]] |= opening
                if at < len(spelt):
                    self.next[spelt[:at]].add(spelt[at])

    def fits(self, spelt: str, left: int) -> bool:
        """Whether a word that ends like `spelt` can come where `left` syllables are left in the line.

        It must leave some for the words before it, or begin a line and leave none.
        """
        shorter = self._sizes.get(spelt, 0) & ((1 << left) - 1)
        return bool(shorter or self._opening.get(spelt, 0) >> left & 1)

    def after(self, spelt: str, left: int) -> set[str]:
        """The characters that go on from `spelt` to such a word."""
        return {character for character in self.next.get(spelt, ()) if self.fits(spelt + character, left)}


class Runs:
    """All runs of `size` characters of a text, as hashes.

    Parameters
    ----------
    text
        To search in, case aside.
    size
        Characters of a run.
    """

    def __init__(self, text: str, size: int) -> None:
        self.size = size
        self._known = np.unique(self._hashes(text))

    def shares(self, line: str) -> bool:
        """Whether `line` has a run of `size` characters with the text in common."""
        hashes = self._hashes(line)
        if not len(hashes) or not len(self._known):
            return False
        places = np.searchsorted(self._known, hashes)
        return bool((self._known[np.minimum(places, len(self._known) - 1)] == hashes).any())

    def _hashes(self, text: str) -> NDArray[np.uint64]:
        codes = np.frombuffer(text.lower().encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)
        count = len(codes) - self.size + 1
        if count <= 0:
            return np.zeros(0, np.uint64)
        found = np.zeros(count, np.uint64)
        for at in range(self.size):
            found = found * np.uint64(0x9E3779B97F4A7C15) + codes[at : at + count]
            found ^= found >> np.uint64(29)
        return found


class Lexicon:
    """What the training lines teach about words.

    Parameters
    ----------
    texts
        As the model reads them.
    copy_limit
        Most characters in a row that a line may share with them.
    avoid
        Words that are never written, in any case.

    Raises
    ------
    UserError
        When no word is left to begin or to end a line with.
    """

    def __init__(self, texts: Iterable[str], copy_limit: int, avoid: Sequence[str] = ()) -> None:
        lines = [line for text in texts for line in text.split("\n")]
        self.avoided = {word.lower() for word in avoid}
        self.lines = {plain(line) for line in lines}
        self.runs = Runs("\n".join(lines), copy_limit + 1)
        split = [WORD.findall(line[::-1]) for line in lines]
        self.words = {word for line in split for word in line if not self.avoids(word)}
        self.english = is_english(self.words)
        self.starts = {line[0] for line in split if line} & self.words
        endings = {line[-1] for line in split if line} & self.words
        self.endings = {word for word in endings if word.lower() not in DANGLING} or endings
        if not (self.starts and self.endings):
            raise UserError("lyrics.avoid leaves no words to write lines with; name fewer words there.")
        self._before: dict[str, set[str]] = defaultdict(set)
        for words in split:
            for first, second in pairwise(words):
                self._before[second].add(first)
        self._paused = {match[1] for line in lines for match in PAUSE.finditer(line[::-1])} & self.words
        self._sizes: dict[str, int] = {}
        self._trees: dict[tuple[str, bool], Tree] = {}

    def avoids(self, word: str) -> bool:
        """Whether a word is one that is never written, alone, with 's or in a word with hyphens."""
        lowered = word.lower()
        parts = {lowered, *lowered.split("-")}
        return bool((parts | {part.removesuffix("'s") for part in parts}) & self.avoided)

    def syllables(self, word: str) -> int:
        """Syllables of a word, the same number that it is set to notes with."""
        if word not in self._sizes:
            self._sizes[word] = len(split_word(word, self.english)[0])
        return self._sizes[word]

    def tree_before(self, word: str, pause: bool, left: int) -> Tree:
        """Words that stand before `word` in the texts, or before a comma.

        All such words where there are too few, or none of them has a number of syllables that leaves the line whole.
        """
        if (word, pause) not in self._trees:
            known = self._before.get(word, set()) & (self._paused if pause else self.words)
            self._trees[word, pause] = Tree(known if len(known) >= MIN_CHOICE else (), self)
        tree = self._trees[word, pause]
        return tree if tree.fits("", left) else self._all[pause]

    @cached_property
    def _all(self) -> dict[bool, Tree]:
        return {False: Tree(self.words, self), True: Tree(self._paused or self.words, self)}

    @cached_property
    def rhymes(self) -> dict[str, set[str]]:
        """Words that end a training line, by rhyme."""
        return _by_rhyme(self.endings)

    @cached_property
    def all_rhymes(self) -> dict[str, set[str]]:
        """All words that may end a line, by rhyme."""
        return _by_rhyme(self.endings | {word for word in self.words if word.lower() not in DANGLING})

    def rhyming(self, word: str, everything: bool = False) -> set[str]:
        """Words that rhyme with `word` by any of the ways to say it: those that end training lines, or everything."""
        classes = self.all_rhymes if everything else self.rhymes
        found = set().union(*(classes.get(key, ()) for key in rhyme_keys(word)))
        return {other for other in found if other.lower() != word.lower()}


def _by_rhyme(words: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for word in words:
        found[rhyme_key(word)].add(word)
    return dict(found)


def plain(spelt: str) -> str:
    """A line's letters and spaces alone, for comparing lines."""
    return "".join(character for character in spelt.lower() if character.isalpha() or character == " ")

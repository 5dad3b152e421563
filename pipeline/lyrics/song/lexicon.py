"""Lexicon of the training lines: words, which stand before which, rhymes, and lines that are not to be copied."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise

from pipeline.errors import UserError
from pipeline.lyrics.corpus.copy_detection import CopyIndex
from pipeline.lyrics.corpus.song_lyrics import WORD
from pipeline.lyrics.phonetics.rhyme import rhyme_key, rhyme_keys
from pipeline.lyrics.phonetics.syllables import is_english, split_word, word_set

MIN_CHOICE = 3
PAUSE = re.compile(rf"({WORD.pattern}),(?= )")
DANGLING = word_set(
    "a an the my your his her our their its every no and or nor but of than as at by for from into with is was were "
    "are am be been that i'm it's he's she's we're they're there's i'd i'll i've we'll you'll you're who's "
    "if because while when where what who whose which i he she we they"
)
"""Words that leave the ear waiting at the end of a line."""


class WordTrie:
    """A trie of words spelt backwards; each branch knows the stresses of its words.

    Parameters
    ----------
    words
        In reading order.
    lexicon
        Knows their stresses, and which begin a line.
    """

    def __init__(self, words: Iterable[str], lexicon: Lexicon) -> None:
        self.next: dict[str, set[str]] = defaultdict(set)
        self.whole: set[str] = set()
        self._patterns: dict[str, int] = defaultdict(int)
        self._opening: dict[str, int] = defaultdict(int)
        for word in words:
            spelt, pattern = word[::-1], 1 << lexicon.pattern(word)
            opening = pattern if word in lexicon.starts else 0
            self.whole.add(spelt)
            for at in range(len(spelt) + 1):
                self._patterns[spelt[:at]] |= pattern
                self._opening[spelt[:at]] |= opening
                if at < len(spelt):
                    self.next[spelt[:at]].add(spelt[at])

    def fits(self, spelt: str, stresses: StressMask, left: int) -> bool:
        """Whether a word that ends like `spelt` can come where `left` syllables are left in the line.

        It must leave some for the words before it, or begin a line and leave none.
        """
        inside, whole = stresses.patterns(left)
        return bool(self._patterns.get(spelt, 0) & inside or self._opening.get(spelt, 0) & whole)

    def after(self, spelt: str, stresses: StressMask, left: int) -> set[str]:
        """The characters that go on from `spelt` to such a word."""
        return {character for character in self.next.get(spelt, ()) if self.fits(spelt + character, stresses, left)}


class StressMask:
    """Metre of a line: where its words may put their main stresses.

    Parameters
    ----------
    lexicon
        Knows the stresses of words.
    strong
        For each syllable of the line whether a main stress may fall on it.
    """

    def __init__(self, lexicon: Lexicon, strong: Sequence[bool]) -> None:
        self.lexicon, self.strong = lexicon, tuple(strong)
        self._masks: dict[int, tuple[int, int]] = {}
        self._num_known = 0

    def patterns(self, left: int) -> tuple[int, int]:
        """Stresses of words that end `left` syllables into the line, as bits: of inner words, of first words."""
        known = self.lexicon.patterns
        if len(known) != self._num_known:
            self._masks, self._num_known = {}, len(known)
        if left not in self._masks:
            inside = whole = 0
            for number, stresses in enumerate(known):
                start = left - len(stresses)
                if start < 0 or not all(
                    strong or stress != 1 for strong, stress in zip(self.strong[start:left], stresses, strict=True)
                ):
                    continue
                inside |= (start > 0) << number
                whole |= (start == 0) << number
            self._masks[left] = inside, whole
        return self._masks[left]


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
        self.lines = {letters_only(line) for line in lines}
        text = "\n".join(lines).lower()
        self.copies = CopyIndex([text], len(text), copy_limit)
        split = [WORD.findall(line[::-1]) for line in lines]
        self.words = {word for line in split for word in line if not self.avoids(word)}
        self.english = is_english(line[::-1] for line in lines)
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
        self.paused_starts = {match[1] for line in lines if (match := PAUSE.match(line[::-1]))} & self.words
        self.patterns: list[tuple[int, ...]] = []
        """The stresses that words have, of each syllable."""
        self._patterns: dict[str, int] = {}
        self._trees: dict[tuple[str, bool], WordTrie] = {}

    def is_copied(self, spelt: str) -> bool:
        """Whether a line stands in the texts, or a run of it that is longer than the limit, case aside."""
        return letters_only(spelt) in self.lines or self.copies.holds(spelt.lower())

    def avoids(self, word: str) -> bool:
        """Whether a word is one that is never written, alone, with 's or in a word with hyphens."""
        lowered = word.lower()
        parts = {lowered, *lowered.split("-")}
        return bool((parts | {part.removesuffix("'s") for part in parts}) & self.avoided)

    def pattern(self, word: str) -> int:
        """Number of a word's stresses in `patterns`; it has as many syllables as it is set to notes with."""
        if word not in self._patterns:
            stresses = split_word(word, self.english)[1]
            if stresses not in self.patterns:
                self.patterns.append(stresses)
            self._patterns[word] = self.patterns.index(stresses)
        return self._patterns[word]

    def syllables(self, word: str) -> int:
        """Syllables of a word."""
        return len(self.patterns[self.pattern(word)])

    def tree_before(self, word: str, pause: bool, stresses: StressMask, left: int) -> WordTrie:
        """Words that stand before `word` in the texts, or before a comma.

        All such words where there are too few, or none of them has a number of syllables that leaves the line whole.
        """
        if (word, pause) not in self._trees:
            known = self._before.get(word, set()) & (self._paused if pause else self.words)
            self._trees[word, pause] = WordTrie(known if len(known) >= MIN_CHOICE else (), self)
        tree = self._trees[word, pause]
        return tree if tree.fits("", stresses, left) else self._all[pause]

    @cached_property
    def _all(self) -> dict[bool, WordTrie]:
        return {False: WordTrie(self.words, self), True: WordTrie(self._paused or self.words, self)}

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


def letters_only(spelt: str) -> str:
    """A line's letters and spaces alone, for comparing lines."""
    return "".join(character for character in spelt.lower() if character.isalpha() or character == " ")

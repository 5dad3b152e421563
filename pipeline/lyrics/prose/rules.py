"""Constraints on prose: words there are and words to avoid, runs that are copies, and where a text may end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.lyrics.corpus.essays import LONG_TITLE
from pipeline.lyrics.corpus.song_lyrics import START
from pipeline.lyrics.corpus.text_decoding import clean
from pipeline.lyrics.corpus.vocabulary import UNKNOWN, Vocabulary
from pipeline.lyrics.prose.training_text import APOSTROPHES, TrainingText, spelt_words
from pipeline.settings.lyrics import LyricsSettings

TokenMask = NDArray[np.bool_]
"""Some of the tokens `[tokens]`."""

LONGER, SPARE = 1.25, 300
"""A text that has found no end at `LONGER` times its length and `SPARE` characters is cut at the last one."""
PARAGRAPH = 1.1
"""Up to this many times its length an essay waits for the end of a paragraph."""
SHORTEST = 0.5
"""An essay may end by itself after this share of its length; a cut leaves as much."""

SENTENCE = re.compile(
    r"""(?<!\b[A-HJ-Z]\.)(?<!\b(?:Mr|Dr|St)\.)(?<!\bMrs\.)(?<=[.!?\u2026])["'\u2019\u201d\u00bb)\]*_]*(?=\s|\Z)"""
    r"""|(?<=[\u3002\uff01\uff1f])[\u300d\u300f\u201d]*"""
)
"""Matches the end of a sentence, behind quotes and brackets that close with it; not after `Mr.` and initials."""
MOST_SPACE = 24
"""Spaces and lines' ends in a row; more are an empty page."""
INSIDE = "[^\\W_]"
"""A letter or digit."""
BESIDE = f"[{APOSTROPHES}]"


class ProseRules:
    """What a text may become.

    Parameters
    ----------
    pieces, unusable
        From `pieces_of`.
    known
        The training texts.
    settings
        Kind, length, words to avoid.
    given
        Characters that the text begins with: no rule looks into them.
    """

    def __init__(
        self, pieces: Sequence[str], unusable: TokenMask, known: TrainingText, settings: LyricsSettings, given: int
    ) -> None:
        self.known, self.given, self.length = known, given, settings.length
        self.is_essay = settings.kind == "essay"
        self.avoided = AvoidedWords(settings.avoid)

        def beginning(marks: str) -> TokenMask:
            return np.array([piece[:1] in marks for piece in pieces])

        self._never = unusable
        self._start, lines, spaces = beginning(START), beginning("\n"), beginning(" ")
        self._after_space = unusable | spaces | lines
        self._edges = np.array([not piece[:1].isalnum() and piece[:1] not in APOSTROPHES for piece in pieces])

    def forbidden(self, text: str) -> TokenMask:
        """Tokens that lead nowhere: spaces after a space, too many lines' ends, an end too early, an avoided word's."""
        mask = self._never
        if not text or len(text) - len(text.rstrip()) >= MOST_SPACE or (self.is_essay and text[-1].isspace()):
            mask = self._after_space
        if not self._may_stop(text):
            mask = mask | self._start
        if self.avoided.ends(text, self.given):
            mask = mask | self._edges
        return mask

    def _may_stop(self, text: str) -> bool:
        """Whether the model may say that the document is over."""
        early = len(text) - self.given < SHORTEST * self.length
        return self.is_essay and not early and _is_sentence(text.rstrip())

    def refuses(self, text: str, piece: str) -> bool:
        """Whether `piece` makes a word that there is none of, or an avoided one, or too long a copy."""
        added = "\n" if piece == START else piece
        if self.avoided.is_over(text, added, self.given) or not self._spells(text, added):
            return True
        tail = text[max(self.given, len(text) - self.known.copies.size) :]
        return piece != START and self.known.copies.holds(tail + piece, len(tail))

    def _spells(self, text: str, piece: str) -> bool:
        """Whether the words in `piece`, and the one it goes on with, stand in the training text or may yet."""
        start = len(text)
        while start > self.given and (text[start - 1].isalpha() or text[start - 1] in APOSTROPHES):
            start -= 1
        if not self.known.repeats_words or (0 < start == self.given and text[start - 1].isalpha()):
            return True
        joined = text[start:] + piece
        words = spelt_words(joined)
        last = words.pop() if words and joined.rstrip(APOSTROPHES)[-1:].isalpha() else ""
        return all(word in self.known.words for word in words) and self.known.words.begin(last)

    def ends(self, text: str, piece: str) -> bool:
        """Whether the text ends before `piece`, by itself, at its length, or because it found no end for too long."""
        written = len(text) - self.given
        if piece == START or written >= LONGER * self.length + SPARE:
            return True
        if written < self.length or not (piece[0].isspace() or text[-1] in "\u3002\uff01\uff1f"):
            return False
        paragraph = piece[0] == "\n" or written >= PARAGRAPH * self.length
        return _is_sentence(text) and (paragraph or not self.is_essay)

    def finished(self, text: str) -> str:
        """The text up to its last sentence; where that leaves too little, to its last line or word."""
        own = text[self.given :].rstrip()
        least = SHORTEST * len(own)
        ends = [match.end() for match in SENTENCE.finditer(own)]
        for end in (ends[-1] if ends else 0, own.rfind("\n"), own.rfind(" ")):
            if end > least:
                return text[: self.given] + own[:end]
        return text[: self.given] + own


class TitleRules(ProseRules):
    """What an essay's title may become: one line, not the title of a training text, about as long as those are."""

    @cached_property
    def longest(self) -> int:
        """Characters of a title: nine of ten titles of the training texts have no more."""
        lengths = sorted(map(len, self.known.titles))
        return min(LONG_TITLE, lengths[len(lengths) * 9 // 10])

    def refuses(self, text: str, piece: str) -> bool:
        """Whether `piece` breaks the rules of all texts, or ends a title that there is already."""
        taken = piece[0] == "\n" and text.strip().lower() in self.known.titles
        return taken or super().refuses(text, piece)

    def ends(self, text: str, piece: str) -> bool:
        """Whether the title ends before `piece`: with its line, or because it is no title."""
        return piece[0] == "\n" or len(text) > self.longest


class AvoidedWords:
    """Words and phrases that are not written, in any case, with or without a possessive 's.

    A word is one where no letter or digit stands beside it: avoiding `art` leaves `heart`, `artist` and `art't`.

    Parameters
    ----------
    words
        What to avoid.
    """

    def __init__(self, words: Iterable[str]) -> None:
        kept = sorted({" ".join(clean(word).split()) for word in words} - {""}, key=lambda word: (-len(word), word))
        self.reach = max(map(len, kept), default=0) + 8
        core = "|".join(r"\s+".join(map(re.escape, word.split())) for word in kept).replace("'", BESIDE)
        whole = rf"(?<!{INSIDE})(?<!{INSIDE}{BESIDE})(?:{core})(?:{BESIDE}s)?"
        self._any = bool(kept)
        self._ending = re.compile(rf"{whole}\Z", re.IGNORECASE)
        self._complete = re.compile(rf"{whole}(?=[^\w{APOSTROPHES}]|_|{BESIDE}[\W_])", re.IGNORECASE)

    def ends(self, text: str, given: int) -> bool:
        """Whether `text` ends with an avoided word that began after `given` characters."""
        if not self._any:
            return False
        start = max(0, len(text) - self.reach)
        match = self._ending.search(text, start)
        return match is not None and match.start() >= given

    def is_over(self, text: str, piece: str, given: int) -> bool:
        """Whether `piece` shows that an avoided word before it, or inside it, is over."""
        if not self._any:
            return False
        start = max(0, len(text) - self.reach)
        longer = text + piece
        return any(
            match.start() >= given and self._complete.match(text, match.start()) is None
            for match in self._complete.finditer(longer, start)
        )


def pieces_of(vocabulary: Vocabulary, known: TrainingText) -> tuple[list[str], TokenMask]:
    """The text of each token, and which can't be written: those that the texts lack, unknown characters, marks."""
    pieces = [vocabulary.decode([token]) for token in range(len(vocabulary))]
    legible = (UNKNOWN not in piece and (piece.isprintable() or piece in ("\n", START)) for piece in pieces)
    return pieces, ~(known.seen & np.array([*legible]) & np.array([*map(bool, pieces)]))


def _is_sentence(text: str) -> bool:
    """Whether `text` ends with a sentence."""
    return any(match.end() == len(text) for match in SENTENCE.finditer(text, max(0, len(text) - 8)))

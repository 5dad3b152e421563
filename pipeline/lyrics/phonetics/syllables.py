"""Syllabification: written words in the syllables that are sung, each with its stress (won-der-ful)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from pipeline.lyrics.corpus.song_lyrics import WORD
from pipeline.lyrics.phonetics.pronunciation import (
    CODES,
    Phones,
    ascii_word,
    decoded,
    is_vowel,
    letter_to_sound,
    num_syllables,
    pronunciations,
    sounds_of,
)

VOWEL_LETTERS = frozenset("aeiouyαεηιουωаеиоуыэюяіїє")  # noqa: RUF001
"""Without marks above or below them; Latin, Greek, Cyrillic."""
TOGETHER = re.compile(r"[aeo][iuy]|aa|ee|oo|i[aeou]|u[aeio]|[ao]e")
"""Two vowels that sound as one syllable."""
APART = frozenset("áéíóúàèìòùïëöü")
"""Vowels that do not join the one before them, such as the í of `María`; the last two begin a syllable after one."""
BLOCKS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Signs that are a syllable each: kana, Chinese characters, Hangul."""


def vowels_of(word: str) -> list[tuple[int, int]]:
    """First letter and the one after the last of every vowel that is a syllable; at least one for any word."""
    found: list[tuple[int, int]] = []
    before = ""
    for at, letter in enumerate(word.lower()):
        base = unicodedata.normalize("NFD", letter)[0]
        silent = base == "y" or (base == "u" and at > 0 and word[at - 1] in "qgQG")
        glides = silent and _is_vowel(word[at + 1 : at + 2].lower())
        if BLOCKS.match(letter):
            found.append((at, at + 1))
            before = ""
        elif base not in VOWEL_LETTERS or glides:
            before = ""
        elif found and before and TOGETHER.match(before + base) and letter not in APART:
            found[-1] = (found[-1][0], at + 1)
            before = ""
        else:
            found.append((at, at + 1))
            before = "" if letter in "íú" else base
    return found or [(0, 1)]


def _is_vowel(letter: str) -> bool:
    return bool(letter) and unicodedata.normalize("NFD", letter)[0] in VOWEL_LETTERS


def foreign_stress(word: str, vowels: Sequence[tuple[int, int]]) -> list[int]:
    """Stresses of the syllables: on a vowel with an acute, else on the last but one; none in a short small word."""
    if len(vowels) == 1:
        return [int(len(word) > 3)]
    accented = [at for at, (start, end) in enumerate(vowels) if any(one in "áéíóú" for one in word[start:end].lower())]
    main = accented[0] if accented else len(vowels) - 2
    return [int(at == main) for at in range(len(vowels))]


def word_set(words: str) -> frozenset[str]:
    """The words of a string."""
    return frozenset(words.split())


UNITS = re.compile(r"tch|dge|sch|ch|sh|th|ph|wh|ck|gh|[qg]u|.")
"""Consonants that stay together, or one letter."""
ONSET_CLUSTERS = word_set("bl br cl cr dr fl fr gl gr pl pr tr thr shr chr phr")
"""Two consonants that begin a syllable together."""
CODA_CLUSTERS = {"x", "ck", "tch", "dge"}
"""Consonants that end a syllable, never begin one."""
SHORT = {"AE", "EH", "IH", "AH", "UH"}
"""Vowels whose stressed syllable takes the consonant after it: riv-er."""
ENDINGS = ("ings", "ing", "ers", "er", "est", "es", "ed", "en", "ness", "less", "ful", "ly", "ment")
"""Endings that stay whole after a word of at least `LEAST_STEM` letters: walk-ing."""
BEGINNINGS = ("with", "some", "every", "any", "for", "your", "our", "her", "him", "them", "un", "up", "out", "an", "in")
"""Words that stay whole before another: with-out."""
PREFIXES = ("be", "de", "re")
LEAST_STEM = 3
UNSTRESSED_WORDS = word_set(
    "a an the and or nor but so if as than that at by for from in of off on to up with out "
    "i you he she it we they me him her us them my your his its our their i'm i'll i'd i've he's she's it's we're "
    "you're they're we'll you'll they'll is are was were be been am has have had do does did will would can could "
    "shall should may might must there's that's this these those some no not who whom which what when where why how "
    "then there cause til till oh ooh"
)
"""Words of one syllable that a line leans over."""
ENGLISH_SHARE = 0.75
"""Of its words of four letters and more, what an English text has in the dictionary."""


@dataclass(frozen=True)
class Syllable:
    """A syllable of a line.

    Attributes
    ----------
    text
        As written, with the punctuation around it; the syllables of a word together spell the word.
    word
        Index of its word in the line.
    position
        `single`, `begin`, `middle` or `end` of its word.
    stress
        1 for the main stress of a word, 2 for another, 0 for none.
    """

    text: str
    word: int
    position: str
    stress: int


def is_english(lines: Iterable[str]) -> bool:
    """Whether the pronouncing dictionary is of use for a text; too few words to tell count as English."""
    counts = Counter(word.lower() for line in lines for word in WORD.findall(line) if len(word) >= 4)
    known = sum(count for word, count in counts.items() if pronunciations(word))
    return known >= ENGLISH_SHARE * counts.total()


def syllables_of(line: str, english: bool = True) -> list[Syllable]:
    """The syllables of a line in order; what has neither letter nor digit joins the word before it.

    >>> [one.text for one in syllables_of("It's wonderful, tonight")]
    ["It's", 'won', 'der', 'ful,', 'to', 'night']
    """
    found: list[Syllable] = []
    for number, word in enumerate(words_of_line(line)):
        parts, stresses = split_word(word, english)
        names = ["single"] if len(parts) == 1 else ["begin", *["middle"] * (len(parts) - 2), "end"]
        found += [
            Syllable(part, number, name, stress) for part, name, stress in zip(parts, names, stresses, strict=True)
        ]
    return found


def words_of_line(line: str) -> list[str]:
    """The words of a line, with their punctuation."""
    words: list[str] = []
    for token in line.split():
        if not words or any(map(str.isalnum, token)):
            words.append(token)
        else:
            words[-1] += f" {token}"
    if len(words) > 1 and not any(map(str.isalnum, words[0])):
        words[:2] = [" ".join(words[:2])]
    return [word for word in words if any(map(str.isalnum, word))]


@cache
def split_word(word: str, english: bool = True) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The written syllables of a word, and their stresses.

    A word with hyphens is split at them, too. There is at least one syllable, and no more than letters.
    """
    parts: list[str] = []
    stresses: list[int] = []
    for piece in re.split(r"(?<=[^\W_][-\u2013])(?=[^\W_])", word):
        match = WORD.search(piece)
        texts, marks = _split(match[0], english) if match else ([piece], [0])
        if match:
            texts[0] = piece[: match.start()] + texts[0]
            texts[-1] += piece[match.end() :]
        parts += texts
        stresses += marks
    return tuple(parts), tuple(stresses)


def _split(word: str, english: bool) -> tuple[list[str], list[int]]:
    """Syllables of a word without punctuation."""
    spelt = ascii_word(word)
    nuclei = _nuclei(spelt, sounds_of(word)) if english and len(spelt) == len(word) else []
    if len(nuclei) == 1:
        return [word], [0 if spelt in UNSTRESSED_WORDS else 1]
    if nuclei:
        stresses = [one.stress for one in nuclei]
        cuts = [_cut(spelt, first, second, at + 1) for at, (first, second) in enumerate(pairwise(nuclei))]
    else:
        places = vowels_of(word)
        stresses = foreign_stress(word, places)
        cuts = [_boundary(word.lower(), end, start, False) for (_, end), (start, _) in pairwise(places)]
    return [word[start:end] for start, end in pairwise([0, *cuts, len(word)])], stresses


@dataclass(frozen=True)
class _Nucleus:
    """A vowel of a word: its letters from `start` to `end`, its sound, and what each letter of the word stands for."""

    start: int
    end: int
    sound: str
    shares: tuple[Phones, ...]

    @property
    def stress(self) -> int:
        return int(self.sound[-1])

    def takes_consonant(self, spelt: str, following: _Nucleus) -> bool:
        """Whether it is short and stressed, so that the consonant after it is sung with it."""
        short = self.sound[:-1] in SHORT or (self.sound[:-1] == "AA" and spelt[self.start] == "o")
        spoken = spelt[following.start] in "aeiouy"
        return short and spoken and self.stress > 0 and following.stress != 1


def _nuclei(spelt: str, phones: Phones) -> list[_Nucleus]:
    """The vowels of a word that has these sounds; none where its letters can't be the sounds."""
    aligned = letter_to_sound().align(spelt, "".join(CODES[sound] for sound in phones))
    if not phones or aligned is None:
        return []
    shares = tuple(map(decoded, aligned))
    found = []
    for start, share in enumerate(shares):
        sound = next(filter(is_vowel, share), None)
        if sound is not None:
            end = start + 1
            while end < len(spelt) and not shares[end] and (spelt[end] in "aeiouywh" or spelt[end : end + 2] == "gh"):
                end += 1 + (spelt[end] == "g")
            found.append(_Nucleus(start, end, sound, shares))
    return found


def _cut(spelt: str, left: _Nucleus, right: _Nucleus, number: int) -> int:
    """Where syllable `number` begins, counted from 0, between two neighbouring vowels."""
    start, end = left.end, max(left.end, right.start)
    for beginning in BEGINNINGS:
        if start <= len(beginning) <= end and spelt.startswith(beginning) and pronunciations(spelt[len(beginning) :]):
            return len(beginning)
    for ending in ENDINGS:
        size = len(spelt) - len(ending)
        if spelt.endswith(ending) and start <= size <= end and _is_stem(spelt[:size], spelt, ending):
            return size
    if spelt[:2] in PREFIXES and start == 2 and left.stress == 0 and right.stress > 0:
        return start
    if start < end < len(spelt) and spelt[end] == spelt[end - 1] and spelt[end] not in "aeiouy":
        return end  # fid-dle
    silent = [at for at in range(start, end) if spelt[at] in "aeiouy" and not left.shares[at]]
    if silent:
        last = silent[-1]
        if spelt[last] == "e" and last + 1 < end and spelt[last + 1] != "r":
            return last + 1  # hope-ful
        end = last  # ev-ery, na-tion
    if spelt[start:end].endswith("ng") and left.shares[end - 2] == ("NG",) and not left.shares[end - 1]:
        return end  # sing-er
    return _boundary(spelt, start, end, left.takes_consonant(spelt, right))


@cache
def _is_stem(stem: str, word: str, ending: str) -> bool:
    """Whether `word` sounds like a word of its own and an ending: walk-ing, mak-ing, but not num-ber or run-ning."""
    doubled = len(stem) > 1 and stem[-1] == stem[-2] and stem[-1] not in "lsfz"
    if doubled or len(stem) < LEAST_STEM:
        return False
    known = [*pronunciations(stem), *(pronunciations(f"{stem}e") if ending[0] in "aei" else ())]
    heard = _unstressed(sounds_of(word))
    others = (f"{stem}s", f"{stem}es", f"{stem}ly", f"{stem}ing")
    related = any(map(pronunciations, others))  # else it is a name
    return related and any(
        heard[: len(one)] == _unstressed(one) and num_syllables(sounds_of(word)[len(one) :]) > 0 for one in known
    )


def _unstressed(phones: Phones) -> Phones:
    return tuple(sound.rstrip("012") for sound in phones)


def _boundary(spelt: str, start: int, end: int, closes: bool) -> int:
    """Where the consonants from `start` to `end` part; with `closes` the first stays behind."""
    units = UNITS.findall(spelt[start:end])
    if len(units) < 2:
        return end if units and (closes or units[0] in CODA_CLUSTERS) else start
    kept = len(units) - (2 if "".join(units[-2:]) in ONSET_CLUSTERS else 1)
    if kept > 1 and units[kept - 1] == "s":
        kept -= 1  # con-stant
    return start + sum(map(len, units[: max(kept, int(closes))]))

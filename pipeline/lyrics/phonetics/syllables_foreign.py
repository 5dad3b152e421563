"""Syllables of words that no dictionary here knows the sound of, by their vowels: German, Spanish and others."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

VOWELS = frozenset("aeiouyαεηιουωаеиоуыэюяіїє")  # noqa: RUF001
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
        plain = unicodedata.normalize("NFD", letter)[0]
        silent = plain == "y" or (plain == "u" and at > 0 and word[at - 1] in "qgQG")
        glides = silent and _is_vowel(word[at + 1 : at + 2].lower())
        if BLOCKS.match(letter):
            found.append((at, at + 1))
            before = ""
        elif plain not in VOWELS or glides:
            before = ""
        elif found and before and TOGETHER.match(before + plain) and letter not in APART:
            found[-1] = (found[-1][0], at + 1)
            before = ""
        else:
            found.append((at, at + 1))
            before = "" if letter in "íú" else plain
    return found or [(0, 1)]


def _is_vowel(letter: str) -> bool:
    return bool(letter) and unicodedata.normalize("NFD", letter)[0] in VOWELS


def foreign_stress(word: str, vowels: Sequence[tuple[int, int]]) -> list[int]:
    """Stresses of the syllables: on a vowel with an acute, else on the last but one; none in a short small word."""
    if len(vowels) == 1:
        return [int(len(word) > 3)]
    accented = [at for at, (start, end) in enumerate(vowels) if any(one in "áéíóú" for one in word[start:end].lower())]
    main = accented[0] if accented else len(vowels) - 2
    return [int(at == main) for at in range(len(vowels))]

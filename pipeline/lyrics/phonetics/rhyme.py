"""Perfect rhyme: words that sound alike from the last stressed vowel on."""

from __future__ import annotations

from functools import cache

from pipeline.lyrics.phonetics.pronunciation import Phones, ascii_word, is_vowel, pronunciations, sounds_of

ALIKE = {"AYER": "AYR", "AWER": "AWR", "AOR": "OWR", "IYR": "IHR", "UHR": "UWR", "EYR": "EHR"}
"""Vowels before r that singers do not tell apart: liar and fire."""


@cache
def rhyme_key(word: str) -> str:
    """What two words must share to rhyme: the sounds from the last stressed vowel on.

    What stands before a hyphen does not count. Of a word in other letters than a to z it is the last three letters.

    >>> rhyme_key("night") == rhyme_key("white"), rhyme_key("walking") == rhyme_key("thing")
    (True, False)
    """
    last = word.rpartition("-")[2]
    return _from_stress(sounds_of(last)) or ascii_word(last)[-3:] or last.lower()[-3:]


def _from_stress(phones: Phones) -> str:
    """The sounds from the last stressed vowel on, without stresses; the last vowel's where none is stressed."""
    vowels = [at for at, sound in enumerate(phones) if is_vowel(sound)]
    stressed = [at for at in vowels if phones[at][-1] != "0"] or vowels
    key = "".join(sound.rstrip("012") for sound in phones[stressed[-1] :]) if stressed else ""
    for spelt, heard in ALIKE.items():
        key = key.replace(spelt, heard) if key.startswith(spelt) else key
    return key


def rhymes(first: str, second: str) -> bool:
    """Whether two different words rhyme in any of the ways the dictionary says them."""
    return first.lower() != second.lower() and bool(rhyme_keys(first) & rhyme_keys(second))


@cache
def rhyme_keys(word: str) -> frozenset[str]:
    """What a word rhymes on, by all the ways the dictionary says it; the usual one is `rhyme_key`."""
    last = word.rpartition("-")[2]
    return frozenset([rhyme_key(word), *map(_from_stress, pronunciations(last))])

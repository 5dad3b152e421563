"""Text to speech by espeak-ng, with the time of every phoneme: what the guide vocal is made of.

The library and its data come with the package `espeakng-loader`, which only `render.vocal=true` needs.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.config import PROGRAM
from pipeline.errors import UserError
from pipeline.lyrics.phonetics.pronunciation import Phones, is_vowel, num_syllables, sounds_of
from pipeline.rendering.vocal.espeak import NO_DATA, UNKNOWN_VOICE, SpokenLines

Floats = NDArray[np.float64]

NAMES = {
    "AA": "A:", "AE": "a", "AH": "V", "AO": "O:", "AW": "aU", "AY": "aI", "EH": "E", "ER": "3:", "EY": "eI",
    "IH": "I", "IY": "i:", "OW": "oU", "OY": "OI", "UH": "U", "UW": "u:", "CH": "tS", "DH": "D", "HH": "h",
    "JH": "dZ", "NG": "N", "SH": "S", "TH": "T", "Y": "j", "ZH": "Z",
}  # fmt: skip
"""What espeak-ng calls the sounds of ARPAbet; those that are not here have the same letter, written small."""
WITH_R = {"AA": "A@", "AO": "O@", "EH": "e@", "IH": "i@3", "UH": "U@"}
"""Vowels that melt with an r behind them."""
VOWEL_LETTERS = frozenset("aAeEiIoOuUyYV03@8&W")
"""How the names of espeak-ng's vowels begin, in all its languages."""
LINKING_R = "r-"
"""Between two vowels; other names that end so are consonants that make a syllable, as the last one of `button`."""


@dataclass(frozen=True)
class Phoneme:
    """A sound that was spoken: espeak-ng's name of it, the index of its word, begin and end in seconds."""

    name: str
    word: int
    start: float
    end: float

    @property
    def is_vowel(self) -> bool:
        """Whether it is the middle of a syllable."""
        return self.name[0] in VOWEL_LETTERS or (self.name[-1] == "-" and self.name != LINKING_R)

    @property
    def moves(self) -> bool:
        """Whether it ends on another vowel than it begins with."""
        return sum(letter in VOWEL_LETTERS for letter in self.name) > 1


@dataclass(frozen=True)
class Speech:
    """Mono sound `[samples]` between -1 and 1, and the sounds in it; pauses are left out."""

    samples: Floats
    rate_hz: int
    phonemes: tuple[Phoneme, ...]


def speak(texts: Sequence[str], voice: str) -> list[Speech]:
    """Say lines slowly and on one pitch; the same lines sound the same to the bit.

    Parameters
    ----------
    texts
        Words, or espeak-ng's names of sounds in `[[` and `]]`.
    voice
        The name of one of its voices: a language, and after a plus sign a speaker.

    Raises
    ------
    UserError
        There is no such voice, or espeak-ng does not work here. Its package must be there.
    """
    command = [sys.executable, "-m", "pipeline.rendering.vocal.espeak", voice]
    done = subprocess.run(
        command, input=json.dumps(list(texts)).encode(), capture_output=True, cwd=PROGRAM, check=False
    )
    if done.returncode == UNKNOWN_VOICE:
        raise UserError(f"render.vocal_voice={voice}: espeak-ng has no such voice; en-us, en-gb, de and fr are some.")
    if done.returncode == NO_DATA:
        raise UserError("espeak-ng can't read its data: install espeakng-loader again, in a place with a shorter path.")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(f"espeak-ng failed: {said[-1] if said else f'exit code {done.returncode}'}.")
    answer: SpokenLines = pickle.loads(done.stdout)
    rate_hz, lines = answer
    return [_speech(np.frombuffer(samples, np.int16) / 32768, rate_hz, sounds) for samples, sounds in lines]


def _speech(samples: Floats, rate_hz: int, sounds: Sequence[tuple[str, int, int]]) -> Speech:
    ends = [*(sample for _, _, sample in sounds[1:]), len(samples)]
    phonemes = (
        Phoneme(name, word, start / rate_hz, end / rate_hz)
        for (name, word, start), end in zip(sounds, ends, strict=True)
        if name and name[0] != "_"
    )
    return Speech(samples, rate_hz, tuple(phonemes))


def utterance(words: Sequence[str], syllables: Sequence[int], voice: str) -> str:
    """What to give to `speak` for the words of a line that are sung in so many syllables each.

    An English voice is told the sounds of the pronouncing dictionary, which the syllables were counted by, in full: a
    syllable that is sung is not swallowed. Words that can't be told so, and other languages, are left to espeak-ng.
    """
    parts = []
    for word, count in zip(words, syllables, strict=True):
        phones = sounds_of(word) if voice.startswith("en") else ()
        told = phones and num_syllables(phones) == count
        parts.append(f"[[{espeak_names(phones)}]]" if told else word)
    return " ".join(parts).replace("]] [[", " ")


def espeak_names(phones: Phones) -> str:
    """A pronunciation in ARPAbet as espeak-ng writes it.

    >>> espeak_names(("W", "AH1", "N", "D", "ER0"))
    "w'Vnd3"
    """
    text, at = "", 0
    while at < len(phones):
        sound, stress = phones[at].rstrip("012"), phones[at][-1]
        behind = phones[at + 1 : at + 3]
        name = NAMES.get(sound, sound.lower())
        if sound in WITH_R and behind[:1] == ("R",) and not any(map(is_vowel, behind)):
            name = WITH_R[sound]
            at += 1
        elif stress == "0":
            name = {"AH": "@", "ER": "3", "IY": "i"}.get(sound, name)
        text += {"1": "'", "2": ","}.get(stress, "") + name
        at += 1
    return text

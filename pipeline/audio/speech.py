"""Words spoken by espeak-ng, with the time of every sound: what the guide vocal is made of.

The library and its data come with the package `espeakng-loader`, which only `render.vocal=true` needs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.lyrics.phonetics import Phones, is_vowel, num_syllables, sounds_of

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
WORDS_A_MINUTE = 110
"""Slow speech: vowels reach what they aim for."""

_SYNCHRONOUS, _PHONEME_EVENTS, _STAY_ALIVE = 2, 0x1, 0x8000
_RATE, _RANGE = 1, 4
_UTF8, _IN_BRACKETS = 0x1, 0x100
_WORD, _PHONEME = 1, 7


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


class _Name(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("pointer", ctypes.c_char_p), ("text", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    """`espeak_EVENT` of espeak-ng's `speak_lib.h`."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Name),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@cache
def _library() -> tuple[Any, int]:
    """The library, ready to speak, and its sampling rate; once a process, as its state is global."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    place = espeakng_loader.get_data_path()
    rate_hz = library.espeak_Initialize(_SYNCHRONOUS, 0, place.encode(), _PHONEME_EVENTS | _STAY_ALIVE)
    if rate_hz <= 0:
        raise UserError(f"espeak-ng can't read its data in {place}; install it in a place with a shorter path.")
    return library, rate_hz


def check_voice(voice: str) -> None:
    """Raise `UserError` where espeak-ng has no such voice. Its packages must be there."""
    if _library()[0].espeak_SetVoiceByName(voice.encode()):
        raise UserError(f"render.vocal_voice={voice}: espeak-ng has no such voice; en-us, en-gb, de and fr are some.")


def speak(text: str, voice: str) -> Speech:
    """Say a line slowly and on one pitch.

    Parameters
    ----------
    text
        Words, or espeak-ng's names of sounds in `[[` and `]]`.
    voice
        The name of one of its voices: a language, and after a plus sign a speaker.
    """
    library, rate_hz = _library()
    check_voice(voice)
    library.espeak_SetParameter(_RATE, WORDS_A_MINUTE, 0)
    library.espeak_SetParameter(_RANGE, 0, 0)
    blocks: list[NDArray[np.int16]] = []
    found: list[tuple[str, int, int]] = []
    word = -1

    def hear(wave: Any, size: int, events: Any) -> int:
        nonlocal word
        if wave and size > 0:
            blocks.append(np.ctypeslib.as_array(wave, (size,)).copy())
        for event in events:
            if event.type == 0:
                return 0
            word += event.type == _WORD
            if event.type == _PHONEME:
                found.append((event.id.text.decode("utf-8", "ignore").lstrip("',%="), max(word, 0), event.sample))
        return 0

    callback = _Callback(hear)
    library.espeak_SetSynthCallback(callback)
    data = text.encode()
    library.espeak_Synth(data, len(data) + 1, 0, 1, 0, _UTF8 | _IN_BRACKETS, None, None)
    library.espeak_Synchronize()
    samples = np.concatenate(blocks).astype(np.float64) / 32768 if blocks else np.zeros(0)
    ends = [*(sample for _, _, sample in found[1:]), len(samples)]
    phonemes = (
        Phoneme(name, number, start / rate_hz, end / rate_hz)
        for (name, number, start), end in zip(found, ends, strict=True)
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

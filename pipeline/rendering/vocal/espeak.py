"""The library espeak-ng, asked to speak: a program of its own, `python -m pipeline.rendering.vocal.espeak VOICE`.

It reads a JSON list of lines from the standard input and writes what `SpokenLines` says to the standard output. What
espeak-ng makes of a line depends on all that its process said before; a process a song makes songs repeatable.
"""

from __future__ import annotations

import ctypes
import json
import pickle
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

SpokenLines = tuple[int, list[tuple[bytes, list[tuple[str, int, int]]]]]
"""Sampling rate in Hz, and for each line its 16-bit samples and its sounds: name, index of the word, first sample."""

WORDS_A_MINUTE = 110
"""Slow speech: vowels reach what they aim for."""
UNKNOWN_VOICE, NO_DATA = 3, 4
"""Exit codes."""

_SYNCHRONOUS, _PHONEME_EVENTS, _STAY_ALIVE = 2, 0x1, 0x8000
_RATE, _RANGE = 1, 4
_UTF8, _IN_BRACKETS = 0x1, 0x100
_WORD, _PHONEME = 1, 7


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


def speak_all(texts: list[str], voice: str) -> SpokenLines:
    """Say lines slowly and on one pitch. Leaves the program where there is no such voice, or no data to speak with."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    place = espeakng_loader.get_data_path()
    rate_hz = library.espeak_Initialize(_SYNCHRONOUS, 0, place.encode(), _PHONEME_EVENTS | _STAY_ALIVE)
    if rate_hz <= 0:
        sys.exit(NO_DATA)
    if library.espeak_SetVoiceByName(voice.encode()):
        sys.exit(UNKNOWN_VOICE)
    library.espeak_SetParameter(_RATE, WORDS_A_MINUTE, 0)
    library.espeak_SetParameter(_RANGE, 0, 0)
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    return rate_hz, [_speak(library, text) for text in texts]


def _speak(library: Any, text: str) -> tuple[bytes, list[tuple[str, int, int]]]:
    """Say one line."""
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
    return b"".join(block.tobytes() for block in blocks), found


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(speak_all(json.load(sys.stdin), sys.argv[1])))

"""General MIDI keys of notes without a pitch: by the names of instruments, or by their place on the staff."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

SNARE = 38
"""What a note sounds as of which nothing is known."""

KEYS = """
31: stick, drum stick | 35: bass drum acoustic, bass drum 2, bass drum b, kick 2, kick b
36: bass drum, kick, bass drum 1, bassdrum, bd, grosse caisse, grosse trommel, gran cassa, bombo, grancassa
37: side stick, snare rim shot, rimshot, rim shot, cross stick, rim, rim click, snare rimshot, snare drum rimshot
37: sidestick, crossstick, rimclick, stick click
38: snare, side drum, caisse claire, kleine trommel, caja, rullante, redoblante, snare drum, snare acoustic
39: clap, hand clap, handclap, finger snap, snap, palmas | 40: snare electric, snare 2
41: tom floor, tom low floor, floor tom, standtom, tom 6, timbalao | 42: hihat, hihat closed, charleston
43: tom high floor, tom 5 | 44: hihat pedal, hihat foot, pedal hihat | 45: tom low, tom 4
46: hihat open, hihat half open, hihat loose | 47: tom, tom low mid, tom mid, tom 3, tom 2, tom medium
48: tom hi mid, tom 1 2, tom high mid
49: crash, cymbal crash, cymbal, becken, piatti, crash 1, cymbale, platillo, suspended cymbal, cymbal suspended
50: tom high, tom 1, tom small | 51: ride, cymbal ride, ride 1
52: china, chinese, cymbal chinese, china cymbal, gong, tam, tamtam | 53: ride bell, bell ride
54: tambourine, pandeiro, tamburin, pandereta | 55: splash, cymbal splash | 56: cowbell, cencerro
57: crash 2, cymbal crash 2 | 58: vibraslap | 59: ride 2, cymbal ride 2 | 60: bongo, bongo high | 61: bongo low
62: conga mute, conga mute high | 63: conga, conga open, conga open high, conga high | 64: conga low, tumba, tumbadora
65: timbale, timbale high | 66: timbale low | 67: agogo, agogo high | 68: agogo low | 69: cabasa, afuche | 70: maraca
71: whistle, whistle short | 72: whistle long | 73: guiro, guiro short | 74: guiro long | 75: clave
76: woodblock, woodblock high, temple block, temple block high | 77: woodblock low, temple block low
78: cuica, cuica mute | 79: cuica open | 80: triangle mute, triangle closed | 81: triangle, triangle open, triangel
82: shaker, egg | 83: jingle, sleigh bell, jingle bell | 84: bell tree, mark tree, wind chime, chime | 85: castanet
86: surdo mute | 87: surdo, surdo open
"""
"""Names of drums, as words in any order; the entry with the most words in a name wins."""

JOINED = (
    (r"hi[\s-]*hats?\b|\bh\.?h\b\.?", "hihat"),
    (r"wood[\s-]*blocks?", "woodblock"),
    (r"tom[\s-]*tom", "tom"),
    (r"(?<=[a-z])[\s-]*(?=drums?\b)", " "),
    (r"\bhi\b", "high"),
    (r"\blo\b", "low"),
)
"""Spellings of one thing, brought to one."""

STAFF = {
    "D4": 44, "E4": 35, "F4": 36, "G4": 41, "A4": 41, "B4": 45, "C5": 38, "D5": 47, "E5": 48, "F5": 50, "G5": 42,
    "A5": 49, "B5": 57, "C6": 52, "D6": 55,
}  # fmt: skip
"""Keys of a drum set by written step and octave on a staff of five lines with a percussion clef."""
STAFF_WITH_CROSS = {"C5": 37, "D5": 59, "E5": 51, "F5": 51}
"""Where a note head that is a cross means another key."""
STAFF_WITH_CIRCLE = {"G5": 46, "F5": 53, "E5": 46, "A5": 49}
"""Where a cross in a circle, or a diamond, means another key."""
STEPS = "CDEFGAB"
CROSSES = ("x", "cross", "cluster")
CIRCLES = ("circle-x", "circled", "diamond", "circle dot")


@cache
def key_by_name(name: str) -> int | None:
    """The General MIDI key (27 to 87) of a drum by its name or its standard sound; None where none is known.

    `Bass Drum 1`, `Hi-Hat (open)`, `metal.cymbal.crash`, `Grosse Caisse`, `Snare Drum (rim shot)`.
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("_", " ").replace(".", " ")
    for pattern, joined in JOINED:
        plain = re.sub(pattern, joined, plain)
    words = {_singular(word) for word in re.findall(r"[a-z]+|\d+", plain)}
    best, key = 0, None
    for one, entry in _entries():
        if len(entry) > best and entry <= words:
            best, key = len(entry), one
    return key


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and word not in ("bass", "brass") else word


@cache
def _entries() -> list[tuple[int, frozenset[str]]]:
    found = []
    for entry in KEYS.replace("\n", "|").split("|"):
        key, _, names = entry.partition(":")
        found += [(int(key), frozenset(name.split())) for name in names.split(",") if name.strip()]
    return found


def key_by_place(step: str, octave: int, notehead: str) -> int:
    """The General MIDI key of a note on the usual staff of a drum set, by its written place and its note head.

    F4 is the bass drum, C5 the snare, G5 the closed hi-hat (open with a circled cross), A5 the crash, and so on; what
    lies above or below the staff's places goes to the nearest.
    """
    place = min(max(7 * octave + STEPS.index(step), 7 * 4 + 1), 7 * 6 + 1)
    name = f"{STEPS[place % 7]}{place // 7}"
    if notehead in CROSSES and name in STAFF_WITH_CROSS:
        return STAFF_WITH_CROSS[name]
    if notehead in CIRCLES and name in STAFF_WITH_CIRCLE:
        return STAFF_WITH_CIRCLE[name]
    return STAFF[name]

"""Information fields of ABC: metre, unit note length, tempo, key, clef and voice, and the order of parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
"""Semitones of the notes above C."""
SHARPS = "FCGDAEB"
"""The order in which a key signature sharpens notes; it flattens them in the opposite one."""
MAJOR_SHARPS = {"C": 0, "D": 2, "E": 4, "F": -1, "G": 1, "A": 3, "B": 5}
"""Sharps of major keys."""
MODE_SHARPS = {"maj": 0, "ion": 0, "mix": -1, "dor": -2, "min": -3, "m": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1}
"""How many more sharps a mode has than major on the same tonic."""

MOST_QUARTERS = 1000.0
"""No note, rest or metre is longer; what claims to be is damaged."""


def parse_metre(text: str) -> tuple[int, int] | None:
    """Numerator and denominator of an `M:` field, such as `6/8`, `C|`, `(2+2+3)/8`; None for `none` and nonsense."""
    text = text.strip()
    if text.startswith("C|"):
        return 2, 2
    if text.startswith("C"):
        return 4, 4
    found = re.match(r"\(?\s*(\d{1,3}(?:\s*\+\s*\d{1,3})*)\s*\)?\s*/\s*(\d{1,3})", text)
    if not found:
        return None
    numerator, denominator = sum(int(one) for one in found[1].split("+")), int(found[2])
    return (numerator, denominator) if numerator and denominator in (1, 2, 4, 8, 16, 32, 64) else None


def default_unit(metre: tuple[int, int] | None) -> float:
    """Length in quarter notes of a note without a number, where no `L:` says it."""
    return 0.25 if metre and metre[0] / metre[1] < 0.75 else 0.5


def parse_unit(text: str) -> float | None:
    """Length in quarter notes of a note without a number, by an `L:` field; None where it says none."""
    found = re.match(r"\s*(\d{1,4})\s*(?:/\s*(\d{1,4}))?", text)
    if not found or not int(found[1]) or (found[2] and not int(found[2])):
        return None
    return 4 * int(found[1]) / int(found[2] or 1)


SLOWEST_IN_UNITS = 60.0
"""Quarter notes a minute: a bare number that would be slower in unit notes was meant in quarter notes."""


def parse_tempo(text: str, unit: float) -> float | None:
    """Quarter notes a minute of a `Q:` field: `1/4=120`, `"Allegro" 3/8=80`, `120`; None without."""
    text = re.sub(r'"[^"]*"?', " ", text)
    beat, _, number = text.rpartition("=")
    found = re.match(r"\s*(\d{1,4}(?:\.\d+)?)", number)
    if not found:
        return None
    fractions = re.findall(r"(\d{1,4})\s*/\s*(\d{1,4})", beat)
    if fractions:
        length = sum(4 * int(one) / max(int(other), 1) for one, other in fractions)
    else:  # C=120, C3=40 or a bare number count in unit notes
        multiple = re.search(r"\d{1,2}", beat)
        length = unit * (int(multiple[0]) if multiple else 1)
        if not beat and length * float(found[1]) < SLOWEST_IN_UNITS:
            length = 1.0
    bpm = length * float(found[1])
    return bpm if 1 < bpm < 2000 else None


@dataclass(frozen=True)
class Clef:
    """What is said of a voice beside the key: in `K:` and `V:` fields."""

    name: str = ""
    """Of the instrument or singer, from `name`, `nm` or `subname`."""
    semitones: int | None = None
    """How much higher it sounds than it is written, by `octave=` and `transpose=`; None where nothing is said."""
    clef_semitones: int | None = None
    """How much higher it sounds by its clef, as `treble-8`; None where no clef is named."""
    is_drum: bool | None = None
    """Percussion clef; None where no clef is named."""


CLEF = re.compile(r"(?=.)(treble|alto|tenor|bass|perc|none|auto|[GCF]|)([1-5]?)([+-](?:8|15)(?:v[ab])?|)$")


def parse_clef(text: str) -> Clef:
    """Name, transposition and clef out of the properties in a `K:` or `V:` field, `name="Bass" clef=bass octave=-1`."""
    name = ""
    semitones: int | None = None
    clef_semitones: int | None = None
    drum: bool | None = None
    words = dict.fromkeys(re.sub(r'[\w-]+\s*=\s*(?:"[^"]*"?|\S+)', " ", text).split(), "")
    pairs = [(key.lower(), value.strip('"')) for key, value in re.findall(r'([\w-]+)\s*=\s*("[^"]*"?|\S+)', text)]
    for key, value in [("clef", word) for word in words] + pairs:
        if key in ("name", "nm", "subname", "sname", "snm") and not name:
            name = value.replace("\\n", " ").strip()
        elif key in ("octave", "oct", "transpose", "t") and re.fullmatch(r"[+-]?\d{1,2}", value):
            semitones = (semitones or 0) + int(value) * (12 if key.startswith("oct") else 1)
        elif key == "clef" and (found := CLEF.match(value.strip("'\""))):
            drum = found[1] == "perc" if found[1] else drum
            octaves = 2 if "15" in found[3] else 1
            clef_semitones = {"": 0, "+": 12 * octaves, "-": -12 * octaves}[found[3][:1]]
    return Clef(name, semitones, clef_semitones, drum)


KEY = re.compile(
    r"(?P<tonic>[A-G])(?P<sign>[#b\u266f\u266d]?)\s*(?P<mode>[A-Za-z]*)(?P<rest>.*)$",
)


def parse_key(text: str) -> tuple[dict[str, int] | None, Clef]:
    """What a `K:` field says: semitones by letter, None where it names no key (`K:clef=bass`), and the clef."""
    text = text.strip()
    if text[:2] in ("HP", "Hp"):
        return {"F": 1, "C": 1}, parse_clef(text[2:])
    lowered = text.lower()
    if not text or lowered.startswith("none"):
        rest = text[4:]
        return _accidentals(rest), parse_clef(rest)
    found = KEY.match(text)
    if not found:
        accidentals = _accidentals(text)
        return accidentals or None, parse_clef(text)
    mode, rest = found["mode"].lower(), found["rest"]
    if mode.startswith("exp"):
        return _accidentals(rest), parse_clef(rest)
    shift = MODE_SHARPS.get("m" if mode == "m" else mode[:3])
    if shift is None:
        if mode:  # a clef or property follows the tonic without a mode
            rest = found["mode"] + rest
        shift = 0
    sharps = MAJOR_SHARPS[found["tonic"]] + shift
    sharps += {"#": 7, "\u266f": 7, "b": -7, "\u266d": -7}.get(found["sign"], 0)
    alterations = signature(sharps)
    explicit = _accidentals(rest)
    return {**alterations, **explicit}, parse_clef(rest)


def signature(sharps: int) -> dict[str, int]:
    """Alterations of a key signature with so many sharps, flats where it is negative."""
    alterations: dict[str, int] = {}
    order, step = (SHARPS, 1) if sharps > 0 else (SHARPS[::-1], -1)
    for index in range(min(abs(sharps), 14)):
        letter = order[index % 7]
        alterations[letter] = alterations.get(letter, 0) + step
    return alterations


ALTERATIONS = {"^": 1, "^^": 2, "_": -1, "__": -2, "=": 0}


def _accidentals(text: str) -> dict[str, int]:
    """Accidentals that a `K:` field lists one by one, such as `^f _b =c`."""
    text = re.sub(r"(?<![A-Za-z])(?:[A-Za-z-]{3,}|nm|[tm])\s*=\s*\S+", " ", text)  # clef=bass is no natural b
    found = re.findall(r"(\^\^?|__?|=)([A-Ga-g])(?![A-Za-z])", text)
    return {letter.upper(): ALTERATIONS[sign] for sign, letter in found}


def parse_parts(text: str) -> str:
    """Letters of parts in the order that a header's `P:` plays them: `A2(BC)3` is `AABCBCBC`; empty for nonsense."""
    text = re.sub(r"[^A-Za-z0-9()]", "", re.sub(r'"[^"]*"?', "", text))
    for _ in range(4):
        text = re.sub(r"\(([A-Za-z0-9]*)\)(\d{0,2})", lambda match: _repeated(match[1]) * int(match[2] or 1), text)
    played = _repeated(text)
    return played if played.isalpha() and len(played) <= 500 else ""


def _repeated(text: str) -> str:
    return re.sub(r"([A-Za-z])(\d{1,2})", lambda match: match[1] * int(match[2]), text)[:2000]

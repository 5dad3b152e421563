"""What stands above the staff of a MusicXML score: tempos, and the signs and words of repeats, endings and jumps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

BEAT_UNITS: dict[str, float] = {
    "maxima": 32.0, "long": 16.0, "breve": 8.0, "whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5,
} | {f"{2**power}{'nd' if power == 5 else 'th'}": 4 / 2**power for power in range(4, 11)}  # fmt: skip
"""Note values by their names in MusicXML, in quarter notes."""
DRAWN_UNITS = {"♩": 1.0, "q": 1.0, "𝅘𝅥": 1.0, "♪": 0.5, "e": 0.5, "𝅘𝅥𝅮": 0.5, "h": 2.0, "𝅗𝅥": 2.0}
"""Note values as characters in text."""
DRAWN_TEMPO = re.compile(
    rf"({'|'.join(sorted(DRAWN_UNITS, key=len, reverse=True))})\s*(\.?)\s*=\s*(c(?:a|irca)?\.?\s*)?\d", re.IGNORECASE
)
NUMBER = r"(\d+(?:[.,]\d+)?)"
JUMP_WORDS = (
    ("da_capo", re.compile(r"\bd\. ?c\b|^dc\b|\bda capo\b")),
    ("dal_segno", re.compile(r"\bd\. ?s\b|^ds\b|\bdal segno\b")),
    ("to_coda", re.compile(r"^(?:to|alla|zur) (?:the )?coda\b")),
    ("fine", re.compile(r"^(?:il )?fine\.?$")),
    ("coda", re.compile(r"^coda\.?$")),
    ("segno", re.compile(r"^segno\.?$")),
)
"""What words above the staff mean for the order of playing; the first that fits counts."""
SOUND_JUMPS = {
    "dacapo": "da_capo", "dalsegno": "dal_segno", "tocoda": "to_coda", "fine": "fine", "coda": "coda", "segno": "segno",
}  # fmt: skip
"""Attributes of `sound` about the order of playing."""


@dataclass
class WrittenMarks:
    """The signs of one measure of one part that bear on the order of playing."""

    begins_repeat: bool = False
    begins_next: bool = False
    """A `|:` at its end, which belongs to the next measure."""
    times: int = 0
    ends_last: int = 0
    """A `:|` at its beginning, which belongs to the measure before."""
    repeats_after_jump: bool = False
    ending: str | None = None
    """The numbers of a bracket that begins here, as written."""
    stops_ending: bool = False
    stops_last_ending: bool = False
    jumps: dict[str, tuple[str, float]] = field(default_factory=dict)
    """`da_capo`, `dal_segno`, `to_coda`, `fine`, `coda` and `segno`: their names, and where in the measure they stand
    in quarter notes."""
    bare_codas: list[float] = field(default_factory=list)
    """Where coda signs stand of which nothing says whether they lead to the coda or begin it."""


@dataclass(frozen=True)
class TempoMark:
    """A tempo, or a metric modulation."""

    at: float
    """In quarter notes."""
    bpm: float | None
    """Quarter notes a minute; None where the tempo is that before times `ratio`."""
    ratio: float = 1.0
    is_sound: bool = False
    """It was written for playing, and counts before what is drawn."""


def read_barline(element: Element, marks: WrittenMarks) -> None:
    """Note the repeat signs, brackets and signs of a bar line."""
    is_left = element.get("location") == "left"
    for child in element:
        if child.tag == "repeat":
            is_forward = child.get("direction") == "forward"
            times = _whole(child.get("times"), 2)
            if is_forward and is_left:
                marks.begins_repeat = True
            elif is_forward:
                marks.begins_next = True
            elif is_left:
                marks.ends_last = times
            else:
                marks.times = times
                marks.repeats_after_jump |= child.get("after-jump") == "yes"
        elif child.tag == "ending":
            if child.get("type") == "start":
                marks.ending = child.get("number", "") or child.text or ""
            elif is_left:
                marks.stops_last_ending = True
            else:
                marks.stops_ending = True
        elif child.tag in ("segno", "coda"):
            named = element.get(child.tag) or "1"
            marks.jumps.setdefault(child.tag, (named, 0.0 if is_left else float("inf")))


def read_sound(element: Element, at: float, marks: WrittenMarks) -> TempoMark | None:
    """Note the jumps that a `sound` asks for; the tempo that it names, if it names one."""
    for attribute, name in SOUND_JUMPS.items():
        value = element.get(attribute)
        if value and value != "no":
            marks.jumps[name] = (value if name in ("dal_segno", "to_coda", "coda", "segno") else "1", at)
    if element.get("forward-repeat") == "yes":
        marks.begins_repeat = True
    bpm = _number(element.get("tempo") or "")
    return TempoMark(at, bpm, is_sound=True) if bpm else None


def read_direction(element: Element, at: float, marks: WrittenMarks) -> TempoMark | None:
    """Note the jumps that a `direction` asks for by signs or words; the tempo that it names, if it names one."""
    words: list[str] = []
    signs: set[str] = set()
    tempo = None
    sound = element.find("sound")
    for child in element:
        if child.tag == "direction-type":
            for one in child:
                if one.tag == "words":
                    words.append(one.text or "")
                elif one.tag == "metronome":
                    tempo = read_metronome(one, at) or tempo
                elif one.tag in ("segno", "coda"):
                    signs.add(one.tag)
                    words.append("coda" if one.tag == "coda" and words else "")
    if sound is None or not any(sound.get(name) for name in SOUND_JUMPS):
        _read_words(" ".join(" ".join(words).casefold().split()), signs, at, marks)
    if sound is not None:
        tempo = read_sound(sound, at, marks) or tempo
    return tempo or _drawn_tempo(" ".join(words), at)


def _read_words(text: str, signs: set[str], at: float, marks: WrittenMarks) -> None:
    found = next((name for name, pattern in JUMP_WORDS if text and pattern.search(text)), None)
    if found in ("da_capo", "dal_segno", "to_coda", "fine", "segno"):
        marks.jumps.setdefault(found, ("1", at))
    elif found == "coda" or "coda" in signs:
        marks.bare_codas.append(at)
    elif "segno" in signs:
        marks.jumps.setdefault("segno", ("1", at))


def read_metronome(element: Element, at: float) -> TempoMark | None:
    """The tempo of a metronome mark: `quarter = 72`, `half. = c. 66`, `quarter = 72-80`, or `eighth = quarter`."""
    units: list[float] = []
    dots: list[int] = []
    per_minute = ""
    for child in element:
        if child.tag == "beat-unit":
            units.append(BEAT_UNITS.get((child.text or "").strip(), 0.0))
            dots.append(0)
        elif child.tag == "beat-unit-dot" and dots:
            dots[-1] += 1
        elif child.tag == "per-minute":
            per_minute = child.text or ""
    lengths = [unit * (2 - 0.5**count) for unit, count in zip(units, dots, strict=True)]
    if not lengths or not all(lengths):
        return None
    if len(lengths) == 2:
        return TempoMark(at, None, ratio=lengths[1] / lengths[0])
    beats = _number(per_minute)
    return TempoMark(at, beats * lengths[0]) if beats else None


def _drawn_tempo(text: str, at: float) -> TempoMark | None:
    """A tempo in text, as `♩ = 120`; words such as Allegro are none."""
    found = DRAWN_TEMPO.search(text) if "=" in text else None
    if found is None or (text[: found.start()].strip()[-1:].isalpha() and found[1].isascii()):
        return None
    beats = _number(text[found.end() - 1 :])
    unit = DRAWN_UNITS[found[1].lower()] * (1.5 if found[2] else 1.0)
    return TempoMark(at, beats * unit) if beats else None


def _number(text: str) -> float | None:
    """The beats a minute in a text such as `c. 72`, or the middle of `72-80`; None where there are none to use."""
    found = re.search(rf"{NUMBER}(?:\s*[-\u2013\u2014]\s*{NUMBER})?", text)
    if found is None:
        return None
    numbers = [float(one.replace(",", ".")) for one in found.groups() if one]
    bpm = sum(numbers) / len(numbers)
    return bpm if 1 < bpm < 2000 else None


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.strip().isdecimal() else default

"""Small MusicXML scores, written out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

ATTRIBUTES = "<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time>{}</attributes>"
"""Two divisions a quarter note, 4/4; what else belongs there goes between."""
BACK = "<backup><duration>8</duration></backup>"
"""Back by a bar of 4/4."""


def xml_note(step: str, octave: int, duration: int, extra: str = "", after: str = "") -> str:
    """A note, `extra` before its pitch and `after` behind its duration."""
    return (
        f"<note>{extra}<pitch><step>{step}</step><octave>{octave}</octave></pitch>"
        f"<duration>{duration}</duration>{after}</note>"
    )


def xml_hit(step: str, octave: int, duration: int, instrument: str = "", head: str = "") -> str:
    """A note without a pitch at a place of the staff."""
    named = f"<instrument id='{instrument}'/>" if instrument else ""
    drawn = f"<notehead>{head}</notehead>" if head else ""
    return (
        f"<note><unpitched><display-step>{step}</display-step><display-octave>{octave}</display-octave></unpitched>"
        f"<duration>{duration}</duration>{named}{drawn}</note>"
    )


def xml_measures(measures: Sequence[str]) -> str:
    """Measures numbered from 0."""
    return "".join(f"<measure number='{number}'>{measure}</measure>" for number, measure in enumerate(measures))


def xml_score(parts: Sequence[tuple[str, Sequence[str]]]) -> str:
    """A score: for each part what the part list says of it behind its id, and its measures."""
    heads = "".join(f"<score-part id='P{index}'>{head}</score-part>" for index, (head, _) in enumerate(parts))
    body = "".join(f"<part id='P{index}'>{xml_measures(own)}</part>" for index, (_, own) in enumerate(parts))
    return (
        "<score-partwise><work><work-title>A Tune</work-title></work>"
        f"<part-list>{heads}</part-list>{body}</score-partwise>"
    )


def write_xml(path: Path, *measures: str, head: str = "") -> Path:
    """A score of one part called Voice."""
    path.write_text(xml_score([(f"<part-name>Voice</part-name>{head}", measures)]), "utf-8")
    return path


def write_parts(path: Path, *parts: tuple[str, Sequence[str]]) -> Path:
    """A score of several parts, as `xml_score` takes them."""
    path.write_text(xml_score(parts), "utf-8")
    return path


def xml_instrument(name: str, key: str, midi: str = "", sound: str = "") -> str:
    """An instrument of a part with its MIDI settings."""
    sounds = f"<instrument-sound>{sound}</instrument-sound>" if sound else ""
    numbers = f"<midi-instrument id='{key}'>{midi}</midi-instrument>" if midi else ""
    return f"<score-instrument id='{key}'><instrument-name>{name}</instrument-name>{sounds}</score-instrument>{numbers}"

"""Chord symbols of a MusicXML score: `harmony` elements read and written."""

from __future__ import annotations

from contextlib import suppress
from xml.etree.ElementTree import Element, SubElement

from pipeline.scores.chords.symbols import LETTERS, PITCH_CLASSES, PRINTED, Chord, read_chord

KINDS = {
    "major": "maj", "minor": "min", "augmented": "aug", "diminished": "dim", "dominant": "7", "major-seventh": "maj7",
    "minor-seventh": "min7", "diminished-seventh": "dim", "augmented-seventh": "aug", "half-diminished": "m7b5",
    "major-minor": "min", "major-sixth": "maj", "minor-sixth": "min", "dominant-ninth": "7", "major-ninth": "maj7",
    "minor-ninth": "min7", "dominant-11th": "7", "major-11th": "maj7", "minor-11th": "min7", "dominant-13th": "7",
    "major-13th": "maj7", "minor-13th": "min7", "suspended-second": "maj", "suspended-fourth": "sus4", "power": "maj",
}  # fmt: skip
"""Qualities of `gan.chords` by the kinds that MusicXML names."""
KIND_OF_QUALITY = {quality: kind for kind, quality in reversed(KINDS.items())}
"""The first of them for each quality."""


def read_harmony(element: Element, semitones: int) -> tuple[Chord | None] | None:
    """The chord of a `harmony` element, or `(None,)` where it says that none sounds; None where it can't be told.

    `semitones` are those from written to sounding notes of its part.
    """
    kind = element.find("kind")
    name = (kind.text or "").strip() if kind is not None else ""
    if name == "none":
        return (None,)
    root = _pitch_class(element, "root", semitones)
    if root is None or kind is None:
        return None
    bass = _pitch_class(element, "bass", semitones)
    quality = KINDS.get(name)
    if quality is None:
        with suppress(ValueError):
            written = read_chord(f"C{kind.get('text') or '?'}")
            quality = written.quality if written is not None else None
    if quality is None:
        return None
    lowered = {
        (degree.findtext("degree-value") or "").strip()
        for degree in element.findall("degree")
        if (degree.findtext("degree-alter") or "").strip() == "-1"
    }
    if quality == "min7" and "5" in lowered:
        quality = "m7b5"
    return (Chord(root, quality, root if bass is None else bass),)


def harmony_element(chord: Chord | None, offset: int) -> Element:
    """A `harmony` element that takes effect `offset` divisions after the place where it stands."""
    element = Element("harmony", {"print-frame": "no"})
    (root, root_alter), (bass, bass_alter) = chord.spelled if chord is not None else (("C", 0), ("C", 0))
    _add_pitch_class(element, "root", root, root_alter)
    if chord is None:
        SubElement(element, "kind", text="N.C.").text = "none"
    else:
        SubElement(element, "kind", text=PRINTED[chord.quality]).text = KIND_OF_QUALITY[chord.quality]
        if chord.bass != chord.root:
            _add_pitch_class(element, "bass", bass, bass_alter)
    if offset:
        SubElement(element, "offset", sound="yes").text = str(offset)
    return element


def _add_pitch_class(element: Element, name: str, letter: str, accidental: int) -> None:
    """Add `root` or `bass`."""
    child = SubElement(element, name)
    SubElement(child, f"{name}-step").text = letter
    if accidental:
        SubElement(child, f"{name}-alter").text = str(accidental)


def _pitch_class(element: Element, name: str, semitones: int) -> int | None:
    """The sounding pitch class of `root` or `bass`."""
    step = (element.findtext(f"{name}/{name}-step") or "").strip().upper()
    if len(step) != 1 or step not in LETTERS:
        return None
    alter = round(float(element.findtext(f"{name}/{name}-alter") or 0))
    return (PITCH_CLASSES[LETTERS.index(step)] + alter + semitones) % 12

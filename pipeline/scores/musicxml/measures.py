"""The measures of one part of a MusicXML score: notes, rests, metres, tempos and signs, each where it stands."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from xml.etree.ElementTree import Element

from pipeline.scores.chords.symbols import Chord
from pipeline.scores.musicxml.directions import (
    BEAT_UNITS,
    TempoMark,
    WrittenMarks,
    read_barline,
    read_direction,
    read_sound,
)
from pipeline.scores.musicxml.harmony import read_harmony
from pipeline.scores.musicxml.part_list import PartHead, Sound
from pipeline.scores.musicxml.percussion import STEPS

SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
ROUNDING = 0.02
"""Quarter notes by which a measure of rounded tuplets may miss its length."""
STOP, START = 1, 2
"""Ties of a note, as bits."""
TIES = {"start": START, "stop": STOP, "continue": START | STOP}
"""By their names in MusicXML."""
LOWEST_PLACE = 60
"""MIDI pitch below which no drum stands on a staff of five lines."""
LONGEST = 1e6
"""Quarter notes; a longer note or gap is a mistake."""


class WrittenNote(NamedTuple):
    """A note as written: onset in its measure and length in quarter notes."""

    onset: float
    length: float
    pitch: int
    voice: str
    staff: str
    sound: Sound
    ties: int
    is_sung: bool = False
    """Whether a syllable stands below it."""


class WrittenRest(NamedTuple):
    """A rest that is drawn: onset in its measure and length in quarter notes."""

    onset: float
    length: float
    voice: str
    staff: str


@dataclass
class Measure:
    """One written measure of one part."""

    number: str
    is_implicit: bool
    notes: list[WrittenNote] = field(default_factory=list)
    rests: list[WrittenRest] = field(default_factory=list)
    tempos: list[TempoMark] = field(default_factory=list)
    marks: WrittenMarks = field(default_factory=WrittenMarks)
    chords: list[tuple[float, Chord | None]] = field(default_factory=list)
    """Chord symbols, and where they stand in quarter notes."""
    length: float = 0.0
    """In quarter notes, as far as anything is written in it."""
    numerator: int = 4
    denominator: int = 4
    is_free: bool = False
    """It has no metre (senza misura)."""
    repeats: int = 0
    """Of a sign that repeats measures: how many measures before it stand the notes; 0 without one."""

    @property
    def bar_length(self) -> float:
        """By its metre, in quarter notes."""
        return 4 * self.numerator / self.denominator


class MeasureReader:
    """Reads the measures of one part in turn, and counts what it mended.

    Parameters
    ----------
    head
        What the part list says of the part.
    measures
        Its `measure` elements; of a score in measures, its `part` elements, with the attributes of theirs.
    """

    def __init__(self, head: PartHead, measures: Iterable[tuple[Element, Element]]) -> None:
        self.head = head
        self.divisions = 1.0
        self.transpositions: dict[str, tuple[int, int]] = {}
        self.numerator, self.denominator, self.is_free = 4, 4, False
        self.pattern = 0
        self.is_drum_staff = self.has_low_keys = False
        self.num_guessed_lengths = 0
        self.num_slashes = 0
        self.measures = list(self._read(measures))

    def _read(self, measures: Iterable[tuple[Element, Element]]) -> Iterator[Measure]:
        read: list[Measure] = []
        for named, element in measures:
            measure = Measure(named.get("number", ""), named.get("implicit") == "yes")
            self._measure(element, measure)
            measure.numerator, measure.denominator, measure.is_free = self.numerator, self.denominator, self.is_free
            if abs(measure.length - measure.bar_length) < ROUNDING:
                measure.length = measure.bar_length
            measure.repeats = self.pattern
            if self.pattern and not measure.notes and len(read) >= self.pattern:
                measure.notes = read[-self.pattern].notes
            read.append(measure)
        return iter(read)

    def _measure(self, element: Element, measure: Measure) -> None:
        self.measure, self.now, self.furthest = measure, 0.0, 0.0
        self.chord_onset, self.chord_value = 0.0, (("", 0), 0.0)
        for child in element:
            tag = child.tag
            if tag == "note":
                self._note(child)
            elif tag == "backup":
                self.now = max(self.now - self._duration(child, child.find("duration")), 0.0)
            elif tag == "forward":
                self.now += self._duration(child, child.find("duration"))
            elif tag == "attributes":
                self._attributes(child)
            elif tag == "direction":
                tempo = read_direction(child, self._place(child), measure.marks)
                measure.tempos += [tempo] if tempo else []
                self._changed_instruments(child.find("sound"))
            elif tag == "sound":
                tempo = read_sound(child, self._place(child), measure.marks)
                measure.tempos += [tempo] if tempo else []
                self._changed_instruments(child)
            elif tag == "harmony":
                semitones, _ = self.transpositions.get("1") or self.transpositions.get("") or (0, 0)
                measure.chords += [(self._place(child), chord) for chord in read_harmony(child, semitones) or ()]
            elif tag == "barline":
                read_barline(child, measure.marks)
            if self.now > self.furthest:
                self.furthest = self.now
        measure.length = self.furthest

    def _place(self, element: Element) -> float:
        """Where a direction or sound takes effect, in quarter notes of the measure."""
        offset = element.find("offset")
        inner = element.find("sound/offset") if element.tag == "direction" else None
        if inner is not None:
            offset = inner
        elif offset is None or (element.tag == "direction" and offset.get("sound") != "yes"):
            return self.now
        return max(self.now + float(offset.text or 0) / self.divisions, 0.0)

    def _changed_instruments(self, sound: Element | None) -> None:
        """Programs that change in mid-song."""
        if sound is None:
            return
        for change in sound.findall("instrument-change"):
            self.head.change_sound(change.get("id", ""), change.findtext("instrument-sound") or "")
        for change in sound.findall("midi-instrument"):
            self.head.change_program(change.get("id", ""), change)

    def _attributes(self, element: Element) -> None:
        self.divisions = float(element.findtext("divisions") or self.divisions)
        time = element.find("time")
        if time is not None:
            self._time(time)
        self.is_drum_staff |= any(sign.text == "percussion" for sign in element.iterfind("clef/sign"))
        for transpose in element.findall("transpose"):
            semitones = round(float(transpose.findtext("chromatic") or 0))
            octaves = int(transpose.findtext("octave-change") or 0)
            double = transpose.find("double")
            doubled = 0 if double is None else 12 if double.get("above") == "yes" else -12
            staff = transpose.get("number")
            if staff is None:
                self.transpositions.clear()
            self.transpositions[staff or ""] = (semitones + 12 * octaves, doubled)
        for style in element.findall("measure-style/measure-repeat"):
            begins = style.get("type") == "start"
            self.pattern = max(int(style.text or 1), 1) if begins else 0

    def _time(self, time: Element) -> None:
        """A metre, additive ones (`3+2/8`, `3/8 + 2/4`) added up."""
        self.is_free = time.find("senza-misura") is not None
        beats = [sum(int(one) for one in (child.text or "").split("+")) for child in time.findall("beats")]
        units = [int(child.text or 0) for child in time.findall("beat-type")]
        if self.is_free or not beats or not units:
            return
        if min(*beats, *units) < 1:
            raise ValueError(f"time signature {beats[0]}/{units[0]}")
        self.denominator = math.lcm(*units)
        self.numerator = sum(count * self.denominator // unit for count, unit in zip(beats, units, strict=False))

    def _note(self, element: Element) -> None:
        found = {child.tag: child for child in element}
        if "grace" in found:
            return
        length = self._duration(element, found.get("duration"))
        value = (_text(found, "type"), len(element.findall("dot")) if "dot" in found else 0)
        if "chord" not in found:
            self.chord_onset, self.chord_value = self.now, (value, length)
            self.now += length
        elif value[0] and self.chord_value[0] == value:
            length = max(length, self.chord_value[1])  # some programs shorten all notes of a chord but the first
        voice, staff = _text(found, "voice") or "1", _text(found, "staff") or "1"
        if "rest" in found:
            if element.get("print-object") != "no":
                self.measure.rests.append(WrittenRest(self.chord_onset, length, voice, staff))
        elif "cue" not in found:
            ties = _ties(element, found) if "tie" in found or "notations" in found else 0
            is_sung = "lyric" in found and found["lyric"].find("text") is not None
            for sound, key in self._sounding(found, staff):
                self.measure.notes.append(
                    WrittenNote(self.chord_onset, length, key, voice, staff, sound, ties, is_sung)
                )

    def _sounding(self, found: dict[str, Element], staff: str) -> list[tuple[Sound, int]]:
        """What a note sounds with, and its pitch or key; several where it is doubled, none of a slash."""
        pitch = found.get("pitch")
        instrument = found["instrument"].get("id", "") if "instrument" in found else ""
        sound = self.head.sound(instrument, pitch is None)
        notehead = _text(found, "notehead")
        if notehead == "slash" and sound.key is None:
            self.num_slashes += 1
            return []
        if pitch is None:
            return [(sound, self.head.key(sound, _displayed(found.get("unpitched")), notehead))]
        written = _pitch(pitch)
        if sound.is_drum:
            return [(sound, self._drum_key(sound, pitch, written, notehead))]
        semitones, doubled = self.transpositions.get(staff) or self.transpositions.get("") or (0, 0)
        pitches = [written + semitones, written + semitones + doubled][: 2 if doubled else 1]
        if not 0 <= min(pitches) <= max(pitches) <= 127:
            raise ValueError(f"pitch {min(pitches)}")
        return [(sound, sounding) for sounding in pitches]

    def _drum_key(self, sound: Sound, pitch: Element, written: int, notehead: str) -> int:
        """The General MIDI key of percussion that is written by pitches: they are keys, or places on a drum staff.

        A percussion clef means places where no pitch so far was as low as the keys of a drum set are.
        """
        self.has_low_keys |= written < LOWEST_PLACE
        if sound.key is None and self.is_drum_staff and not self.has_low_keys:
            place = ((pitch.findtext("step") or "").strip().upper(), int(pitch.findtext("octave") or 4))
            return self.head.key(sound, place, notehead)
        return min(max(sound.key if sound.key is not None else written, 0), 127)

    def _duration(self, element: Element, duration: Element | None) -> float:
        """The duration of a note, `backup` or `forward` in quarter notes; of a note without one by its note value."""
        if duration is None:
            return self._value_of(element) if element.tag == "note" else 0.0
        length = float(duration.text or 0) / self.divisions
        if not 0 <= length < LONGEST:
            raise ValueError(f"duration {duration.text}")
        return length

    def _value_of(self, element: Element) -> float:
        """The length of a note without a duration, by its note value, dots and tuplet; of a whole rest the bar."""
        unit = BEAT_UNITS.get((element.findtext("type") or "").strip())
        rest = element.find("rest")
        if unit is None or (rest is not None and rest.get("measure") == "yes"):
            return 4 * self.numerator / self.denominator if rest is not None else 0.0
        self.num_guessed_lengths += rest is None
        actual = float(element.findtext("time-modification/actual-notes") or 1)
        normal = float(element.findtext("time-modification/normal-notes") or 1)
        dots = 2 - 0.5 ** len(element.findall("dot"))
        return unit * dots * normal / actual


def _text(found: dict[str, Element], tag: str) -> str:
    return found[tag].text or "" if tag in found else ""


def _ties(element: Element, found: dict[str, Element]) -> int:
    """The ties of a note as bits; those that are only drawn where none are to be played."""
    ties = 0
    drawn = found["notations"].findall("tied") if "notations" in found and "tie" not in found else []
    for tie in drawn or element.findall("tie"):
        ties |= TIES.get(tie.get("type", ""), 0)
    return ties


def _pitch(element: Element) -> int:
    """The MIDI pitch of a `pitch` as written; what an octave sign moves is written as it sounds."""
    found = {child.tag: child.text or "" for child in element}
    octave, alter = int(found.get("octave") or 4), found.get("alter")
    semitones = SEMITONES[found.get("step", "").strip().upper()] + (round(float(alter)) if alter else 0)
    return 12 * (octave + 1) + semitones


def _displayed(element: Element | None) -> tuple[str, int] | None:
    """Step and octave where a note without a pitch is drawn; None where nothing says."""
    if element is None:
        return None
    step, octave = (element.findtext("display-step") or "").strip().upper(), element.findtext("display-octave")
    return (step, int(octave)) if step and step in STEPS and octave else None

"""MusicXML files (plain or zipped) to scores.

Only what sounds is read: notes, ties, chords, voices, transposing instruments, metres and tempos. Repeats are not
played out (a phrase counts once anyway), grace notes and cue notes are left out.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from pipeline.errors import UnusableError
from pipeline.formats import printable
from pipeline.scores.score import Metre, Part, Score, make_events

SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
TINY = 1e-6
"""Quarter notes; closer times are the same."""


def read_musicxml(content: bytes, title: str, limit: int, play_repeats: bool = True) -> list[Score]:
    """The score in the bytes of a MusicXML file; `limit` bytes at most when unzipped.

    Raises
    ------
    UnusableError
        The bytes are not those of a MusicXML file in parts.
    """
    if content[:2] == b"PK":
        content = _unzip(content, limit)
    try:
        root = ElementTree.parse(io.BytesIO(content)).getroot()
    except ElementTree.ParseError as error:
        raise UnusableError(f"broken file: no XML ({error})") from error
    if root.tag == "score-timewise":
        raise UnusableError("MusicXML in measures of parts (score-timewise); save it as score-partwise")
    if root.tag != "score-partwise":
        raise UnusableError("broken file: XML, but no MusicXML")
    instruments = {one.get("id", ""): _instrument(one) for one in root.findall("part-list/score-part")}
    try:
        readers = [(instruments.get(one.get("id", ""), ("", 0, False)), _PartReader(one)) for one in root.iter("part")]
    except (ValueError, ZeroDivisionError, KeyError) as error:
        raise UnusableError(f"broken file: a number in it makes no sense ({printable(str(error))})") from error
    parts = tuple(
        Part(name, program, is_drum or reader.unpitched, make_events(*_columns(reader.notes)))
        for (name, program, is_drum), reader in readers
    )
    longest = max((reader for _, reader in readers), key=lambda reader: len(reader.measures), default=None)
    if longest is None:
        raise UnusableError("no notes")
    tempos = sorted(tempo for _, reader in readers for tempo in reader.tempos)
    named = root.findtext("work/work-title") or root.findtext("movement-title") or ""
    named = re.sub(r"\.(mxl|xml|musicxml)$", "", printable(named))
    return [Score(named or title, parts, tuple(bar_lines(longest.measures)), tuple(tempos))]


def bar_lines(measures: list[tuple[float, float, int, int]]) -> list[Metre]:
    """Where bars are counted from, out of written measures: (start, length, numerator, denominator) each.

    An incomplete first measure is a pickup: bars start after it. Later incomplete measures that add up to whole bars
    (a bar that a repeat sign divides) change nothing; where a full measure does not start on a bar line so counted,
    the count starts anew.
    """
    metres: list[Metre] = []
    for index, (start, length, numerator, denominator) in enumerate(measures):
        metre = Metre(start, numerator, denominator)
        if not metres:
            if index > 0 or length > metre.bar_length - TINY or len(measures) == 1:
                metres.append(metre)
            continue
        last = metres[-1]
        changed = (numerator, denominator) != (last.numerator, last.denominator)
        phase = (start - last.start + TINY) % last.bar_length
        if changed or (phase > 2 * TINY and length > metre.bar_length - TINY):
            metres.append(metre)
    return metres or [Metre(0.0, 4, 4)]


@dataclass
class _PartReader:
    """Reads one part measure by measure; times in quarter notes."""

    part: Element
    notes: list[tuple[float, float, int, int]] = field(default_factory=list)
    measures: list[tuple[float, float, int, int]] = field(default_factory=list)
    tempos: list[tuple[float, float]] = field(default_factory=list)
    unpitched: bool = False

    def __post_init__(self) -> None:
        self.divisions, self.transposition = 1.0, 0
        self.numerator, self.denominator = 4, 4
        self.now, self.chord_onset = 0.0, 0.0
        self.open: dict[int, int] = {}  # pitch to index of the note that a tie continues
        for measure in self.part.iter("measure"):
            start, furthest = self.now, self.now
            for element in measure:
                self._element(element)
                furthest = max(furthest, self.now)
            self.now = furthest
            self.measures.append((start, furthest - start, self.numerator, self.denominator))

    def _element(self, element: Element) -> None:
        if element.tag == "note":
            self._note(element)
        elif element.tag == "attributes":
            self._attributes(element)
        elif element.tag in ("backup", "forward"):
            length = float(element.findtext("duration") or 0) / self.divisions
            self.now = max(self.now + (length if element.tag == "forward" else -length), 0.0)
        elif element.tag in ("direction", "sound"):
            sound = element if element.tag == "sound" else element.find("sound")
            bpm = float(sound.get("tempo") or 0) if sound is not None else 0.0
            if 1 < bpm < 2000:
                self.tempos.append((self.now, bpm))

    def _attributes(self, element: Element) -> None:
        self.divisions = float(element.findtext("divisions") or self.divisions)
        beats, kind = element.findtext("time/beats"), element.findtext("time/beat-type")
        if beats and kind:
            self.numerator, self.denominator = sum(int(one) for one in beats.split("+")), int(kind)
            if self.numerator < 1 or self.denominator < 1:
                raise ValueError(f"time signature {beats}/{kind}")
        transpose = element.find("transpose")
        if transpose is not None:
            octaves = int(transpose.findtext("octave-change") or 0)
            self.transposition = int(float(transpose.findtext("chromatic") or 0)) + 12 * octaves

    def _note(self, element: Element) -> None:
        if element.find("grace") is not None:
            return
        length = float(element.findtext("duration") or 0) / self.divisions
        if element.find("chord") is None:
            self.chord_onset = self.now
            self.now += length
        if element.find("rest") is not None or element.find("cue") is not None:
            return
        pitch = self._pitch(element)
        ties = {one.get("type") for one in element.findall("tie")}
        held = self.open.pop(pitch, None) if "stop" in ties else None
        if held is not None and abs(sum(self.notes[held][:2]) - self.chord_onset) < TINY:
            onset, before, _, velocity = self.notes[held]
            self.notes[held] = (onset, before + length, pitch, velocity)
        else:
            held = len(self.notes)
            self.notes.append((self.chord_onset, length, pitch, 80))
        if "start" in ties:
            self.open[pitch] = held

    def _pitch(self, element: Element) -> int:
        step = element.findtext("pitch/step")
        if step is None:
            self.unpitched = True
            return 38
        octave = int(element.findtext("pitch/octave") or 4)
        alter = round(float(element.findtext("pitch/alter") or 0))
        pitch = 12 * (octave + 1) + SEMITONES[step.strip().upper()] + alter + self.transposition
        if not 0 <= pitch <= 127:
            raise ValueError(f"pitch {step}{octave}")
        return pitch


def _columns(notes: list[tuple[float, float, int, int]]) -> tuple[tuple[float, ...], ...]:
    return tuple(zip(*notes, strict=True)) if notes else ((), (), (), ())


def _instrument(element: Element) -> tuple[str, int, bool]:
    """Name, General MIDI program (0 to 127) and whether it is percussion, of a `score-part`."""
    name = printable(element.findtext("part-name") or "")
    try:
        program = int(element.findtext("midi-instrument/midi-program") or 1) - 1
        channel = int(element.findtext("midi-instrument/midi-channel") or 1)
    except ValueError:
        return name, 0, False
    return name, min(max(program, 0), 127), channel == 10


def _unzip(content: bytes, limit: int) -> bytes:
    """The score inside a `.mxl` file. Raises `UnusableError`, also when it would be larger than `limit` bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if not name.startswith("META-INF/")]
            scores = [name for name in names if name.lower().endswith((".xml", ".musicxml"))]
            if not scores:
                raise UnusableError("broken file: a zip file without MusicXML in it")
            with archive.open(scores[0]) as file:
                inside = file.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise UnusableError("broken file: a damaged zip file") from error
    if len(inside) > limit:
        raise UnusableError(f"too large: more than {limit / 1e6:g} MB when unzipped")
    return inside

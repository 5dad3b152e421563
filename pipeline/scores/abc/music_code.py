"""Music code of ABC: the notes, rests, bar lines and repeat signs of one voice."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.scores.abc.fields import ALTERATIONS, LETTERS, MOST_QUARTERS
from pipeline.scores.chords.symbols import Chord, read_chord, transposed
from pipeline.scores.score import MAX_BARS, Metre

NOTE = r"(?:(\^\^?|__?|=)(\d*/\d*)?)?([A-Ga-g])([,']*)(\d*/*\d*)"
"""Accidental, fraction of it, letter, octave, length."""
TOKEN = re.compile(
    rf"""
    (?P<note>{NOTE})
    | (?P<space>[\s`]+)
    | (?P<bar>\.?(?:\[?[|:]*\|[|:]*\]?:*|:{{2,}})(?P<ending>\d+(?:[,-]\d+)*)?)
    | (?P<volta>\[\s*(?:(?P<numbers>\d+(?:[,-]\s*\d+)*)|"[^"]{{0,60}}"))
    | (?P<field>\[(?P<letter>[A-Za-z]):(?P<value>[^\]]{{0,300}})\]?)
    | (?P<chord>\[(?P<inside>[^\]|]{{0,150}})\](?P<multiple>\d*/*\d*))
    | (?P<rest>(?P<kind>[zxyZX])(?P<duration>\d*/*\d*))
    | (?P<tuplet>\(\s*(?P<p>\d{{1,2}})(?::(?P<q>\d{{0,2}}))?(?::(?P<r>\d{{0,2}}))?)
    | (?P<broken>>+|<+)
    | (?P<tie>\.?-)
    | (?P<overlay>&+)
    | (?P<text>"[^"]{{0,300}}"?|\{{[^}}|]{{0,300}}\}}?)
    | (?P<sign>!(?P<name>[^!|\s]{{0,60}})!|[SO])
    | (?P<plus>\+(?P<sum>[^+|\s]{{0,60}})\+)
    | (?P<ornament>[()\\$*;?@\#!~.H-WYh-w])
    | (?P<loose>[1-9](?:[,-][1-9])*(?=\s|$))
    | (?P<noise>.)
    """,
    re.VERBOSE,
)
IN_CHORD = re.compile(rf'"[^"]*"|![^!]*!|{NOTE}(\s*-)?')
DYNAMICS = re.compile(r"f{1,4}|")
"""Signs that are made of letters of notes."""
VELOCITIES = {
    "pppp": 30,
    "ppp": 30,
    "pp": 45,
    "p": 60,
    "mp": 75,
    "mf": 90,
    "f": 105,
    "ff": 120,
    "fff": 127,
    "ffff": 127,
}
"""MIDI velocities of dynamics, as abc2midi plays them."""
ACCENTED = 15
"""How much louder a note with an accent is."""
MOST_NOTES = 10_000
"""No bar of a voice has more."""
NOTES_ONLY = re.compile(r"(?:[_=^]*[A-Ga-gz][,']*\d*/*\d*)+")


@dataclass(frozen=True)
class MidiSound:
    """What plays a note: a General MIDI program, or None where nothing was said; percussion."""

    program: int | None = None
    is_drum: bool = False
    channel: int | None = None


@dataclass(slots=True)
class Note:
    """A note, its onset counted from its bar's beginning, in quarter notes."""

    onset: float
    length: float
    pitch: int
    sound: MidiSound
    velocity: int = 80
    is_tied: bool = False
    """A tie leads to the next note of its pitch."""
    layer: int = 0
    """Which of the layers, that `&` puts over one another, it is in."""


@dataclass(slots=True)
class Bar:
    """What stands between two bar lines of a voice, or between one and the beginning of an ending."""

    metre: tuple[int, int] | None
    has_own_metre: bool = False
    """A metre is written at its beginning."""
    length: float = 0.0
    notes: list[Note] = field(default_factory=list)
    rests: list[tuple[float, float, int]] = field(default_factory=list)
    """Onset, length and layer of those that are drawn."""
    tempos: list[tuple[float, float]] = field(default_factory=list)
    begins_repeat: bool = False
    follows_double_line: bool = False
    times: int = 0
    endings: frozenset[int] = frozenset()
    part: str = ""
    """The letter of the part that begins with it."""
    chords: list[tuple[float, Chord | None]] = field(default_factory=list)
    """Chord symbols and their onsets."""
    signs: dict[str, float] = field(default_factory=dict)
    """Onsets of segno, coda, fine and jumps by their names."""


@lru_cache(4096)
def multiplier(text: str) -> float:
    """The length that is written behind a note, in units: `3/2`, `/`, `//`, `/4`. Raises `ValueError` beyond reason."""
    if len(text) > 12:
        raise ValueError(f"a note of {text[:12]}... units")
    numerator, slashes, denominator = re.fullmatch(r"(\d*)(/*)(\d*)", text).groups()  # type: ignore[union-attr]
    units = float(numerator or 1)
    if slashes:
        units /= int(denominator or 2) * 2 ** (len(slashes) - 1) or 1
    if units > MOST_QUARTERS:
        raise ValueError(f"a note of {text} units")
    return units


@lru_cache(1024)
def _octave(letter: str, marks: str) -> int:
    return letter.islower() + marks.count("'") - marks.count(",")


@dataclass
class Voice:
    """One voice of a tune as it is read: what holds at the moment, and the bars so far."""

    unit: float = 0.5
    """Length in quarter notes of a note without a number."""
    metre: tuple[int, int] | None = None
    key: dict[str, int] = field(default_factory=dict)
    name: str = ""
    semitones: int = 0
    """Transposition by `octave=` and `transpose=`."""
    clef_semitones: int = 0
    midi_semitones: int = 0
    """Transposition by `%%MIDI transpose`, which stands in for the clef's: it is written for players that do not know
    that one."""
    sound: MidiSound = MidiSound()
    drum_map: dict[str, int] = field(default_factory=dict)
    """MIDI notes of percussion by written note."""
    propagation: str = "pitch"
    """How far an accidental reaches in its bar: `pitch` (all octaves), `octave`, or `not` at all."""
    velocity: int = 80
    """How loud notes are from here on."""
    bars: list[Bar] = field(default_factory=list)
    num_unreadable: int = 0
    """Characters that are no music."""
    num_quarter_tones: int = 0
    num_out_of_range: int = 0

    def __post_init__(self) -> None:
        self.bar = Bar(self.metre)
        self._now = 0.0
        self._layer = 0
        self._accidentals: dict[str | tuple[str, int], int] = {}
        self._tied: dict[tuple[str, int], int] = {}
        """Alterations that a tie carries to the next note, over a bar line too."""
        self._pitches: list[tuple[str, int, int]] = []
        """Letter, octave and alteration of the last note or chord."""
        self._last: tuple[int, float, float] | None = None
        """First note of the last event of the bar, its onset and length."""
        self._is_accented = False
        """An accent stands before the next note or chord."""
        self._broken = 1.0
        self._tuplets: list[list[float]] = []
        """Ratio, remaining and all notes of the tuplets that are open."""
        self._endings: frozenset[int] = frozenset()
        self._times = 2

    @property
    def is_in_bar(self) -> bool:
        """Whether time has passed since the last bar line."""
        return self._now > 0 or self.bar.length > 0

    def set_metre(self, metre: tuple[int, int] | None) -> None:
        """An `M:` field, for this bar where it has just begun."""
        self.metre = metre
        if not self.is_in_bar:
            self.bar.metre, self.bar.has_own_metre = metre, True

    def set_tempo(self, bpm: float) -> None:
        """A `Q:` field: quarter notes a minute from here on."""
        self.bar.tempos.append((self._now, bpm))

    def begin_part(self, letter: str) -> None:
        """A `P:` field in the music."""
        if self.is_in_bar:
            self._close()
        self.bar.part = letter

    def read(self, token: re.Match[str]) -> None:
        """Read one token. Raises `ValueError` for lengths beyond reason."""
        kind = token.lastgroup
        if kind == "note":
            self._pitches = []
            sign, fraction, letter, marks, length = token.group(2, 3, 4, 5, 6)
            pitch = self._pitch(sign, fraction, letter, marks)
            quarters = self.unit * multiplier(length)
            self._event(quarters, [(pitch, 1.0, False)])
        elif kind == "bar":
            self._bar_line(token["bar"], token["ending"])
        elif kind == "rest":
            self._rest(token["kind"], token["duration"])
        elif kind == "chord":
            self._chord(token["inside"], token["multiple"])
        elif kind == "broken":
            self._break_rhythm(token["broken"])
        elif kind == "tuplet":
            self._begin_tuplet(int(token["p"]), int(token["q"] or 0), int(token["r"] or 0))
        elif kind == "tie":
            self._tie()
        elif kind == "volta":
            self._begin_ending(token["numbers"] or "".join(re.findall(r"\d", token["volta"])[:1]))
        elif kind == "overlay":
            self.bar.length = max(self.bar.length, self._now)
            self._now, self._accidentals, self._last = 0.0, {}, None
            self._layer += 1
        elif kind == "text":
            self._chord_symbol(token["text"])
        elif kind == "sign":
            self._sign(token["name"], token["sign"])
        elif kind == "plus":
            if NOTES_ONLY.fullmatch(token["sum"]) and len(token["sum"]) > 1 and not DYNAMICS.fullmatch(token["sum"]):
                self._chord(token["sum"], "")  # as chords were written at first
        elif kind == "loose" and self.bars and not self.is_in_bar:
            self._begin_ending(token["loose"])  # a space, or the end of a line, stands before the number
        elif kind in ("noise", "loose"):
            self.num_unreadable += 1

    def finish(self) -> None:
        """The end of the tune: the last bar needs no bar line."""
        if self.is_in_bar:
            self._close()
        elif self.bars:
            self._hand_back_signs()

    def _pitch(self, sign: str | None, fraction: str | None, letter: str, marks: str) -> int:
        """MIDI pitch of a written note, by its accidental, the bar's, the tie's or the key's."""
        step, octave = letter.upper(), _octave(letter, marks)
        place: str | tuple[str, int] = step if self.propagation == "pitch" else (step, octave)
        if sign is not None:
            alteration = ALTERATIONS[sign]
            if fraction:
                self.num_quarter_tones += 1
                above, _, below = fraction.partition("/")
                alteration = int(alteration * int(above or 1) / max(int(below or 2), 1))
            if self.propagation != "not":
                self._accidentals[place] = alteration
        elif (step, octave) in self._tied:
            alteration = self._tied[step, octave]
        else:
            alteration = self._accidentals.get(place, self.key.get(step, 0))
        self._pitches.append((step, octave, alteration))
        pitch = 60 + 12 * octave + LETTERS[step] + alteration
        if self.sound.is_drum:
            return self.drum_map.get(drum_map_key(sign or "", letter, marks), pitch)
        return pitch + self.semitones + (self.midi_semitones or self.clef_semitones)

    def _event(self, quarters: float, notes: list[tuple[int, float, bool]]) -> None:
        """Notes that begin together, as pitch, own length in that of the event and whether a tie follows; or a rest."""
        scale = self._broken
        self._broken = 1.0
        for tuplet in self._tuplets:
            scale *= tuplet[0]
            tuplet[1] -= 1
        if self._tuplets:
            self._tuplets = [tuplet for tuplet in self._tuplets if tuplet[1] > 0]
        length = quarters * scale
        self._tied = {}
        self._last = (len(self.bar.notes), self._now, length)
        velocity = min(self.velocity + ACCENTED * self._is_accented, 127)
        if notes:
            self._is_accented = False
        if self._last[0] > MOST_NOTES:
            raise ValueError(f"more than {MOST_NOTES} notes without a bar line")
        for pitch, share, is_tied in notes:
            if length * share <= 0:
                continue
            if 0 <= pitch <= 127:
                self.bar.notes.append(
                    Note(self._now, length * share, pitch, self.sound, velocity, is_tied, self._layer)
                )
            else:
                self.num_out_of_range += 1
        self._now += length

    def _chord(self, inside: str, multiple: str) -> None:
        """Notes in brackets; the chord lasts as long as the first of them."""
        pitches = self._pitches = []
        first = 0.0
        notes: dict[int, tuple[float, bool]] = {}
        ties = []
        for found in IN_CHORD.finditer(inside):
            sign, fraction, letter, marks, length, tie = found.groups()
            if letter is None:
                continue
            pitch = self._pitch(sign, fraction, letter, marks)
            units = multiplier(length)
            first = first or units
            if tie:
                ties.append(pitches[-1])
            before, was_tied = notes.get(pitch, (0.0, False))
            notes[pitch] = (max(units, before), bool(tie) or was_tied)
        if not notes:
            self.num_unreadable += len(inside)
            return
        quarters = self.unit * first * multiplier(multiple)
        self._event(quarters, [(pitch, units / (first or 1), tied) for pitch, (units, tied) in notes.items()])
        self._tied = {(step, octave): alteration for step, octave, alteration in ties}

    def _rest(self, kind: str, duration: str) -> None:
        if kind in "zx":
            self._pitches = []
            onset = self._now
            self._event(self.unit * multiplier(duration), [])
            if kind == "z":
                self.bar.rests.append((onset, self._now - onset, self._layer))
        elif kind in "ZX":
            bars = int(multiplier(duration))
            if len(self.bars) + bars > MAX_BARS:
                raise ValueError(f"a rest of {bars} bars")
            self._tied, self._pitches = {}, []
            for index in range(bars):
                if index:
                    self._close()
                numerator, denominator = self.metre or (4, 4)
                if kind == "Z":
                    self.bar.rests.append((self._now, 4 * numerator / denominator, self._layer))
                self._now += 4 * numerator / denominator
                self._last = None

    def _break_rhythm(self, signs: str) -> None:
        """`>`: the note before takes half of the note behind; `<` the other way round; more signs take more."""
        if self._last is None:
            return
        less = 0.5 ** min(len(signs), 5)
        scale, self._broken = (2 - less, less) if signs[0] == ">" else (less, 2 - less)
        first, onset, length = self._last
        for note in self.bar.notes[first:]:
            note.length *= scale
        self._now = onset + length * scale
        self._last = (first, onset, length * scale)

    def _begin_tuplet(self, p: int, q: int, r: int) -> None:
        if not p:
            return
        compound = self.metre is not None and Metre(0.0, *self.metre).is_compound
        usual = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}.get(p, 3 if compound else 2)
        self._tuplets = [tuplet for tuplet in self._tuplets if tuplet[1] == tuplet[2]]  # one ends where the next begins
        self._tuplets = [*self._tuplets[-3:], [(q or usual) / p, r or p, r or p]]

    def _tie(self) -> None:
        if self._last is not None:
            for note in self.bar.notes[self._last[0] :]:
                note.is_tied = True
            self._tied = {(step, octave): alteration for step, octave, alteration in self._pitches}

    def _chord_symbol(self, text: str) -> None:
        """`"Am"` above the next note; `"^slowly"` and the like, and what is no chord, are words."""
        if text.startswith('"') and text[1:2] not in tuple('^_<>@"'):
            symbol = text.strip('"').split(";")[0].split("\\n")[0]
            with suppress(ValueError):
                self.bar.chords.append(
                    (self._now, transposed(read_chord(symbol), self.semitones + self.midi_semitones))
                )

    def _sign(self, name: str | None, written: str) -> None:
        """Segno, coda and the like, dynamics and accents; all other decorations change no note."""
        shortcuts = {"S": "segno", "O": "coda"}
        plain = re.sub(r"[^a-z]", "", (name or shortcuts.get(written, "")).lower())
        if name and NOTES_ONLY.fullmatch(name) and not DYNAMICS.fullmatch(name) and len(name) > 2:
            for token in TOKEN.finditer(name):  # two line breaks, with music between
                self.read(token)
        elif plain in SIGNS:
            self.bar.signs[SIGNS[plain]] = self._now
        elif name in VELOCITIES:
            self.velocity = VELOCITIES[name]
        elif name in (">", "accent", "emphasis"):
            self._is_accented = True

    def _bar_line(self, line: str, numbers: str | None) -> None:
        """A bar line of any shape: its dots repeat, two strokes end endings."""
        line = (line.removesuffix(numbers) if numbers else line).lstrip(".")
        if "|" in line:
            left = len(line.lstrip("[")) - len(line.lstrip("[:"))
            right = len(line) - len(line.rstrip(":"))
        else:
            left = right = len(line) // 2
        strokes = line.strip(":")
        is_double = len(strokes) > 1 and strokes != "[|]"
        self._accidentals = {}
        if self.is_in_bar:
            self._close()
        elif self.bars:
            self._hand_back_signs()
        if left and self.bars:
            self.bars[-1].times = max(self._times, left + 1)
            self._times = 2
        if left or right or is_double:
            self._endings = self.bar.endings = frozenset()
        self.bar.follows_double_line |= is_double
        if right:
            self.bar.begins_repeat = True
            self._times = right + 1
        if numbers:
            self._begin_ending(numbers)

    def _begin_ending(self, numbers: str) -> None:
        """`[1`: a bracket above what follows."""
        if self.is_in_bar:
            self._close()
        named: set[int] = set()
        for one in re.split(r",\s*", numbers):
            first, _, last = one.partition("-")
            if first and max(len(first), len(last)) < 3:
                named |= set(range(int(first), int(last or first) + 1))
        self._endings = self.bar.endings = frozenset(named)

    def _close(self) -> None:
        self.bar.length = max(self.bar.length, self._now)
        self.bars.append(self.bar)
        if len(self.bars) > MAX_BARS:
            raise ValueError(f"more than {MAX_BARS} bars")
        self.bar = Bar(self.metre, endings=self._endings)
        self._now, self._layer, self._last = 0.0, 0, None

    def _hand_back_signs(self) -> None:
        """Signs between two bar lines belong to the end of the bar before, but for the segno."""
        for name in [name for name in self.bar.signs if name != "segno"]:
            self.bars[-1].signs[name] = self.bars[-1].length
            del self.bar.signs[name]


SIGNS = {"segno": "segno", "coda": "coda", "dacoda": "to coda", "tocoda": "to coda", "fine": "fine"}
SIGNS |= dict.fromkeys(("dc", "dacapo", "dcalfine", "dcalcoda", "dacapoalfine", "dacapoalcoda"), "da capo")
SIGNS |= dict.fromkeys(("ds", "dalsegno", "dsalfine", "dsalcoda", "dalsegnoalfine", "dalsegnoalcoda"), "dal segno")
"""Decorations that lead through the music, by their letters."""


def drum_map_key(sign: str, letter: str, marks: str) -> str:
    """A written note as `%%MIDI drummap` names it."""
    return f"{sign}{letter.upper()}{_octave(letter, marks)}"

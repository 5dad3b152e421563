"""The part list of a MusicXML score: which General MIDI instruments its parts play, by programs, sounds or names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from pipeline.formats import printable
from pipeline.scores.instruments import Instrument, instrument_by_name, instrument_by_sound_id
from pipeline.scores.musicxml.percussion import SNARE, key_by_name, key_by_place

DRUM_CHANNEL = 10
SEVERAL = re.compile(r"[,&/+;]| and | und | et | y | e ")
"""What stands between the instruments of a part that has several."""
SINGERS = re.compile(r"^(?:sopran|alt|tenor|cant|quint)", re.IGNORECASE)
"""How the names of voices begin beside which a bass is a voice too, and not a bass guitar."""
BASS = re.compile(r"^(?:bass|basso|bassi|bassus|basse|b)\W*(?:\d|i+)?\W*$", re.IGNORECASE)
VOICE = Instrument(52, False)
FEWEST_VOTES = 3
"""Drums whose keys and names must agree that a file counts from 0."""


@dataclass(frozen=True)
class Sound:
    """What a note sounds with."""

    program: int
    """General MIDI program, 0 to 127."""
    is_drum: bool
    key: int | None = None
    """Of percussion: the General MIDI key that the file names for its instrument."""
    is_named: bool = False
    """Its program comes from a name."""


@dataclass
class ScoreInstrument:
    """One instrument of a part, as the part list has it."""

    name: str = ""
    sound: str = ""
    """MusicXML's standard sound, such as `strings.violin`."""
    program: int | None = None
    """General MIDI program, 0 to 127."""
    channel: int | None = None
    key: int | None = None
    """General MIDI key of percussion."""


@dataclass
class PartHead:
    """What the part list says of one part; programs change with what is read of its measures."""

    name: str
    abbreviation: str = ""
    instruments: dict[str, ScoreInstrument] = field(default_factory=dict)
    trusts_names: bool = False
    """Every part of the score has the first program, which says nothing."""
    shares_name: bool = False
    """The instruments of all parts have one name, which says less than the names of the parts."""
    in_choir: bool = False
    """Beside it stand a soprano, an alto or a tenor."""
    sounds: list[Sound] = field(default_factory=list)
    """All that notes were asked to sound with."""
    _sounds: dict[tuple[str, bool], Sound] = field(default_factory=dict)

    def sound(self, instrument_id: str, is_unpitched: bool) -> Sound:
        """What a note sounds with, by the instrument that it names; the part's only one, where it names none."""
        found = self._sounds.get((instrument_id, is_unpitched))
        if found is None:
            found = self._unpitched(instrument_id) if is_unpitched else self._pitched(instrument_id)
            self._sounds[instrument_id, is_unpitched] = found
            self.sounds.append(found)
        return found

    def key(self, sound: Sound, place: tuple[str, int] | None, notehead: str) -> int:
        """The General MIDI key of a note without a pitch: by its instrument, else by its place on the staff."""
        if sound.key is not None:
            return sound.key
        return SNARE if place is None else key_by_place(*place, notehead)

    def change_program(self, instrument_id: str, midi: Element) -> None:
        """Another program, key or channel from here on: a `midi-instrument` in mid-song."""
        one = self.instruments.setdefault(instrument_id, ScoreInstrument())
        changed = ScoreInstrument()
        _read_midi(midi, changed)
        if changed.program is not None and not (self.trusts_names and changed.program == 0):
            one.program = changed.program
        one.key = one.key if changed.key is None else changed.key
        one.channel = changed.channel or one.channel
        self._sounds.clear()

    def change_sound(self, instrument_id: str, sound: str) -> None:
        """Another standard sound from here on: an `instrument-change` in mid-song."""
        if sound:
            one = self.instruments.setdefault(instrument_id, ScoreInstrument())
            one.sound, one.program, one.name = sound, None, ""
            self._sounds.clear()

    def _unpitched(self, instrument_id: str) -> Sound:
        one = self.instruments.get(instrument_id)
        if one is None and len(self.instruments) == 1:
            one = next(iter(self.instruments.values()))
        key = None
        if one is not None:
            key = one.key if one.key is not None else key_by_name(one.name)
            key = key if key is not None else key_by_name(one.sound)
        if key is None and len(self.instruments) <= 1 and not SEVERAL.search(self.name):
            key = key_by_name(self.name)
        return Sound(0, True, key)

    def _pitched(self, instrument_id: str) -> Sound:
        one = self.instruments.get(instrument_id) or next(iter(self.instruments.values()), ScoreInstrument())
        named = self.by_name(one)
        if one.channel == DRUM_CHANNEL and not (named and not named.is_drum):
            return Sound(0, True, one.key)
        if one.program is not None and not (self.trusts_names and one.program == 0):
            return Sound(one.program, False)
        known = instrument_by_sound_id(one.sound) if one.sound else None
        if known or named:
            found = known or named
            assert found is not None
            return Sound(found.program, found.is_drum, one.key if found.is_drum else None, is_named=known is None)
        return Sound(one.program or 0, False)

    def by_name(self, one: ScoreInstrument) -> Instrument | None:
        """The instrument that the first of its names says that says one."""
        own = (self.name, self.abbreviation)
        for name in (*own, one.name) if self.shares_name else (one.name, *own):
            if self.in_choir and BASS.match(name):
                return VOICE
            found = instrument_by_name(name) if name else None
            if found:
                return found
        return None


def read_part_list(root: Element) -> tuple[dict[str, PartHead], tuple[str, ...]]:
    """The parts of a score by their ids, and what was mended in their numbers."""
    heads: dict[str, PartHead] = {}
    for part in root.findall("part-list/score-part"):
        head = PartHead(
            printable(part.findtext("part-name") or ""), printable(part.findtext("part-abbreviation") or "")
        )
        for instrument in part.findall("score-instrument"):
            head.instruments[instrument.get("id", "")] = ScoreInstrument(
                printable(instrument.findtext("instrument-name") or ""),
                (instrument.findtext("instrument-sound") or "").strip(),
            )
        for midi in part.findall("midi-instrument"):
            _read_midi(midi, head.instruments.setdefault(midi.get("id", ""), ScoreInstrument()))
        heads[part.get("id", "")] = head
    instruments = {one.name for head in heads.values() for one in head.instruments.values()}
    in_choir = any(SINGERS.match(head.name) for head in heads.values())
    for head in heads.values():
        head.in_choir = in_choir
        head.shares_name = len(heads) > 1 and len(instruments) == 1
    remarks = _count_from_one(root, heads)
    pitched = [
        one
        for head in heads.values()
        for one in head.instruments.values()
        if one.channel != DRUM_CHANNEL and one.key is None
    ]
    if all(one.program in (0, None) for one in pitched):
        for head in heads.values():
            head.trusts_names = True
    return heads, remarks


def _read_midi(midi: Element, one: ScoreInstrument) -> None:
    """Program, channel and key, which MusicXML counts from 1; what is no number is passed over."""
    program, channel, key = (_whole(midi.findtext(f"midi-{name}")) for name in ("program", "channel", "unpitched"))
    one.program = None if program is None else min(max(program - 1, 0), 127)
    one.channel = channel
    one.key = None if key is None else min(max(key - 1, 0), 127)


def _whole(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isdecimal() else None


def _count_from_one(root: Element, heads: dict[str, PartHead]) -> tuple[str, ...]:
    """Mend the keys and programs of files that count them from 0, where the names of the instruments say so."""
    remarks = []
    everyone = [(head, one) for head in heads.values() for one in head.instruments.values()]
    drums = [one for _, one in everyone if one.key is not None]
    low, right = _votes((one.key, key_by_name(one.name)) for one in drums)
    if low >= FEWEST_VOTES and not right:
        for one in drums:
            one.key = min((one.key or 0) + 1, 127)
        remarks.append("its keys of drums count from 0")
    pitched = [(head, one) for head, one in everyone if one.program is not None and one.channel != DRUM_CHANNEL]
    named = [(one.program, head.by_name(one)) for head, one in pitched]
    low, right = _votes((program, found.program) for program, found in named if found and not found.is_drum)
    numbers = [one.text for one in root.iterfind("part-list/score-part/midi-instrument/midi-program")]
    if low > right and "0" in numbers:
        for element in root.iterfind("part-list/score-part"):
            for midi in element.iterfind("midi-instrument"):
                program = _whole(midi.findtext("midi-program"))
                if program is not None:
                    heads[element.get("id", "")].instruments[midi.get("id", "")].program = min(program, 127)
        remarks.append("its programs count from 0")
    return tuple(remarks)


def _votes(pairs: Iterable[tuple[int | None, int | None]]) -> tuple[int, int]:
    """How many numbers are one below those that names mean, and how many equal them."""
    known = {(number, meant) for number, meant in pairs if number is not None and meant is not None}
    return sum(number + 1 == meant for number, meant in known), sum(number == meant for number, meant in known)

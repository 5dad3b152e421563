"""Tunes of ABC, line by line: header and fields, and which voice the music belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pipeline.scores.abc.fields import (
    Clef,
    default_unit,
    parse_clef,
    parse_key,
    parse_metre,
    parse_parts,
    parse_tempo,
    parse_unit,
)
from pipeline.scores.abc.music_code import TOKEN, Voice, drum_map_key
from pipeline.scores.abc.tune_books import TuneText
from pipeline.scores.musicxml.percussion import key_by_name, key_by_place

DRUM_CHANNEL = 10
"""Percussion, of the channels 1 to 16."""
MOST_LETTERS = 300
"""Of a field that is read."""
CUT_CHORD = re.compile(r"\[[A-Ga-g^_=,'\d/]*$")
"""A chord without its end."""


@dataclass
class TuneReader:
    """Reads the lines of a tune into voices."""

    voices: dict[str, Voice] = field(default_factory=dict)
    parts: str = ""
    """Letters of parts in playing order, from the header."""
    bpm: float | None = None
    """Quarter notes a minute from the beginning; None where no tempo stands before the music."""
    has_drums_by_place: bool = False
    """Drums were told by their places on the staff."""

    def __post_init__(self) -> None:
        self._in_header = self._in_file_header = True
        self._has_begun = False
        """Music, or a voice's turn, has come: what stands before is about all voices."""
        self._model = Voice()
        """What holds for every voice that is not told otherwise."""
        self._unit: float | None = None
        self._tempo: str | None = None
        self._channel_programs: dict[int, int] = {}
        self._cut = ""
        """The beginning of a chord that a line ended in."""
        self._told: dict[str, list[tuple[str, str]]] = {}
        """For each voice of the header what is said of it there."""
        self._current: str | None = None

    def read(self, tune: TuneText) -> None:
        """Read a whole tune. Raises `ValueError`."""
        for line in tune.header:
            self._line(line)
        self._in_file_header = False
        self._current = None
        for line in tune.lines:
            self._line(line)
        if self._in_header:
            self._begin_body()
        for number, voice in enumerate(self.voices.values()):
            voice.finish()
            self.has_drums_by_place |= _read_drum_staff(voice)
            self._give_channel_program(voice, number)

    def _line(self, line: str) -> None:
        if line.startswith("%%"):
            self._directive(line[2:].split("%")[0])
            return
        if "%" in line:
            line = re.sub(r"(?<!\\)%.*", "", line)
        is_music = not self._in_header and re.match(r"[A-Ga-gzx]:[|:]", line)  # a note and a repeat sign
        if re.match(r"[A-Za-z]:", line) and not is_music:
            self._field(line[0], line[2:].strip(), is_inline=False)
        elif line.startswith("+:") or not line:
            return
        else:
            self._music(line)

    def _music(self, line: str) -> None:
        if self._in_header:
            self._begin_body()
        self._has_begun = True
        line, self._cut = self._cut + line, ""
        if (start := line.rfind("[")) > line.rfind("]") and CUT_CHORD.match(line, start):
            line, self._cut = line[:start], line[start:]  # wrapped within a chord
        voice = self._voice()
        position, end = 0, len(line)
        match = TOKEN.match
        while position < end:
            token = match(line, position)
            assert token is not None, "the last alternative takes any character"
            if token.lastgroup == "field":
                self._field(token["letter"], token["value"].strip(), is_inline=True)
                voice = self._voice()
            elif token.lastgroup not in ("space", "ornament"):
                voice.read(token)
            position = token.end()

    def _voice(self) -> Voice:
        """The voice that the music belongs to now."""
        if self._current is None:
            self._current = next(iter(self.voices), "1")
        return self._get(self._current)

    def _get(self, name: str) -> Voice:
        if name not in self.voices:
            model = self._model
            self.voices[name] = Voice(
                unit=model.unit,
                metre=model.metre,
                key=model.key,
                semitones=model.semitones,
                clef_semitones=model.clef_semitones,
                midi_semitones=model.midi_semitones,
                sound=model.sound,
                drum_map=dict(model.drum_map),
                propagation=model.propagation,
            )
            self.voices[name].bar.part = model.bar.part
        return self.voices[name]

    def _begin_body(self) -> None:
        """The header ends: its voices begin with what it says of all, then of each."""
        self._in_header = False
        self._model.unit = self._unit or default_unit(self._model.metre)
        told, self._current = self._told, None
        for name, words in told.items():
            self._get(name)
            for kind, text in words:
                self._tell([self.voices[name]], kind, text)
        self.bpm = parse_tempo(self._tempo or "", self._model.unit)

    def _field(self, letter: str, text: str, is_inline: bool) -> None:
        """An information field; those that say nothing about the sound are left."""
        text = text[:MOST_LETTERS]
        if letter == "V":
            self._select_voice(text)
        elif letter == "I":
            self._directive(text)
        elif self._in_header:
            self._header_field(letter, text)
        elif letter == "P":
            for voice in self._meant(is_inline):
                voice.begin_part(text[:1])
        elif letter == "Q" and not self._has_begun:
            self.bpm = parse_tempo(text, self._model.unit) or self.bpm
        elif letter == "Q":
            if bpm := parse_tempo(text, self._voice().unit):
                self._voice().set_tempo(bpm)
        elif letter in "KLM":
            self._tell(self._meant(is_inline), letter, text)

    def _header_field(self, letter: str, text: str) -> None:
        if letter == "L":
            self._unit = parse_unit(text) or self._unit
        elif letter == "Q":
            self._tempo = text
        elif letter == "P":
            self.parts = parse_parts(text)
        elif letter == "M":
            self._model.set_metre(parse_metre(text))
        elif letter == "K":
            self._tell([self._model], "K", text)
            if not self._in_file_header:
                self._begin_body()

    def _meant(self, is_inline: bool) -> list[Voice]:
        """The voices that a field in the music is about: its own; all where all stand at the same bar line."""
        if not self._has_begun:
            return [self._model, *self.voices.values()]
        voice = self._voice()
        if is_inline:
            return [voice]
        others = list(self.voices.values())
        together = voice.bars and all(len(one.bars) == len(voice.bars) and not one.is_in_bar for one in others)
        return others if together else [voice]

    def _select_voice(self, text: str) -> None:
        """A `V:` field: what follows is about this voice."""
        name, _, said = text.partition(" ")
        if not name or name == "*":
            return
        self._current = name
        if self._in_header:
            self._told.setdefault(name, []).append(("V", said))
        else:
            self._has_begun = True
            self._tell([self._get(name)], "V", said)

    def _directive(self, text: str) -> None:
        """A stylesheet directive or instruction: those for MIDI, percussion and accidentals are heard."""
        text = re.sub(r"^\s*MIDI\s*=\s*", "MIDI ", text)
        words = text[:MOST_LETTERS].split()
        if not words:
            return
        kind = words[0].lower()
        if kind not in ("midi", "percmap", "propagate-accidentals") or len(words) < 2:
            return
        if not self._in_header:
            self._tell(self._meant(is_inline=self._has_begun), kind, text)
        elif self._current is not None:
            self._told[self._current].append((kind, text))
        else:
            self._tell([self._model], kind, text)

    def _tell(self, voices: Iterable[Voice], kind: str, text: str) -> None:
        """Let voices know of a field or directive."""
        for voice in voices:
            if kind == "K":
                key, clef = parse_key(text)
                if key is not None:
                    voice.key = key
                self._set_clef(voice, clef)
            elif kind == "L":
                voice.unit = parse_unit(text) or voice.unit
            elif kind == "M":
                voice.set_metre(parse_metre(text))
            elif kind == "V":
                clef = parse_clef(text)
                voice.name = clef.name or voice.name
                self._set_clef(voice, clef)
            elif kind == "propagate-accidentals":
                voice.propagation = text.split()[1].lower()
            elif kind == "percmap":
                self._map_drum(voice, text.split()[1:])
            else:
                self._midi(voice, text.split()[1:])

    @staticmethod
    def _set_clef(voice: Voice, clef: Clef) -> None:
        if clef.semitones is not None:
            voice.semitones = clef.semitones
        if clef.clef_semitones is not None:
            voice.clef_semitones = clef.clef_semitones
        if clef.is_drum is not None:
            voice.sound = replace(voice.sound, is_drum=clef.is_drum or voice.sound.channel == DRUM_CHANNEL)

    def _midi(self, voice: Voice, words: list[str]) -> None:
        """A `%%MIDI` directive."""
        kind = words[0].lower()
        numbers = [int(word) for word in words[1:] if re.fullmatch(r"-?\d{1,3}", word)]
        if kind == "program" and numbers:
            program = numbers[-1]
            if not 0 <= program <= 127:
                return
            if len(numbers) > 1 and not self._has_begun and self._current is None:
                self._channel_programs[numbers[0]] = program
            elif len(numbers) < 2 or voice.sound.channel in (None, numbers[0]):
                is_drum = voice.sound.is_drum or (len(numbers) > 1 and numbers[0] == DRUM_CHANNEL)
                voice.sound = replace(voice.sound, program=program, is_drum=is_drum)
        elif kind == "voice" and (found := re.search(r"\binstrument=(\d{1,3})\b", " ".join(words))):
            voice.sound = replace(voice.sound, program=min(max(int(found[1]) - 1, 0), 127))
        elif kind == "channel" and numbers:
            voice.sound = replace(voice.sound, channel=numbers[0], is_drum=numbers[0] == DRUM_CHANNEL)
        elif kind == "transpose" and numbers:
            voice.midi_semitones = numbers[0]
        elif kind == "rtranspose" and numbers:
            voice.midi_semitones += numbers[0]
        elif kind == "nobarlines":
            voice.propagation = "not"
        elif kind == "drummap":
            self._map_drum(voice, words[1:])

    @staticmethod
    def _map_drum(voice: Voice, words: list[str]) -> None:
        """`%%MIDI drummap` and `%%percmap`: a written note stands for a drum, by its MIDI note or its name."""
        found = re.fullmatch(r"(\^\^?|__?|=)?([A-Ga-g])([,']*)", words[0]) if words else None
        keys = [int(word) if word.isdigit() and len(word) < 4 else key_by_name(word) for word in words[1:3]]
        known = [key for key in keys if key is not None and key <= 127]
        if found and known:
            voice.drum_map[drum_map_key(found[1] or "", found[2], found[3])] = known[0]

    def _give_channel_program(self, voice: Voice, number: int) -> None:
        """The program that the header names for a voice's channel, which is its number unless it has one of its own."""
        channel = voice.sound.channel or (number + 1 if number + 1 < DRUM_CHANNEL else number + 2)
        program = self._channel_programs.get(channel)
        if len(self.voices) == len(self._channel_programs) == 1:
            (program,) = self._channel_programs.values()
        if program is None:
            return
        for bar in voice.bars:
            for note in bar.notes:
                if note.sound.program is None:
                    note.sound = replace(note.sound, program=program)


MIDDLE_C = 60
NATURALS = "CCDDEFFGGAAB"
"""Notes by semitones above C, without their sharps."""


def _read_drum_staff(voice: Voice) -> bool:
    """Let a voice with a percussion clef, and nothing that says which notes are which drums, be read as a drum staff.

    Notes below the staff are left: they are the drums' own MIDI notes.
    """
    notes = [note for bar in voice.bars for note in bar.notes if note.sound.is_drum and note.sound.channel is None]
    if voice.drum_map or not notes or min(note.pitch for note in notes) < MIDDLE_C:
        return False
    for note in notes:
        note.pitch = key_by_place(NATURALS[note.pitch % 12], note.pitch // 12 - 1, "")
    return True

"""Songs to MusicXML, to be read by people and by notation programs.

Measures are built here note by note, since music21's own notation finder takes minutes for a song. Its exporter writes
them, without the extenders of melismas and the chord symbols, which are added to its tree. (partitura 1.9 writes no
words, and stops at chords of drums.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from music21 import (
    chord,
    clef,
    duration,
    expressions,
    instrument,
    key,
    metadata,
    meter,
    note,
    percussion,
    stream,
    tempo,
    tie,
)
from music21.musicxml.m21ToXml import ScoreExporter

from gan.spec import RollSpec
from pipeline.files import atomic_path
from pipeline.scores.chords.recognition import half_bar_starts
from pipeline.scores.chords.symbols import changes_of
from pipeline.scores.musicxml.harmony import harmony_element
from pipeline.scores.notes import Notes
from pipeline.scores.swing import STRAIGHT
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import SungSyllable

DRUM_LINES = {
    35: "E4", 36: "F4", 37: "C5", 38: "C5", 39: "B4", 40: "D5", 41: "G4", 42: "G5", 43: "A4", 44: "D4", 45: "B4",
    46: "A5", 47: "D5", 48: "E5", 49: "B5", 50: "E5", 51: "F5", 52: "C6", 53: "F5", 54: "G5", 55: "C6", 56: "E5",
    57: "B5", 59: "F5",
}  # fmt: skip
"""Where a percussion staff shows General MIDI's drums; the others stand on the middle line."""
MIDDLE_LINE = "B4"
PLAIN_LENGTHS = (
    *(Fraction(quarters) for quarters in (4, 3, 2)),
    *(Fraction(num, 8) for num in (12, 8, 6, 4, 3, 2, 1)),
    *(Fraction(num, 24) for num in (16, 8, 4, 2, 1)),
)
"""Lengths in quarter notes that one note head (with a dot, or in a triplet) can show."""

COMPOUND_LENGTHS = (Fraction(6), Fraction(3), *(one for one in PLAIN_LENGTHS if one < 2))
"""The same in metres of dotted beats: whole beats, or a part of one."""

NotePiece = tuple[int, int, tuple[int, ...], bool, bool]
"""Step in its bar, steps, pitches (none for a rest), tied from before, tied onwards."""


NoteLyrics = Mapping[tuple[int, int], Sequence[str]]
"""By first step in the part and pitch of a note: text, MusicXML's `syllabic` and, of a melisma, its place in it."""
MELISMA_BEGINS, MELISMA_ENDS = "melisma begins", "melisma ends"


def write_score(path: Path, song: Song, title: str, words: Sequence[SungSyllable] = ()) -> None:
    """Write a song as MusicXML, atomically; `words` lie on its notes."""
    score = build_score(song, title, words)
    score.makeNotation(inPlace=True)
    exporter = ScoreExporter(score, makeNotation=True)
    root = exporter.parse()
    _draw_extenders(root)
    _add_chords(root, song)
    with atomic_path(path) as temporary:
        temporary.write_bytes(exporter.asBytes())


def _draw_extenders(root: Element) -> None:
    """Give each melisma its line, from its first note to its last, where `lyrics_of` marked one."""
    for lyric in root.iter("lyric"):
        if lyric.get("name") in (MELISMA_BEGINS, MELISMA_ENDS):
            ends = lyric.attrib.pop("name") == MELISMA_ENDS
            if ends:
                lyric[:] = []
            SubElement(lyric, "extend", type="stop" if ends else "start")


def _add_chords(root: Element, song: Song) -> None:
    """Write the chord symbols above the first part with pitches."""
    if not song.spec.pitched:
        return
    measures = root.findall("part")[song.spec.pitched[0]].findall("measure")
    divisions = int(measures[0].findtext("attributes/divisions") or 1)
    steps = half_bar_starts(song.num_bars, song.spec)
    places = [next(i for i, child in enumerate(one) if child.tag in ("note", "forward")) for one in measures]
    for half_bar, found in changes_of(song.chords):
        bar, step = divmod(int(steps[half_bar]), song.spec.steps_per_bar)
        element = harmony_element(found, step * divisions // song.spec.steps_per_quarter)
        measures[bar].insert(places[bar], element)
        places[bar] += 1


def lyrics_of(words: Sequence[SungSyllable], track: str) -> NoteLyrics:
    """What stands below the notes of a track. The notation program draws the hyphens."""
    found: dict[tuple[int, int], Sequence[str]] = {}
    for one in words:
        if one.track == track:
            text = one.text if one.ends_word else one.text.rstrip("-")
            several = len(one.notes) > 1
            found[one.onset, one.pitch] = (text, one.position, MELISMA_BEGINS if several else "")
            if several:
                pitch, onset, _ = one.notes[-1]
                found[onset, pitch] = ("", "", MELISMA_ENDS)
    return found


def build_score(song: Song, title: str, words: Sequence[SungSyllable] = ()) -> stream.Score:
    """A song as a music21 score, all measures made."""
    score = stream.Score()
    score.metadata = metadata.Metadata(title=title, movementName=title, composer="AlbumGAN")
    names, metre = spelling(song.key), meter.TimeSignature(song.spec.metre)
    for index, track in enumerate(song.spec.tracks):
        part = stream.Part(id=track.name)
        part.partName = track.name
        played = instrument.UnpitchedPercussion() if track.is_drum else _instrument(song.programs[index])
        played.partName = track.name
        played.partId, played.instrumentId = f"P{index + 1}", f"I{index + 1}"
        part.insert(0, played)
        mine = song.notes[song.notes["track"] == index]
        lyrics = lyrics_of(words, track.name)
        for bar, voices in enumerate(voices_of_bars(mine, song.num_bars, song.spec.steps_per_bar)):
            measure = stream.Measure(number=bar + 1)
            if bar == 0:
                _open_part(measure, song, mine, track.is_drum)
            if index == 0:
                _mark(measure, song, bar)
            _fill(measure, voices, song.spec, None if track.is_drum else names, metre)
            _underlay(measure, lyrics, bar * song.spec.steps_per_bar, song.spec.steps_per_quarter)
            part.append(measure)
        measure.rightBarline = "final"
        score.insert(0, part)
    return score


def _instrument(program: int) -> instrument.Instrument:
    try:
        return instrument.instrumentFromMidiProgram(program)
    except instrument.InstrumentException:
        played = instrument.Instrument()
        played.midiProgram = program
        return played


def _key(name: str) -> key.Key:
    tonic, mode = name.split()
    return key.Key(tonic.replace("b", "-"), mode)


def spelling(name: str) -> list[str]:
    """How music21 should spell each pitch class in a key: as its scale does, the others with the key's accidental."""
    found = _key(name)
    sharps = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
    flats = ["C", "D-", "D", "E-", "E", "F", "G-", "G", "A-", "A", "B-", "B"]
    names = flats if found.sharps < 0 else sharps
    for pitch in found.pitches:
        names[pitch.pitchClass] = pitch.name
    return names


def _open_part(measure: stream.Measure, song: Song, notes: Notes, is_drum: bool) -> None:
    """Clef, key and metre."""
    if is_drum:
        measure.insert(0, clef.PercussionClef())
    else:
        low = len(notes) > 0 and float(np.median(notes["pitch"])) < 57
        measure.insert(0, clef.BassClef() if low else clef.TrebleClef())
        measure.insert(0, _key(song.key))
    measure.insert(0, meter.TimeSignature(song.spec.metre))


def _mark(measure: stream.Measure, song: Song, bar: int) -> None:
    """Section names and tempi that begin in this bar; `Swing` above the first where eighth notes are played so."""
    for section in song.sections:
        if section.first_bar == bar:
            measure.insert(0, expressions.RehearsalMark(section.name))
    if bar == 0 and song.swing != STRAIGHT:
        measure.insert(0, expressions.TextExpression("Swing"))
    steps = song.spec.steps_per_bar
    beat = song.spec.quarters_per_beat  # a dotted quarter note in 6/8
    for step, quarters_per_minute in song.tempo_map:
        if step // steps == bar:
            where = Fraction(step % steps, song.spec.steps_per_quarter)
            number, referent = round(quarters_per_minute / beat, 1), duration.Duration(beat)
            measure.insert(where, tempo.MetronomeMark(number=number, referent=referent))


def voices_of_bars(notes: Notes, num_bars: int, steps_per_bar: int) -> list[list[list[NotePiece]]]:
    """The notes of one track as bars of voices of pieces, each piece inside one bar.

    Notes that begin and end together share a piece (a chord); what overlaps otherwise goes to another voice. A note
    that crosses a bar line becomes tied pieces.
    """
    chords: dict[tuple[int, int], list[int]] = {}
    for _, pitch, onset, length in notes.tolist():
        chords.setdefault((onset, onset + length), []).append(pitch)
    bars: list[list[list[NotePiece]]] = [[] for _ in range(num_bars)]
    for (onset, end), pitches in sorted(chords.items()):
        for bar in range(onset // steps_per_bar, (end - 1) // steps_per_bar + 1):
            first = bar * steps_per_bar
            start, stop = max(onset, first) - first, min(end, first + steps_per_bar) - first
            piece = (start, stop - start, tuple(sorted(pitches)), onset < first, end > first + steps_per_bar)
            free = next((voice for voice in bars[bar] if voice[-1][0] + voice[-1][1] <= start), None)
            if free is None:
                bars[bar].append([piece])
            else:
                free.append(piece)
    return [[_with_rests(voice, steps_per_bar) for voice in voices or [[]]] for voices in bars]


def _with_rests(voice: list[NotePiece], steps_per_bar: int) -> list[NotePiece]:
    """A voice with rests where nothing sounds."""
    full: list[NotePiece] = []
    now = 0
    for piece in voice:
        if piece[0] > now:
            full.append((now, piece[0] - now, (), False, False))
        full.append(piece)
        now = piece[0] + piece[1]
    if now < steps_per_bar:
        full.append((now, steps_per_bar - now, (), False, False))
    return full


def _fill(
    measure: stream.Measure,
    voices: list[list[NotePiece]],
    spec: RollSpec,
    names: list[str] | None,
    metre: meter.TimeSignature,
) -> None:
    """Put the voices of a bar into its measure; `names` spells the pitch classes and is None for drums."""
    for number, pieces in enumerate(voices):
        target = measure if len(voices) == 1 else stream.Voice(id=str(number + 1))
        elements = []
        for start, steps, pitches, tied_before, tied_after in pieces:
            where = Fraction(start, spec.steps_per_quarter)
            parts = split_length(Fraction(steps, spec.steps_per_quarter), where, spec)
            for place, length in enumerate(parts):
                element = _element(pitches, length, names)
                before = tied_before or place > 0
                after = tied_after or place < len(parts) - 1
                if pitches and (before or after):
                    element.tie = tie.Tie("continue" if before and after else "stop" if before else "start")
                if not pitches and number > 0:
                    element.style.hideObjectOnPrint = True
                target.insert(where, element)
                elements.append(element)
                where += length
        for element, beams in zip(elements, metre.getBeams(elements), strict=True):
            if beams is not None and not element.isRest:
                element.beams = beams
        if target is not measure:
            measure.insert(0, target)


def _underlay(measure: stream.Measure, lyrics: NoteLyrics, first_step: int, steps_per_quarter: int) -> None:
    """Put the words of a bar below its notes."""
    for element in measure.recurse().notes if lyrics else ():
        if element.tie is not None and element.tie.type != "start":
            continue
        step = first_step + round(element.getOffsetInHierarchy(measure) * steps_per_quarter)
        for pitch in element.pitches:
            if (found := lyrics.get((step, pitch.midi))) is not None:
                text, syllabic, melisma = found
                element.lyrics.append(note.Lyric(text, 1, syllabic=syllabic or None, applyRaw=True))
                element.lyrics[-1].identifier = melisma or None
                break


@cache
def split_length(length: Fraction, where: Fraction, spec: RollSpec) -> tuple[Fraction, ...]:
    """A length in quarter notes as plain ones that follow each other, broken at the beat where it is syncopated.

    In compound metres what goes on beyond a beat is broken at the next, and only whole beats share a note head.
    """
    pieces: list[Fraction] = []
    beat = Fraction(3, 2) if spec.is_compound else Fraction(1)
    heads = COMPOUND_LENGTHS if spec.is_compound else PLAIN_LENGTHS
    while length > 0:
        to_beat = -where % beat
        most = length if to_beat == 0 else min(length, to_beat)
        if spec.is_compound and most > beat:
            most -= most % beat
        fitting = (plain for plain in heads if plain <= most and (most - plain) * spec.steps_per_quarter % 1 == 0)
        piece = next(fitting, Fraction(1, spec.steps_per_quarter))
        pieces.append(piece)
        where, length = where + piece, length - piece
    return tuple(pieces)


def _element(pitches: tuple[int, ...], length: Fraction, names: list[str] | None) -> Any:
    """A rest, note, chord or drum stroke."""
    if not pitches:
        return note.Rest(quarterLength=length)
    if names is not None:
        spelt = [_spelt(pitch, names) for pitch in pitches]
        one = len(spelt) == 1
        return note.Note(spelt[0], quarterLength=length) if one else chord.Chord(spelt, quarterLength=length)
    strokes = [note.Unpitched(displayName=line) for line in sorted({DRUM_LINES.get(p, MIDDLE_LINE) for p in pitches})]
    if len(strokes) == 1:
        strokes[0].quarterLength = length
        return strokes[0]
    return percussion.PercussionChord(strokes, quarterLength=length)


def _spelt(midi: int, names: list[str]) -> str:
    """A pitch's name and octave; B sharp belongs to the octave below its sound, C flat to the one above."""
    name = names[midi % 12]
    octave = midi // 12 - 1 + {"B#": -1, "C-": 1}.get(name, 0)
    return f"{name}{octave}"

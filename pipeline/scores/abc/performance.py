"""Voices of a tune as they are played: bars in their order, ties joined, one part for each instrument."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter

import numpy as np

from pipeline.formats import printable
from pipeline.scores.abc.music_code import Bar, MidiSound, Note, Voice
from pipeline.scores.chords.symbols import Chord
from pipeline.scores.instruments import instrument_by_name
from pipeline.scores.repeats import MeasureMarks, playing_order
from pipeline.scores.score import MAX_BARS, TINY, Metre, Part, Score, WrittenVoices, bar_lines, make_events

NAMES_TOLD = "its voices' names told their instruments"
MOST_DIFFERENT = 0.2
"""Share of bars of another length from which on two voices do not have the same bars."""


@dataclass(frozen=True)
class _Measure:
    """What voices have together between two bar lines."""

    length: float
    metre: tuple[int, int] | None
    part: str
    marks: MeasureMarks


def perform(voices: dict[str, Voice], parts: str, play_repeats: bool, title: str, remarks: Sequence[str]) -> Score:
    """The score of a tune.

    Parameters
    ----------
    voices
        By their names in the file, each with notes.
    parts
        Letters of the parts in playing order; empty where they come as written.
    play_repeats
        Play out repeats, endings, jumps and parts; else the bars come as they are written.
    title, remarks
        Of the score; more remarks may be added.
    """
    told = list(remarks)
    longest = max(voices.values(), key=lambda voice: len(voice.bars))
    together = [voice for voice in voices.values() if _share_different(voice, longest) <= MOST_DIFFERENT]
    if len(together) < len(voices):
        told.append("bars of its voices do not agree, each was read for itself")
    elif any(_share_different(voice, longest) for voice in together):
        told.append("bars of its voices differ in length and were filled up with rests")
    measures = _measures(together)
    order = _order(measures, parts, play_repeats, told)
    starts = _starts(measures, order)
    metres = _metres(measures, order, starts, told)
    tempos: dict[float, float] = {}
    rows: dict[str, list[Note]] = {}
    rests: dict[str, list[tuple[float, float, int, int]]] = {}
    for name, voice in voices.items():
        own_order, own_starts = order, starts
        if voice not in together:
            own = _measures([voice])
            own_order = _order(own, parts, play_repeats, [])
            own_starts = _starts(own, own_order)
        rows[name] = _sounding(voice, own_order, own_starts)
        rests[name] = [
            (start + onset, length, 0, layer)
            for index, start in zip(own_order, own_starts, strict=True)
            for onset, length, layer in (voice.bars[index].rests if index < len(voice.bars) else ())
        ]
        for index, start in zip(own_order, own_starts, strict=True):
            if index < len(voice.bars):
                tempos |= {start + onset: bpm for onset, bpm in voice.bars[index].tempos}
    chords = max((_chords(voice, order, starts) for voice in together), key=len)
    played = [
        replace(part, group=number) if len(own) > 1 else part
        for number, (name, voice) in enumerate(voices.items())
        for own in [_parts(name, voice, rows[name], rests[name], told)]
        for part in own
    ]
    return Score(title, tuple(played), metres, tuple(sorted(tempos.items())), tuple(told), chords=chords)


def _chords(voice: Voice, order: Sequence[int], starts: Sequence[float]) -> tuple[tuple[float, Chord | None], ...]:
    """The chord symbols above a voice as they are played."""
    bars = [(voice.bars[index], start) for index, start in zip(order, starts, strict=True) if index < len(voice.bars)]
    return tuple(
        (start + onset, chord) for bar, start in bars for onset, chord in sorted(bar.chords, key=itemgetter(0))
    )


def _share_different(voice: Voice, other: Voice) -> float:
    """Share of a voice's bars, but for its last, that are not as long as the other's."""
    pairs = list(zip(voice.bars[:-1], other.bars, strict=False))
    return sum(abs(own.length - its.length) > TINY for own, its in pairs) / max(len(pairs), 1)


def _measures(voices: Sequence[Voice]) -> list[_Measure]:
    """The bars of voices that have the same ones: as long as the longest, with all signs."""
    measures: list[_Measure] = []
    metre: tuple[int, int] | None = voices[0].bars[0].metre
    for index in range(max(len(voice.bars) for voice in voices)):
        bars = [voice.bars[index] for voice in voices if index < len(voice.bars)]
        if index:
            before = [voice.bars[index - 1].metre for voice in voices if index < len(voice.bars)]
            changed = [bar.metre for bar, old in zip(bars, before, strict=True) if bar.metre != old]
            metre = changed[0] if changed else metre
        part = next((bar.part for bar in bars if bar.part), "")
        measures.append(_Measure(max(bar.length for bar in bars), metre, part, _marks(bars)))
    return _with_repeats_begun(measures, voices)


def _marks(bars: Sequence[Bar]) -> MeasureMarks:
    """The repeat signs, endings and jumps that stand at a bar in any voice."""
    signs = {name: onset for bar in bars for name, onset in bar.signs.items()}
    return MeasureMarks(
        begins_repeat=any(bar.begins_repeat for bar in bars),
        times=max(bar.times for bar in bars),
        endings=next((bar.endings for bar in bars if bar.endings), frozenset()),
        segno="1" if "segno" in signs else "",
        coda="1" if "coda" in signs else "",
        to_coda="1" if "to coda" in signs else "",
        dal_segno="1" if "dal segno" in signs else "",
        da_capo="da capo" in signs,
        fine="fine" in signs,
    )


def _with_repeats_begun(measures: list[_Measure], voices: Sequence[Voice]) -> list[_Measure]:
    """Measures with the beginnings of repeats that ABC leaves out, and codas told from the ways to them.

    Without a `|:` a `:|` leads back to the latest double bar line, where there is one since the last repeat.
    """
    marks = [measure.marks for measure in measures]
    is_open, double = False, None
    for index, mark in enumerate(marks):
        if mark.begins_repeat:
            is_open = True
        elif any(index < len(voice.bars) and voice.bars[index].follows_double_line for voice in voices):
            double = index
        if mark.times:
            if not is_open and double:
                marks[double] = _changed(marks[double], begins_repeat=True)
            is_open, double = False, None
    codas = [index for index, mark in enumerate(marks) if mark.coda]
    for index in codas[:-1]:  # the first signs say where to go, the last one where it leads
        onsets = [voice.bars[index].signs.get("coda", 0.0) for voice in voices if index < len(voice.bars)]
        way = index if max(onsets) > measures[index].length / 2 else max(index - 1, 0)
        marks[index] = _changed(marks[index], coda="")
        marks[way] = _changed(marks[way], to_coda="1")
    return [_Measure(one.length, one.metre, one.part, mark) for one, mark in zip(measures, marks, strict=True)]


def _changed(mark: MeasureMarks, **changes: object) -> MeasureMarks:
    return MeasureMarks(**{**vars(mark), **changes})


def _order(measures: list[_Measure], parts: str, play_repeats: bool, told: list[str]) -> list[int]:
    """Indices of measures in the order of playing; what makes no sense is told and left as written."""
    written = list(range(len(measures)))
    if not play_repeats:
        return written
    marks = [measure.marks for measure in measures]
    try:
        order = _order_of_parts(measures, marks, parts) or playing_order(marks)
    except ValueError as error:
        told.append(f"its repeats were left as written: {error}")
        return written
    return order


def _order_of_parts(measures: list[_Measure], marks: list[MeasureMarks], parts: str) -> list[int]:
    """The order that the header's `P:` names, each part with its own repeats; empty where it doesn't fit the tune.

    A part that is to be played several times and has endings takes another one each time.
    """
    starts = [index for index, measure in enumerate(measures) if measure.part]
    letters = [measures[index].part for index in starts]
    if not parts or not set(parts) <= set(letters):
        return []
    bounds = {
        letter: (start, end) for letter, start, end in zip(letters, starts, [*starts[1:], len(marks)], strict=True)
    }
    order = list(range(starts[0]))
    for letter, run in groupby(parts):
        start, end = bounds[letter]
        once = [start + index for index in playing_order(marks[start:end])]
        has_endings = any(mark.endings for mark in marks[start:end])
        order += once * (1 if has_endings else len(list(run)))
        if len(order) > 4 * MAX_BARS:
            raise ValueError(f"they come to more than {4 * MAX_BARS} bars")
    return order


def _starts(measures: list[_Measure], order: list[int]) -> list[float]:
    """Where each bar that is played begins, in quarter notes."""
    starts, now = [], 0.0
    for index in order:
        starts.append(now)
        now = round(now + measures[index].length, 9)
    return starts


def _metres(measures: list[_Measure], order: list[int], starts: list[float], told: list[str]) -> tuple[Metre, ...]:
    """Where bars are counted from; in a tune without metre by the length that most bars have."""
    guess: tuple[int, int] | None = None
    if all(measure.metre is None for measure in measures):
        lengths = Counter(round(measure.length, 6) for measure in measures)
        guess = _metre_of_length(lengths.most_common(1)[0][0]) if len(measures) > 2 else (4, 4)
        told.append(f"it names no metre, the length of its bars told it: {guess[0]}/{guess[1]}")
    played = []
    for index, start in zip(order, starts, strict=True):
        length = measures[index].length
        played.append((start, length, *(measures[index].metre or guess or _metre_of_length(length))))
    return tuple(bar_lines(played))


def _metre_of_length(length: float) -> tuple[int, int]:
    """A metre whose bars last so many quarter notes; 4/4 where there is none."""
    for denominator in (4, 8, 16):
        beats = length * denominator / 4
        if 2 <= beats <= 24 and abs(beats - round(beats)) < TINY:
            return round(beats), denominator
    return 4, 4


def _sounding(voice: Voice, order: list[int], starts: list[float]) -> list[Note]:
    """The notes of a voice from the beginning of the tune, tied ones joined."""
    notes: list[Note] = []
    held: dict[int, Note] = {}
    for index, start in zip(order, starts, strict=True):
        if index >= len(voice.bars):
            continue
        for written in voice.bars[index].notes:
            onset = start + written.onset
            before = held.pop(written.pitch, None)
            if before is not None and abs(before.onset + before.length - onset) < TINY:
                before.length += written.length
            else:
                before = replace(written, onset=onset, is_tied=False)
                notes.append(before)
            if written.is_tied:
                held[written.pitch] = before
    return notes


def _parts(
    name: str, voice: Voice, notes: list[Note], rests: list[tuple[float, float, int, int]], told: list[str]
) -> list[Part]:
    """A part for each instrument that a voice is played by, which its name tells where no program does."""
    shown = printable(voice.name or ("" if name.isdigit() else name))
    by_sound: dict[MidiSound, list[Note]] = {}
    for note in notes:
        by_sound.setdefault(note.sound, []).append(note)
    drawn = np.array(rests, np.float64).reshape(-1, 4)
    parts = []
    for sound, own in by_sound.items():
        program, is_drum = sound.program or 0, sound.is_drum
        if sound.program is None and not is_drum:
            instrument = instrument_by_name(voice.name) or instrument_by_name(name)
            if instrument is not None and (instrument.program or instrument.is_drum):
                program, is_drum = instrument.program, instrument.is_drum
                if NAMES_TOLD not in told:
                    told.append(NAMES_TOLD)
        columns = zip(*((note.onset, note.length, note.pitch, note.velocity) for note in own), strict=True)
        layers = np.array([note.layer for note in own], np.int64)
        written = WrittenVoices(np.zeros_like(layers), layers, drawn)
        parts.append(Part(shown, program, is_drum, make_events(*columns), written))
    return parts

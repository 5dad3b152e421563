"""MIDI file of a transcription: quarter notes are beats, bars begin on bar lines, a track a part, chords as markers."""

from __future__ import annotations

import numpy as np
from mido import Message, MetaMessage  # type: ignore[import-untyped]

from gan.chords import QUALITY
from pipeline.scores.chords.symbols import UNKNOWN, UNKNOWN_SYMBOL, chord_of_row, symbol_of
from pipeline.scores.midi.events import DRUM_CHANNEL
from pipeline.scores.midi.writing import MidiEvent, midi_file, midi_track, note_events
from pipeline.scores.score import Part
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.transcriber import Transcription

TICKS_PER_BEAT = 480
LATEST_SECONDS = 0.005
"""A tempo goes on as long as no beat comes further from its moment than this."""
SLOWEST_BEAT = 0xFFFFFF
"""The longest beat in microseconds that MIDI can name."""
LEAST_CHORD_CONFIDENCE = 0.5
"""A chord that was heard less surely is not written down."""


def transcription_midi(transcription: Transcription, title: str) -> bytes:
    """A MIDI file of type 1. Its time 0 is the first bar line, which may be before the recording begins."""
    numerator = transcription.beats.beats_per_bar
    conductor = [
        (0, MetaMessage("track_name", name=title)),
        (0, MetaMessage("time_signature", numerator=numerator, denominator=4)),
        *(
            (beat * TICKS_PER_BEAT, MetaMessage("set_tempo", tempo=microseconds))
            for beat, microseconds in tempo_map(transcription.beats)
        ),
        *((beat * TICKS_PER_BEAT, MetaMessage("marker", text=symbol)) for beat, symbol in chord_markers(transcription)),
    ]
    conductor.sort(key=lambda event: event[0])
    parts = [
        _events(part, DRUM_CHANNEL if part.is_drum else channel) for channel, part in enumerate(transcription.parts)
    ]
    return midi_file(map(midi_track, (conductor, *parts)), TICKS_PER_BEAT)


def tempo_map(beats: Beats) -> list[tuple[int, int]]:
    """Tempo map of the beats: where a tempo begins (in beats) and how long its beats last (in microseconds)."""
    changes: list[tuple[int, int]] = []
    reached = microseconds = 0
    for beat, moment in enumerate((1e6 * (beats.seconds[1:] - beats.seconds[0])).tolist()):
        if not changes or abs(reached + microseconds - moment) > 1e6 * LATEST_SECONDS:
            microseconds = min(max(round(moment) - reached, 1), SLOWEST_BEAT)
            changes.append((beat, microseconds))
        reached += microseconds
    return changes


def chord_markers(transcription: Transcription) -> list[tuple[int, str]]:
    """Chord symbols at their changes, each with the beat that it begins at; `?` where none is known from there on.

    The last is a `?`, by which readers of MIDI know that all markers are chords. There are none where nobody listened
    for chords.
    """
    if not len(transcription.chords):
        return []
    length = transcription.beats.beats_per_bar
    markers: list[tuple[int, str]] = []
    is_sure = transcription.chord_confidence >= LEAST_CHORD_CONFIDENCE
    for half_bar, (row, sure) in enumerate(zip(transcription.chords, is_sure.tolist(), strict=True)):
        symbol = symbol_of(chord_of_row(row)) if sure and row[QUALITY] != UNKNOWN else UNKNOWN_SYMBOL
        if not markers or symbol != markers[-1][1]:
            markers.append((half_bar // 2 * length + half_bar % 2 * -(-length // 2), symbol))
    if markers[-1][1] != UNKNOWN_SYMBOL:
        markers.append((len(transcription.chords) // 2 * length, UNKNOWN_SYMBOL))
    return markers


def _events(part: Part, channel: int) -> list[MidiEvent]:
    """The notes of one part, after its name and program."""
    starts = np.rint(part.events["onset"] * TICKS_PER_BEAT).astype(int)
    ends = np.rint((part.events["onset"] + part.events["duration"]) * TICKS_PER_BEAT).astype(int)
    columns = (starts, np.maximum(ends, starts + 1), part.events["pitch"], part.events["velocity"])
    return [
        (0, MetaMessage("track_name", name=part.name)),
        (0, Message("program_change", channel=channel, program=part.program)),
        *note_events(channel, *(column.tolist() for column in columns)),
    ]

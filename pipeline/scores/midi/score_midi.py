"""Writing a score: its tempos and notes as a MIDI file of type 1."""

from __future__ import annotations

import numpy as np
from mido import Message, MetaMessage, bpm2tempo  # type: ignore[import-untyped]

from pipeline.scores.midi.events import DRUM_CHANNEL
from pipeline.scores.midi.writing import MidiEvent, midi_file, midi_track, note_events
from pipeline.scores.score import Part, Score

TICKS_PER_QUARTER = 480
SLOWEST_BPM = 4.0
"""MIDI files can't name a slower tempo."""
PITCHED_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)


def score_midi(score: Score) -> bytes:
    """A score as a MIDI file of type 1: its tempos and notes, a channel a part as far as there are some."""
    conductor: list[MidiEvent] = [
        (round(at * TICKS_PER_QUARTER), MetaMessage("set_tempo", tempo=bpm2tempo(max(bpm, SLOWEST_BPM))))
        for at, bpm in score.tempos
    ]
    pitched = iter(PITCHED_CHANNELS * len(score.parts))
    parts = [_events(part, DRUM_CHANNEL if part.is_drum else next(pitched)) for part in score.parts]
    return midi_file(map(midi_track, (conductor, *parts)), TICKS_PER_QUARTER)


def _events(part: Part, channel: int) -> list[MidiEvent]:
    """The notes of one part, after its program."""
    starts = np.rint(part.events["onset"] * TICKS_PER_QUARTER).astype(int)
    ends = np.rint((part.events["onset"] + part.events["duration"]) * TICKS_PER_QUARTER).astype(int)
    columns = (starts, np.maximum(ends, starts + 1), part.events["pitch"], np.clip(part.events["velocity"], 1, 127))
    return [
        (0, Message("program_change", channel=channel, program=part.program)),
        *note_events(channel, *(column.tolist() for column in columns)),
    ]

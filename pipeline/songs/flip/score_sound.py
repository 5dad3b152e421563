"""Sound of a score that is a record: its file as a synthesizer plays it, on the clock of the score."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mido import Message, MetaMessage, bpm2tempo  # type: ignore[import-untyped]

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.mastering import resample
from pipeline.audio.synthesizers import RATE_HZ, Sound, play, soundfont_path
from pipeline.errors import UserError
from pipeline.scores.midi.chunks import unwrap
from pipeline.scores.midi.events import DRUM_CHANNEL
from pipeline.scores.midi.writing import MidiEvent, midi_file, midi_track, note_events
from pipeline.scores.reading.score_files import kind_of_score
from pipeline.scores.score import Part, Score
from pipeline.settings.render import RenderSettings

TICKS_PER_QUARTER = 480
SLOWEST_BPM = 4.0
"""MIDI files can't name a slower tempo."""
PITCHED_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)


def score_sound(path: Path, score: Score, settings: RenderSettings) -> Sound:
    """A score's sound at `SAMPLE_RATE_HZ`, `[samples, 2]`, by the synthesizer and the SoundFont of the render stage.

    A MIDI file is played as it is, with its volumes, pedals and bends; notation, and a MIDI file that the synthesizer
    refuses, by the notes of the score. Raises `UserError` where nothing plays.
    """
    soundfont = soundfont_path(settings.soundfont)
    content = path.read_bytes()
    if kind_of_score(path.name, content) == "midi":
        try:
            return resample(play(unwrap(content), soundfont, settings.synth), RATE_HZ, SAMPLE_RATE_HZ)
        except UserError:
            pass
    return resample(play(score_midi(score), soundfont, settings.synth), RATE_HZ, SAMPLE_RATE_HZ)


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

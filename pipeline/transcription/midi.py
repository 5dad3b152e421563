"""MIDI file of a transcription: quarter notes are beats, bars begin on bar lines, a track a part."""

from __future__ import annotations

import io

import numpy as np
from mido import Message, MetaMessage, MidiFile, MidiTrack  # type: ignore[import-untyped]

from pipeline.scores.score import Part
from pipeline.transcription.beats.tracking import Beats
from pipeline.transcription.transcriber import Transcription

TICKS_PER_BEAT = 480
DRUM_CHANNEL = 9
LATEST_SECONDS = 0.005
"""A tempo goes on as long as no beat comes further from its moment than this."""
SLOWEST_BEAT = 0xFFFFFF
"""The longest beat in microseconds that MIDI can name."""


def midi_bytes(transcription: Transcription, title: str) -> bytes:
    """A MIDI file of type 1. Its time 0 is the first bar line, which may be before the recording begins."""
    file = MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    conductor = MidiTrack()
    conductor.append(MetaMessage("track_name", name=title, time=0))
    numerator = transcription.beats.beats_per_bar
    conductor.append(MetaMessage("time_signature", numerator=numerator, denominator=4, time=0))
    now = 0
    for beat, microseconds in tempo_map(transcription.beats):
        tick = beat * TICKS_PER_BEAT
        conductor.append(MetaMessage("set_tempo", tempo=microseconds, time=tick - now))
        now = tick
    file.tracks.append(conductor)
    for channel, part in enumerate(transcription.parts):
        file.tracks.append(_track(part, DRUM_CHANNEL if part.is_drum else channel))
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


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


def _track(part: Part, channel: int) -> MidiTrack:
    """The notes of one part, with its name and program."""
    track = MidiTrack()
    track.append(MetaMessage("track_name", name=part.name))
    track.append(Message("program_change", channel=channel, program=part.program))
    begin = np.rint(part.events["onset"] * TICKS_PER_BEAT).astype(int)
    end = np.maximum(np.rint((part.events["onset"] + part.events["duration"]) * TICKS_PER_BEAT).astype(int), begin + 1)
    rows = list(
        zip(begin.tolist(), end.tolist(), part.events["pitch"].tolist(), part.events["velocity"].tolist(), strict=True)
    )
    # at the same tick notes end before others begin, so that a repeated note stays two
    events = sorted(
        [(tick, 1, pitch, velocity) for tick, _, pitch, velocity in rows]
        + [(tick, 0, pitch, 0) for _, tick, pitch, _ in rows]
    )
    now = 0
    for tick, begins, pitch, velocity in events:
        kind = "note_on" if begins else "note_off"
        track.append(Message(kind, channel=channel, note=pitch, velocity=velocity, time=tick - now))
        now = tick
    return track

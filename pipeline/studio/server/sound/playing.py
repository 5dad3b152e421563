"""Notes of a window to the bytes of a WAV file: what the processes do that play for the studio.

Imports little, since each of these processes begins with it.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from mido import Message, MetaMessage  # type: ignore[import-untyped]

from pipeline.audio.loudness import levels
from pipeline.audio.mastering import resample
from pipeline.audio.synthesizers import RATE_HZ, Sound, play
from pipeline.parallel import end_on_interrupt
from pipeline.scores.midi.writing import midi_file, midi_track, note_events

WAV_HZ = 44100
"""Rate of the files that the page gets."""
TAIL_SECONDS = 3.0
"""For so long the last note of a window rings at most."""
INAUDIBLE = 1e-4
"""Amplitude under which a tail is over, -80 dBFS."""
TICKS_PER_BEAT, BEAT_MICROSECONDS = RATE_HZ // 2, 500_000
"""Of the MIDI files that are played: a tick is a sample."""


@dataclass(frozen=True)
class WindowNotes:
    """Notes of one track to be played alone.

    Attributes
    ----------
    channel, program
        MIDI's, from 0.
    controllers
        Pairs of a controller's number and its value.
    starts, ends
        When each note begins and ends, in samples at `RATE_HZ`.
    pitches, velocities
        MIDI's, one a note.
    skipped
        Samples at `WAV_HZ` before the WAV file begins; of a negative number silence comes first.
    """

    channel: int
    program: int
    controllers: tuple[tuple[int, int], ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    pitches: tuple[int, ...]
    velocities: tuple[int, ...]
    skipped: int


def begin_player(niceness: int) -> None:
    """Begin a process that plays: Ctrl-C ends it at once and quietly, and others go first by `niceness`."""
    end_on_interrupt()
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)


def play_window(window: WindowNotes, soundfont: Path, synth: str) -> bytes:
    """A WAV file (stereo, 16 bit, `WAV_HZ`) of the notes, until the last one has rung out."""
    channel = window.channel
    setup = [
        (0, MetaMessage("set_tempo", tempo=BEAT_MICROSECONDS)),
        (0, Message("program_change", channel=channel, program=window.program)),
        *(
            (0, Message("control_change", channel=channel, control=control, value=value))
            for control, value in window.controllers
        ),
    ]
    notes = note_events(channel, window.starts, window.ends, window.pitches, window.velocities)
    end = max(window.ends) + round(TAIL_SECONDS * RATE_HZ)
    sound = play(midi_file([midi_track([*setup, *notes], end)], TICKS_PER_BEAT), soundfont, synth)
    sound = resample(sound, RATE_HZ, WAV_HZ)
    silence = max(0, -window.skipped)
    return wav_bytes(np.pad(sound[max(0, window.skipped) :], ((silence, 0), (0, 0))))


def wav_bytes(sound: Sound) -> bytes:
    """A WAV file (16 bit, `WAV_HZ`) of `sound` `[samples, 2]` without the silence at its end."""
    loud = np.flatnonzero(levels(sound) > INAUDIBLE)
    sound = sound[: int(loud[-1]) + 1 if len(loud) else 1]
    target = io.BytesIO()
    soundfile.write(target, sound, WAV_HZ, format="WAV", subtype="PCM_16")
    return target.getvalue()

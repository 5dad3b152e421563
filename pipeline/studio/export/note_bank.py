"""Banks of notes for the browser: each instrument of the album as the synthesizer plays it, every fourth pitch.

A bank is one compressed file, mono: a click by which a browser finds how much its decoder put in front, then slots of
the same length, a note in each. What lies between the pitches is played faster or slower (wavetable synthesis).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mido import Message  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.audio.files import Tags, write_compressed
from pipeline.audio.mastering import resample
from pipeline.audio.synthesizers import RATE_HZ, play
from pipeline.rendering.midi import VOLUME
from pipeline.scores.instruments import instrument_name
from pipeline.scores.midi.events import DRUM_CHANNEL
from pipeline.scores.midi.writing import midi_file, midi_track, note_events

EVERY = 4
"""Semitones from one pitch of a bank to the next."""
HELD_SECONDS, SLOT_SECONDS = 1.9, 2.2
"""How long a note is held, and from one to the next; of drums the whole slot is `DRUM_SECONDS`."""
DRUM_SECONDS = 1.2
LEAD_SECONDS = 0.2
"""Before the first note; the click stands in its middle."""
VELOCITY = 100
"""Of the notes of a bank."""
FADE_SECONDS = 0.03
BANK_HZ = 32_000
DRUM_HZ = 44_100
TICKS_PER_BEAT = 480
TICKS_PER_SECOND = 2 * TICKS_PER_BEAT
"""At the tempo of a MIDI file that says none."""


@dataclass(frozen=True)
class SampledInstrument:
    """What a bank is made of: a program (of a drum kit where `is_drum`), and the pitches wanted of it."""

    program: int
    is_drum: bool
    pitches: tuple[int, ...]

    @property
    def key(self) -> str:
        """Under which it is listed: `33`, `drums 25`."""
        return f"drums {self.program}" if self.is_drum else str(self.program)

    @property
    def slot_seconds(self) -> float:
        """From one note to the next."""
        return DRUM_SECONDS if self.is_drum else SLOT_SECONDS


def bank_pitches(low: int, high: int) -> tuple[int, ...]:
    """Pitches of which one is at most two semitones away from each from `low` to `high`."""
    return tuple(range(low + EVERY // 2, max(high, low) + EVERY // 2 + 1, EVERY))


def write_bank(path: Path, instrument: SampledInstrument, soundfont: Path, synth: str) -> dict[str, Any]:
    """Write the bank of an instrument as MP3; what the page has to know of it, as plain values.

    `gain` is what its samples are multiplied by to be as loud as the synthesizer plays them.
    """
    sound = _notes(instrument, soundfont, synth)
    peak = max(float(np.abs(sound).max(initial=0.0)), 1e-6)
    rate_hz = DRUM_HZ if instrument.is_drum else BANK_HZ
    sound = np.concatenate([_click(), sound * np.float32(0.8 / peak)])
    mono = resample(np.repeat(sound[:, None], 2, axis=1), RATE_HZ, rate_hz)[:, :1]
    name = instrument_name(instrument.program, instrument.is_drum)
    write_compressed(path, mono, rate_hz, "mp3", Tags(name, "AlbumGAN", "Notes", 1, 1))
    return {
        "file": path.name,
        "name": name,
        "pitches": list(instrument.pitches),
        "lead_seconds": LEAD_SECONDS,
        "slot_seconds": instrument.slot_seconds,
        "gain": peak / 0.8 * math.sqrt(2),  # a browser pans mono sound to the middle at -3 dB
        "velocity": VELOCITY,
    }


def _notes(instrument: SampledInstrument, soundfont: Path, synth: str) -> NDArray[np.float32]:
    """All notes of a bank one after another at `RATE_HZ`, `[samples]`."""
    channel = DRUM_CHANNEL if instrument.is_drum else 0
    slot = round(instrument.slot_seconds * TICKS_PER_SECOND)
    held = slot // 2 if instrument.is_drum else round(HELD_SECONDS * TICKS_PER_SECOND)
    starts = [slot * place for place in range(len(instrument.pitches))]
    notes = note_events(
        channel, starts, [start + held for start in starts], instrument.pitches, [VELOCITY] * len(starts)
    )
    setup = [
        (0, Message("program_change", channel=channel, program=instrument.program)),
        (0, Message("control_change", channel=channel, control=VOLUME, value=127)),
    ]
    midi = midi_file([midi_track([*setup, *notes], slot * len(starts))], TICKS_PER_BEAT)
    samples = round(instrument.slot_seconds * RATE_HZ)
    mono = play(midi, soundfont, synth).mean(axis=1)
    whole = np.zeros(samples * len(starts), np.float32)
    whole[: len(mono)] = mono[: len(whole)]
    slots = whole.reshape(len(starts), samples)
    fade = round(FADE_SECONDS * RATE_HZ)
    slots[:, -fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return whole


def _click() -> NDArray[np.float32]:
    """The lead: silence, and half-way one short click."""
    lead = np.zeros(round(LEAD_SECONDS * RATE_HZ), np.float32)
    middle = len(lead) // 2
    lead[middle : middle + 24] = 0.9 * np.hanning(24)
    return lead


def instruments_of(
    programs: Sequence[tuple[int, bool, int, int]], drum_pitches: Sequence[int]
) -> list[SampledInstrument]:
    """The banks that songs need, of `(program, is_drum, lowest, highest pitch)` of their tracks."""
    ranges: dict[tuple[int, bool], tuple[int, int]] = {}
    for program, is_drum, low, high in programs:
        before = ranges.get((program, is_drum), (low, high))
        ranges[program, is_drum] = min(low, before[0]), max(high, before[1])
    return [
        SampledInstrument(program, is_drum, tuple(sorted(drum_pitches)) if is_drum else bank_pitches(low, high))
        for (program, is_drum), (low, high) in sorted(ranges.items())
    ]

"""Short sounds and notes in seconds that the tests of recordings share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import soundfont_path
from pipeline.settings.transcribe import FAMILY_PROGRAMS
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.drums.drum_map import HIT
from pipeline.transcription.instruments.parts import HeardPart
from pipeline.transcription.pitches.multipitch import PITCH
from pipeline.transcription.training.rendering.midi_rendering import midi_of, render
from pipeline.transcription.transcriber import Transcription, on_beats

BEAT_SECONDS = 0.5
KICK, SNARE, HAT = 36, 38, 42

NoteRows = NDArray[np.float64]
"""Rows of start and end in seconds, pitch, velocity, program."""


def tone(pitch: int, seconds: float) -> NDArray[np.float32]:
    """A decaying tone with a few harmonics."""
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    hz = 440 * 2 ** ((pitch - 69) / 12)
    sound = sum(np.sin(2 * np.pi * hz * k * time) / k**2 for k in range(1, 6)) * np.exp(-2 * time)
    return np.asarray(0.2 * sound * np.minimum(1, time / 0.005), np.float32)


def melody(pitches: list[int], seconds: float = 0.5, lead: float = 0.4) -> NDArray[np.float32]:
    """One tone after the other, after some silence."""
    silence = np.zeros(round(lead * SAMPLE_RATE_HZ), np.float32)
    return np.concatenate([silence, *(tone(pitch, seconds) for pitch in pitches)])


def write_sound(path: Path, samples: NDArray[np.float32], rate_hz: int = SAMPLE_RATE_HZ) -> Path:
    """Write a sound file, of the kind that its name says."""
    soundfile.write(path, samples, rate_hz)
    return path


def timed_notes(*rows: tuple[float, float, int, int]) -> NDArray[np.void]:
    """Pitched notes out of (start, end, pitch, velocity)."""
    return np.array(list(rows), PITCH)


def timed_hits(*rows: tuple[float, int]) -> NDArray[np.void]:
    """Drum hits out of (start, pitch)."""
    return np.array([(*row, 100) for row in rows], HIT)


def transcribed(
    notes: NDArray[np.void], hits: NDArray[np.void], beats: Beats, name: str, seconds: float
) -> Transcription:
    """A transcription whose notes below F3 are the bass and all others of one part."""
    is_bass = notes["pitch"] < 53
    heard = [("Bass", notes[is_bass]), (name, notes[~is_bass])]
    parts = [HeardPart(one, FAMILY_PROGRAMS[one], own, np.ones(len(own))) for one, own in heard if len(own)]
    return on_beats(parts, hits, beats, seconds)


def rock(bars: int = 4) -> NoteRows:
    """Kick on 1 and 3, snare on 2 and 4, hi-hat on eighths, from 0.25 s on."""
    rows = []
    for beat in range(4 * bars):
        start = 0.25 + BEAT_SECONDS * beat
        rows.append((start, SNARE if beat % 2 else KICK))
        rows += [(start, HAT), (start + BEAT_SECONDS / 2, HAT)]
    return np.array([(start, start + 0.1, pitch, 100, 0) for start, pitch in sorted(rows)], np.float64)


def chorale(beats: int = 24) -> NoteRows:
    """Four voices, chord after chord."""
    chords = ((48, 60, 64, 67), (53, 60, 65, 69), (55, 59, 62, 67), (45, 60, 64, 69))
    return np.array(
        [
            (BEAT_SECONDS * beat, BEAT_SECONDS * (beat + 1), pitch, 80, 0)
            for beat in range(beats)
            for pitch in chords[(beat * 7 // 3) % len(chords)]
        ],
        np.float64,
    )


def render_rows(rows: NoteRows, drums: bool) -> NDArray[np.float32]:
    """The sound of notes."""
    return render(midi_of(rows, drums), soundfont_path(None))

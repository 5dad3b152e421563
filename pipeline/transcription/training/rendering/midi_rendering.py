"""Notes of MIDI files as rows of numbers, and their sound by a SoundFont."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import RATE_HZ, play

TICKS_PER_SECOND = 960


@dataclass(frozen=True)
class MidiNotes:
    """Notes of a MIDI file: `pitched` and `drums`, rows of start and end in seconds, pitch, velocity, program."""

    pitched: NDArray[np.float64]
    drums: NDArray[np.float64]


def read_notes(path: Path) -> MidiNotes | None:
    """Read all notes of a MIDI file; none where it can't be read."""
    import symusic

    try:
        read: Any = symusic.Score(str(path))
        score = read.to("second")
    except Exception:  # symusic raises kinds of its own
        return None
    rows: dict[bool, list[NDArray[np.float64]]] = {True: [np.zeros((0, 5))], False: [np.zeros((0, 5))]}
    for track in score.tracks:
        notes = track.notes.numpy()
        columns = (notes["time"], notes["time"] + notes["duration"], notes["pitch"], notes["velocity"])
        programs = np.full(len(notes["time"]), track.program)
        rows[bool(track.is_drum)].append(np.stack([*columns, programs], axis=1).astype(np.float64))
    return MidiNotes(np.concatenate(rows[False]), np.concatenate(rows[True]))


def midi_of(notes: NDArray[np.float64], drums: bool) -> bytes:
    """A MIDI file of rows of start, end, pitch, velocity and program."""
    import symusic

    score: Any = symusic.Score(TICKS_PER_SECOND // 2)
    score.tempos.append(symusic.Tempo(0, 120))
    for program in np.unique(notes[:, 4]):
        track: Any = symusic.Track(program=int(program), is_drum=drums)
        for start, end, pitch, velocity, _ in notes[notes[:, 4] == program]:
            ticks = round(start * TICKS_PER_SECOND)
            length = max(round((end - start) * TICKS_PER_SECOND), 1)
            track.notes.append(symusic.Note(ticks, length, int(pitch), int(np.clip(velocity, 1, 127))))
        score.tracks.append(track)
    return bytes(score.dumps_midi())


def render(midi: bytes, soundfont: Path) -> NDArray[np.float32]:
    """Render a MIDI file to mono sound at `SAMPLE_RATE_HZ`."""
    import soxr

    sound: NDArray[np.float32] = soxr.resample(
        play(midi, soundfont, "midirenderer").mean(axis=1), RATE_HZ, SAMPLE_RATE_HZ
    )
    return sound


def add_reverberation(
    sound: NDArray[np.float32], random: np.random.Generator, longest_seconds: float, loudest: float
) -> NDArray[np.float32]:
    """Reverberation as exponentially decaying noise (Moorer 1979), of random length and level."""
    from scipy.signal import fftconvolve

    length = int(random.uniform(0.1, longest_seconds) * SAMPLE_RATE_HZ)
    room = random.standard_normal(length) * 10 ** (-3 * np.arange(length) / length) / np.sqrt(length / 7)
    late: NDArray[np.float32] = fftconvolve(sound, room)[: len(sound)].astype(np.float32)
    return sound + np.float32(random.uniform(0.05, loudest)) * late

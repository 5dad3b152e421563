"""Records made of notes, whose beats are known, for the tests of loops."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.mastering import resample
from pipeline.audio.synthesizers import RATE_HZ, Sound, play, soundfont_path
from pipeline.scores.chords.symbols import unknown_chords
from pipeline.scores.quantisation import BarSpan
from pipeline.songs.flip.record import RECORD_NOTE, Record
from pipeline.songs.flip.tuning import find_tuning
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.training.rendering.midi_rendering import midi_of
from tests.music_makers import score

BEAT_SECONDS = 0.5
CHORDS = {"C": (60, 64, 67), "F": (65, 69, 72), "G": (59, 62, 67), "a": (57, 60, 64)}
"""What the letters of a song's bars play."""


def band_rows(bars: str, beats: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pitched notes and drum hits of bars: a letter of `CHORDS`, `D` for drums alone, `q` for a faint C.

    `beats` are the seconds of all beats and of the end. Chords are struck on each beat over a bass, a clap of drums is
    on beats 2 and 4 of bars of drums, a hi-hat everywhere in them.
    """
    notes, hits = [np.zeros((0, 5))], [np.zeros((0, 5))]
    for bar, letter in enumerate(bars):
        for beat in range(4 * bar, 4 * bar + 4):
            start, length = beats[beat], beats[beat + 1] - beats[beat]
            if letter == "D":
                hits += [[(start, start + 0.1, pitch, 110, 0)] for pitch in (38 if beat % 2 else 36, 42)]
                hits.append([(start + length / 2, start + length / 2 + 0.1, 42, 90, 0)])
            else:
                chord, loud = CHORDS["C" if letter == "q" else letter], 15 if letter == "q" else 95
                turned = [chord[beat % 3], chord[(beat + 1) % 3]]
                notes.append([(start, start + 0.9 * length, pitch, loud, 0) for pitch in turned])
                notes.append([(start, start + 0.9 * length, chord[0] - 24, loud, 33)])
    return np.concatenate(notes), np.concatenate(hits)


@cache
def band_sound(bars: str, beats: tuple[float, ...]) -> Sound:
    """Their sound, until the last beat."""
    num_samples = round(beats[-1] * SAMPLE_RATE_HZ)
    mixed = np.zeros((num_samples, 2), np.float32)
    for rows, drums in zip(band_rows(bars, np.array(beats)), (False, True), strict=True):
        if len(rows):
            own = resample(play(midi_of(rows, drums), soundfont_path(None), "midirenderer"), RATE_HZ, SAMPLE_RATE_HZ)
            mixed[: len(own)] += own[:num_samples]
    return mixed


def even_beats(bars: int) -> NDArray[np.float64]:
    """Beats of 120 a minute from 0 on, and the end."""
    return BEAT_SECONDS * np.arange(4 * bars + 1)


def record_of(
    bars: str, beats: NDArray[np.float64] | None = None, heard_beats: NDArray[np.float64] | None = None
) -> Record:
    """The record of bars, see `band_rows`; its grid is `heard_beats` where they are not those that are played."""
    played = even_beats(len(bars)) if beats is None else beats
    return record_of_sound(band_sound(bars, tuple(played.tolist())), played if heard_beats is None else heard_beats)


def record_of_sound(sound: Sound, beats: NDArray[np.float64]) -> Record:
    """A sound as a record in 4/4, of which nobody knows the notes."""
    num_bars = (len(beats) - 1) // 4
    return Record(
        name="old.wav",
        path=Path("old.wav"),
        source="generate.flip=old.wav",
        sound=sound,
        beats=Beats(beats, 4),
        num_bars=num_bars,
        quarters_per_beat=1.0,
        notes=np.empty(0, RECORD_NOTE),
        hits=np.empty(0, RECORD_NOTE),
        chords=unknown_chords(2 * num_bars),
        chord_confidence=np.zeros(2 * num_bars),
        tuning=find_tuning(sound, SAMPLE_RATE_HZ),
        key=None,
        score=score(),
        span=BarSpan(0.0, num_bars, 0),
    )


def drifting_beats(bar_seconds: Sequence[float]) -> NDArray[np.float64]:
    """Beats of bars that last so long, and the end."""
    return np.concatenate([[0.0], np.cumsum(np.repeat(np.array(bar_seconds) / 4, 4))])

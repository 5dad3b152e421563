"""Sound of a transcription as a synthesizer plays it, on the clock of its recording: to hear the two in turn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.files import write_ogg
from pipeline.audio.synthesizers import RATE_HZ, play, soundfont_path

HIGHEST_PEAK = 0.95


def write_transcription_sound(path: Path, midi: bytes, begin_seconds: float, samples: NDArray[np.float32]) -> None:
    """Play a transcription into an Ogg Vorbis file that is as long and as loud (RMS) as its recording.

    Parameters
    ----------
    path
        Where to; written atomically.
    midi
        The MIDI file of the transcription.
    begin_seconds
        When its time 0 comes in the recording; what comes before the recording begins is cut off.
    samples
        The recording, float32 `[samples]` at 44,100 Hz.
    """
    played = play(midi, soundfont_path(None), "midirenderer").mean(axis=1)
    sound = np.zeros(round(len(samples) / SAMPLE_RATE_HZ * RATE_HZ), np.float32)
    begin = round(begin_seconds * RATE_HZ)
    inside = played[max(-begin, 0) :][: len(sound) - max(begin, 0)]
    sound[max(begin, 0) :][: len(inside)] = inside
    loudness, own = (float(np.sqrt(np.mean(np.square(one)))) for one in (samples, sound))
    peak = float(np.abs(sound).max())
    if peak:
        sound *= min(loudness / own, HIGHEST_PEAK / peak)
    write_ogg(path, sound, RATE_HZ)

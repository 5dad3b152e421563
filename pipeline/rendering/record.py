"""Loops of old records in the mix (sampling): played where the song has them, filtered and cut as it says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, sosfilt, sosfiltfilt

from pipeline.audio.mastering import resample
from pipeline.audio.synthesizers import RATE_HZ, Sound
from pipeline.errors import UserError
from pipeline.songs.song import Song

RECORD = "Record"
"""What the stem of the records is called."""
ABOVE_LOUDEST_LU = 1.0
"""How much louder records are than the loudest pitched track."""
FADE_SECONDS = 0.005
"""In which a loop that breaks off dies away, and one that does not begin with its own beginning comes in."""
LOW_CUT_HZ = 150.0
"""Below there is nothing of a record where a bass plays."""
RAMP_SECONDS = 0.03
"""In which the low cut comes and goes."""
FILTER_HZ = 700.0
"""Above there is little of a record that is filtered."""
FILTER_GAIN_DB = 3.0
"""Of what is filtered, which is quieter for it."""
BASSES = range(32, 40)
"""General MIDI programs, from 0."""


def read_loops(song: Song, directory: Path) -> list[Sound]:
    """The sounds of a song's loops, float32 `[samples, 2]` at `RATE_HZ`, from beside its file.

    Raises
    ------
    UserError
        One is missing or can't be read.
    """
    sounds = []
    for loop in song.loops:
        path = directory / loop.sound
        try:
            sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        except (OSError, soundfile.SoundFileError) as error:
            raise UserError(
                f"{path}, a loop of song {song.number}, can't be read: run +stage=generate force=true."
            ) from error
        sound = np.repeat(sound, 2, axis=1) if sound.shape[1] == 1 else sound
        sounds.append(sound if rate_hz == RATE_HZ else resample(sound, rate_hz, RATE_HZ))
    return sounds


def play_loops(song: Song, sounds: Sequence[Sound]) -> Sound:
    """What the records play in a song, float32 `[samples, 2]` at `RATE_HZ`, as long as the song's score.

    A loop is read again and again where its stretch is longer; where the next stretch does not go on from it, it dies
    away within `FADE_SECONDS`.
    """
    fade = round(FADE_SECONDS * RATE_HZ)
    length = round(song.seconds * RATE_HZ) + fade
    plain, filtered = np.zeros((length, 2), np.float32), np.zeros((length, 2), np.float32)
    events = song.loop_events
    for place, event in enumerate(events):
        own, steps = sounds[event.loop], song.loops[event.loop].num_steps
        start, end = (round(float(song.seconds_at(step)) * RATE_HZ) for step in (event.step, event.end))
        offset = round(event.loop_step / steps * len(own))
        rings = min(fade, length - end)
        piece = own[(offset + np.arange(end - start + rings)) % len(own)].copy()
        before = events[place - 1] if place else None
        if event.fades:
            piece[: end - start] *= np.cos(np.linspace(0, np.pi / 2, end - start, dtype=np.float32))[:, None]
            piece[end - start :] = 0
        else:
            piece[end - start :] *= np.linspace(1, 0, rings, dtype=np.float32)[:, None]
        goes_on = before is not None and before.end == event.step and before.loop == event.loop
        if goes_on or event.loop_step:
            ramp = min(fade, len(piece))
            piece[:ramp] *= np.linspace(0, 1, ramp, dtype=np.float32)[:, None]
        (filtered if event.is_filtered else plain)[start : start + len(piece)] += piece
    if any(event.is_filtered for event in events):
        low = sosfilt(butter(4, FILTER_HZ, fs=RATE_HZ, output="sos"), filtered, axis=0)
        plain += (low * 10 ** (FILTER_GAIN_DB / 20)).astype(np.float32)
    return _without_low_end(plain, _bass_sounds(song, length))


def _bass_sounds(song: Song, length: int) -> NDArray[np.float32]:
    """Where a bass plays, bar by bar, as a gain from 0 to 1 with ramps, `[length]`."""
    gain = np.zeros(length, np.float32)
    basses = [track for track, program in enumerate(song.programs) if program in BASSES]
    basses = [track for track in basses if not song.spec.tracks[track].is_drum]
    notes = song.notes[np.isin(song.notes["track"], basses)]
    bars = np.zeros(song.num_bars + 1, np.int64)
    np.add.at(bars, notes["onset"] // song.spec.steps_per_bar, 1)
    np.add.at(bars, (notes["onset"] + notes["length"] - 1) // song.spec.steps_per_bar + 1, -1)
    for bar in np.flatnonzero(np.cumsum(bars)[:-1]):
        start, end = (round(float(song.seconds_at(at * song.spec.steps_per_bar)) * RATE_HZ) for at in (bar, bar + 1))
        gain[start:end] = 1
    ramp = round(RAMP_SECONDS * RATE_HZ)
    return np.asarray(uniform_filter1d(gain, ramp), np.float32)


def _without_low_end(sound: Sound, where: NDArray[np.float32]) -> Sound:
    """Sound with its low end cut as far as `where` `[samples]` says, from 0 to 1; phases stay."""
    if not where.any():
        return sound
    high = sosfiltfilt(butter(2, LOW_CUT_HZ, "highpass", fs=RATE_HZ, output="sos"), sound, axis=0)
    mixed: Sound = (sound + (high - sound) * where[:, None]).astype(np.float32)
    return mixed

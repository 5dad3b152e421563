"""A song in windows of two bars: which notes of a track begin there, when, and the name of their sound.

The page plays windows one after another, each with its tail, and so hears a change at once. Their sum is the sound of
the whole track: the synthesizer is begun at a time at which its chorus stands as it would in the whole song, and notes
lie on the grid of its blocks as they do there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from mido import bpm2tempo  # type: ignore[import-untyped]
from numpy.typing import NDArray

from pipeline.audio.synthesizers import RATE_HZ, Sound
from pipeline.rendering.midi import PAN, VOLUME, channels_of, midi_pan
from pipeline.songs.song import TICKS_PER_BEAT, Song
from pipeline.studio.server.sound.playing import WAV_HZ, WindowNotes

WINDOW_BARS = 2
"""Bars of a window."""
LEAD_SECONDS = 0.1
"""How long before its first step the sound of a window begins: notes of that step may be played a little early."""
BLOCK = 64
"""midirenderer begins and ends notes at multiples of so many samples."""
CHORUS_SAMPLES = 120_000
"""Samples after which midirenderer's chorus stands as it did, and a multiple of `BLOCK`."""

TrackWindows = list[WindowNotes | None]
"""The windows of a track, None where no note begins."""


def midi_seconds(song: Song, ticks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seconds from the beginning of the song to each tick, as in its MIDI file: with whole microseconds a beat."""
    starts = np.array([step * song.ticks_per_step for step, _ in song.tempo_map], np.float64)
    seconds_per_tick = np.array([bpm2tempo(tempo) for _, tempo in song.tempo_map]) / 1e6 / TICKS_PER_BEAT
    passed = np.concatenate([[0.0], np.cumsum(np.diff(starts) * seconds_per_tick[:-1])])
    piece = np.clip(np.searchsorted(starts, ticks, side="right") - 1, 0, None)
    return np.asarray(passed[piece] + (ticks - starts[piece]) * seconds_per_tick[piece])


def window_seconds(song: Song) -> NDArray[np.float64]:
    """When each window of a song begins, `[windows]`."""
    steps = np.arange(0, song.num_steps, WINDOW_BARS * song.spec.steps_per_bar, dtype=np.int64)
    return midi_seconds(song, song.swung(steps * song.ticks_per_step))


def windows_of(song: Song, tracks: Sequence[int] | None = None) -> dict[int, TrackWindows]:
    """The windows of some tracks of a song (all if None), by index of the track."""
    starts, ends = (midi_seconds(song, ticks) for ticks in song.bounds_ticks())
    begins = window_seconds(song) - LEAD_SECONDS
    notes, window_steps = song.notes, WINDOW_BARS * song.spec.steps_per_bar
    channels = channels_of(song.spec)
    found: dict[int, TrackWindows] = {}
    for track in range(song.spec.num_tracks) if tracks is None else tracks:
        controllers = ((VOLUME, 127), (PAN, midi_pan(song.pans[track])))
        mine = np.flatnonzero(notes["track"] == track)
        places = notes["onset"][mine] // window_steps
        found[track] = [None] * len(begins)
        for window in np.unique(places).tolist():
            here = mine[places == window]
            first = max(0.0, min(begins[window], starts[here].min()))
            begun = int(first * RATE_HZ) // CHORUS_SAMPLES * CHORUS_SAMPLES
            skipped = round(begins[window] * WAV_HZ) - begun * WAV_HZ // RATE_HZ
            found[track][window] = WindowNotes(
                channel=channels[track],
                program=song.programs[track],
                controllers=controllers,
                starts=tuple(_on_grid(starts[here], begun).tolist()),
                ends=tuple(_on_grid(ends[here], begun).tolist()),
                pitches=tuple(notes["pitch"][here].tolist()),
                velocities=tuple(song.velocities[here].tolist()),
                skipped=skipped,
            )
    return found


def _on_grid(seconds: NDArray[np.float64], begun: int) -> NDArray[np.int64]:
    """Samples from `begun` on, in the middle of the block before the one with which midirenderer would begin."""
    blocks = np.ceil(seconds * RATE_HZ / BLOCK - 1e-6).astype(np.int64)
    return np.maximum(blocks * BLOCK - BLOCK // 2 - begun, 0)


def name_of(window: WindowNotes, player: str) -> str:
    """What the sound of a window is called: a hash of all that it depends on, `player` (SoundFont, synth) too."""
    return hashlib.sha256(f"{player} {window}".encode()).hexdigest()[:32]


def record_windows(song: Song, record: Sound) -> list[Sound]:
    """The sound of a song's records `[samples, 2]` at `WAV_HZ`, cut at its windows, after `LEAD_SECONDS` of silence."""
    lead = round(LEAD_SECONDS * WAV_HZ)
    begins = [round(float(seconds) * WAV_HZ) for seconds in window_seconds(song)]
    return [
        np.pad(record[begin:end], ((lead, 0), (0, 0)))
        for begin, end in zip(begins, [*begins[1:], len(record)], strict=True)
    ]

"""How loud the tracks of a song are beside one another in its mix, and the gain of mastering.

Both are measured as the stage `render` does, by a process of its own, when a song has rested; until then they follow
from what is known of the tracks.
"""

from __future__ import annotations

import io
import math
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from pipeline.audio.loudness import loudness_lufs
from pipeline.audio.mastering import balanced_volumes
from pipeline.audio.synthesizers import Sound
from pipeline.files import fingerprint, read_json, write_json
from pipeline.rendering.mix import mix_song
from pipeline.rendering.record import ABOVE_LOUDEST_LU, RECORD
from pipeline.settings.render import RenderSettings
from pipeline.songs.song import Song
from pipeline.studio.server.sound.playing import WAV_HZ, WindowNotes
from pipeline.studio.server.sound.store import SoundStore, Workers
from pipeline.studio.server.sound.windows import TrackWindows

REST_SECONDS = 5.0
"""A song is measured when it has not changed for so long."""
SAMPLED_WINDOWS = 2
"""Windows of a track by which its loudness is estimated, those with the most notes."""
REMEMBERED = 500
"""Measured songs that are remembered."""

Place = tuple[str, int]
"""A session, and the number of a song in it."""
TrackNames = dict[int, list[str | None]]
"""What the sounds of the windows are called, by index of the track."""


@dataclass(frozen=True)
class SongLoudness:
    """What was measured of a song.

    Attributes
    ----------
    levels
        LUFS of each sounding track alone at full volume by name, and of the records.
    correction_db
        How much more the gain of mastering is than the tracks' loudness alone asks for.
    """

    levels: dict[str, float]
    correction_db: float = 0.0


@dataclass(frozen=True)
class Balance:
    """Gains (amplitudes) of a song's mix: one a sounding track by name, records too, and that of mastering."""

    gains: dict[str, float]
    master: float
    is_measured: bool


def measure(song: Song, settings: RenderSettings, soundfont: Path, loops: Sequence[Sound]) -> SongLoudness:
    """The loudness of a song's tracks, and how its mastering corrects it."""
    mix = mix_song(song, replace(settings, vocal=False, stems=False), soundfont, (), loops)
    levels = {name: lufs - _decibels(mix.amplitudes[name] * mix.gain) for name, lufs in mix.track_lufs.items()}
    plain = balance_of(song, SongLoudness(levels), settings.loudness_lufs)
    return SongLoudness(levels, _decibels(mix.gain / plain.master))


def rendered_loudness(entry: Mapping[str, Any], song: Song, target_lufs: float) -> SongLoudness | None:
    """What the list of the stage `render` says of a song's loudness; None where it does not."""
    try:
        gain_db, volumes = float(entry["gain_db"]), entry["midi_volumes"]
        heard = {name: float(lufs) - gain_db for name, lufs in entry["track_lufs"].items()}
        levels = {name: heard[name] - _decibels((volumes[name] / 127) ** 2) for name in volumes if name in heard}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    if song.loop_events or not levels:
        return None  # of records it says how loud they are in the mix alone
    plain = balance_of(song, SongLoudness(levels), target_lufs)
    return SongLoudness(levels, gain_db - _decibels(plain.master))


def balance_of(song: Song, loudness: SongLoudness, target_lufs: float, is_measured: bool = True) -> Balance:
    """The balance of a song whose tracks are this loud; tracks whose loudness is not known are left out."""
    names, levels = song.spec.names, loudness.levels
    volumes = balanced_volumes([levels.get(name, -math.inf) for name in names], song.volumes)
    gains = {name: volume**2 for name, volume in zip(names, volumes, strict=True) if name in levels}
    heard = {name: levels[name] + _decibels(gain) for name, gain in gains.items()}
    if song.loop_events and RECORD in levels:
        drums = {track.name for track in song.spec.tracks if track.is_drum}
        pitched = [level for name, level in heard.items() if name not in drums]
        heard[RECORD] = max(pitched or list(heard.values()), default=levels[RECORD]) + ABOVE_LOUDEST_LU
        gains[RECORD] = 10 ** ((heard[RECORD] - levels[RECORD]) / 20)
    together = 10 * math.log10(sum(10 ** (level / 10) for level in heard.values()) or 1.0)
    return Balance(gains, 10 ** ((target_lufs - together + loudness.correction_db) / 20), is_measured)


def _decibels(amplitude: float) -> float:
    return 20 * math.log10(max(amplitude, 1e-6))


class Balancer:
    """Knows or finds the balance of songs; safe for several threads.

    `path` is the file in which it remembers what was measured.
    """

    def __init__(
        self, store: SoundStore, patient: Workers, settings: RenderSettings, path: Path, rest_seconds: float
    ) -> None:
        self.store, self.patient, self.settings, self.path = store, patient, settings, path
        self.rest_seconds = rest_seconds
        found = read_json(path) if path.exists() else {}
        self._measured = {key: SongLoudness(**values) for key, values in found.items()}
        self._latest: dict[Place, tuple[dict[str, int], SongLoudness]] = {}
        self._resting: dict[Place, threading.Timer] = {}
        self._lock = threading.Lock()

    def balance(
        self,
        place: Place,
        song: Song,
        windows: dict[int, TrackWindows],
        names: TrackNames,
        loops: Sequence[Sound] = (),
        record: Sound | None = None,
        rendered: SongLoudness | None = None,
    ) -> Balance:
        """The balance of the song that stands at `place` now; what is not known is estimated, and measured soon.

        Parameters
        ----------
        place, song, windows, names
            The song with its windows.
        loops, record
            The sounds of its loops of old records, and what they play in it at `WAV_HZ`.
        rendered
            What the stage `render` measured of this very song.
        """
        key = self._key(song, names)
        programs = dict(zip(song.spec.names, song.programs, strict=True))
        with self._lock:
            measured = self._measured.get(key, rendered)
            before, known = self._latest.get(place, ({}, SongLoudness({})))
        loudness = measured
        if loudness is None:
            levels = {name: level for name, level in known.levels.items() if before.get(name) == programs.get(name)}
            unknown = {name for name in (*song.spec.names, RECORD) if name not in levels}
            loudness = SongLoudness(levels | self._estimates(song, windows, record, unknown), known.correction_db)
            self._measure_soon(place, key, song, loops)
        with self._lock:
            self._latest[place] = programs, loudness
        return balance_of(song, loudness, self.settings.loudness_lufs, measured is not None)

    def _key(self, song: Song, names: TrackNames) -> str:
        """A hash of all that the loudness of a song depends on."""
        sounds = list(names.values())
        records = [[loop.sound for loop in song.loops], repr(song.loop_events)]
        wanted = [song.volumes, self.settings.loudness_lufs, self.settings.peak_dbfs]
        return fingerprint([sounds, records, wanted])[:32]

    def _estimates(
        self, song: Song, windows: dict[int, TrackWindows], record: Sound | None, wanted: set[str]
    ) -> dict[str, float]:
        """The loudness of some tracks by a few windows of each; of silent ones nothing."""
        found = {}
        for track, name in enumerate(song.spec.names):
            fullest = sorted((one for one in windows[track] if one), key=lambda one: -len(one.pitches))
            if name in wanted and fullest:
                found[name] = loudness_lufs(self._played(fullest[:SAMPLED_WINDOWS]), WAV_HZ)
        if record is not None and RECORD in wanted:
            found[RECORD] = loudness_lufs(record, WAV_HZ)
        return {name: level for name, level in found.items() if math.isfinite(level)}

    def _played(self, windows: Sequence[WindowNotes]) -> Sound:
        """The sounds of some windows one after another."""
        coming = [self.store.sound(name) for name in self.store.names(windows) if name]
        files = [future.result() for future in coming if future is not None]
        return np.concatenate([soundfile.read(io.BytesIO(file), dtype="float32")[0] for file in files])

    def _measure_soon(self, place: Place, key: str, song: Song, loops: Sequence[Sound]) -> None:
        """Measure the song once it has rested, unless another one stands in its place by then."""
        timer = threading.Timer(self.rest_seconds, self._measure, (place, key, song, loops))
        timer.daemon = True
        with self._lock:
            before, self._resting[place] = self._resting.get(place), timer
        if before is not None:
            before.cancel()
        timer.start()

    def _measure(self, place: Place, key: str, song: Song, loops: Sequence[Sound]) -> None:
        with self._lock:
            if key in self._measured or place not in self._resting:
                return
            del self._resting[place]
        with suppress(RuntimeError):  # the server is being stopped
            future = self.patient.submit(measure, song, self.settings, self.store.soundfont, loops)
            future.add_done_callback(partial(self._remember, key))

    def _remember(self, key: str, future: Future[SongLoudness]) -> None:
        """Take what was measured; a song that can't be mixed keeps its estimate."""
        if future.cancelled() or future.exception() is not None:
            return
        with self._lock:
            self._measured[key] = future.result()
            for old in list(self._measured)[:-REMEMBERED]:
                del self._measured[old]
            write_json(self.path, {key: asdict(one) for key, one in self._measured.items()})

    def stop(self) -> None:
        """Measure nothing more."""
        with self._lock:
            waiting = list(self._resting.values())
            self._resting.clear()
        for timer in waiting:
            timer.cancel()

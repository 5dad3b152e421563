"""A song to sound: each track is played alone, balanced by its loudness, and added to the mix."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.audio.loudness import LONGEST_TAIL_SECONDS, loudness_lufs
from pipeline.audio.mastering import balanced_volumes, end_cleanly, master, resample
from pipeline.audio.synthesizers import RATE_HZ, Sound, play
from pipeline.errors import UserError
from pipeline.rendering.midi import midi_bytes
from pipeline.rendering.record import ABOVE_LOUDEST_LU, RECORD, play_loops
from pipeline.rendering.vocal.singing import ABOVE_MELODY_LU, VOCAL, sing
from pipeline.settings.render import RenderSettings
from pipeline.songs.song import Song
from pipeline.songs.sung_syllables import SungSyllable


@dataclass(frozen=True)
class Mix:
    """What came of mixing a song.

    Attributes
    ----------
    song
        The song with the volumes that were found, as its MIDI file should have them.
    sound
        The mastered mix at the wanted rate.
    stems
        Each track alone by name, at the same gain, without the limiter, where stems or projects are asked for; silent
        tracks are left out. The guide vocal and the records are always among them where there are some.
    track_lufs
        Loudness of each sounding track, of the guide vocal and of the records, as it is in the mix.
    amplitudes
        What each of them is multiplied by from its sound at full volume on.
    gain
        What their sum is multiplied by in front of the limiter.
    """

    song: Song
    sound: Sound
    stems: dict[str, Sound]
    track_lufs: dict[str, float]
    amplitudes: dict[str, float]
    gain: float


def mix_song(
    song: Song,
    settings: RenderSettings,
    soundfont: Path,
    words: Sequence[SungSyllable] = (),
    loops: Sequence[Sound] = (),
    tail_seconds: float = LONGEST_TAIL_SECONDS,
) -> Mix:
    """Play, balance and master a song; with `render.vocal`, sing the words that lie on its notes.

    Its last notes ring for `tail_seconds` at most. `loops` are the sounds of the song's loops of old records, float32
    `[samples, 2]` at `RATE_HZ`. `song.volumes` say how loud the tracks should be beside each other; instruments of a
    SoundFont differ by 20 dB, so each track is measured alone and its MIDI volume set to what makes it so.
    """
    if not len(song.notes):
        raise UserError(f"song {song.number} has no notes; generate it again with another generate.seed.")
    full = replace(song, volumes=(1.0,) * song.spec.num_tracks)
    tail_beats = math.ceil(tail_seconds * song.tempi_bpm[-1] / 60)
    sounding = sorted(set(song.notes["track"].tolist()))
    stems = {
        index: play(midi_bytes(full, only_track=index, tail_beats=tail_beats), soundfont, settings.synth)
        for index in sounding
    }
    levels = [
        loudness_lufs(stems[index], RATE_HZ) if index in stems else -math.inf for index in range(song.spec.num_tracks)
    ]
    if not any(math.isfinite(level) for level in levels):
        raise UserError(f"song {song.number} is silent when {settings.synth} plays it: check render.soundfont.")
    volumes = balanced_volumes(levels, song.volumes)
    names = song.spec.names
    amplitudes = {names[index]: volumes[index] ** 2 for index in sounding}  # General MIDI's volume law
    parts = {names[index]: stem for index, stem in stems.items()}
    lufs = {names[index]: levels[index] + 20 * math.log10(max(amplitudes[names[index]], 1e-6)) for index in sounding}
    if settings.vocal and words:
        parts[VOCAL] = sing(song, words, settings.vocal_voice)
        led = Counter(one.track for one in words).most_common(1)[0][0]
        lufs[VOCAL] = lufs[led] + ABOVE_MELODY_LU
        amplitudes[VOCAL] = 10 ** ((lufs[VOCAL] - loudness_lufs(parts[VOCAL], RATE_HZ)) / 20)
    if song.loop_events:
        parts[RECORD] = play_loops(song, loops)
        pitched = [lufs[names[index]] for index in sounding if not song.spec.tracks[index].is_drum]
        lufs[RECORD] = max(pitched or list(lufs.values())) + ABOVE_LOUDEST_LU
        amplitudes[RECORD] = 10 ** ((lufs[RECORD] - loudness_lufs(parts[RECORD], RATE_HZ)) / 20)
    for name, part in parts.items():
        np.multiply(part, np.float32(amplitudes[name]), out=part)
    mixed = np.zeros((max(map(len, parts.values())), 2), np.float32)
    for part in parts.values():
        mixed[: len(part)] += part
    rate_hz = settings.sample_rate_hz
    mixed = resample(end_cleanly(mixed, RATE_HZ, song.seconds, tail_seconds), RATE_HZ, rate_hz)
    sound, gain = master(mixed, rate_hz, settings.loudness_lufs, settings.peak_dbfs)
    wanted = {
        name: resample(end_cleanly(part, RATE_HZ, song.seconds, tail_seconds), RATE_HZ, rate_hz)
        for name, part in parts.items()
        if settings.stems or settings.projects or name in (VOCAL, RECORD)
    }
    return Mix(
        replace(song, volumes=volumes),
        sound,
        {name: part * np.float32(gain) for name, part in wanted.items()},
        {name: level + 20 * math.log10(gain) for name, level in lufs.items()},
        amplitudes,
        gain,
    )

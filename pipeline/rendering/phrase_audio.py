"""Audio of phrases: a short MP3, for pages and for those who watch a training."""

from __future__ import annotations

from pathlib import Path

from gan.spec import RollSpec
from pipeline.audio.files import Tags, write_compressed
from pipeline.audio.synthesizers import Sound, soundfont_path
from pipeline.rendering.mix import mix_song
from pipeline.scores.notes import Planes
from pipeline.settings.data import TracksSettings
from pipeline.settings.render import RenderSettings
from pipeline.songs.song import Song

ARTIST = "AlbumGAN"
"""What the tags of samples say."""
DEFAULT_TEMPO_BPM = 110.0
"""Where the data set names no tempo."""
TAIL_SECONDS = 2.0
"""For so long the last notes of a sample ring at most."""


def write_sample(
    path: Path,
    phrases: Planes,
    spec: RollSpec,
    tracks: TracksSettings,
    render: RenderSettings,
    tempo_bpm: float | None,
    title: str,
    album: str,
) -> Sound | None:
    """Play phrases one after another, write them as a tagged MP3, and give back what is heard.

    Parameters
    ----------
    path
        The `.mp3` to write, atomically.
    phrases
        Bool `[count, 2, tracks, bars, steps, pitches]`, count at least 1.
    spec, tracks
        Their shape, and the instruments: those of the first arrangement.
    render
        Synthesizer, SoundFont, loudness and rate of the sound.
    tempo_bpm
        Quarter notes a minute; `DEFAULT_TEMPO_BPM` for `None`.
    title, album
        Tags of the file.

    Returns
    -------
    Sound `[samples, 2]` at `render.sample_rate_hz`, or `None` when the phrases are silent: then no file is written.
    """
    if not phrases.any():
        return None
    song = Song.of_phrases(phrases, spec, tracks, tempo_bpm or DEFAULT_TEMPO_BPM)
    sound = mix_song(song, render, soundfont_path(render.soundfont), tail_seconds=TAIL_SECONDS).sound
    write_compressed(path, sound, render.sample_rate_hz, "mp3", Tags(title, ARTIST, album, 1, 1))
    return sound

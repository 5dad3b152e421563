"""The files of one song: MIDI, WAV, picture, MusicXML, LRC, stems and a compressed copy, named by number and title."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.audio.files import Tags, write_compressed, write_wav
from pipeline.audio.mastering import within_full_scale
from pipeline.drawing.piano_rolls import draw_song
from pipeline.files import write_text
from pipeline.rendering.lrc import lrc_text
from pipeline.rendering.midi import write_midi
from pipeline.rendering.mix import Mix
from pipeline.rendering.musicxml import write_score
from pipeline.rendering.record import RECORD
from pipeline.rendering.vocal.singing import VOCAL
from pipeline.settings.render import RenderSettings
from pipeline.songs.sung_syllables import SungSyllable, seconds_of


def file_name(number: int, title: str | None) -> str:
    """`03-salt-on-the-window`, or `03` without a title that has letters."""
    plain = unicodedata.normalize("NFKD", title or "").encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:60].strip("-")
    return f"{number:02d}-{slug}" if slug else f"{number:02d}"


def write_song_files(
    directory: Path, name: str, mix: Mix, words: Sequence[SungSyllable], tags: Tags, settings: RenderSettings
) -> dict[str, Any]:
    """Write all files of a song.

    Parameters
    ----------
    directory
        Where they go.
    name
        How their names begin, as `file_name` gives it.
    mix
        The song and its sound.
    words
        What is sung, on the notes of the song.
    tags
        Titles and artist, for all files that name them.
    settings
        Which files are wanted, and the rate of the sound.

    Returns
    -------
    The files by kind, relative to the directory; of stems by the name of the track.
    """
    song, title = mix.song, tags.title
    rate_hz = settings.sample_rate_hz
    files: dict[str, Any] = {kind: f"{name}.{kind}" for kind in ("mid", "wav", "png", "musicxml")}
    write_midi(directory / files["mid"], song, title, words)
    write_wav(directory / files["wav"], mix.sound, rate_hz)
    sections = [(one.role, one.first_bar, one.num_bars) for one in song.sections]
    chords = song.chord_changes()
    draw_song(
        directory / files["png"], song.planes, song.spec, sections, title, song.tempo_map, chords, song.loop_events
    )
    write_score(directory / files["musicxml"], song, title, words)
    if words:
        files["lrc"] = f"{name}.lrc"
        named = {"ti": title, "ar": tags.artist, "al": tags.album}
        seconds = len(mix.sound) / rate_hz
        text = lrc_text(words, seconds_of(song, words), named, seconds, settings.word_times)
        write_text(directory / files["lrc"], text)
    if settings.compressed is not None:
        files[settings.compressed] = f"{name}.{settings.compressed}"
        path = directory / files[settings.compressed]
        write_compressed(path, mix.sound, rate_hz, settings.compressed, tags)
    stems = mix.stems if settings.stems else {name: mix.stems[name] for name in (VOCAL, RECORD) if name in mix.stems}
    if stems:
        files["stems"] = {}
        for track, stem in within_full_scale(stems).items():
            files["stems"][track] = f"stems/{name}-{file_name(0, track)[3:] or 'track'}.wav"
            write_wav(directory / files["stems"][track], stem, rate_hz)
    return files


def listed_files(files: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Kind and path of every file in what `write_song_files` returns, stems included."""
    for kind, value in files.items():
        if isinstance(value, str):
            yield kind, value
        elif isinstance(value, Mapping):
            yield from ((f"{kind}: {name}", path) for name, path in value.items())
        elif value is not None:
            yield from ((f"{kind}: {Path(path).stem}", path) for path in value)

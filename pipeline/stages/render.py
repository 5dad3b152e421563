"""Songs to files that people can hear and read: `python -m pipeline +stage=render render.stems=true`.

Writes `NN-title.mid .wav .png .musicxml` a song, `.lrc` where it has words, on request stems and an MP3 or FLAC, and
`render.json`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.audio.files import COMPRESSED, Tags, write_compressed, write_wav
from pipeline.audio.loudness import LONGEST_TAIL_SECONDS, check_wav
from pipeline.audio.synthesizers import check_synth, soundfont_path
from pipeline.config import Config, stage_directory
from pipeline.drawing.plots import draw_song
from pipeline.errors import UserError
from pipeline.files import file_hash, read_json, write_json, write_text
from pipeline.progress import bar, duration, say
from pipeline.rendering.lrc import lrc_text
from pipeline.rendering.midi import write_midi
from pipeline.rendering.mix import Mix, mix_song
from pipeline.rendering.musicxml import write_score
from pipeline.rendering.vocal.singing import check_vocal
from pipeline.settings.audio import RenderSettings
from pipeline.songs.song import Song, song_paths
from pipeline.songs.sung_syllables import NO_LYRICS, SungSyllable, check_fits, read_alignment, seconds_of, with_words
from pipeline.stage_table import Outcome, Plan

SPEED = 10
"""Seconds of a song rendered in a second on one core of a slow machine; each sound file more costs a fifth."""
VOCAL_SPEED = 6
"""Seconds of a song sung in a second."""


def inputs(config: Config) -> dict[str, str]:
    """The user's SoundFont; also checks what can be checked before anything runs."""
    settings = config.render
    settings.check()
    if settings.compressed is not None and settings.compressed not in COMPRESSED:
        raise UserError(f"render.compressed must be {', '.join(COMPRESSED)} or null, not {settings.compressed}.")
    check_synth(settings.synth)
    if settings.vocal:
        check_vocal(settings.vocal_voice)
    path = soundfont_path(settings.soundfont)
    return {} if settings.soundfont is None else {"soundfont": file_hash(path)}


def plan(config: Config) -> Plan:
    """How much music there is. Every song file is read, so that a damaged one stops the stage before it begins."""
    songs = read_songs(config)
    seconds = sum(song.seconds + LONGEST_TAIL_SECONDS for song in songs)
    settings = config.render
    copies = 1 + settings.stems * len(config.tracks.tracks) + (settings.compressed is not None) + settings.vocal
    num_bytes = int(seconds * settings.sample_rate_hz * 4 * copies) + 3_000_000 * len(songs)
    needed = seconds * (1 + copies / 5) / SPEED + settings.vocal * seconds / VOCAL_SPEED
    return Plan(
        f"plays{' and sings' * settings.vocal} {len(songs)} song{'s' if len(songs) > 1 else ''} of {duration(seconds)} "
        f"in all with {settings.synth}; about {duration(needed)}.",
        num_bytes,
    )


def run(config: Config, directory: Path) -> Outcome:
    """Render all songs, check each WAV, and write the list of them."""
    songs = read_songs(config)
    titles = read_titles(stage_directory("lyrics", config) / "lyrics.json")
    alignment = read_alignment(stage_directory("lyrics", config) / "alignment.json")
    if config.render.vocal and not any(words.syllables for words in alignment.values()):
        raise UserError("render.vocal=true, but there are no words to sing: run +stage=lyrics first.")
    soundfont = soundfont_path(config.render.soundfont)
    first = titles.get(songs[0].number, config.name)
    entries, remarks = [], []
    for song in bar(songs, len(songs), "render", "songs"):
        name = file_name(song.number, titles.get(song.number))
        title = titles.get(song.number, f"Song {song.number}")
        words = alignment.get(song.number, NO_LYRICS).syllables
        check_fits(song, words)
        song = with_words(song, words)
        mix = mix_song(song, config.render, soundfont, words)
        tags = Tags(title, config.album.artist, config.album.title or first, song.number, len(songs))
        files = Writer(directory, name, tags, config.render).write(mix, words)
        measured, complaints = check_wav(
            directory / files["wav"],
            song.seconds,
            config.render.peak_dbfs,
            config.render.loudness_lufs,
            mix.track_lufs,
        )
        remarks += complaints
        entries.append(describe(song, title, files, mix) | _rounded(asdict(measured)))
    for remark in remarks:
        say(f"render: {remark}.")
    write_json(directory / "render.json", {"songs": entries, "remarks": remarks})
    return Outcome(facts={"songs": len(songs)}, notes={"remarks": remarks})


def read_songs(config: Config) -> list[Song]:
    """All songs that generate left, in order. A damaged one raises `UserError`."""
    return [Song.load(path) for path in song_paths(stage_directory("generate", config))]


def read_titles(path: Path) -> dict[int, str]:
    """The titles by song number, where lyrics were written."""
    if not path.exists():
        return {}
    try:
        return {int(song["number"]): str(song["title"]) for song in read_json(path)["songs"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not what the lyrics stage writes; run +stage=lyrics force=true.") from error


def file_name(number: int, title: str | None) -> str:
    """`03-salt-on-the-window`, or `03` without a title that has letters."""
    plain = unicodedata.normalize("NFKD", title or "").encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "")).strip("-")[:60].strip("-")
    return f"{number:02d}-{slug}" if slug else f"{number:02d}"


def describe(song: Song, title: str, files: dict[str, Any], mix: Mix) -> dict[str, Any]:
    """What later pages want to know of a song."""
    return {
        "number": song.number,
        "title": title,
        "files": files,
        "score_seconds": round(song.seconds, 2),
        "tempo_bpm": round(song.tempo_bpm, 1),
        "key": song.key,
        "form": song.form,
        "arrangement": song.arrangement,
        "sections": [[one.name, one.first_bar, one.num_bars] for one in song.sections],
        "track_lufs": _rounded(mix.track_lufs),
        "midi_volumes": dict(zip(song.spec.names, (round(127 * one) for one in mix.song.volumes), strict=True)),
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 2) for key, value in values.items()}


@dataclass(frozen=True)
class Writer:
    """Writes the files of one song."""

    directory: Path
    name: str
    tags: Tags
    settings: RenderSettings

    def write(self, mix: Mix, words: Sequence[SungSyllable]) -> dict[str, Any]:
        """Write everything; the files by kind, relative to the directory. `words` lie on the notes of the song."""
        song, settings, title = mix.song, self.settings, self.tags.title
        rate_hz = settings.sample_rate_hz
        files: dict[str, Any] = {kind: f"{self.name}.{kind}" for kind in ("mid", "wav", "png", "musicxml")}
        write_midi(self.directory / files["mid"], song, title, words)
        write_wav(self.directory / files["wav"], mix.sound, rate_hz)
        sections = [(one.role, one.first_bar, one.num_bars) for one in song.sections]
        draw_song(self.directory / files["png"], song.planes, song.spec, sections, title, song.tempo_map)
        write_score(self.directory / files["musicxml"], song, title, words)
        if words:
            files["lrc"] = f"{self.name}.lrc"
            named = {"ti": title, "ar": self.tags.artist, "al": self.tags.album}
            seconds = len(mix.sound) / rate_hz
            text = lrc_text(words, seconds_of(song, words), named, seconds, settings.word_times)
            write_text(self.directory / files["lrc"], text)
        if settings.compressed is not None:
            files[settings.compressed] = f"{self.name}.{settings.compressed}"
            path = self.directory / files[settings.compressed]
            write_compressed(path, mix.sound, rate_hz, settings.compressed, self.tags)
        if mix.stems:
            files["stems"] = {}
            for track, stem in mix.stems.items():
                files["stems"][track] = f"stems/{self.name}-{file_name(0, track)[3:] or 'track'}.wav"
                write_wav(self.directory / files["stems"][track], stem, rate_hz)
        return files

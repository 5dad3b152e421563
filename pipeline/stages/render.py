"""Songs to files that people can hear and read: `python -m pipeline +stage=render render.stems=true`.

Writes `NN-title.mid .wav .png .musicxml` a song, `.lrc` where it has words, on request stems and an MP3 or FLAC, and
`render.json`. Songs of another request than the album's, `render.request=given`, have no words.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.audio.files import COMPRESSED, Tags
from pipeline.audio.loudness import LONGEST_TAIL_SECONDS, check_wav
from pipeline.audio.synthesizers import check_synth, soundfont_path
from pipeline.config import Config, stage_directory
from pipeline.errors import UserError
from pipeline.files import file_hash, read_json, read_manifest, write_json
from pipeline.progress import bar, counted, duration, say
from pipeline.rendering.mix import Mix, mix_song
from pipeline.rendering.record import read_loops
from pipeline.rendering.song_files import file_name, write_song_files
from pipeline.rendering.vocal.singing import check_vocal
from pipeline.settings.generate import ALBUM
from pipeline.songs.song import Song, song_paths
from pipeline.songs.sung_syllables import NO_LYRICS, SungLyrics, check_fits, read_alignment, with_words
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
        f"plays{' and sings' * settings.vocal} {counted(len(songs), 'song')} of {duration(seconds)} "
        f"in all with {settings.synth}; about {duration(needed)}.",
        num_bytes,
    )


def run(config: Config, directory: Path) -> Outcome:
    """Render all songs, check each WAV, and write the list of them."""
    songs = read_songs(config)
    say_missing(len(songs), config)
    titles, alignment = read_words(config)
    if config.render.vocal and not any(words.syllables for words in alignment.values()):
        raise UserError(
            "render.vocal=true, but these songs have no words to sing: +stage=lyrics writes those of the album."
        )
    soundfont = soundfont_path(config.render.soundfont)
    first = titles.get(songs[0].number, config.name)
    entries, remarks = [], []
    for song in bar(songs, len(songs), "render", "songs"):
        name = file_name(song.number, titles.get(song.number))
        title = titles.get(song.number, f"Song {song.number}")
        words = alignment.get(song.number, NO_LYRICS).syllables
        check_fits(song, words)
        song = with_words(song, words)
        loops = read_loops(song, stage_directory("generate", config) / "songs")
        mix = mix_song(song, config.render, soundfont, words, loops)
        tags = Tags(title, config.album.artist, config.album.title or first, song.number, len(songs))
        files = write_song_files(directory, name, mix, words, tags, config.render)
        measured, complaints = check_wav(
            directory / files["wav"],
            song.seconds,
            config.render.peak_dbfs,
            config.render.loudness_lufs,
            mix.track_lufs,
        )
        remarks += complaints
        entries.append(render_entry(song, title, files, mix) | _rounded(asdict(measured)))
    for remark in remarks:
        say(f"render: {remark}.")
    write_json(directory / "render.json", {"songs": entries, "remarks": remarks})
    say(f"render: {counted(len(songs), 'song')}: {stage_directory('render', config)}")
    return Outcome(facts={"songs": len(songs)}, notes={"remarks": remarks})


def read_songs(config: Config) -> list[Song]:
    """All songs that generate left, in order. A damaged one raises `UserError`."""
    return [Song.load(path) for path in song_paths(stage_directory("generate", config))]


def say_missing(num_songs: int, config: Config) -> None:
    """Print that songs were taken away since they were made."""
    place = stage_directory("generate", config)
    manifest = read_manifest(place)
    made = num_songs if manifest is None else int(manifest.facts.get("songs", num_songs))
    if num_songs < made:
        say(f"render: {place} holds {num_songs} of the {counted(made, 'song')} that were made.")


def read_words(config: Config) -> tuple[dict[int, str], dict[int, SungLyrics]]:
    """Titles and words by song number: the album's songs have them, unless they were written for other songs."""
    if (config.generate.request or ALBUM) != ALBUM:
        return {}, {}
    place = stage_directory("lyrics", config)
    lyrics, songs = read_manifest(place), read_manifest(stage_directory("generate", config))
    if lyrics and songs and lyrics.inputs.get("generate", songs.fingerprint) != songs.fingerprint:
        say(
            f"render: the words in {place} were written for other songs, and these are rendered without. Words for "
            f"them, and their page: python -m pipeline +stage=album name={config.name}"
        )
        return {}, {}
    return read_titles(place / "lyrics.json"), read_alignment(place / "alignment.json")


def read_titles(path: Path) -> dict[int, str]:
    """The titles by song number, where lyrics were written."""
    if not path.exists():
        return {}
    try:
        return {int(song["number"]): str(song["title"]) for song in read_json(path)["songs"]}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not what the lyrics stage writes; run +stage=lyrics force=true.") from error


def render_entry(song: Song, title: str, files: dict[str, Any], mix: Mix) -> dict[str, Any]:
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
        "records": [loop.description for loop in song.loops],
        "track_lufs": _rounded(mix.track_lufs),
        "midi_volumes": dict(zip(song.spec.names, (round(127 * one) for one in mix.song.volumes), strict=True)),
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 2) for key, value in values.items()}

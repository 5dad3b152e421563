"""Songs to files that people can hear and read: `python -m pipeline +stage=render render.stems=true`.

Writes `NN-title.mid .wav .png .musicxml` a song, `.lrc` where it has words, on request stems, an MP3 or FLAC and
projects of audio workstations, and `render.json`. Songs that did not change keep their files. Songs of another request
than the album's, `render.request=given`, have no words.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.audio.files import COMPRESSED, Tags
from pipeline.audio.loudness import LONGEST_TAIL_SECONDS, check_wav
from pipeline.audio.synthesizers import check_synth, soundfont_path
from pipeline.config import Config, flatten, stage_directory
from pipeline.errors import UserError
from pipeline.files import file_hash, fingerprint, read_json, read_manifest, settings_of, write_json
from pipeline.progress import bar, counted, duration, say
from pipeline.rendering.daw.project_files import write_projects
from pipeline.rendering.finished_songs import MADE_FROM, SONG_LIST, bring_files, finished_songs
from pipeline.rendering.mix import Mix, mix_song
from pipeline.rendering.record import read_loops
from pipeline.rendering.song_files import file_name, write_song_files
from pipeline.rendering.vocal.singing import check_vocal
from pipeline.settings.generate import ALBUM
from pipeline.songs.song import Song, song_paths
from pipeline.songs.sung_syllables import NO_LYRICS, SungLyrics, SungSyllable, check_fits, read_alignment, with_words
from pipeline.stage_table import STAGES, Outcome, Plan

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
    songs = songs_to_render(config)
    finished = finished_entries(config)
    fresh = [one for one in songs if one.made_from not in finished]
    played, in_all = (sum(one.song.seconds + LONGEST_TAIL_SECONDS for one in part) for part in (fresh, songs))
    settings = config.render
    stems = (settings.stems + len(settings.projects)) * len(config.tracks.tracks)
    copies = 1 + stems + (settings.compressed is not None) + settings.vocal
    num_bytes = int(in_all * settings.sample_rate_hz * 4 * copies) + 3_000_000 * len(songs)
    if not fresh:
        return Plan(f"takes the files of {counted(len(songs), 'song')} as they are.", num_bytes)
    needed = played * (1 + copies / 5) / SPEED + settings.vocal * played / VOCAL_SPEED
    stay = len(songs) - len(fresh)
    return Plan(
        f"plays{' and sings' * settings.vocal} {counted(len(fresh), 'song')} of {duration(played)} "
        f"in all with {settings.synth}; about {duration(needed)}"
        + f"; {counted(stay, 'song')} stay{'s' * (stay == 1)} as before" * bool(stay)
        + ".",
        num_bytes,
    )


def run(config: Config, directory: Path) -> Outcome:
    """Render all songs that are not there yet, check each WAV, and write the list of all."""
    songs, finished = songs_to_render(config), finished_entries(config)
    say_missing(len(songs), config)
    say_other_words(config)
    if config.render.vocal and not any(one.words for one in songs):
        raise UserError(
            "render.vocal=true, but these songs have no words to sing: +stage=lyrics writes those of the album."
        )
    entries = {one.made_from: finished[one.made_from] for one in songs if one.made_from in finished}
    for entry in entries.values():
        bring_files(entry, stage_directory("render", config), directory)
    fresh = [one for one in songs if one.made_from not in entries]
    for one in bar(fresh, len(fresh), "render", "songs"):
        entries[one.made_from] = render_song(one, config, directory)
    listed = [entries[one.made_from] for one in songs]
    remarks = [remark for entry in listed for remark in entry["remarks"]]
    for remark in remarks:
        say(f"render: {remark}.")
    write_json(directory / SONG_LIST, {"songs": listed, "remarks": remarks})
    say(f"render: {counted(len(songs), 'song')}: {stage_directory('render', config)}")
    return Outcome(facts={"songs": len(songs)}, notes={"remarks": remarks})


@dataclass(frozen=True, eq=False)
class SongToRender:
    """A song with its words and titles, and the fingerprint of all that its files depend on."""

    song: Song
    words: tuple[SungSyllable, ...]
    tags: Tags
    name: str
    made_from: str


def songs_to_render(config: Config) -> list[SongToRender]:
    """All songs that generate left, in order. A damaged one raises `UserError`, as do words of other music."""
    paths = song_paths(stage_directory("generate", config))
    songs = [Song.load(path) for path in paths]
    titles, alignment = read_words(config)
    first = titles.get(songs[0].number, config.name)
    settings = settings_of(flatten(config), ("render",))
    read = inputs(config)
    found = []
    for path, song in zip(paths, songs, strict=True):
        words = tuple(alignment.get(song.number, NO_LYRICS).syllables)
        check_fits(song, words)
        title = titles.get(song.number)
        album = config.album.title or first
        tags = Tags(title or f"Song {song.number}", config.album.artist, album, song.number, len(songs))
        shown = asdict(tags) if config.render.compressed else asdict(tags) | {"total": 0}  # no other file tells it
        sounds = [file_hash(path.parent / loop.sound) for loop in song.loops]
        made_from = [STAGES["render"].format, settings, read, file_hash(path), sounds, title, shown]
        made_from.append([asdict(one) for one in words])
        name = file_name(song.number, title)
        found.append(SongToRender(with_words(song, words), words, tags, name, fingerprint(made_from)))
    return found


def finished_entries(config: Config) -> dict[str, dict[str, Any]]:
    """What the list of the finished stage says of songs whose files are whole, by their fingerprints."""
    place = stage_directory("render", config)
    return {} if config.force else finished_songs(place, read_manifest(place))


def render_song(one: SongToRender, config: Config, directory: Path) -> dict[str, Any]:
    """Play a song, write its files and check its WAV; what the list says of it."""
    settings = config.render
    loops = read_loops(one.song, stage_directory("generate", config) / "songs")
    mix = mix_song(one.song, settings, soundfont_path(settings.soundfont), one.words, loops)
    files = write_song_files(directory, one.name, mix, one.words, one.tags, settings)
    files |= write_projects(directory, one.name, mix, one.tags, settings)
    limits = (settings.peak_dbfs, settings.loudness_lufs)
    measured, complaints = check_wav(directory / files["wav"], one.song.seconds, *limits, mix.track_lufs)
    entry = render_entry(one.song, one.tags.title, files, mix) | _rounded(asdict(measured))
    return entry | {"remarks": complaints, MADE_FROM: one.made_from}


def say_missing(num_songs: int, config: Config) -> None:
    """Print that songs were taken away since they were made."""
    place = stage_directory("generate", config)
    manifest = read_manifest(place)
    made = num_songs if manifest is None else int(manifest.facts.get("songs", num_songs))
    if num_songs < made:
        say(f"render: {place} holds {num_songs} of the {counted(made, 'song')} that were made.")


def read_words(config: Config) -> tuple[dict[int, str], dict[int, SungLyrics]]:
    """Titles and words by song number: the album's songs have them, unless they were written for other songs."""
    if (config.generate.request or ALBUM) != ALBUM or words_are_of_others(config):
        return {}, {}
    place = stage_directory("lyrics", config)
    return read_titles(place / "lyrics.json"), read_alignment(place / "alignment.json")


def words_are_of_others(config: Config) -> bool:
    """Whether the words were written for other songs than there are now."""
    lyrics = read_manifest(stage_directory("lyrics", config))
    songs = read_manifest(stage_directory("generate", config))
    return bool(lyrics and songs and lyrics.inputs.get("generate", songs.fingerprint) != songs.fingerprint)


def say_other_words(config: Config) -> None:
    """Print that the album's songs are rendered without the words there are, where these are of other songs."""
    if (config.generate.request or ALBUM) == ALBUM and words_are_of_others(config):
        say(
            f"render: the words in {stage_directory('lyrics', config)} were written for other songs, and these are "
            f"rendered without. Words for them, and their page: python -m pipeline +stage=album name={config.name}"
        )


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
        "gain_db": round(20 * math.log10(mix.gain), 2),
        "midi_volumes": dict(zip(song.spec.names, (round(127 * one) for one in mix.song.volumes), strict=True)),
    }


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 2) for key, value in values.items()}

"""The album: a folder that can be given away, with a page to listen to and everything it needs beside it.

`python -m pipeline +stage=album album.title="The Lost Tape" album.artist="Nobody"`

Writes `index.html`, `cover.png`, `structure.png`, `tracks/`, `training/`, `album.m3u` and `credits.txt`. With
`album.reroll=[3]` or `[3.chorus]` a song or a section of one is made anew first, see `pipeline.pages.album.rerolling`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config import stage_directory
from pipeline.dataset.store import open_store
from pipeline.dataset.whole_songs import real_songs
from pipeline.drawing.structure import draw_structure
from pipeline.evaluation.whole_songs.nearest import nearest_songs
from pipeline.files import read_json, read_manifest, write_text
from pipeline.pages.album.contents import bring_samples, bring_tracks, mean_recurrence, media_bytes, structures
from pipeline.pages.album.cover import draw_cover, theme_of
from pipeline.pages.album.credits import credit_rows, remake_command
from pipeline.pages.album.page import AlbumPage, credits_text, playlist, render_page
from pipeline.progress import counted, duration, say
from pipeline.songs.song import Song, song_paths
from pipeline.songs.sung_syllables import read_alignment
from pipeline.stage_table import Outcome, Plan

if TYPE_CHECKING:
    from pipeline.config import Config

OWN_BYTES = 4_000_000
"""Room for page, cover and plot."""
REAL_SONGS = 12
"""Songs of the data whose structure stands beside the album's."""


def inputs(config: Config) -> dict[str, str]:
    """Nothing but the artefacts of other stages."""
    return {}


def plan(config: Config) -> Plan:
    """The songs, and how much their media weigh."""
    songs = _rendered(config)
    text = f"puts {counted(len(songs), 'song')} on one page, with the words and how all was made."
    media = media_bytes(songs, stage_directory("render", config))
    pictures = stage_directory("train", config).rglob("*.[pm][np][g3]")
    training = sum(path.stat().st_size for path in pictures)
    return Plan(text, media + training + OWN_BYTES)


def run(config: Config, directory: Path) -> Outcome:
    """Gather the media, draw the cover, write the page."""
    songs = [Song.load(path) for path in song_paths(stage_directory("generate", config))]
    lyrics = read_json(stage_directory("lyrics", config) / "lyrics.json")
    sung = read_alignment(stage_directory("lyrics", config) / "alignment.json")
    named_songs = {song.number: song for song in songs}
    nearest = _nearest(songs, config)
    tracks = bring_tracks(
        _rendered(config),
        stage_directory("render", config),
        named_songs,
        lyrics,
        sung,
        nearest,
        directory,
        _kept(config),
    )
    samples, learning = bring_samples(stage_directory("train", config), directory)
    named = {track.number: track.title for track in tracks}
    made, real = structures(songs, named, real_songs(config, stage_directory("prepare", config), REAL_SONGS))
    draw_structure(directory / "structure.png", made, real)
    title = config.album.title or tracks[0].title
    records = [(named[song.number], loop.description) for song in songs for loop in song.loops if song.number in named]
    by_people = [(track.title, track.provenance.text) for track in tracks if track.provenance is not None]
    planes = [song.planes for song in songs]
    draw_cover(directory / "cover.png", planes, title, config.album.artist, config.seed)
    page = AlbumPage(
        title=title,
        artist=config.album.artist,
        cover="cover.png",
        theme=theme_of(planes, config.seed)[0],
        tracks=tracks,
        samples=samples,
        learning=learning,
        structure="structure.png",
        credits=credit_rows(config, records, by_people),
        command=remake_command(config),
    )
    write_text(directory / "index.html", render_page(page))
    write_text(directory / "album.m3u", playlist(page))
    write_text(directory / "credits.txt", credits_text(page))
    place = (stage_directory("album", config) / "index.html").resolve()
    say(f"album: {title}, {counted(len(tracks), 'song')}, {duration(page.seconds)}.")
    say(f"album: to listen, open it in a browser: {place.as_uri()}")
    returning = {"made": mean_recurrence(made), "real": mean_recurrence(real)}
    return Outcome(notes={"title": title, "seconds": round(page.seconds, 1), "recurrence": returning})


def _nearest(songs: list[Song], config: Config) -> dict[int, str]:
    """By number, how near each song is to its nearest training song, in words; nothing where the set is gone."""
    directory = stage_directory("prepare", config)
    if not directory.is_dir():
        return {}
    found, unseen = nearest_songs(open_store(directory), [song.planes for song in songs])
    beside = f" (of unseen songs {100 * unseen:.0f} % are in one)" if unseen is not None else ""
    return {song.number: one.words + beside for song, one in zip(songs, found, strict=True)}


def _kept(config: Config) -> set[int]:
    """Numbers of the songs that were kept in the studio."""
    made = read_manifest(stage_directory("generate", config))
    return {int(song["number"]) for song in made.notes.get("songs", ()) if song.get("kept")} if made else set()


def _rendered(config: Config) -> list[dict[str, Any]]:
    """What `render` says of its songs, in order."""
    songs = read_json(stage_directory("render", config) / "render.json")["songs"]
    return sorted(songs, key=lambda song: int(song["number"]))

"""The album: a folder that can be given away, with a page to listen to and everything it needs beside it.

`python -m pipeline +stage=album album.title="The Lost Tape" album.artist="Nobody"`

Writes `index.html`, `cover.png`, `tracks/`, `training/`, `album.m3u` and `credits.txt`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.album.cover import draw_cover, theme_of
from pipeline.album.credits import credit_rows, remake_command
from pipeline.album.gathering import bring_samples, bring_tracks, media_bytes
from pipeline.album.page import Page, credits_text, playlist, render_page
from pipeline.artefacts import read_json, write_text
from pipeline.contract import Outcome, Plan
from pipeline.music.song import Song, song_paths
from pipeline.places import stage_directory
from pipeline.progress import duration, say

if TYPE_CHECKING:
    from pipeline.config import Config

OWN_BYTES = 3_000_000
"""Room for page and cover."""


def inputs(config: Config) -> dict[str, str]:
    """Nothing but the artefacts of other stages."""
    return {}


def plan(config: Config) -> Plan:
    """The songs, and how much their media weigh."""
    songs = _rendered(config)
    text = f"puts {len(songs)} songs, their words and how they were made on one page."
    media = media_bytes(songs, stage_directory("render", config))
    pictures = stage_directory("train", config).rglob("*.[pm][np][g3]")
    training = sum(path.stat().st_size for path in pictures)
    return Plan(text, media + training + OWN_BYTES)


def run(config: Config, directory: Path) -> Outcome:
    """Gather the media, draw the cover, write the page."""
    songs = [Song.load(path) for path in song_paths(stage_directory("generate", config))]
    lyrics = read_json(stage_directory("lyrics", config) / "lyrics.json")
    tracks = bring_tracks(
        _rendered(config), stage_directory("render", config), {song.number: song for song in songs}, lyrics, directory
    )
    samples, learning = bring_samples(stage_directory("train", config), directory)
    title = config.album.title or tracks[0].title
    planes = [song.planes for song in songs]
    draw_cover(directory / "cover.png", planes, title, config.album.artist, config.seed)
    page = Page(
        title=title,
        artist=config.album.artist,
        cover="cover.png",
        theme=theme_of(planes, config.seed)[0],
        tracks=tracks,
        samples=samples,
        learning=learning,
        credits=credit_rows(config),
        command=remake_command(config),
    )
    write_text(directory / "index.html", render_page(page))
    write_text(directory / "album.m3u", playlist(page))
    write_text(directory / "credits.txt", credits_text(page))
    place = (stage_directory("album", config) / "index.html").resolve()
    say(f"album: {title}, {len(tracks)} songs, {duration(page.seconds)}.")
    say(f"album: to listen, open it in a browser: {place.as_uri()}")
    return Outcome(notes={"title": title, "seconds": round(page.seconds, 1)})


def _rendered(config: Config) -> list[dict[str, Any]]:
    """What `render` says of its songs, in order."""
    songs = read_json(stage_directory("render", config) / "render.json")["songs"]
    return sorted(songs, key=lambda song: int(song["number"]))

"""Keeping a song of the studio: it becomes part of the album, with its words, and the album is brought up to date."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from pipeline.build import Builder
from pipeline.config import Config, as_made, stage_directory
from pipeline.files import atomic_path
from pipeline.pages.gallery.page import write_gallery
from pipeline.songs.song import Song
from pipeline.stage_table import upstream_of
from pipeline.studio.kept.kept_songs import kept_path
from pipeline.studio.session.words import StudioWords, WordsDraft

STAGE = "album"


def keep(config: Config, song: Song, title: str | None, progress: Callable[[str], None]) -> None:
    """Make a song part of the album, and bring the album up to date.

    Once the song's file is written it is kept, whatever happens after: the next `+stage=album` goes on from there.

    Parameters
    ----------
    config
        Of the studio. The album keeps the settings that its stages were made with.
    song
        Takes the place of the album's song of the same number, or is a further one.
    title
        None leaves it as it is.
    progress
        Is told in a sentence what is being done.

    Raises
    ------
    UserError
        A stage can't run; the song is kept all the same.
    """
    path = kept_path(config, song.number)
    _keep_words(config, stage_directory("generate", config) / "songs" / path.name, song.number, title)
    keep_song(config, song)
    progress(f"Song {song.number} is kept in {path}.")
    made = as_made(config, STAGE, upstream_of(STAGE))
    made.force, made.upstream = False, "run"
    made.lyrics.interactive = False  # what was written together is in the session, and nobody is at a terminal
    progress("The album is brought up to date.")
    Builder(made).build(STAGE)
    write_gallery(Path("outputs"))
    progress("The album is up to date.")


def keep_song(config: Config, song: Song) -> None:
    """Write the song's file, and beside it the loops of old records that it plays: from then on it is kept."""
    path = kept_path(config, song.number)
    _keep_sounds(song, stage_directory("generate", config) / "songs", path.parent)
    song.save(path)


def _keep_words(config: Config, before: Path, number: int, title: str | None) -> None:
    """Write title and words of a song to the session of the lyrics, where lines stay that fit the song.

    `before` is the album's song for which the words were written.
    """
    words = StudioWords(config)
    taken = words.session.songs.get(number)
    if title is not None and (taken is None or taken.title != title):
        words.set_title(number, title)
    if before.is_file() and (taken is None or not taken.lines):
        song = Song.load(before)
        WordsDraft(words, lambda: song).pin()


def _keep_sounds(song: Song, source: Path, target: Path) -> None:
    """Copy the loops of old records that a song plays beside its kept file."""
    for loop in song.loops:
        if (source / loop.sound).is_file():
            with atomic_path(target / loop.sound) as temporary:
                shutil.copyfile(source / loop.sound, temporary)

"""Keeping a song of the studio: it becomes part of the album, which is brought up to date.

A song that is kept lies in `outputs/NAME/studio/kept/NN.npz`. The stage `generate` takes it in place of the song that
it would make of that number; what goes beyond the album's songs is a further song. Without its file the song is made
as ever.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gan.spec import RollSpec
from pipeline.build import Builder
from pipeline.config import Config, as_made, stage_directory
from pipeline.errors import UserError
from pipeline.files import atomic_path
from pipeline.pages.gallery.page import write_gallery
from pipeline.settings.song_requests import run_directory
from pipeline.songs.song import Song
from pipeline.stage_table import upstream_of

ALBUM_STAGE = "album"


def kept_path(config: Config, number: int) -> Path:
    """Where song `number` of the album lies when it is kept."""
    return run_directory("studio", config.name) / "kept" / f"{number:02d}.npz"


def kept_songs(config: Config) -> dict[int, Path]:
    """The files of all kept songs by number, in order."""
    paths = kept_path(config, 0).parent.glob("*.npz")
    return {int(path.stem): path for path in sorted(paths) if path.stem.isdecimal()}


def load_kept(path: Path, spec: RollSpec) -> Song:
    """A kept song.

    Raises
    ------
    UserError
        It is damaged or of another number than its file, or its tracks and grid are not those of `spec`.
    """
    without = f"remove {path}, and the album has the song that its settings make"
    try:
        song = Song.load(path)
    except UserError as error:
        raise UserError(f"{path}, a song that was kept in the studio, can't be read: {without}.") from error
    if replace(song.spec, lowest_pitch=spec.lowest_pitch, num_pitches=spec.num_pitches) != spec:
        raise UserError(f"{path} was kept when the album was of another model, with other tracks or metre: {without}.")
    if song.number != int(path.stem):
        raise UserError(f"{path} holds song {song.number}: name it {song.number:02d}.npz, or remove it.")
    return song


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
        The person's; None leaves it as it is.
    progress
        Is told in a sentence what is being done.

    Raises
    ------
    UserError
        A stage can't run; the song is kept all the same.
    """
    path = kept_path(config, song.number)
    _keep_sounds(song, stage_directory("generate", config) / "songs", path.parent)
    song.save(path)
    progress(f"Song {song.number} is kept in {path}.")
    made = as_made(config, ALBUM_STAGE, upstream_of(ALBUM_STAGE))
    progress("The album is brought up to date.")
    made.force, made.upstream = False, "run"
    made.lyrics.interactive = False  # nobody is at a terminal, and the lines that were taken stay
    Builder(made).build(ALBUM_STAGE)
    write_gallery(Path("outputs"))
    progress("The album is up to date.")


def _keep_sounds(song: Song, source: Path, target: Path) -> None:
    """Copy the loops of old records that a song plays beside its kept file."""
    for loop in song.loops:
        if (source / loop.sound).is_file():
            with atomic_path(target / loop.sound) as temporary:
                shutil.copyfile(source / loop.sound, temporary)

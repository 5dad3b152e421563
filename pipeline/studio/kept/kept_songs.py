"""Songs that were kept in the studio, `outputs/NAME/studio/kept/NN.npz`: the album's, in place of those it would make.

What goes beyond the album's songs is a further song. Without its file a song is made by the settings, as ever.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gan.spec import RollSpec
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.settings.song_requests import run_directory
from pipeline.songs.song import Song


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

"""Songs from a trained generator: `python -m pipeline +stage=generate generate.songs=8 generate.key="G major"`.

Writes `songs/NN.npz`, one a song; see `pipeline.music.song`.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.config import Config
from pipeline.contract import Outcome, Plan
from pipeline.devices import prepare_torch
from pipeline.errors import UserError
from pipeline.music.arranging import read_key
from pipeline.music.form import pick_form
from pipeline.music.song_maker import SongMaker
from pipeline.places import stage_directory
from pipeline.progress import bar, duration


def inputs(config: Config) -> dict[str, str]:
    """Nothing but the checkpoint."""
    check(config)
    return {}


def check(config: Config) -> None:
    """Raise `UserError` naming the key when a setting cannot work."""
    settings = config.generate
    for key, low, high in (("songs", 1, 99), ("candidates", 1, 4096), ("variation", 0, 1), ("humanize", 0, 1)):
        value = getattr(settings, key)
        if not low <= value <= high:
            raise UserError(f"generate.{key} must lie between {low} and {high}, not {value}.")
    if settings.tempo_bpm is not None and not 20 <= settings.tempo_bpm <= 400:
        raise UserError(f"generate.tempo_bpm must lie between 20 and 400, not {settings.tempo_bpm:g}.")
    if settings.key is not None:
        read_key(settings.key)
    if not config.tracks.arrangements:
        raise UserError(f"conf/tracks/{config.tracks.name}.yaml names no arrangement; add one.")
    pick_form(settings.form, 1)


def plan(config: Config) -> Plan:
    """How many songs of which length."""
    settings = config.generate
    return Plan(
        f"makes {settings.songs} songs of {settings.min_seconds:g} to {settings.max_seconds:g} s, choosing each phrase "
        f"among {settings.candidates}; about {duration(2 + settings.songs * (1 + settings.candidates / 16))}.",
        400_000 * settings.songs,
    )


def run(config: Config, directory: Path) -> Outcome:
    """Make all songs."""
    prepare_torch(config)
    maker = SongMaker(config, stage_directory("train", config) / "checkpoint.pt")
    numbers = range(1, config.generate.songs + 1)
    songs = []
    for number in bar(numbers, len(numbers), "generate", "songs"):
        song = maker.make(number)
        song.save(directory / "songs" / f"{number:02d}.npz")
        songs.append(
            {
                "number": number,
                "key": song.key,
                "tempo_bpm": round(song.tempo_bpm, 1),
                "form": song.form,
                "arrangement": song.arrangement,
                "bars": song.num_bars,
                "seconds": round(song.seconds, 1),
            }
        )
    return Outcome(facts={"songs": len(songs)}, notes={"songs": songs})

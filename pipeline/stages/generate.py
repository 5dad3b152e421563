"""Songs from a trained generator: `python -m pipeline +stage=generate generate.songs=8 generate.key="G major"`.

From nothing, around notes that are given (`generate.given`), or phrases to explore the latent space
(`generate.like`, `generate.interpolate`), or songs on loops of old records (`generate.flip`). Writes `songs/NN.npz`,
one a song, see `pipeline.songs.song`; of exploring one song of all phrases and a picture of them, `phrases.png`; of
records `loops/`, the loops found in them. Each request has a folder of its own, see `pipeline.settings.song_requests`.
Songs that were kept in the studio (`pipeline.studio.kept.kept_songs`) are the album's as they are; songs whose settings
and checkpoint are the same as before are not made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.files import write_fine_wav
from pipeline.config import Config, flatten, stage_directory
from pipeline.devices import prepare_torch
from pipeline.drawing.piano_rolls import draw_samples
from pipeline.errors import UserError
from pipeline.files import bring, file_hash, read_manifest, settings_of
from pipeline.formats import is_recording
from pipeline.progress import bar, counted, duration, say
from pipeline.scores.keys import key_name, read_key
from pipeline.settings.data import roll_spec
from pipeline.settings.generate import ALBUM, EXPLORE, request_kind
from pipeline.settings.metre import read_metre
from pipeline.settings.song_requests import render_command
from pipeline.songs.compose.song_composer import SongComposer
from pipeline.songs.compose.unchanged_songs import KEPT, unchanged_songs
from pipeline.songs.explore.explorer import Explorer
from pipeline.songs.flip.flip_request import check_flip, flipped_files
from pipeline.songs.form import check_lengths, pick_form
from pipeline.songs.given_song import given_path, plan_of_form
from pipeline.songs.inpaint.mask import check_something_asked
from pipeline.songs.inpaint.song_inpainter import SongInpainter, read_kept
from pipeline.songs.request import check_request, refuse_request
from pipeline.songs.song import Song, song_paths
from pipeline.stage_table import STAGES, Outcome, Plan
from pipeline.studio.kept.kept_songs import kept_songs, load_kept
from pipeline.transcription.cache import recording_of

BOUNDS = (
    ("songs", 1, 99),
    ("candidates", 1, 4096),
    ("variation", 0, 1),
    ("humanize", 0, 1),
    ("continue_bars", 1, 1000),
    ("distance", 0, 1),
    ("interpolate", 2, 64),
    ("from_bar", 1, 2000),
)
ONLY_WITH = (
    ("given", ("keep", "bars", "continue_bars")),
    ("like", ("from_bar",)),
    ("interpolate", ("towards",)),
    ("flip", ("loop",)),
)
"""Settings that mean nothing without the one in front."""


class SongMaker(Protocol):
    """Makes one song after the other."""

    def make(self, number: int) -> Song:
        """Song `number`, counted from 1."""


def inputs(config: Config) -> dict[str, str]:
    """The checkpoint, the files that are named, and the songs that were kept in the studio."""
    check(config)
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    for path in kept_of_request(config).values():
        load_kept(path, spec)
    settings = config.generate
    if settings.given is not None and not is_recording(given_path(settings.given, "generate.given").name):
        read_kept(config, spec)  # told before anything takes long
    files = {"given": settings.given, "like": settings.like}
    if settings.flip is not None:
        files |= {f"flip.{place}": path for place, path in enumerate(flipped_files(settings))}
    if settings.form is not None and Path(settings.form).suffix:
        files["form"] = settings.form
        if not is_recording(given_path(settings.form, "generate.form").name):
            plan_of_form(config, spec)
    if settings.towards is not None and not settings.towards.isdigit():
        files["towards"] = settings.towards
    found = {key: content_of(value, key, config) for key, value in files.items() if value is not None}
    return found | {f"{KEPT}{number:02d}": file_hash(path) for number, path in kept_of_request(config).items()}


def content_of(value: str, key: str, config: Config) -> str:
    """Fingerprint of the file that `generate.KEY` names; of a recording with what is known of it."""
    path = given_path(value, f"generate.{key.partition('.')[0]}")
    if not is_recording(path.name):
        return file_hash(path)
    metre = read_metre(config.data.metre)
    found = recording_of(path, config.transcribe, metre.beats_per_bar, quarters_per_beat=metre.quarters_per_beat)
    return found.directory.name


def check(config: Config) -> None:
    """Raise `UserError` naming the key when a setting cannot work."""
    settings = config.generate
    for key, low, high in BOUNDS:
        value = getattr(settings, key)
        if value is not None and not low <= value <= high:
            raise UserError(f"generate.{key} must lie between {low} and {high}, not {value}.")
    for main, others in ONLY_WITH:
        for key in others:
            if getattr(settings, main) is None and getattr(settings, key) is not None:
                raise UserError(f"generate.{key} means nothing without generate.{main}.")
    if settings.given is not None and (settings.like is not None or settings.interpolate is not None):
        raise UserError("generate.given makes songs; generate.like and generate.interpolate explore: give one of them.")
    if settings.given is not None:
        check_something_asked(settings)
    if settings.given is not None and settings.tempo_range_bpm is not None:
        raise UserError("generate.tempo_range_bpm: the song that is given has a tempo; generate.tempo_bpm replaces it.")
    check_flip(settings)
    check_request(settings, roll_spec(config.roll, config.tracks, config.data.metre))
    if config.model.design != "albumgan":
        refuse_request(settings, config.model.design)
    if not config.tracks.arrangements:
        raise UserError(f"conf/tracks/{config.tracks.name}.yaml names no arrangement; add one.")
    if settings.form is None or not Path(settings.form).suffix:
        pick_form(settings.form, 1)
    check_lengths(settings.min_seconds, settings.max_seconds)


def plan(config: Config) -> Plan:
    """What will be made, and how long it takes."""
    settings = config.generate
    if settings.interpolate is not None:
        return Plan(f"makes {counted(settings.interpolate, 'phrase')} on the way from one to another.", 400_000)
    if settings.like is not None:
        return Plan(f"makes {counted(settings.songs, 'phrase')} near one of {settings.like}; about a minute.", 400_000)
    sources = sources_of(config)
    num_songs, stay = len(sources.to_make), len(sources.kept) + len(sources.unchanged)
    if not num_songs:
        return Plan(f"takes {counted(stay, 'song')} as they are.", 400_000 * stay)
    beside = f"; {counted(stay, 'song')} stay{'s' * (stay == 1)} as {'it is' if stay == 1 else 'they are'}" * bool(stay)
    seconds = duration(2 + num_songs * (1 + settings.candidates / 16))
    if settings.given is not None:
        return Plan(
            f"makes {counted(num_songs, 'version')} around {settings.given}, the best of "
            f"{settings.candidates} for each half phrase; about {seconds} for a short song{beside}.",
            800_000 * (num_songs + stay),
        )
    return Plan(
        f"makes {counted(num_songs, 'song')} of {settings.min_seconds:g} to {settings.max_seconds:g} s, the best "
        f"of {settings.candidates} for each phrase; about {seconds}{beside}.",
        400_000 * (num_songs + stay),
    )


def run(config: Config, directory: Path) -> Outcome:
    """Make the songs that are not there yet, and take the others as they are."""
    prepare_torch(config)
    if request_kind(config.generate) == EXPLORE:
        return explore(config, directory)
    sources, place = sources_of(config), directory / "songs"
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    for path in sources.unchanged.values():
        bring_song(Song.load(path), path, place)
    for path in sources.kept.values():
        bring_song(load_kept(path, spec), path, place)
    if sources.to_make:
        make_songs(config, sources.to_make, directory)
    elif config.generate.flip is not None:
        for path in (stage_directory("generate", config) / "loops").iterdir():
            bring(path, directory / "loops" / path.name)
    made = [Song.load(path) for path in song_paths(directory)]
    songs = [song_facts(song, song.number in sources.kept) for song in made]
    around = f" around {Path(config.generate.given).name}" if config.generate.given is not None else ""
    say_where(config, counted(len(songs), "song") + around)
    return Outcome(facts={"songs": len(songs)}, notes={"songs": songs})


def explore(config: Config, directory: Path) -> Outcome:
    """Make phrases on a way through the latent space, as one song, and a picture of them."""
    explorer = Explorer(config, stage_directory("train", config) / "checkpoint.pt")
    song = explorer.explore()
    for remark in explorer.remarks:
        say(f"generate: {remark}")
    song.save(directory / "songs" / "01.npz")
    phrases = np.stack(np.split(song.planes, len(song.sections), axis=2))
    draw_samples(directory / "phrases.png", phrases, song.spec, song.form)
    say_where(config, f"{counted(len(phrases), 'phrase')} as one song, and a picture of them")
    return Outcome(facts={"songs": 1}, notes={"songs": [song_facts(song)]})


def make_songs(config: Config, numbers: Sequence[int], directory: Path) -> None:
    """Make songs of these numbers, with the loops of old records that they play."""
    settings, checkpoint = config.generate, stage_directory("train", config) / "checkpoint.pt"
    maker: SongMaker
    if settings.given is not None:
        maker = SongInpainter(config, checkpoint)
        for remark in maker.given.remarks:
            say(f"generate: {remark}")
    else:
        maker = SongComposer(config, checkpoint)
        if maker.flips is not None:
            maker.flips.write(directory / "loops")
    wanted = None if settings.key is None else key_name(read_key(settings.key))
    for number in bar(numbers, len(numbers), "generate", "songs"):
        song = maker.make(number)
        song.save(directory / "songs" / f"{number:02d}.npz")
        if isinstance(maker, SongComposer):
            for loop, sound in zip(song.loops, maker.loop_sounds(number), strict=True):
                write_fine_wav(directory / "songs" / loop.sound, sound, SAMPLE_RATE_HZ)
        if song.loops and wanted not in (None, song.key):
            say(f"generate: song {number} is in {song.key}, with the accidentals of {wanted}, as its record's mode is.")


@dataclass(frozen=True)
class SongSources:
    """Where the songs of a request come from, by number.

    Attributes
    ----------
    kept
        Files of songs that were kept in the studio.
    unchanged
        Files of songs of the finished artefact that would come out the same.
    to_make
        All others.
    """

    kept: dict[int, Path]
    unchanged: dict[int, Path]
    to_make: tuple[int, ...]


def sources_of(config: Config) -> SongSources:
    """Which songs are kept, which stay as they are, and which are to be made."""
    stage, directory, kept = STAGES["generate"], stage_directory("generate", config), kept_of_request(config)
    wanted = [number for number in range(1, config.generate.songs + 1) if number not in kept]
    train, unchanged = read_manifest(stage_directory("train", config)), dict[int, Path]()
    if train is not None and not config.force:
        read = inputs(config) | {"train": train.fingerprint}
        settings = settings_of(flatten(config), stage.groups)
        unchanged = unchanged_songs(read_manifest(directory), directory, settings, read, stage.format, wanted)
    return SongSources(kept, unchanged, tuple(number for number in wanted if number not in unchanged))


def kept_of_request(config: Config) -> dict[int, Path]:
    """Files of the songs kept in the studio, by number: they are the album's, and of no other request."""
    return kept_songs(config) if (config.generate.request or ALBUM) == ALBUM else {}


def bring_song(song: Song, source: Path, place: Path) -> None:
    """Put a song that is there to the others, with the loops of old records that lie beside its file."""
    bring(source, place / f"{song.number:02d}.npz")
    for loop in song.loops:
        bring(source.parent / loop.sound, place / loop.sound)


def say_where(config: Config, what: str) -> None:
    """Print where the songs lie, and the command that plays them where nothing else is about to."""
    request = config.generate.request or ALBUM
    text = f"generate: {what}: {stage_directory('generate', config)}"
    hint = f". To hear: {render_command(config.name, request)}" if config.stage == "generate" else ""
    say(text + hint)


def song_facts(song: Song, is_kept: bool = False) -> dict[str, str | float]:
    """What later pages want to know of a song; whether it was kept in the studio."""
    facts: dict[str, str | float] = {
        "number": song.number,
        "key": song.key,
        "tempo_bpm": round(song.tempo_bpm, 1),
        "form": song.form,
        "arrangement": song.arrangement,
        "bars": song.num_bars,
        "seconds": round(song.seconds, 1),
    }
    return facts | {"kept": True} if is_kept else facts

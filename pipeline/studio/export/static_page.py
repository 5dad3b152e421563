"""A page for any static host: the album's songs, and the networks with which a browser makes more.

`studio.export=DIR` writes it. All that it needs lies beside it, but for onnxruntime-web where the npm package is not
there: then the page loads that from a pinned address.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import soundfile

from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from pipeline.audio.files import Tags, write_compressed
from pipeline.audio.synthesizers import check_synth, soundfont_path
from pipeline.config import Config, stage_directory
from pipeline.errors import UserError
from pipeline.files import atomic_path, read_json
from pipeline.rendering.song_files import file_name
from pipeline.songs.song import Song, song_paths
from pipeline.songs.trained_model import TrainedModel, load_trained_model
from pipeline.studio.export.networks import CANDIDATES, discriminator_model, sampler_model
from pipeline.studio.export.note_bank import SampledInstrument, instruments_of, write_bank
from pipeline.studio.export.page_data import gains_of, model_values, song_values
from pipeline.studio.export.runtime import Runtime, bring_runtime, find_package

OWN_PAGE = Path(__file__).parent / "page"
SHARED_PAGE = Path(__file__).parent.parent / "page"
SHARED = ("dom.js", "roll.js", "selection.js", "studio.css")
"""What the page has in common with that of the studio."""
BANKS, SOUNDS = "notes", "songs"
"""Folders of the page."""
SMALL_BYTES = 20_000_000
"""All but the runtime and the songs' sound is to be no larger."""


def export_page(config: Config, directory: Path) -> None:
    """Write the page of a run into `directory`, which may be there already.

    Parameters
    ----------
    config
        All settings; the run has been trained, and its songs are there.
    directory
        Where the page goes.

    Raises
    ------
    UserError
        There are no networks or songs, or they are of a kind that a browser can't run.
    """
    package = find_package(config.studio.runtime)
    check_synth(config.render.synth)
    soundfont = soundfont_path(config.render.soundfont)
    model = load_trained_model(config, stage_directory("train", config) / "checkpoint.pt")
    songs = [Song.load(path) for path in song_paths(stage_directory("generate", config))]
    generator, discriminator = model.generator, model.discriminator
    if not isinstance(generator, Generator) or not isinstance(discriminator, Discriminator):
        raise UserError(
            f"studio.export: model.design={config.model.design} can't make music around what is there, as the page "
            "does; give the name= of a run of model=default."
        )
    directory.mkdir(parents=True, exist_ok=True)
    before = sounds_of(directory)
    print(f"studio: writes a page that needs no server to {directory}.", flush=True)
    onnx.save(sampler_model(generator.cpu()), directory / "sampler.onnx")
    onnx.save(discriminator_model(discriminator.cpu(), generator.pitch_range), directory / "discriminator.onnx")
    found = bring_runtime(package, directory)
    (directory / "examples.bin").write_bytes(generator.examples.numpy().astype("<f4").tobytes())
    banks = _write_banks(songs, model, generator, soundfont, config.render.synth, directory / BANKS)
    values = model_values(model, generator, float(config.generate.chord_strength))
    values |= {"candidates": CANDIDATES, "runtime": found.to_dict(), "instruments": banks}
    written = _write_songs(songs, config, soundfont, directory)
    title = config.album.title or written[0]["title"]
    values["album"] = {"title": title, "artist": config.album.artist, "name": config.name}
    _write_json(directory / "model.json", values)
    _write_json(directory / "songs.json", written)
    for path in before - sounds_of(directory):
        path.unlink(missing_ok=True)
    _copy_page(directory)
    print(f"studio: {_told(directory, found)}", flush=True)


def _write_banks(
    songs: Sequence[Song], model: TrainedModel, generator: Generator, soundfont: Path, synth: str, directory: Path
) -> dict[str, Any]:
    """A bank for each instrument of the songs, and what the page has to know of them, by their keys."""
    directory.mkdir(exist_ok=True)
    banks = {}
    for instrument in _instruments(songs, model, generator):
        path = directory / _bank_name(instrument.key)
        banks[instrument.key] = write_bank(path, instrument, soundfont, synth)
    return banks


def _bank_name(key: str) -> str:
    """The file of an instrument's bank."""
    return f"{key.replace(' ', '-')}.mp3"


def _instruments(songs: Sequence[Song], model: TrainedModel, generator: Generator) -> list[SampledInstrument]:
    """The instruments of the songs' tracks with all pitches that those play or may play."""
    spec, programs, drums = generator.spec, [], set[int]()
    for index, (track, low) in enumerate(zip(spec.tracks, generator.lowest_pitches, strict=True)):
        lowest = spec.lowest_pitch + low
        if track.is_drum:
            drums |= {spec.lowest_pitch + pitch for pattern in model.statistics.patterns[index] for pitch in pattern}
        for song in songs:
            played = song.notes["pitch"][song.notes["track"] == index]
            low_end = min([lowest, *played.tolist()])
            high_end = max([lowest + generator.pitch_range - 1, *played.tolist()])
            programs.append((song.programs[index], track.is_drum, low_end, high_end))
            if track.is_drum:
                drums |= set(played.tolist())
    return instruments_of(programs, sorted(drums))


def _write_songs(songs: Sequence[Song], config: Config, soundfont: Path, directory: Path) -> list[dict[str, Any]]:
    """The songs with their finished sound as MP3 where the stage `render` left one."""
    place = stage_directory("render", config)
    rendered = {one["number"]: one for one in read_json(place / "render.json")["songs"]} if place.is_dir() else {}
    (directory / SOUNDS).mkdir(exist_ok=True)
    written = []
    for song in songs:
        known = rendered.get(song.number, {})
        title = known.get("title") or f"Song {song.number}"
        sound = _bring_sound(known.get("files", {}), place, directory / SOUNDS, song, title, config, len(songs))
        gains = gains_of(song, known.get("midi_volumes"), config.render, soundfont)
        written.append(song_values(song, title, gains, f"{SOUNDS}/{sound}" if sound else None))
    return written


def _bring_sound(
    files: Mapping[str, Any], place: Path, target: Path, song: Song, title: str, config: Config, total: int
) -> str | None:
    """The finished sound of a song, copied or compressed; its name, None where there is none."""
    path = target / f"{file_name(song.number, title)}.mp3"
    for kind in ("mp3", "flac", "wav"):
        if kind in files and (place / files[kind]).is_file():
            if kind == "mp3":
                shutil.copyfile(place / files[kind], path)
            else:
                sound, rate_hz = soundfile.read(place / files[kind], dtype="float32", always_2d=True)
                tags = Tags(title, config.album.artist, config.album.title or title, song.number, total)
                write_compressed(path, sound, rate_hz, "mp3", tags)
            return path.name
    return None


def sounds_of(directory: Path) -> set[Path]:
    """The sounds that the page in a folder names as its own; none where there is no page, or a damaged one."""
    try:
        songs, model = (read_json(directory / name) for name in ("songs.json", "model.json"))
        names = [Path(SOUNDS, Path(str(song["sound"])).name) for song in songs if song["sound"]]
        names += [Path(BANKS, Path(_bank_name(key)).name) for key in model["instruments"]]
    except (UserError, TypeError, KeyError, AttributeError):
        return set()
    return {directory / name for name in names}


def _copy_page(directory: Path) -> None:
    """The page's own files; the service worker is told what to keep for times without a network."""
    for path in OWN_PAGE.iterdir():
        shutil.copyfile(path, directory / path.name)
    for name in SHARED:
        shutil.copyfile(SHARED_PAGE / name, directory / name)
    kept = [
        str(path.relative_to(directory))
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.parent.name != SOUNDS and not path.name.startswith(".")
    ]
    _write_json(directory / "files.json", kept)


def _told(directory: Path, runtime: Runtime) -> str:
    """What was written, for people."""
    places = (directory, directory / BANKS)
    own = sum(path.stat().st_size for place in places for path in place.iterdir() if path.is_file())
    sounds = sum(path.stat().st_size for path in (directory / SOUNDS).iterdir())
    where = "its folder runtime" if runtime.is_local else "a pinned address, as the npm package is not there"
    large = "" if own <= SMALL_BYTES else ", which is much to load: model=default makes smaller networks"
    return (
        f"{directory / 'index.html'}: {own / 1e6:.1f} MB of networks and notes{large}, {sounds / 1e6:.1f} MB of songs, "
        f"onnxruntime-web {runtime.version} from {where}. Put the folder on any static host, or run: "
        f"python -m http.server --directory {directory}"
    )


def _write_json(path: Path, values: Any) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(values, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")

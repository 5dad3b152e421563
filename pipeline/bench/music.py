"""The music that is measured with: files of a band, and phrases to train on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan.spec import RollSpec
from pipeline.bench.plan import BenchPlan
from pipeline.build import Builder
from pipeline.config import Config, compose, stage_directory
from pipeline.dataset.cutting import SourceFile, cutting_settings, prepare_file
from pipeline.dataset.store import open_store
from pipeline.errors import UserError
from pipeline.formats import SCORES
from pipeline.progress import bar
from pipeline.rendering.midi import write_midi
from pipeline.scores.notes import make_notes, roll_from_notes
from pipeline.settings.data import roll_spec
from pipeline.songs.song import Song

SCALE = (0, 2, 4, 5, 7, 9, 11)
SECTION_BARS = 8
SILENT = (0.07, 0.55, 0.5, 0.2, 0.2)
"""Chance of each track to be silent in a section."""
DRUMS, PIANO, GUITAR, BASS, STRINGS = range(5)
KICK, SNARE, HAT, CRASH = 36, 38, 42, 49

NoteRow = tuple[int, int, int, int]
"""Track, pitch, onset and length in sixteenths."""


def write_band(directory: Path, songs: int, bars: int, seed: int, config: Config) -> list[Path]:
    """Write `songs` MIDI files of `bars` bars for the tracks of `conf/tracks/band.yaml`; their paths in order."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"band-{number:03d}.mid" for number in range(songs)]
    for number, path in enumerate(paths):
        write_midi(path, band_song(bars, np.random.default_rng((seed, number)), config), path.stem)
    return paths


def band_song(bars: int, random: np.random.Generator, config: Config) -> Song:
    """One song of whole phrases, different for each `random`."""
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    key = int(random.integers(-5, 7))
    rows: list[NoteRow] = []
    for first in range(0, bars, SECTION_BARS):
        playing = random.random(len(SILENT)) >= SILENT
        playing[int(random.choice([DRUMS, BASS]))] = True
        chords = random.integers(0, 7, SECTION_BARS)
        density = random.uniform(0.2, 0.9)
        for place in range(first, min(first + SECTION_BARS, bars)):
            written = bar_of_band(int(chords[place - first]), key, density, random)
            rows += [(track, pitch, 16 * place + at, length) for track, pitch, at, length in written if playing[track]]
    planes = roll_from_notes(make_notes(*zip(*rows, strict=True)), spec, bars)
    phrases = np.stack(np.split(planes, bars // spec.bars, axis=2))
    return Song.of_phrases(phrases, spec, config.tracks, float(random.integers(80, 150)))


def bar_of_band(degree: int, key: int, density: float, random: np.random.Generator) -> list[NoteRow]:
    """A bar of all five tracks over the chord of a degree of the scale."""
    tones = [60 + key + 12 * ((degree + third) // 7) + SCALE[(degree + third) % 7] for third in (0, 2, 4)]
    left, right = int(random.choice([12, 24, 31])), int(random.choice([0, 12, 24]))
    rows: list[NoteRow] = [(DRUMS, KICK, at, 1) for at in (0, 8, *(random.integers(0, 16, 2) if density > 0.6 else ()))]
    rows += [(DRUMS, SNARE, at, 1) for at in (4, 12)]
    rows += [(DRUMS, HAT, at, 1) for at in range(0, 16, 2 if density > 0.4 else 4)]
    rows += [(DRUMS, CRASH, 0, 1)] if random.random() < 0.1 else []
    for at in (0, 8) if density > 0.5 else (0,):
        rows += [(PIANO, tone + right, at, 6) for tone in tones]
        rows.append((PIANO, tones[0] - left, at, 8))
    for at in range(0, 16, 4):
        rows += [(GUITAR, tone - left // 2, at, 2) for tone in tones[: int(random.integers(1, 4))]]
        pitch = tones[0] - 24 + (12 if random.random() < 0.2 else 0)
        rows.append((BASS, pitch, at, 3))
        if random.random() < 0.1:
            rows.append((BASS, pitch + 7, at, 3))
    for at in range(0, 16, 4 if density > 0.3 else 8):
        rows += [(STRINGS, tone + right, at, 4) for tone in random.choice(tones, 2, replace=False).tolist()]
    return rows


MIN_PHRASES = 16
"""Fewer would not fill a batch."""


@dataclass(frozen=True)
class BenchCorpus:
    """Phrases to train on.

    `packed` is uint8 `[phrases, 2, tracks, bars, steps, ceil(pitches / 8)]`; `settings` name it to whoever trains on it
    (`data=...`), and `source` says where it comes from.
    """

    source: str
    settings: tuple[str, ...]
    spec: RollSpec
    packed: Tensor


BAND_SETTINGS = ("data=folder", "data.path=.", "tracks=band")
"""Of five-track music; the folder is only named, since files are read one by one."""


@cache
def composed(*settings: str) -> Config:
    """The settings as `pipeline.config.compose` has them, read once."""
    return compose(*settings)


def written_band_files(plan: BenchPlan) -> list[Path]:
    """The band songs that the bench writes itself."""
    effort = plan.effort
    return write_band(plan.scratch / "band", effort.songs, effort.song_bars, plan.seed, composed(*BAND_SETTINGS))


def user_files(folder: Path, most: int) -> list[Path]:
    """The MIDI files below a folder, evenly thinned out to `most`. Raises `UserError` where there are none."""
    if not folder.is_dir():
        raise UserError(f"--midi {folder}: there is no such folder.")
    paths = sorted(path for path in folder.rglob("*") if SCORES.get(path.suffix.lower()) == "midi" and path.is_file())
    if not paths:
        raise UserError(f"--midi {folder}: there is no MIDI file (.mid, .midi, .kar, .rmi, .smf) in it.")
    return [paths[number * len(paths) // most] for number in range(most)] if len(paths) > most else paths


def midi_files(plan: BenchPlan) -> list[Path]:
    """The files to read: the user's, or those that the bench writes."""
    return user_files(plan.midi, plan.effort.files) if plan.midi else written_band_files(plan)


def read_band(plan: BenchPlan, files: list[Path]) -> BenchCorpus:
    """The phrases of some files, in five tracks. Raises `UserError` where they are too few."""
    config = composed(*BAND_SETTINGS)
    cutting = cutting_settings(config)
    readings = [
        prepare_file(SourceFile(path.name, str(path)), cutting) for path in bar(files, len(files), "bench: reading")
    ]
    phrases = [song.phrases for reading in readings for song in reading.songs]
    count = sum(map(len, phrases))
    if count < MIN_PHRASES:
        raise UserError(f"--midi {plan.midi}: its files give {count} phrases, too few to measure training with.")
    where = "of the folder given with --midi" if plan.midi else "written by rule for five tracks"
    return BenchCorpus(
        f"{len(files)} MIDI files {where}", BAND_SETTINGS, cutting.spec, torch.from_numpy(np.concatenate(phrases))
    )


def read_chorales() -> BenchCorpus:
    """The training songs of `data=chorales`, collected and prepared like for any stage."""
    config = compose("data=chorales")
    Builder(config).build("prepare")
    packed = np.array(open_store(stage_directory("prepare", config)).packed("train"))
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    return BenchCorpus("Bach's chorales", ("data=chorales",), spec, torch.from_numpy(packed))


def training_config(corpus: BenchCorpus, model: str, plan: BenchPlan) -> Config:
    """The settings of training a model of `conf/model/` on this music."""
    return composed(f"model={model}", f"seed={plan.seed}", f"threads={plan.threads}", *corpus.settings)

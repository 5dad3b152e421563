"""The music that is measured with: files of a band, and phrases to train on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gan.spec import RollSpec
from pipeline.bench.band import write_band
from pipeline.bench.plan import Plan
from pipeline.build import Builder
from pipeline.config import Config, compose
from pipeline.dataset.cutting import Source, prepare_file, recipe_of
from pipeline.dataset.store import open_store
from pipeline.errors import UserError
from pipeline.places import stage_directory
from pipeline.progress import bar
from pipeline.scores.score import SUFFIXES
from pipeline.settings.music import roll_spec

LEAST_PHRASES = 16
"""Fewer would not fill a batch."""


@dataclass(frozen=True)
class Corpus:
    """Phrases to train on.

    `packed` is uint8 `[phrases, 2, tracks, bars, steps, ceil(pitches / 8)]`; `words` go into the table of settings of
    whoever trains on it (`data=...`), and `source` says where it comes from.
    """

    source: str
    words: tuple[str, ...]
    spec: RollSpec
    packed: Tensor


def band_words() -> tuple[str, ...]:
    """The settings of five-track music; the folder is only named, since files are read one by one."""
    return ("data=folder", "data.path=.")


def written_files(plan: Plan) -> list[Path]:
    """The band songs that the bench writes itself."""
    effort = plan.effort
    return write_band(plan.scratch / "band", effort.songs, effort.song_bars, plan.seed, compose(*band_words()))


def user_files(folder: Path, most: int) -> list[Path]:
    """The MIDI files below a folder, evenly thinned out to `most`. Raises `UserError` where there are none."""
    if not folder.is_dir():
        raise UserError(f"--midi {folder}: there is no such folder.")
    paths = sorted(path for path in folder.rglob("*") if SUFFIXES.get(path.suffix.lower()) == "midi" and path.is_file())
    if not paths:
        raise UserError(f"--midi {folder}: there is no MIDI file (.mid, .midi, .kar) in it.")
    return [paths[number * len(paths) // most] for number in range(most)] if len(paths) > most else paths


def midi_files(plan: Plan) -> list[Path]:
    """The files to read: the user's, or those that the bench writes."""
    return user_files(plan.midi, plan.effort.files) if plan.midi else written_files(plan)


def read_band(plan: Plan, files: list[Path]) -> Corpus:
    """The phrases of some files, in five tracks. Raises `UserError` where they are too few."""
    config = compose(*band_words())
    recipe = recipe_of(config)
    readings = [prepare_file(Source(path.name, str(path)), recipe) for path in bar(files, len(files), "bench: reading")]
    phrases = [song.phrases for reading in readings for song in reading.songs]
    count = sum(map(len, phrases))
    if count < LEAST_PHRASES:
        raise UserError(f"--midi {plan.midi}: its files give {count} phrases, too few to measure training with.")
    where = "of the folder given with --midi" if plan.midi else "written by rule for five tracks"
    return Corpus(
        f"{len(files)} MIDI files {where}", band_words(), recipe.spec, torch.from_numpy(np.concatenate(phrases))
    )


def read_chorales() -> Corpus:
    """The training songs of the default data set, collected and prepared like for any stage."""
    config = compose()
    Builder(config).build("prepare")
    packed = np.array(open_store(stage_directory("prepare", config)).packed("train"))
    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    return Corpus("Bach's chorales, the default data set", (), spec, torch.from_numpy(packed))


def settings_for(corpus: Corpus, model: str, plan: Plan) -> Config:
    """The settings of training a model of `conf/model/` on this music."""
    return compose(f"model={model}", f"seed={plan.seed}", f"threads={plan.threads}", *corpus.words)

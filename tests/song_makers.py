"""Songs made by hand, MIDI files in four parts, and a checkpoint of an untrained GAN."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from gan.rolls import unpack
from gan.settings import AlbumGANSettings, TrainSettings
from gan.spec import RollSpec, Track
from gan.statistics import DataStatistics
from gan.training.trainer import Trainer
from pipeline.config import PROGRAM, Config, flatten, read_config, register_schema
from pipeline.scores.notes import Planes, cut_overlaps, make_notes, notes_from_roll, roll_from_notes
from pipeline.scores.structure.song_plan import pack_plans
from pipeline.settings.data import roll_spec
from pipeline.songs.humanizing import draw_performer, humanize
from pipeline.songs.performance.model import bundled_model
from pipeline.songs.song import Section, Song
from tests.music_makers import Row, tune, write_midi

BAND = RollSpec((Track("Drums", True), Track("Piano"), Track("Bass")))
JIG = RollSpec(BAND.tracks, beats_per_bar=2, steps_per_beat=6, is_compound=True)
"""The same in 6/8."""
PROGRAMS = {"Drums": 0, "Piano": 0, "Bass": 33, "Flute": 73}
PHRASE = [
    *[(0, 36, step, 1) for step in (0, 8, 16, 24)],
    *[(0, 42, step, 1) for step in range(0, 32, 4)],
    *[(1, pitch, 0, 8) for pitch in (60, 64, 67)],
    *[(1, pitch, 8, 8) for pitch in (60, 64, 67)],
    *[(1, pitch, 16, 16) for pitch in (59, 62, 67)],
    *[(2, 36, step, 4) for step in (0, 4, 8, 12)],
    (2, 43, 16, 12),
]
"""Two bars of a band: chords and bass notes that are repeated without a gap, (track, pitch, onset, length)."""


def song_of(
    notes: Sequence[tuple[int, int, int, int]] | Planes = PHRASE,
    spec: RollSpec = BAND,
    bars: int = 2,
    humanized: float = 0.0,
    seed: int = 0,
    **changes: Any,
) -> Song:
    """A song with these notes (or this roll)."""
    if isinstance(notes, np.ndarray):
        table, bars = notes_from_roll(notes, spec.lowest_pitch), notes.shape[2]
    else:
        table = cut_overlaps(make_notes(*zip(*notes, strict=True)))
    sections = (Section("verse", "verse", 0, 1), Section("chorus", "chorus", 1, bars - 1)) if bars > 1 else ()
    sections = sections or (Section("verse", "verse", 0, 1),)
    performer = draw_performer(bundled_model(), table, spec, 120.0, seed)
    velocities, timing = humanize(table, spec, sections, bundled_model(), performer, humanized, seed)
    values: dict[str, Any] = {
        "number": 1,
        "seed": seed,
        "spec": spec,
        "notes": table,
        "tempo_map": ((0, 120.0),),
        "key": "C major",
        "form": "song",
        "arrangement": "band",
        "programs": tuple(PROGRAMS.get(name, 0) for name in spec.names),
        "pans": tuple(np.linspace(-0.4, 0.4, spec.num_tracks).tolist()),
        "volumes": (0.8,) * spec.num_tracks,
        "velocities": velocities,
        "timing_ticks": timing,
        "sections": sections,
    }
    return Song(**values | changes)


def random_planes(spec: RollSpec, bars: int, density: float, seed: int) -> Planes:
    """A roll of noise, in which notes touch and repeat; drums are hits."""
    random = np.random.default_rng(seed)
    shape = (2, spec.num_tracks, bars, spec.steps_per_bar, spec.num_pitches)
    notes = notes_from_roll(random.random(shape) < density, spec.lowest_pitch)
    drums = np.array([track.is_drum for track in spec.tracks])[notes["track"]]
    notes["length"][drums] = 1
    return roll_from_notes(notes, spec, bars)


def configured(*overrides: str) -> Config:
    """The settings as the command line would read them; of `data=chorales` where nothing is said of the data."""
    usual = () if any(word.startswith("data=") for word in overrides) else ("data=chorales",)
    return read_config(deepcopy(composed(overrides + usual)), (), (), "album")


@cache
def composed(overrides: tuple[str, ...]) -> DictConfig:
    """What Hydra makes of `conf/` and these overrides."""
    register_schema()
    with initialize_config_dir(str(PROGRAM / "conf"), version_base="1.3"):
        return compose("config", list(overrides))


ROOTS = {"high": 83, "upper": 71, "lower": 59, "low": 47}


def write_quartet(path: Path, bars: int = 10, seed: int = 0, metre: tuple[int, int] = (4, 4), parts: int = 4) -> Path:
    """A MIDI file of parts in B major, some notes held over bar lines."""
    rows: dict[tuple[int, int, str], list[Row]] = {}
    for number, (name, root) in enumerate(list(ROOTS.items())[:parts]):
        line = [row for row in tune(seed + number, bars, root) if row[0] % 4 != 0 or row[0] == 0]
        rows[number, 40 + number, name] = [
            (on, 2.0 if on % 4 == 3 and on < 4 * bars - 2 else 1.0, p) for on, _, p in line
        ]
    return write_midi(path, rows, metre, bpm=97)


def write_checkpoint(folder: Path, config: Config) -> Path:
    """An untrained GAN for four voices in C major, where the train stage would leave it."""
    path = folder / "checkpoint.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    state = untrained_state(roll_spec(config.roll, config.tracks, config.data.metre))
    torch.save(state | {"settings": flatten(config)}, path)
    return path


@cache
def untrained_state(spec: RollSpec) -> dict[str, Any]:
    """What a checkpoint of an untrained GAN for four voices in C major holds but for the settings."""
    chords = [(72, 67, 64, 48), (72, 69, 65, 53), (71, 67, 62, 55), (76, 69, 60, 45)]
    rolls = []
    for number in range(4):
        notes = [
            (track, pitch, spec.steps_per_beat * beat, spec.steps_per_beat)
            for beat in range(spec.beats_per_bar * spec.bars)
            for track, pitch in enumerate(chords[(beat + number) % 4])
        ]
        rolls.append(roll_from_notes(make_notes(*zip(*notes, strict=True)), spec, spec.bars))
    statistics = DataStatistics.of([unpack(torch.from_numpy(np.stack(rolls)), spec)], spec)
    model = AlbumGANSettings(
        latent_size=8,
        trunk_width=16,
        trunk_blocks=1,
        track_width=8,
        step_width=16,
        beat_width=16,
        bar_width=16,
        decoder_width=16,
    )
    trainer = Trainer(spec, statistics, model, TrainSettings(), seed=3)
    return {
        "trainer": trainer.state_dict(),
        "chosen": {"step": 0, "final_phase": True, "overlap": 0.5, "average": trainer.average.state_dict()},
        "reference": {"dissonance": 0.1},
        "spec": spec.to_dict(),
        "music": {"tempo_bpm": {"0": 60.0, "0.5": 90.0, "1": 120.0}, "modes": {"major": 3, "minor": 1}},
        "styles": [],
        "performance": {},
        "plans": {name: torch.from_numpy(values) for name, values in pack_plans([]).items()},
        "plan_styles": torch.zeros(0, dtype=torch.int64),
    }

"""Songs made by hand, and a checkpoint of an untrained GAN, for the tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gan.rolls import unpack
from gan.settings import ModelSettings, TrainSettings
from gan.spec import RollSpec, Track
from gan.statistics import DataStatistics
from gan.training.trainer import Trainer
from pipeline.config import PROGRAM, Config, flatten, read_config
from pipeline.scores.notes import Planes, make_notes, notes_from_roll, roll_from_notes
from pipeline.songs.performance import humanize
from pipeline.songs.song import Section, Song

BAND = RollSpec((Track("Drums", True), Track("Piano"), Track("Bass")))
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
    planes = (
        notes if isinstance(notes, np.ndarray) else roll_from_notes(make_notes(*zip(*notes, strict=True)), spec, bars)
    )
    table = notes_from_roll(planes, spec.lowest_pitch)
    bars = planes.shape[2]
    sections = (Section("verse", "verse", 0, 1), Section("chorus", "chorus", 1, bars - 1)) if bars > 1 else ()
    sections = sections or (Section("verse", "verse", 0, 1),)
    velocities, timing = humanize(table, spec, sections, None, 120.0, humanized, seed)
    values: dict[str, Any] = {
        "number": 1,
        "seed": seed,
        "spec": spec,
        "planes": planes,
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
    """The settings as the command line would read them."""
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(str(PROGRAM / "conf"), version_base="1.3"):
        return read_config(compose("config", list(overrides)), (), (), "album")


def write_checkpoint(folder: Path, config: Config) -> Path:
    """An untrained GAN for four voices in C major, where the train stage would leave it."""
    from pipeline.settings.music import roll_spec

    spec = roll_spec(config.roll, config.tracks, config.data.metre)
    chords = [(72, 67, 64, 48), (72, 69, 65, 53), (71, 67, 62, 55), (76, 69, 60, 45)]
    rolls = []
    for number in range(4):
        notes = [
            (track, pitch, 4 * beat, 4)
            for beat in range(4 * spec.bars)
            for track, pitch in enumerate(chords[(beat + number) % 4])
        ]
        rolls.append(roll_from_notes(make_notes(*zip(*notes, strict=True)), spec, spec.bars))
    statistics = DataStatistics.of([unpack(torch.from_numpy(np.stack(rolls)), spec)], spec)
    model = ModelSettings(
        latent_size=8, trunk_width=16, trunk_blocks=1, track_width=8, step_width=16, beat_width=16, bar_width=16
    )
    trainer = Trainer(spec, statistics, model, TrainSettings(), seed=3)
    with torch.no_grad():  # an untrained network hardly moves; louder latents make phrases that differ
        for name, weight in trainer.average.named_parameters():
            if weight.dim() > 1:
                weight.mul_(3.0 if "project" in name else 1.0)
    path = folder / "checkpoint.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    music = {"tempo_bpm": {"0": 60.0, "0.5": 90.0, "1": 120.0}, "modes": {"major": 3, "minor": 1}}
    torch.save(
        {
            "trainer": trainer.state_dict(),
            "chosen": {"step": 0, "final_phase": True, "overlap": 0.5, "average": trainer.average.state_dict()},
            "reference": {"dissonance": 0.1},
            "spec": spec.to_dict(),
            "settings": flatten(config),
            "music": music,
            "styles": [],
        },
        path,
    )
    return path

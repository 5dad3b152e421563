"""A studio of the base model, and a song of its tracks made by hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.config import Config, flatten
from pipeline.scores.notes import cut_overlaps, make_notes
from pipeline.scores.structure.song_plan import pack_plans
from pipeline.settings.data import roll_spec
from pipeline.songs.song import Section, Song
from pipeline.studio.session.model import StudioModel
from pipeline.training.pretrained import SHIPPED, read_pretrained
from tests.song_makers import configured

LEAD, DRUMS, PIANO, GUITAR, BASS, STRINGS = range(6)
CHORDS = ((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62))
"""Am F C G, a bar each."""


@cache
def studio_config(*words: str) -> Config:
    """Settings of a run of the base model, whose name is `album`."""
    return configured(
        "+stage=generate", "data=originals", "name=album", "generate.min_seconds=20", "generate.max_seconds=30", *words
    )


@cache
def base_state() -> dict[str, Any]:
    """A checkpoint of the base model as the train stage would leave it, but for its settings."""
    state = read_pretrained(SHIPPED["base"])
    return {
        "trainer": state,
        "chosen": {"step": 0, "final_phase": True, "overlap": 0.5, "average": state["average"]},
        "reference": {"dissonance": 0.1},
        "spec": state["spec"],
        "music": {"tempo_bpm": {"0": 70.0, "0.5": 95.0, "1": 120.0}, "modes": {"major": 1, "minor": 1}},
        "styles": [],
        "performance": {},
        "plans": {name: torch.from_numpy(values) for name, values in pack_plans([]).items()},
        "plan_styles": torch.zeros(0, dtype=torch.int64),
    }


def write_base_checkpoint(path: Path) -> Path:
    """The base model as a checkpoint."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(base_state() | {"settings": flatten(studio_config())}, path)
    return path


def studio_model(folder: Path) -> StudioModel:
    """A studio's model, from a checkpoint in the run that the current folder is to hold."""
    torch.set_num_threads(1)
    path = folder / "outputs/album/train/checkpoint.pt"
    return StudioModel(studio_config(), path if path.exists() else write_base_checkpoint(path))


def band_song(bars: int = 12, number: int = 1, shift: int = 0, key: str = "A minor", **changes: Any) -> Song:
    """A song of `tracks=pop` in A minor: chords, a bass, a beat and a tune; strings rest. Pitches may be shifted."""
    spec = roll_spec(studio_config().roll, studio_config().tracks, studio_config().data.metre)
    rows: list[tuple[int, int, int, int]] = []
    random = np.random.default_rng(number)
    for bar in range(bars):
        start, chord = 16 * bar, CHORDS[bar % 4]
        rows += [(DRUMS, 36, start + step, 1) for step in (0, 8)] + [(DRUMS, 38, start + step, 1) for step in (4, 12)]
        rows += [(DRUMS, 42, start + step, 1) for step in range(0, 16, 2)]
        rows += [(PIANO, pitch + 12 + shift, start, 8) for pitch in chord]
        rows += [(GUITAR, pitch + shift, start + step, 3) for step in (0, 4, 8, 12) for pitch in chord[:2]]
        rows += [(BASS, chord[0] - 12 + shift, start + step, 4) for step in (0, 4, 8, 12)]
        tune = [int(random.choice(chord)) + 12 + shift for _ in range(4)]
        rows += [(LEAD, pitch, start + 4 * place, 4) for place, pitch in enumerate(tune)]
    rows.append((STRINGS, 69 + shift, 16 * (bars - 2), 32))
    notes = cut_overlaps(make_notes(*zip(*rows, strict=True)))
    half = bars // 2
    config = studio_config()
    values: dict[str, Any] = {
        "number": number,
        "seed": 1,
        "spec": spec,
        "notes": notes,
        "tempo_map": ((0, 96.0),),
        "key": key,
        "form": "song",
        "arrangement": "band",
        "programs": tuple(config.tracks.arrangements[0].programs),
        "pans": config.tracks.pans,
        "volumes": config.tracks.volumes,
        "velocities": (60 + notes["onset"] % 16 * 2 + notes["track"]).astype(np.uint8),
        "timing_ticks": (notes["onset"] % 5 - 2).astype(np.int16),
        "sections": (Section("verse 1", "verse", 0, half), Section("chorus 1", "chorus", half, bars - half)),
    }
    return Song(**values | changes)


def rows_of(song: Song, cells: Any = None) -> set[tuple[int, ...]]:
    """The notes of a song with velocity and timing; of some cells `[tracks, bars]` those that begin in them."""
    table = zip(song.notes.tolist(), song.velocities.tolist(), song.timing_ticks.tolist(), strict=True)
    rows = [(*note, velocity, late) for note, velocity, late in table]
    return {row for row in rows if cells is None or cells[row[0], row[2] // song.spec.steps_per_bar]}

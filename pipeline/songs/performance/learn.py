"""Learn the performers that come along from folders of MIDI: `python -m pipeline.songs.performance.learn DIR DIR ...`.

Each folder gives at most `MOST_FILES` performances in 4/4, evenly spread over its files, each part a track of its own.
The style is that of the file's name where it is one of the Groove MIDI Dataset
(`drummer1_session1_2_funk-groove1_102_beat_4-4`), else the folder's. Writes `performers.npz` beside this file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gan.spec import RollSpec, Track
from pipeline.dataset.performances import PlayedNotes
from pipeline.errors import UnusableError
from pipeline.files import atomic_path
from pipeline.progress import say
from pipeline.scores.quantisation import MetreError, played, quantise, usable_spans
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.tracks import AssignedPart
from pipeline.songs.performance.model import TABLE, fit_performance

MOST_FILES = 150
GROOVE = re.compile(r"_([a-z]+)(?:-[a-z0-9]+)*_\d+_(beat|fill)_(\d+-\d+)$")
"""Style, kind and metre in the names of the Groove MIDI Dataset."""


def performance_in(path: Path) -> PlayedNotes | None:
    """The longest stretch in 4/4 of a MIDI file as it is played; None where there is none."""
    named = GROOVE.search(path.stem)
    if named and named.groups()[1:] != ("beat", "4-4"):
        return None
    try:
        score = read_scores(path, 50)[0]
        parts = [part for part in score.parts if len(part.events)]
        tracks = tuple(Track(f"{part.name} {number}", part.is_drum) for number, part in enumerate(parts))
        spec = RollSpec(tracks)
        try:
            spans = usable_spans(score, spec, trust_metre=True, pair_bars=True)
        except MetreError:
            spans = usable_spans(score, spec, trust_metre=False)
    except (UnusableError, ValueError):
        return None
    span = max(spans, key=lambda one: one.bars)
    assigned = [AssignedPart(number, part.program, part.events) for number, part in enumerate(parts)]
    notes = quantise(assigned, span, spec)
    velocities, offsets = played(assigned, span, notes, spec)
    return PlayedNotes(notes, velocities, offsets, spec, score.mean_bpm, named[1] if named else path.parent.name)


def performances_in(folder: Path, most: int = MOST_FILES) -> Iterator[PlayedNotes]:
    """Performances of the files below a folder, at most so many, evenly spread."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".mid", ".midi"))
    read = (performance_in(path) for path in paths)
    found = [one for one in read if one is not None and len(one.notes)]
    yield from found[:: -(-len(found) // most) or 1]


def main(folders: list[str]) -> None:
    """Fit the model and write it."""
    performances = [one for folder in folders for one in performances_in(Path(folder))]
    model = fit_performance(performances)
    if model is None:
        raise SystemExit("learn: these folders hold no performances with velocities of a player.")
    arrays: dict[str, Any] = model.to_dict()
    with atomic_path(TABLE) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    say(f"learn: {len(model.tempo_bpm)} performers of {len(performances)}, {len(model.voice)} voices: {TABLE}")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Ingest: songs a second from MIDI files, beside other readers, in one process."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pretty_midi
import symusic

from pipeline.bench.music import band_words
from pipeline.bench.plan import Plan
from pipeline.bench.timing import median, seconds_of, take_turns
from pipeline.bench.training import all_ratios
from pipeline.config import compose
from pipeline.dataset.cutting import CuttingSettings, SourceFile, cutting_settings, prepare_file
from pipeline.errors import UserError
from pipeline.scores.quantisation import quantise, usable_spans
from pipeline.scores.reading import read_scores
from pipeline.scores.tracks import assign

PIANO_ROLL_HZ = 100
"""pretty_midi's own default."""

DONE = {
    "quantised": "read, assigned to tracks, quantised to tables of notes",
    "albumgan": "read, assigned to tracks, quantised, key found, cut into packed phrases",
    "pretty_midi": f"read, and one piano roll of all its notes at {PIANO_ROLL_HZ} Hz",
    "symusic": "read, nothing more",
}
"""What each does with a file."""


def read_with_albumgan(path: Path, recipe: CuttingSettings) -> None:
    """Raises `ValueError` where the file gives no phrases."""
    if not prepare_file(SourceFile(path.name, str(path)), recipe).songs:
        raise ValueError("no phrases")


def quantise_with_albumgan(path: Path, recipe: CuttingSettings) -> None:
    """Raises `UnusableError` where the file gives no notes."""
    for score in read_scores(path, recipe.max_file_megabytes):
        voices = assign(score, recipe.tracks)
        for stretch in usable_spans(score, recipe.spec, recipe.trust_metre):
            quantise(voices, stretch, recipe.spec)


def read_with_pretty_midi(path: Path) -> None:
    """Raises whatever pretty_midi and mido raise."""
    pretty_midi.PrettyMIDI(str(path)).get_piano_roll(PIANO_ROLL_HZ)


def read_with_symusic(path: Path) -> None:
    """Raises a `RuntimeError` where the file is broken."""
    symusic.Score(path)


def reads(read: Callable[[Path], None], path: Path) -> bool:
    """Whether a reader makes something of a file."""
    try:
        read(path)
    except Exception:  # readers raise what they like on damaged files
        return False
    return True


def read_all(read: Callable[[Path], None], paths: list[Path]) -> None:
    """One file after another."""
    for path in paths:
        read(path)


def measure_ingest(files: list[Path], plan: Plan) -> dict[str, Any]:
    """All readers in turns over the files that each of them can read. Raises `UserError` where there are none."""
    recipe = cutting_settings(compose(*band_words()))
    readers: dict[str, Callable[[Path], None]] = {
        "quantised": partial(quantise_with_albumgan, recipe=recipe),
        "albumgan": partial(read_with_albumgan, recipe=recipe),
        "pretty_midi": read_with_pretty_midi,
        "symusic": read_with_symusic,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pretty_midi has something to say about many files
        readable = {name: {path for path in files if reads(read, path)} for name, read in readers.items()}
        common = sorted(set.intersection(*readable.values()))
        if not common:
            raise UserError("there is no MIDI file that all readers can read; give another folder with --midi.")

        turns = {name: partial(seconds_of, partial(read_all, read, common)) for name, read in readers.items()}
        laps = take_turns(turns, plan.effort.slow_rounds, "ingest")
    rows = {
        name: {
            "does": DONE[name],
            "songs_per_second": median([len(common) / seconds for seconds in laps[name]]),
            "unreadable_files": len(files) - len(readable[name]),
        }
        for name in readers
    }
    return {
        "files": len(files),
        "measured_files": len(common),
        "measured_megabytes": round(sum(path.stat().st_size for path in common) / 1e6, 3),
        "readers": rows,
        "ratios": all_ratios(rows, ("songs_per_second",)),
    }

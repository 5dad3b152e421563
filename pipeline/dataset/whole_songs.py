"""Whole songs, read from their files: of a prepared set, which generated ones are held against, and of any folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.dataset.cutting import CuttingSettings, cutting_settings
from pipeline.dataset.splits import SPLITS
from pipeline.dataset.store import open_store
from pipeline.errors import UnusableError, UserError
from pipeline.scores.keys import into_range
from pipeline.scores.notes import Notes, in_order
from pipeline.scores.quantisation import mend_metre, quantise, usable_spans
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Score
from pipeline.scores.tracks import assign
from pipeline.sources.catalog import locate

if TYPE_CHECKING:
    from pipeline.config import Config

SHORTEST, LONGEST = 16, 200
"""Bars of the real songs that are looked at."""


@dataclass(frozen=True, eq=False)
class WholeSong:
    """All bars of a song in its own key."""

    title: str
    notes: Notes
    bars: int
    tempo_bpm: float
    """Mean quarter notes a minute."""


def real_songs(config: Config, directory: Path, count: int, splits: Sequence[str] = SPLITS) -> list[WholeSong]:
    """Whole songs of a prepared set, evenly spread; fewer where files are gone.

    Parameters
    ----------
    config
        How files are read.
    directory
        The prepared set; none there gives no songs.
    count
        How many songs at most.
    splits
        The splits that they are of.
    """
    if not directory.is_dir():
        return []
    try:
        rows = [row for row in open_store(directory).songs if SHORTEST <= row.bars <= LONGEST and row.split in splits]
        settings = cutting_settings(config)
    except UserError:
        return []
    found = [_song_of_set(row.source, row.title, settings) for row in rows[:: -(-len(rows) // count) or 1]]
    return [song for song in found if song is not None]


def _song_of_set(source: str, title: str, settings: CuttingSettings) -> WholeSong | None:
    """A song of a prepared set; None where it can't be read any more."""
    path, _, number = source.partition("#")
    try:
        scores = read_scores(locate(path), settings.max_file_megabytes, settings.play_repeats)
        return whole_song(scores[int(number or 1) - 1], title, settings)
    except (UnusableError, UserError, OSError, ValueError, IndexError):
        return None


def songs_of_files(paths: Sequence[str], settings: CuttingSettings) -> list[WholeSong]:
    """Whole songs of score files, `SHORTEST` to `LONGEST` bars each; files that give none are left out."""
    found = []
    for path in paths:
        try:
            scores = read_scores(Path(path), settings.max_file_megabytes, settings.play_repeats)
        except (UnusableError, UserError, OSError, ValueError):
            continue
        for score in scores:
            try:
                song = whole_song(score, Path(path).stem, settings)
            except (UnusableError, ValueError):
                continue
            if SHORTEST <= song.bars <= LONGEST:
                found.append(song)
    return found


def whole_song(score: Score, title: str, settings: CuttingSettings) -> WholeSong:
    """All bars of a score on the grid, spans of its metre one after another. Raises `UnusableError` without any."""
    spec = settings.spec
    parts = assign(score, settings.tracks)
    score = mend_metre(score, spec) if settings.trust_metre else score
    tables, bars = [], 0
    for span in usable_spans(score, spec, settings.trust_metre, settings.pair_bars):
        tables.append(into_range(quantise(parts, span, spec), spec))
        tables[-1]["onset"] += bars * spec.steps_per_bar
        bars += span.bars
    return WholeSong(title, in_order(np.concatenate(tables)), bars, score.mean_bpm)

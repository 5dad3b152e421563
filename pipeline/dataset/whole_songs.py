"""Whole songs of a prepared set, read from their files again: what generated songs are shown beside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.dataset.cutting import CuttingSettings, cutting_settings
from pipeline.dataset.store import open_store
from pipeline.errors import UnusableError, UserError
from pipeline.scores.keys import into_range
from pipeline.scores.notes import Notes, in_order
from pipeline.scores.quantisation import mend_metre, quantise, usable_spans
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.tracks import assign
from pipeline.sources.catalog import locate

if TYPE_CHECKING:
    from pipeline.config import Config

SHORTEST, LONGEST = 16, 200
"""Bars of the real songs that are looked at."""


def real_songs(config: Config, directory: Path, count: int) -> list[tuple[str, Notes, int]]:
    """Title, notes and number of bars of whole songs of a prepared set, evenly spread; fewer where files are gone.

    Parameters
    ----------
    config
        How files are read.
    directory
        The prepared set; none there gives no songs.
    count
        How many songs at most.
    """
    if not directory.is_dir():
        return []
    try:
        rows = [row for row in open_store(directory).songs if SHORTEST <= row.bars <= LONGEST]
        settings = cutting_settings(config)
    except UserError:
        return []
    found = [(row.title, _read_song(row.source, settings)) for row in rows[:: -(-len(rows) // count) or 1]]
    return [(title, *song) for title, song in found if song is not None]


def _read_song(source: str, settings: CuttingSettings) -> tuple[Notes, int] | None:
    """All bars of a song in its own key, and how many; None where it can't be read any more."""
    path, _, number = source.partition("#")
    spec = settings.spec
    try:
        scores = read_scores(locate(path), settings.max_file_megabytes, settings.play_repeats)
        score = scores[int(number or 1) - 1]
        parts = assign(score, settings.tracks)
        score = mend_metre(score, spec) if settings.trust_metre else score
        spans = usable_spans(score, spec, settings.trust_metre, settings.pair_bars)
    except (UnusableError, UserError, OSError, ValueError, IndexError):
        return None
    tables, bars = [], 0
    for span in spans:
        tables.append(into_range(quantise(parts, span, spec), spec))
        tables[-1]["onset"] += bars * spec.steps_per_bar
        bars += span.bars
    return in_order(np.concatenate(tables)), bars

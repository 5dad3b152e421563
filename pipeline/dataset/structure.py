"""How songs resemble themselves: each bar beside each other bar, and how much of a song comes back later.

Self-similarity matrices after Foote ("Visualizing music and audio using self-similarity", ACM Multimedia 1999), here of
notes instead of sound.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gan.spec import ONSET, RollSpec
from pipeline.dataset.cutting import Recipe, recipe_of
from pipeline.dataset.store import open_store
from pipeline.errors import UnusableError, UserError
from pipeline.scores.grid import quantise, usable_stretches
from pipeline.scores.keys import into_range
from pipeline.scores.notes import Planes, roll_from_notes
from pipeline.scores.reading import read_scores
from pipeline.scores.tracks import assign
from pipeline.sources.catalog import locate

if TYPE_CHECKING:
    from pipeline.config import Config

APART = 4
"""Bars that lie nearer to each other are no return but a repetition."""
SHORTEST, LONGEST = 16, 200
"""Bars of the real songs that are looked at."""


def likeness(planes: Planes, spec: RollSpec) -> NDArray[np.float64]:
    """How alike the bars of a song are, `[bars, bars]` from 0 to 1.

    For each track the share of notes that two bars have in common among those that either has (Jaccard), a note being
    its step and its pitch class (drums: the drum); the mean over the tracks that play in either. Two silent bars are
    alike.

    Parameters
    ----------
    planes, spec
        Bool `[2, tracks, bars, steps, pitches]`.
    """
    onsets = planes[ONSET]  # [tracks, bars, steps, pitches]
    bars = onsets.shape[1]
    total, playing = np.zeros((bars, bars)), np.zeros((bars, bars))
    for track, kind in enumerate(spec.tracks):
        own = onsets[track]
        if not kind.is_drum:
            classes = np.arange(spec.num_pitches) % 12
            own = np.stack([own[:, :, classes == one].any(axis=2) for one in range(12)], axis=2)
        rows = own.reshape(bars, -1).astype(np.float64)
        both, counts = rows @ rows.T, rows.sum(axis=1)
        either = counts[:, None] + counts[None, :] - both
        total += np.where(either > 0, both / np.maximum(either, 1), 0)
        playing += either > 0
    return np.where(playing > 0, total / np.maximum(playing, 1), 1.0)


def recurrence(alike: NDArray[np.float64]) -> float:
    """How much of a song comes back: the mean over its bars of the best match at least `APART` bars away, 0 to 1.

    NaN for a song that has no bars so far apart.
    """
    place = np.arange(len(alike))
    apart = np.abs(place[:, None] - place[None, :]) >= APART
    return float(np.where(apart, alike, 0).max(axis=1).mean()) if apart.any() else float("nan")


def real_songs(config: Config, directory: Path, count: int) -> list[tuple[str, Planes]]:
    """Titles and rolls of whole songs of a prepared set, evenly spread over it; fewer where files are gone.

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
        recipe = recipe_of(config)
    except UserError:
        return []
    songs = []
    for row in rows[:: -(-len(rows) // count) or 1]:
        planes = _whole(row.source, recipe)
        if planes is not None:
            songs.append((row.title, planes))
    return songs


def _whole(source: str, recipe: Recipe) -> Planes | None:
    """All bars of a song, in its own key; None where it can't be read any more."""
    path, _, number = source.partition("#")
    try:
        scores = read_scores(locate(path), recipe.max_file_megabytes)
        score = scores[int(number or 1) - 1]
        voices = assign(score, recipe.tracks)
        stretches = usable_stretches(score, recipe.spec, recipe.trust_metre)
    except (UnusableError, UserError, OSError, ValueError, IndexError):
        return None
    spec = recipe.spec
    parts = [
        roll_from_notes(into_range(quantise(voices, stretch, spec), spec), spec, stretch.bars) for stretch in stretches
    ]
    return np.concatenate(parts, axis=2) if parts else None

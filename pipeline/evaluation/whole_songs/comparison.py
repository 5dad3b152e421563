"""Generated songs held against songs that training never saw: overlaps of features, and a forest that tells them apart.

Beside every figure stands its floor: as many songs of the training set as there are generated ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import RandomForestClassifier
from torch import Tensor

from gan.metrics.bootstrap import Interval, mean_intervals, overlap_intervals
from gan.metrics.counts import evenly_spread
from gan.spec import RollSpec
from pipeline.dataset.whole_songs import WholeSong
from pipeline.evaluation.comparison import estimate, finite
from pipeline.evaluation.whole_songs.features import EXPLANATIONS, song_features
from pipeline.progress import bar

FEWEST = 8
"""Songs of each kind without which nothing is compared."""
NUM_TREES = 400
NUM_TELLING = 6

Table = Mapping[str, Tensor]
"""By feature its value in each song, `[songs]`, NaN where it has none."""


def feature_table(songs: Sequence[WholeSong], spec: RollSpec) -> dict[str, Tensor]:
    """Features of songs."""
    rows = [song_features(song, spec) for song in bar(songs, len(songs), "evaluate", "songs")]
    return {name: torch.tensor([row[name] for row in rows], dtype=torch.float64) for name in EXPLANATIONS}


def compare_songs(
    generated: Sequence[WholeSong],
    unseen: Sequence[WholeSong],
    training: Sequence[WholeSong],
    spec: RollSpec,
    resamples: int,
    seed: int,
) -> dict[str, Any] | None:
    """The report's `whole_songs`; None of fewer than `FEWEST` songs of a kind.

    Parameters
    ----------
    generated
        What is scored.
    unseen
        Test and validation songs.
    training
        Training songs; as many as there are generated ones are taken, evenly spread.
    spec
        The grid that all are on.
    resamples, seed
        Of the intervals and the forest.
    """
    training = [training[place] for place in evenly_spread(len(training), len(generated)).tolist()]
    if min(len(generated), len(unseen), len(training)) < FEWEST:
        return None
    tables = {"generated": generated, "training": training, "unseen": unseen}
    measured = {name: feature_table(songs, spec) for name, songs in tables.items()}
    found = {name: _overlap(measured[name], measured["unseen"], resamples, seed) for name in ("generated", "training")}
    accuracy: dict[str, Any] = {}
    for name in ("training", "generated"):
        interval, telling = out_of_bag_accuracy(measured[name], measured["unseen"], resamples, seed)
        accuracy[name] = estimate(interval)
    return {
        "songs": {name: len(songs) for name, songs in tables.items()},
        "overlap": {name: estimate(total) for name, (total, _) in found.items()},
        "two_sample": accuracy,
        "telling": telling,
        "features": {
            name: {"text": text}
            | {f"overlap_{one}": estimate(each[name]) for one, (_, each) in found.items() if name in each}
            | {one: finite(float(table[name].nanmedian())) for one, table in measured.items()}
            for name, text in EXPLANATIONS.items()
        },
    }


def _overlap(one: Table, other: Table, resamples: int, seed: int) -> tuple[Interval, dict[str, Interval]]:
    numbers = [torch.arange(len(next(iter(table.values())))) for table in (one, other)]
    return overlap_intervals(one, other, numbers[0], numbers[1], resamples, seed)


def out_of_bag_accuracy(one: Table, other: Table, resamples: int, seed: int) -> tuple[Interval, list[str]]:
    """How often a random forest (Breiman 2001) tells songs of two sets apart, each by trees that did not learn from it.

    Both sets have as many songs as the smaller, evenly spread: 0.5 is alike.

    Returns
    -------
    accuracy
        With an interval over songs.
    telling
        The features that the forest goes by most.
    """
    sides = [torch.stack(list(table.values()), 1) for table in (one, other)]
    count = min(len(side) for side in sides)
    values = torch.cat([side[evenly_spread(len(side), count)] for side in sides]).nan_to_num(-1).numpy()
    is_first = np.arange(2 * count) < count
    forest = RandomForestClassifier(NUM_TREES, oob_score=True, min_samples_leaf=2, random_state=0, n_jobs=1)
    shares = forest.fit(values, is_first).oob_decision_function_
    right = torch.from_numpy(((shares[:, 1] > 0.5) == is_first).astype(np.float64))
    interval = mean_intervals({"right": right}, torch.arange(2 * count), resamples, seed)["right"]
    names = list(one)
    return interval, [names[place] for place in np.argsort(-forest.feature_importances_)[:NUM_TELLING]]

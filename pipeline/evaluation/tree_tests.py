"""Two-sample tests by forests on interpretable features: how well windows and phrases are told from real ones.

A classifier two-sample test (Lopez-Paz and Oquab 2017) that does not saturate as a network on whole phrases does: it
sees two beats at a time, or named features of a phrase. Each figure is the area under the ROC curve of classifiers on
songs that they have not learnt from: 0.5 is alike, 1 told apart without fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold

from gan.metrics.bootstrap import RESAMPLES, Interval, area_interval
from gan.spec import RollSpec
from pipeline.evaluation.note_features.lines import FeatureMatrix, TrackTraits, read_lines
from pipeline.evaluation.note_features.phrases import phrase_features
from pipeline.evaluation.note_features.windows import window_features
from pipeline.evaluation.phrase_sets import PhraseSet

FOLDS = 3
NUM_WINDOWS = 5000
"""Windows of each set that are learnt from and classified."""
NUM_PHRASES = 2400
"""Phrases of the reference that are learnt from and classified."""
NUM_TREES = 150


def boosted_trees() -> HistGradientBoostingClassifier:
    """Gradient-boosted trees for windows."""
    return HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=15, learning_rate=0.1, random_state=0)


def extra_trees() -> ExtraTreesClassifier:
    """Extremely randomised trees for phrases."""
    return ExtraTreesClassifier(NUM_TREES, min_samples_leaf=2, class_weight="balanced", random_state=0, n_jobs=1)


@dataclass(frozen=True)
class TwoSampleAreas:
    """How well a set of phrases is told from the reference: areas under the ROC curve, 0.5 being alike."""

    windows: Interval
    """By gradient-boosted trees on two-beat windows."""
    phrases: Interval
    """By extremely randomised trees on features of phrases."""


class TreeTests:
    """Real phrases that others are told from, described once for all.

    Parameters
    ----------
    reference
        Real phrases that the generator has not seen; at most 2,400, evenly spread, are used.
    spec
        The shape of the rolls.
    resamples
        Resamples of the songs behind the intervals.
    seed
        Draws windows and resamples.
    """

    def __init__(self, reference: PhraseSet, spec: RollSpec, resamples: int = RESAMPLES, seed: int = 0) -> None:
        self.spec, self.resamples, self.seed = spec, resamples, seed
        self.reference = reference.spread(NUM_PHRASES)
        lines = read_lines(self.reference.rolls, spec)
        self.traits = TrackTraits.of(lines)
        self.windows, self.phrases = window_features(lines, self.traits), phrase_features(lines, self.traits)

    def tell(self, generated: PhraseSet) -> TwoSampleAreas:
        """Tell a set from the reference. Raises `ValueError` where either has fewer songs than folds."""
        if min(generated.num_songs, self.reference.num_songs) < FOLDS:
            raise ValueError(f"phrases of fewer than {FOLDS} songs cannot be split by song into {FOLDS} folds")
        lines = read_lines(generated.rolls, self.spec)
        return TwoSampleAreas(
            self._area(boosted_trees, window_features(lines, self.traits), self.windows, generated, NUM_WINDOWS),
            self._area(extra_trees, phrase_features(lines, self.traits), self.phrases, generated, None),
        )

    def _area(
        self,
        classifier: Callable[[], Any],
        features: FeatureMatrix,
        reference: FeatureMatrix,
        generated: PhraseSet,
        most: int | None,
    ) -> Interval:
        """The area under the curve, with an interval over the songs of both sets."""
        random = np.random.default_rng(self.seed)
        rows = [random.permutation(len(one.values))[:most] if most else slice(None) for one in (features, reference)]
        values = np.concatenate([one.values[some] for one, some in zip((features, reference), rows, strict=True)])
        owners = [
            one.songs.numpy()[table.phrases[some]]
            for one, table, some in zip((generated, self.reference), (features, reference), rows, strict=True)
        ]
        is_generated = np.arange(len(values)) < len(owners[0])
        songs = np.concatenate([owners[0] + owners[1].max() + 1, owners[1]])
        scores = held_out_scores(classifier, values, is_generated, songs)
        return area_interval(
            torch.from_numpy(scores[is_generated]),
            torch.from_numpy(scores[~is_generated]),
            torch.from_numpy(owners[0]),
            torch.from_numpy(owners[1]),
            self.resamples,
            self.seed,
        )


def held_out_scores(
    classifier: Callable[[], Any],
    values: NDArray[np.float32],
    is_generated: NDArray[np.bool_],
    songs: NDArray[np.int64],
) -> NDArray[np.float64]:
    """How sure classifiers are that each row is generated, `[rows]`: each learnt on the songs of the other folds.

    What no song of the other folds has a value of, such as the chords of a track that rests in all of them, is no help.
    """
    scores = np.zeros(len(values))
    for learnt, tested in GroupKFold(FOLDS, shuffle=True, random_state=0).split(values, is_generated, songs):
        told = ~np.isnan(values[learnt]).all(axis=0)
        fitted = classifier().fit(values[learnt][:, told], is_generated[learnt])
        scores[tested] = fitted.predict_proba(values[tested][:, told])[:, 1]
    return scores

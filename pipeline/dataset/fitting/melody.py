"""Fits the weights of `pipeline.scores.melody` to scores in which one part is called after the tune.

`python -m pipeline.dataset.fitting.melody DIR ...` takes the MIDI files below each folder, such as those of POP909 with
their tracks MELODY, BRIDGE and PIANO. Every folder counts alike. An eighth of the files is kept back; it prints in
how many of them the tune is found, with the names of the parts and without, and the weights of all.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UnusableError
from pipeline.scores.melody import FEATURES, TOGETHER, part_features
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Part, make_events

TUNE = re.compile(r"^(voice 1 )?\(?melod(y|ie)\)?( up)?$|^lead$|^lead guitar|^vocals?$", re.IGNORECASE)
"""Names of parts that are the tune for certain."""
KEPT_BACK = 8
"""One of so many songs."""
NAMES = [FEATURES.index(name) for name in ("named as the tune", "named as accompaniment")]
STRENGTH = 1.0
"""Inverse of the weight decay."""
FEWEST, MOST = 2, 40
"""Parts of a score that tells something."""


@dataclass(frozen=True)
class Example:
    """A score: features of its parts `[parts, features]`, and which is the tune."""

    features: NDArray[np.float64]
    is_tune: NDArray[np.bool_]

    def without_names(self) -> Example:
        """The same with the names of the parts hidden."""
        features = self.features.copy()
        features[:, NAMES] = 0
        return Example(features, self.is_tune)


def examples_of(folder: Path) -> list[tuple[Example, Example]]:
    """The scores below a folder that name their tune: as they are, and with a band around them."""
    found = []
    for path in sorted(folder.rglob("*.mid")):
        try:
            score = read_scores(path, 16)[0]
        except UnusableError:
            continue
        parts = [part for part in score.parts if len(part.events) and not part.is_drum]
        is_tune = np.array([bool(TUNE.search(part.name.strip())) for part in parts])
        if FEWEST <= len(parts) <= MOST and is_tune.any() and not is_tune.all():
            fullest = max(parts, key=lambda part: len(part.events))
            more = [*parts, *_band_of(fullest)] if len(parts) <= 3 else parts
            example = Example(part_features(parts), is_tune)
            found.append((example, Example(part_features(more), np.pad(is_tune, (0, len(more) - len(parts))))))
    return found


def _band_of(part: Part) -> list[Part]:
    """A bass, a pad and a line of single notes out of an accompaniment, as other files have them beside the tune."""
    events = part.events[np.lexsort((part.events["pitch"], part.events["onset"]))]
    first = np.r_[True, np.diff(events["onset"]) > TOGETHER]
    bass, high = events[first].copy(), events[np.r_[np.flatnonzero(first)[1:] - 1, len(events) - 1]].copy()
    bass["pitch"] = 28 + bass["pitch"] % 12
    for line in (bass, high):
        line["duration"][:-1] = np.minimum(line["duration"][:-1], np.diff(line["onset"]))
    bar, pitch_class = np.unique(np.stack([events["onset"] // 4, events["pitch"] % 12]), axis=1)
    pad = make_events(4 * bar, np.full(len(bar), 4.0), 60 + pitch_class, np.full(len(bar), 70))
    return [Part("", 33, False, bass), Part("", 48, False, pad), Part("", 25, False, high)]


def fit(folders: list[list[Example]]) -> NDArray[np.float64]:
    """Weights under which the tune has more than each other part of its score: pairwise logistic regression."""
    from sklearn.linear_model import LogisticRegression

    differences, shares = [], []
    for examples in folders:
        for one in examples:
            pairs = one.features[one.is_tune][:, None] - one.features[~one.is_tune]
            differences.append(pairs.reshape(-1, pairs.shape[-1]))
            shares.append(np.full(len(differences[-1]), 1 / len(examples) / len(differences[-1])))
    rows, share = np.concatenate(differences), np.concatenate(shares)
    share *= len(shares) / share.sum()
    is_larger = np.repeat([True, False], len(rows))
    model = LogisticRegression(C=STRENGTH, fit_intercept=False, max_iter=10_000)
    model.fit(np.concatenate([rows, -rows]), is_larger, np.tile(share, 2))
    weights: NDArray[np.float64] = model.coef_[0]
    return weights


def share_found(examples: list[Example], weights: NDArray[np.float64]) -> float:
    """In how many of the examples the tune is found."""
    return float(np.mean([one.is_tune[np.argmax(one.features @ weights)] for one in examples]))


def all_kinds(examples: list[tuple[Example, Example]]) -> list[Example]:
    """What is learned from: half of the scores without names, half of them with a band around them."""
    kinds = [pair[number % 2] for number, pair in enumerate(examples)]
    return [one.without_names() if number // 2 % 2 else one for number, one in enumerate(kinds)]


def main(words: list[str]) -> None:
    """Fit, check and print."""
    folders = [examples_of(Path(word)) for word in words]
    random = np.random.default_rng(0)
    orders = [random.permutation(len(one)) for one in folders]
    seen = [[one[at] for at in order[len(order) // KEPT_BACK :]] for one, order in zip(folders, orders, strict=True)]
    weights = fit([all_kinds(one) for one in seen])
    for word, folder, order in zip(words, folders, orders, strict=True):
        kept = [folder[at][0] for at in order[: len(order) // KEPT_BACK]]
        named, hidden = share_found(kept, weights), share_found([one.without_names() for one in kept], weights)
        print(f"{word}: tune found in {named:.1%} of {len(kept)} unseen songs, {hidden:.1%} without names")
    for name, weight in zip(FEATURES, fit([all_kinds(one) for one in folders]), strict=True):
        print(f'    "{name}": {weight:.2f},')


if __name__ == "__main__":
    main(sys.argv[1:])

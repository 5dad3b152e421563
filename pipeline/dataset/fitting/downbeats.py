"""Fits the weights of `pipeline.scores.downbeats` to scores with known bar lines, by logistic regression.

`python -m pipeline.dataset.fitting.downbeats DIR` takes music21's chorales and the MIDI files below DIR, whose headers
must be right: those in 4/4 throughout. Both kinds count alike. It prints how often the downbeat of unseen songs is
found (each half by the weights of the other) and the weights of all.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UnusableError
from pipeline.scores.downbeats import downbeat_cues, fit_of_beats
from pipeline.scores.quantisation import merge_metres
from pipeline.scores.reading.score_files import read_scores
from pipeline.scores.score import Score, make_events
from pipeline.sources.catalog import CORPUS, locate

BEATS = 4
SHORTEST = 32
"""Quarter notes; a shorter piece says little."""
DECAY = 3e-3
"""Of the mean square of the weights."""


def scores_of(folder: Path, suffix: str) -> list[tuple[Score, int]]:
    """The scores below a folder that are in 4/4 throughout, each with the beat on which its bars start."""
    found = []
    for path in sorted(folder.rglob(f"*{suffix}")):
        try:
            score = read_scores(path, 16)[0]
        except UnusableError:
            continue
        metres = merge_metres(score.metres)
        pitched = any(len(part.events) and not part.is_drum for part in score.parts)
        if len(metres) == 1 and str(metres[0]) == "4/4" and score.end >= SHORTEST and pitched:
            found.append((score, int(metres[0].start) % BEATS))
    return found


def cues_of(score: Score) -> NDArray[np.float64]:
    """The cues `[cues, beats]` of a score's pitched parts."""
    parts = [part.events for part in score.parts if len(part.events) and not part.is_drum]
    onset, duration, pitch = (np.concatenate([one[name] for one in parts]) for name in ("onset", "duration", "pitch"))
    return downbeat_cues(make_events(onset, duration, pitch, np.zeros_like(onset)), BEATS)


def fit(cues: NDArray[np.float64], downbeat: NDArray[np.int64], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights `[cues, beats later]` under which the known downbeats are likeliest: multinomial logistic regression.

    A bar that begins a beat later is the same bar: each song is learned from in all rotations, which makes the classes'
    weights rotations of one another.

    Parameters
    ----------
    cues
        `[songs, cues, beats]`.
    downbeat
        The beat on which the bars of each song start.
    share
        How much each song counts.
    """
    from sklearn.linear_model import LogisticRegression

    rotations = range(BEATS)
    features = np.concatenate([np.roll(cues, beats, axis=2).reshape(len(cues), -1) for beats in rotations])
    classes = np.concatenate([(downbeat + beats) % BEATS for beats in rotations])
    model = LogisticRegression(C=2 * cues[0].size / DECAY, fit_intercept=False, max_iter=10_000, tol=1e-6)
    model.fit(features, classes, np.tile(share / share.sum() / BEATS, BEATS))
    weights: NDArray[np.float64] = model.coef_[0].reshape(cues.shape[1:])
    return weights


def main(words: list[str]) -> None:
    """Fit, cross-validate and print."""
    kinds = [scores_of(locate(f"{CORPUS}bach"), ".mxl"), scores_of(Path(words[0]), ".mid")]
    cues = np.array([cues_of(score) for songs in kinds for score, _ in songs])
    downbeat = np.array([beat for songs in kinds for _, beat in songs])
    kind = np.repeat(np.arange(2), [len(songs) for songs in kinds])
    share = 1 / np.bincount(kind)[kind]
    order = np.random.default_rng(0).permutation(len(cues))
    right = np.zeros(len(cues), np.bool_)
    for seen, unseen in ((order[::2], order[1::2]), (order[1::2], order[::2])):
        weights = fit(cues[seen], downbeat[seen], share[seen])
        right[unseen] = [
            np.argmax(fit_of_beats(one, weights)) == beat
            for one, beat in zip(cues[unseen], downbeat[unseen], strict=True)
        ]
    for name, songs, found in zip(("chorales", "others"), kinds, (right[kind == 0], right[kind == 1]), strict=True):
        print(f"unseen songs: {found.mean():.1%} of {len(songs)} {name}")
    print(np.array2string(fit(cues, downbeat, share), separator=", ", precision=2, suppress_small=True))


if __name__ == "__main__":
    main(sys.argv[1:])

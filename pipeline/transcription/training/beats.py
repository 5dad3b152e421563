"""Train beats and downbeats: `python -m pipeline.transcription.training.beats --midi DIR ... --soundfonts FILE ...`.

The weights `pipeline/transcription/beats/weights.npz` come from one run with

- `--midi`: the music of Freedoom (BSD-3-Clause) and Simutrans (Artistic-1.0), POP909 (MIT), and the Groove MIDI
  Dataset (CC BY 4.0);
- `--soundfonts`: TimGM6mb (GPL-2) and FluidR3 (MIT);
- `--without 669 820`, which are evaluated on;

and otherwise as the options are by default. Half of each folder's files, by a hash of their names, are trained on; the
other half is for evaluation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.progress import bar, say
from pipeline.transcription.beats.downbeats import downbeat_confidence
from pipeline.transcription.beats.metrical_levels import WEIGHTS_PATH
from pipeline.transcription.beats.onsets import Floats
from pipeline.transcription.training.beat_examples import (
    AnnotatedPiece,
    MetreExample,
    find_pieces,
    make_example,
    on_beats_only,
    onsets_of,
    transcribe_piece,
    with_errors,
    without_kinds,
    without_start,
)

FOLDS = 5
"""The downbeat confidence that levels are trained on comes from phases fitted to other pieces."""

LEVEL_PENALTY, PHASE_PENALTY = 12.0, 30.0
"""Ridge (L2) penalty: what half the squares of the weights cost beside the examples' losses in nats."""

LATEST_SECONDS = 4.0
"""So much of the beginning may be left out of examples with simulated errors."""

LESSER_WEIGHT = 0.3
"""How much an example counts that is not a whole transcription."""

ChoiceData = tuple[list[Floats], list[Floats], list[float]]
"""For each example `[candidates, features]`, which candidates are right (0 or 1), and the example's weight."""


def argument_parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.transcription.training.beats", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--midi", type=Path, nargs="+", required=True, metavar="DIR", help="folders of MIDI files")
    parser.add_argument("--soundfonts", type=Path, nargs="+", required=True, metavar="FILE", help="General MIDI, .sf2")
    parser.add_argument("--without", nargs="*", default=[], metavar="NAME", help="files to leave out, without .mid")
    parser.add_argument("--pieces", type=int, default=30, help="of each folder at most (%(default)s)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the transcription of each piece here")
    parser.add_argument("--workers", type=int, default=1, help="pieces transcribed at a time (%(default)s)")
    parser.add_argument("--out", type=Path, default=WEIGHTS_PATH, metavar="FILE", help="where the weights go")
    return parser


def examples_of(
    item: tuple[int, Path, AnnotatedPiece], soundfonts: Sequence[Path], cache: Path | None
) -> list[MetreExample]:
    """Examples of a piece: its transcription, that without drums, and its notes with simulated errors.

    Those with errors begin anywhere in the first bars. Of four pieces one also comes as onsets without their kinds,
    one with what is on its beats alone, and one as both. The piece's number chooses the SoundFont and seeds the errors.
    """
    number, path, piece = item
    rng = np.random.default_rng(number)
    transcription = transcribe_piece(path, piece, soundfonts[number % len(soundfonts)], cache)
    faulty = without_start(with_errors(piece, rng), rng.uniform(0, LATEST_SECONDS))
    examples = [
        make_example(piece, onsets_of(transcription), 1.0),
        make_example(piece, onsets_of(faulty), LESSER_WEIGHT),
    ]
    if len(transcription.hits) and len(transcription.notes):
        examples.append(make_example(piece, onsets_of(transcription, drums=False), LESSER_WEIGHT))
    plain = faulty if number % 4 == 0 else on_beats_only(piece)
    if number % 2 == 0:
        examples.append(make_example(piece, without_kinds(onsets_of(plain)), LESSER_WEIGHT))
    elif number % 4 == 1:
        examples.append(make_example(piece, onsets_of(plain), LESSER_WEIGHT))
    return [example for example in examples if example is not None]


def fit_classifiers(examples: list[list[MetreExample]]) -> dict[str, Floats]:
    """Fit both classifiers to the examples of each piece: weights `level` and `phase`."""
    pieces = np.arange(len(examples))
    phase = fit_conditional_logit(_phase_choices([one for piece in examples for one in piece]), PHASE_PENALTY)
    features, right, weights = [], [], []
    for fold in range(FOLDS):
        others = [one for piece in pieces[pieces % FOLDS != fold] for one in examples[piece]]
        by_others = fit_conditional_logit(_phase_choices(others), PHASE_PENALTY)
        for one in (one for piece in pieces[pieces % FOLDS == fold] for one in examples[piece]):
            confidence = downbeat_confidence([level.phases @ by_others for level in one.levels])
            features.append(np.concatenate([np.stack([level.features for level in one.levels]), confidence], axis=1))
            right.append(one.right_levels.astype(float))
            weights.append(one.weight)
    return {"phase": phase, "level": fit_conditional_logit((features, right, weights), LEVEL_PENALTY)}


def _phase_choices(examples: list[MetreExample]) -> ChoiceData:
    """Which phase of the right level is right, of the examples that know it."""
    known = [one for one in examples if one.right_phases.any()]
    return (
        [one.levels[int(one.right_levels.argmax())].phases for one in known],
        [one.right_phases.astype(float) for one in known],
        [one.weight for one in known],
    )


def fit_conditional_logit(data: ChoiceData, penalty: float) -> Floats:
    """Conditional logit (McFadden 1974) with a ridge penalty: `[features]`, fitted by L-BFGS.

    A softmax over the candidates of each example, of which several may be right. (scikit-learn's logistic regression
    knows classes that all examples share, not candidates of each example.) The penalty is on weights of standardised
    features; those returned are of the features as they are.
    """
    from scipy.optimize import minimize

    features, right, weights = np.concatenate(data[0]), np.concatenate(data[1]), np.array(data[2])
    firsts = np.cumsum([0, *(len(rows) for rows in data[0])])[:-1]
    lengths = np.array([len(rows) for rows in data[0]])
    scale = features.std(axis=0) + 1e-3
    scaled = (features - features.mean(axis=0)) / scale

    def loss(direction: Floats) -> tuple[float, Floats]:
        log_odds = scaled @ direction
        log_odds = log_odds - np.repeat(np.maximum.reduceat(log_odds, firsts), lengths)
        probability = np.exp(log_odds)
        probability /= np.repeat(np.add.reduceat(probability, firsts), lengths)
        hit = np.add.reduceat(probability * right, firsts) + 1e-9
        gradient = np.repeat(weights, lengths) * (probability - probability * right / np.repeat(hit, lengths))
        total = -float(weights @ np.log(hit)) + 0.5 * penalty * float(direction @ direction)
        return total, gradient @ scaled + penalty * direction

    found = minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    weights_of_features: Floats = found.x / scale
    return weights_of_features


def main(words: Sequence[str]) -> None:
    """Transcribe the pieces, fit the classifiers to them and write the weights."""
    import joblib

    given = argument_parser().parse_args(words)
    for name in ("pieces", "workers"):
        if getattr(given, name) < 1:
            raise UserError(f"--{name} must be at least 1, not {getattr(given, name)}.")
    for folder in [*given.midi, given.out.parent, *([] if given.cache is None else [given.cache])]:
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder.")
    soundfonts = [soundfont_path(str(path)) for path in given.soundfonts]
    pieces = [piece for folder in given.midi for piece in find_pieces(folder, given.pieces, given.without)]
    items = [(number, path, piece) for number, (path, piece) in enumerate(pieces)]
    calls = (joblib.delayed(examples_of)(item, soundfonts, given.cache) for item in items)
    made = joblib.Parallel(given.workers, return_as="generator")(calls)
    examples: list[list[MetreExample]] = list(bar(made, len(items), "transcribing", "piece"))
    if not any(one.right_phases.any() for piece in examples for one in piece):
        raise UserError("None of the pieces knows its beats.")
    weights: dict[str, Any] = {name: one.astype(np.float32) for name, one in fit_classifiers(examples).items()}
    np.savez_compressed(given.out, **weights)
    say(f"{given.out} written: {sum(map(len, examples))} examples of {len(items)} pieces.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))

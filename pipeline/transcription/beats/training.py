"""Train the judges of beats and bars: `python -m pipeline.transcription.beats.training --midi DIR ... --soundfonts FILE
...`.

The weights beside this module, `weights.npz`, come from one run with

- `--midi`: the music of Freedoom (BSD-3-Clause) and Simutrans (Artistic-1.0), POP909 (MIT), and the Groove MIDI
  Dataset (CC BY 4.0);
- `--soundfonts`: TimGM6mb (GPL-2) and FluidR3 (MIT);
- `--without 669 820`, which are measured on;

and otherwise as the options are by default. Half of each folder's files, by a hash of their names, are learned from, so
that the other half can be measured on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.progress import bar, say
from pipeline.transcription.beats.examples import (
    Lesson,
    Truth,
    bare,
    begun_late,
    known_pieces,
    make_lesson,
    on_beats_only,
    onsets_of,
    transcribed,
    with_faults,
)
from pipeline.transcription.beats.metre import WEIGHTS_PATH, clearness
from pipeline.transcription.beats.onsets import Floats

FOLDS = 5
"""How clear a level is gets learned from phases that other pieces taught."""

LEVEL_COST, PHASE_COST = 12.0, 30.0
"""What the squares of the weights cost, halved, beside the lessons' losses in nats."""

LATEST_SECONDS = 4.0
"""So much of the beginning may be left out of lessons with faults."""

LESSER = 0.3
"""How much a lesson counts that isn't all of what is found in sound."""

Task = tuple[list[Floats], list[Floats], list[float]]
"""For each lesson `[candidates, features]`, the chance of each candidate to be right, and the lesson's weight."""


def arguments() -> argparse.ArgumentParser:
    """What may be said on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.transcription.beats.training", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--midi", type=Path, nargs="+", required=True, metavar="DIR", help="folders of MIDI files")
    parser.add_argument("--soundfonts", type=Path, nargs="+", required=True, metavar="FILE", help="General MIDI, .sf2")
    parser.add_argument("--without", nargs="*", default=[], metavar="NAME", help="files to leave out, without .mid")
    parser.add_argument("--pieces", type=int, default=30, help="of each folder at most (%(default)s)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep what is found in the sound of each piece here")
    parser.add_argument("--workers", type=int, default=1, help="pieces heard at a time (%(default)s)")
    parser.add_argument("--out", type=Path, default=WEIGHTS_PATH, metavar="FILE", help="where the weights go")
    return parser


def lessons(item: tuple[int, Path, Truth], soundfonts: Sequence[Path], cache: Path | None) -> list[Lesson]:
    """What the piece teaches: as it is found in its sound, without its drums, and as its notes with faults.

    Those with faults begin anywhere in the first bars. Of four pieces one is heard as bare onsets too, one only on its
    beats, and one as bare onsets of those. The piece's number chooses the SoundFont, and is the seed of faults.
    """
    number, path, known = item
    rng = np.random.default_rng(number)
    heard = transcribed(path, known, soundfonts[number % len(soundfonts)], cache)
    faulty = begun_late(with_faults(known, rng), rng.uniform(0, LATEST_SECONDS))
    told = [make_lesson(known, onsets_of(heard), 1.0), make_lesson(known, onsets_of(faulty), LESSER)]
    if len(heard.hits) and len(heard.notes):
        told.append(make_lesson(known, onsets_of(heard, drums=False), LESSER))
    plain = faulty if number % 4 == 0 else on_beats_only(known)
    if number % 2 == 0:
        told.append(make_lesson(known, bare(onsets_of(plain)), LESSER))
    elif number % 4 == 1:
        told.append(make_lesson(known, onsets_of(plain), LESSER))
    return [lesson for lesson in told if lesson is not None]


def learn(taught: list[list[Lesson]]) -> dict[str, Floats]:
    """The weights of both judges, by the lessons of each piece."""
    pieces = np.arange(len(taught))
    phase = _fit(_phase_task([lesson for piece in taught for lesson in piece]), PHASE_COST)
    features, right, weights = [], [], []
    for fold in range(FOLDS):
        others = [lesson for piece in pieces[pieces % FOLDS != fold] for lesson in taught[piece]]
        by_others = _fit(_phase_task(others), PHASE_COST)
        for lesson in (lesson for piece in pieces[pieces % FOLDS == fold] for lesson in taught[piece]):
            clear = clearness([level.phases @ by_others for level in lesson.levels])
            features.append(np.concatenate([np.stack([level.features for level in lesson.levels]), clear], axis=1))
            right.append(lesson.right_levels.astype(float))
            weights.append(lesson.weight)
    return {"phase": phase, "level": _fit((features, right, weights), LEVEL_COST)}


def _phase_task(taught: list[Lesson]) -> Task:
    """Which phase of the right level is right, where the lesson tells."""
    telling = [lesson for lesson in taught if lesson.right_phases.any()]
    return (
        [lesson.levels[int(lesson.right_levels.argmax())].phases for lesson in telling],
        [lesson.right_phases.astype(float) for lesson in telling],
        [lesson.weight for lesson in telling],
    )


def _fit(task: Task, cost: float) -> Floats:
    """`[features]`: the linear weights under which the right candidates are likely (softmax), at a cost of squares.

    The cost is that of weights of features scaled to a deviation of one; the weights returned are of the features as
    they are.
    """
    from scipy.optimize import minimize

    features, right, weights = np.concatenate(task[0]), np.concatenate(task[1]), np.array(task[2])
    firsts = np.cumsum([0, *(len(rows) for rows in task[0])])[:-1]
    lengths = np.array([len(rows) for rows in task[0]])
    scale = features.std(axis=0) + 1e-3
    scaled = (features - features.mean(axis=0)) / scale

    def loss(direction: Floats) -> tuple[float, Floats]:
        odds = scaled @ direction
        odds = odds - np.repeat(np.maximum.reduceat(odds, firsts), lengths)
        chance = np.exp(odds)
        chance /= np.repeat(np.add.reduceat(chance, firsts), lengths)
        hit = np.add.reduceat(chance * right, firsts) + 1e-9
        slope = np.repeat(weights, lengths) * (chance - chance * right / np.repeat(hit, lengths))
        total = -float(weights @ np.log(hit)) + 0.5 * cost * float(direction @ direction)
        return total, slope @ scaled + cost * direction

    found = minimize(loss, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    learned: Floats = found.x / scale
    return learned


def run(words: Sequence[str]) -> None:
    """Hear the pieces, learn from them and write the weights."""
    given = arguments().parse_args(words)
    for name in ("pieces", "workers"):
        if getattr(given, name) < 1:
            raise UserError(f"--{name} must be at least 1, not {getattr(given, name)}.")
    for folder in [*given.midi, given.out.parent, *([] if given.cache is None else [given.cache])]:
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder.")
    soundfonts = [soundfont_path(str(path)) for path in given.soundfonts]
    pieces = [piece for folder in given.midi for piece in known_pieces(folder, given.pieces, given.without)]
    items = [(number, path, piece) for number, (path, piece) in enumerate(pieces)]
    task = partial(lessons, soundfonts=soundfonts, cache=given.cache)
    with ProcessPoolExecutor(given.workers) as executor:
        told: Iterator[list[Lesson]] = executor.map(task, items)
        taught = list(bar(told, len(items), "hearing", "piece"))
    if not any(lesson.right_phases.any() for piece in taught for lesson in piece):
        raise UserError("None of the pieces tells its beats.")
    np.savez_compressed(given.out, **{name: value.astype(np.float32) for name, value in learn(taught).items()})  # type: ignore[arg-type]
    say(f"{given.out} written: {sum(map(len, taught))} lessons of {len(items)} pieces.")


if __name__ == "__main__":
    try:
        run(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))

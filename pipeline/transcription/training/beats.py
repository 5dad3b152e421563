"""Train beats and downbeats: `python -m pipeline.transcription.training.beats --midi DIR ... --soundfonts FILE ...`.

The weights `pipeline/transcription/beats/weights.npz` come from one run with

- `--midi`: the music of Freedoom (BSD-3-Clause), Simutrans (Artistic-1.0) and OpenMSX (GPL-2), POP909 with its labels
  (MIT), and chorales of Bach (public domain, as music21 has them) written as MIDI;
- `--drums`: the Groove MIDI Dataset (CC BY 4.0);
- `--soundfonts`: FluidR3 (MIT), TimGM6mb (GPL-2), OPL-3 FM (CC BY-SA 4.0), csound's GM bank (LGPL-2.1);

and `--simulated 1`, the other options as they are by default (1,974 examples). A quarter of each folder's files, by a
hash of their names, is for evaluation and never trained on.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import pickle
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.audio.synthesizers import soundfont_path
from pipeline.errors import UserError
from pipeline.progress import bar, say
from pipeline.transcription.beats.metre_network import WEIGHTS_PATH, MetreNetwork, save_network
from pipeline.transcription.training.beat_examples import (
    AnnotatedPiece,
    MetreExample,
    make_examples,
    on_beats_only,
    onsets_of,
    part_of,
    with_errors,
    with_losses,
    without_kinds,
)
from pipeline.transcription.training.beat_excerpts import (
    Excerpt,
    draw_excerpt,
    drum_files,
    files_of,
    transcribe_excerpt,
)

NETWORKS = 3
"""Their log odds are averaged."""

WIDTHS = (48, 16)
"""Hidden units of each network's layers."""

FEATURE_DROPOUT, DROPOUT = 0.45, 0.2
"""Of the features, as the pieces are few; and of hidden units."""

LEARNING_RATE, WEIGHT_DECAY, EPOCHS, BATCH = 2e-3, 0.05, 7, 16

MOST_WRONG = 160
"""So many of the wrong candidates of an example are looked at each time, at random."""

TEMPO_JITTER = 0.08
"""Octaves: by how much the tempo of an example is moved, as standard deviation."""

LESSER_WEIGHT = 0.4
"""How much an example counts that is not a whole transcription."""

Row = NDArray[np.float16]


def argument_parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.transcription.training.beats", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--midi", type=Path, nargs="+", required=True, metavar="DIR", help="folders of MIDI files")
    parser.add_argument("--soundfonts", type=Path, nargs="+", required=True, metavar="FILE", help="General MIDI, .sf2")
    parser.add_argument("--drums", type=Path, metavar="DIR", help="drums that are played along: Groove MIDI Dataset")
    parser.add_argument("--pieces", type=int, default=60, help="of each folder rendered at most (%(default)s)")
    parser.add_argument("--simulated", type=int, default=2, help="excerpts with simulated errors a file (%(default)s)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the transcription of each excerpt here")
    parser.add_argument("--seed", type=int, default=0, help="of the network's training (%(default)s)")
    parser.add_argument("--out", type=Path, default=WEIGHTS_PATH, metavar="FILE", help="where the weights go")
    return parser


def transcribed_examples(
    excerpt: Excerpt, piece: AnnotatedPiece, soundfont: Path, cache: Path | None, rng: np.random.Generator
) -> list[MetreExample]:
    """Examples of an excerpt's transcription: all of it, a part with losses, without drums, and with errors instead.

    One in four also comes as onsets without their kinds.
    """
    found = transcribe_excerpt(excerpt, piece, soundfont, cache)
    examples = make_examples(piece, onsets_of(found), 1.0)
    others = [onsets_of(part_of(with_losses(found, rng), rng)), onsets_of(with_errors(piece, rng))]
    if len(found.hits) and len(found.notes):
        others.append(onsets_of(found, drums=False))
    if rng.random() < 0.25:
        others.append(without_kinds(onsets_of(found)))
    return examples + [one for onsets in others for one in make_examples(piece, onsets, LESSER_WEIGHT)]


def simulated_examples(piece: AnnotatedPiece, rng: np.random.Generator) -> list[MetreExample]:
    """Examples of a piece with simulated errors; of a third of the pieces, of a part of it."""
    faulty = with_errors(piece, rng)
    return make_examples(piece, onsets_of(part_of(faulty, rng) if rng.random() < 1 / 3 else faulty), LESSER_WEIGHT)


class _Perceptron(nn.Module):
    """Scores candidates `[candidates, features]` by layers with dropout between them."""

    def __init__(self, features: int) -> None:
        super().__init__()
        sizes = (features, *WIDTHS, 1)
        self.layers = nn.ModuleList(nn.Linear(size, after) for size, after in itertools.pairwise(sizes))

    def forward(self, scaled: Tensor) -> Tensor:
        """`[candidates]` log odds."""
        hidden = F.dropout(scaled, FEATURE_DROPOUT, self.training)
        for number, layer in enumerate(self.layers):
            hidden = layer(F.dropout(F.relu(hidden), DROPOUT, self.training) if number else hidden)
        return hidden[:, 0]


def fit_network(examples: Sequence[MetreExample], seed: int, epochs: int = EPOCHS) -> MetreNetwork:
    """Train the ensemble to choose the right ones of each example's candidates (softmax cross-entropy, AdamW)."""
    rows = [example.candidates.astype(np.float16) for example in examples]
    rng = np.random.default_rng(seed)
    some = np.concatenate([one[rng.integers(len(one), size=40)] for one in rows]).astype(np.float32)
    mean, scale = some.mean(axis=0), 1 / (some.std(axis=0) + 0.01)
    torch.set_flush_denormal(True)
    fitted = [
        _fit_one(rows, examples, mean, scale, np.random.default_rng([seed, number]), epochs)
        for number in bar(range(NETWORKS), NETWORKS, "training", "network")
    ]
    states = [{name: value.numpy() for name, value in one.state_dict().items()} for one in fitted]
    layers = [
        (
            np.stack([one[f"layers.{number}.weight"].T for one in states]),
            np.stack([one[f"layers.{number}.bias"] for one in states]),
        )
        for number in range(len(WIDTHS) + 1)
    ]
    return MetreNetwork(mean, scale, tuple(layers))


def _fit_one(
    rows: list[Row],
    examples: Sequence[MetreExample],
    mean: NDArray[np.float32],
    scale: NDArray[np.float32],
    rng: np.random.Generator,
    epochs: int,
) -> _Perceptron:
    """Train one network of the ensemble."""
    torch.manual_seed(int(rng.integers(2**31)))
    network = _Perceptron(len(mean))
    batches = max(len(rows) // BATCH, 1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=epochs * batches + 1, pct_start=0.1
    )
    for _ in range(epochs):
        for batch in np.array_split(rng.permutation(len(rows)), batches):
            drawn = [_drawn(rows[index], examples[index].right, rng) for index in batch.tolist()]
            scaled = (np.concatenate([one for one, _ in drawn]) - mean) * scale
            odds = network(torch.from_numpy(scaled)).split([len(one) for one, _ in drawn])
            losses = [
                examples[index].weight * (torch.logsumexp(one, 0) - torch.logsumexp(one[:right], 0))
                for index, one, (_, right) in zip(batch.tolist(), odds, drawn, strict=True)
            ]
            optimizer.zero_grad()
            torch.autograd.backward(torch.stack(losses).mean())
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
    return network.eval()


def _drawn(rows: Row, right: NDArray[np.bool_], rng: np.random.Generator) -> tuple[NDArray[np.float32], int]:
    """The right candidates and after them some of the wrong ones, at another tempo, and how many are right."""
    good, bad = np.flatnonzero(right), np.flatnonzero(~right)
    if len(bad) > MOST_WRONG:
        bad = rng.choice(bad, MOST_WRONG, replace=False)
    drawn = rows[np.concatenate([good, bad])].astype(np.float32)
    away = drawn[:, 0] + np.float32(rng.normal(0, TEMPO_JITTER))
    drawn[:, :4] = np.stack([away, away**2, np.maximum(away, 0) ** 2, np.abs(away)], axis=1)
    return drawn, len(good)


@dataclass(frozen=True)
class Material:
    """What pieces are played with, and the folder (if any) that keeps their examples."""

    soundfonts: Sequence[Path]
    drummers: Sequence[Path]
    cache: Path | None


def examples_of(path: Path, turn: int, material: Material) -> list[MetreExample]:
    """Examples of one excerpt of a file: of turn 1 its transcription's, of others those with simulated errors.

    Of a quarter of the files what lies on the beats of an excerpt is one too. The SoundFont, the excerpt and its errors
    are drawn by the file's name and the turn.
    """
    cache = material.cache
    kept = None if cache is None else cache / f"{path.parent.name}-{path.stem}-examples{turn}.pkl"
    if kept is not None and kept.is_file():
        examples: list[MetreExample] = pickle.loads(kept.read_bytes())
        return examples
    seed = hashlib.sha256(path.name.encode()).digest()
    rng = np.random.default_rng([turn, *seed])
    drawn = draw_excerpt(path, turn, material.drummers)
    if drawn is None or not drawn[1].knows_beats:
        examples = []
    elif turn > 1:
        examples = simulated_examples(drawn[1], rng)
        if turn == 2 and seed[4] % 4 == 0:
            examples += make_examples(drawn[1], onsets_of(on_beats_only(drawn[1])), LESSER_WEIGHT)
    else:
        soundfont = material.soundfonts[seed[3] % len(material.soundfonts)]
        examples = transcribed_examples(*drawn, soundfont, cache, rng)
    if kept is not None:
        kept.write_bytes(pickle.dumps(examples))
    return examples


def main(words: Sequence[str]) -> None:
    """Transcribe the pieces, fit the network to them and write the weights."""
    given = argument_parser().parse_args(words)
    if given.pieces < 1:
        raise UserError(f"--pieces must be at least 1, not {given.pieces}.")
    if given.simulated < 0:
        raise UserError(f"--simulated must be at least 0, not {given.simulated}.")
    named = [*given.midi, given.out.parent, *(one for one in (given.cache, given.drums) if one is not None)]
    for folder in named:
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder.")
    soundfonts = [soundfont_path(str(path)) for path in given.soundfonts]
    material = Material(soundfonts, [] if given.drums is None else drum_files(given.drums), given.cache)
    excerpts = [
        (path, turn)
        for folder in given.midi
        for number, path in enumerate(files_of(folder))
        for turn in range(1 if number < given.pieces else 2, given.simulated + 2)
    ]
    made = (examples_of(path, turn, material) for path, turn in bar(excerpts, len(excerpts), "transcribing", "excerpt"))
    examples = [one for some in made for one in some]
    if not examples:
        raise UserError("None of the pieces knows its beats.")
    save_network(given.out, fit_network(examples, given.seed))
    say(f"{given.out} written: {len(examples)} examples.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))

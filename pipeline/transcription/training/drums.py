"""Train the drum network: `python -m pipeline.transcription.training.drums --midi DIR ... --soundfonts FILE ...`.

The weights `pipeline/transcription/drums/weights.npz` come from one run with

- `--midi`: the Groove MIDI Dataset (CC BY 4.0), the songs of Freedoom (BSD), Simutrans (Artistic) and OpenTTD's
  openmsx (GPL-2), and POP909 (MIT);
- `--soundfonts`: TimGM6mb (GPL-2), OPL-3 FM (CC BY-SA 4.0) and Csound's sf_GMbank (public domain);
- `--kits`: Debian's hydrogen-data and hydrogen-drumkits (GPL-2, CC BY, CC BY-SA, CC0), and the samples of its packages
  lmms-common (GPL-2) and sonic-pi-samples (CC0);
- `--validation-kits`: BJA_Pacific, HardElectro1 and GMRockKit of these;

and otherwise as the options are by default. Only numbers learned from the sounds are kept, none of the sounds. One file
in ten of each folder is left out for `drum_evaluation`, and so are SoundFonts of FluidR3's family (MuseScore's too).
With one thread rendering takes about 15 minutes of processor time, training 40 where the core multiplies bfloat16.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from pipeline.errors import UserError
from pipeline.progress import bar, say
from pipeline.transcription.drums.drum_map import CLOSED_HAT, DRUMS, KICK, NAMES, OPEN_HAT, SNARE
from pipeline.transcription.drums.features import FRAMES_PER_SECOND
from pipeline.transcription.drums.hits import find_peaks
from pipeline.transcription.drums.network import WEIGHTS, DrumNetwork, activations, load_network, save_network
from pipeline.transcription.training.drum_evaluation import TOLERANCE_SECONDS
from pipeline.transcription.training.drum_mixes import make_batch
from pipeline.transcription.training.drum_stems import StemSet, find_sources, make_stem_set
from pipeline.transcription.training.f1_scores import MatchCounts, load_mir_eval

BATCH = 16
LEARNING_RATE, CONTINUED_RATE = 2e-3, 1.2e-3
"""The highest learning rate, and that of a run that begins with the weights of another."""

WARM_UP = 50
"""Steps in which the learning rate rises."""

HIT_WEIGHT = 2.0
"""How much more a frame with a hit counts than one without: missing a hit and a false one are then about as bad."""

STRENGTH_WEIGHT = 0.1
THRESHOLDS = np.arange(0.1, 0.85, 0.05)
BETA = dict.fromkeys(DRUMS, 1.0) | dict.fromkeys((KICK, SNARE, CLOSED_HAT, OPEN_HAT), 0.7)
"""Weight of recall beside precision in a drum's threshold (F-beta).

Kits and music differ more in recordings than among the stems, and what is like the commonest drums is found too often:
on songs with a kit that no stem has, 0.7 makes their F1 up to 0.05 higher than 1 does.
"""


def argument_parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.transcription.training.drums", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--midi", type=Path, nargs="+", required=True, metavar="DIR", help="folders of MIDI files")
    parser.add_argument("--soundfonts", type=Path, nargs="+", required=True, metavar="FILE", help="General MIDI, .sf2")
    parser.add_argument(
        "--kits", type=Path, nargs="*", default=[], metavar="DIR", help="Hydrogen drum kits, or folders of samples"
    )
    parser.add_argument(
        "--validation-kits", type=Path, nargs="*", default=[], metavar="DIR", help="kits that only set thresholds"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep what is rendered here")
    parser.add_argument("--drums", type=int, default=2000, help="half minutes of drums (%(default)s)")
    parser.add_argument("--music", type=int, default=900, help="half minutes of other music (%(default)s)")
    parser.add_argument("--steps", type=int, default=6000, help="of training (%(default)s)")
    parser.add_argument("--begin-with", type=Path, metavar="FILE", help="weights of a run that this one continues")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=WEIGHTS, metavar="FILE", help="where the weights go (%(default)s)")
    return parser


def train_network(stems: StemSet, steps: int, seed: int, begin_with: Path | None = None) -> DrumNetwork:
    """Train a network on `steps` batches of mixes: binary cross-entropy of hits, squared error of their strength.

    Raises
    ------
    UserError
        The file `begin_with` holds no weights of the network.
    """
    seed += begin_with is not None  # a run that goes on meets other mixes
    torch.manual_seed(seed)
    torch.set_flush_denormal(True)
    random = np.random.default_rng(seed)
    network = DrumNetwork() if begin_with is None else copy.deepcopy(load_network(begin_with)[0])
    rate = LEARNING_RATE if begin_with is None else CONTINUED_RATE
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    network.train()
    losses: list[float] = []
    for step in bar(range(1, steps + 1), steps, "training", "step"):
        batch = make_batch(stems, BATCH, random)
        probability, strength = torch.from_numpy(batch.probability), torch.from_numpy(batch.strength)
        with torch.autocast("cpu", torch.bfloat16):
            logits, predicted = network(torch.from_numpy(batch.scaled))
        logits, predicted = logits.float(), predicted.float()
        weights = 1 + (HIT_WEIGHT - 1) * probability
        loss = (weights * F.binary_cross_entropy_with_logits(logits, probability, reduction="none")).mean()
        hits = strength > 0
        if hits.any():
            loss = loss + STRENGTH_WEIGHT * F.mse_loss(predicted[hits], strength[hits])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 100 == 0:
            say(f"step {step}: loss {np.mean(losses[-100:]):.4f}")
    return network.eval()


def choose_thresholds(network: DrumNetwork, stems: StemSet, seed: int) -> tuple[NDArray[np.float32], list[float]]:
    """Peak-picking thresholds of the drums, `[drums]`: those with the best F-beta on the validation stems; and the F1.

    Each of their drum stems is taken alone and with music at two levels, each music stem once without drums.
    """
    random = np.random.default_rng(seed)
    counts = [[MatchCounts() for _ in THRESHOLDS] for _ in DRUMS]
    music = [np.exp(stem.log_power.astype(np.float32)) for stem in stems.validation_music]
    nothing = np.zeros((0, 3), np.float32)
    mixes = [(power, nothing) for power in music]
    for stem in stems.validation_drums:
        power = np.exp(stem.log_power.astype(np.float32))
        beside = music[int(random.integers(len(music)))]
        for ratio in (0, 1, 4):
            mixes.append((power + beside * np.float32(ratio * power.mean() / beside.mean()), stem.hits))
    for power, hits in mixes:
        probabilities, _ = activations(network, power)
        for drum, row in enumerate(counts):
            played = np.sort(hits[hits[:, 1] == drum, 0]).astype(np.float64)
            for threshold, count in zip(THRESHOLDS, row, strict=True):
                found = find_peaks(probabilities[:, drum], threshold)[1] / FRAMES_PER_SECOND
                count.add(found, played, TOLERANCE_SECONDS)
    scores = np.nan_to_num(
        [[_f_beta(count, BETA[drum]) for count in row] for drum, row in zip(DRUMS, counts, strict=True)]
    )
    best = scores.argmax(axis=1)
    reached = [counts[drum][index].f1 for drum, index in enumerate(best)]
    return THRESHOLDS[best].astype(np.float32), reached


def _f_beta(counts: MatchCounts, beta: float) -> float:
    """F-beta score (van Rijsbergen 1979): recall counts `beta` times as much as precision."""
    below = beta**2 * counts.reference + counts.estimated
    return (1 + beta**2) * counts.matched / below if below else float("nan")


def main(words: Sequence[str]) -> None:
    """Render the stems, train, choose thresholds and write the weights."""
    given = argument_parser().parse_args(words)
    load_mir_eval()
    for name in ("drums", "music", "steps"):
        if getattr(given, name) < 1:
            raise UserError(f"--{name} must be at least 1, not {getattr(given, name)}.")
    if not given.out.parent.is_dir():
        raise UserError(f"--out {given.out}: there is no folder {given.out.parent}.")
    began = time.monotonic()
    sources = find_sources(given.midi, given.soundfonts, given.kits)
    stems = make_stem_set(sources, given.validation_kits, given.drums, given.music, given.seed, given.cache)
    rendered = time.monotonic()
    network = train_network(stems, given.steps, given.seed, given.begin_with)
    thresholds, reached = choose_thresholds(network, stems, given.seed)
    save_network(given.out, network, thresholds)
    for name, threshold, score in zip(NAMES, thresholds, reached, strict=True):
        say(f"{name:14} F1 {score:.2f} on other songs, from a probability of {threshold:.2f}")
    took = f"{(rendered - began) / 60:.0f} min rendering, {(time.monotonic() - rendered) / 60:.0f} min training"
    say(f"{given.out} written ({given.out.stat().st_size / 1000:.0f} KB; {took}).")


def _rate(step: int, steps: int) -> float:
    """Learning rate schedule: linear warm-up, then cosine decay, as a part of the whole."""
    return min((step + 1) / WARM_UP, 0.5 + 0.5 * float(np.cos(np.pi * step / steps)))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))

"""Training of the instrument network and of chord recognition on rendered bands.

The weights that come along were trained in 3,741 steps on 499 passages, which a core does in 38 minutes: of free game
music (Freedoom, BSD-3-Clause; simutrans, Artistic-1.0; OpenTTD's openmsx, GPL-2), of POP909 with its chord annotation
(MIT), with drums of the Groove MIDI Dataset (CC BY 4.0), played by the SoundFonts FluidR3 GM (MIT), TimGM6mb (GPL-2),
OPL-3 FM (CC BY-SA 4.0) and csound's GM bank (LGPL-2.1) as Debian has them. More steps on the same passages did not help
(validation loss .0312, and .0315 after 2,454 more). Chords were fitted to 150 of the passages. Steps and passages were
counted by the clock then, so this command makes weights of the same kind and not the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pipeline.config import compose
from pipeline.dataset.cutting import cutting_settings
from pipeline.errors import UnusableError, UserError
from pipeline.parallel import work_on
from pipeline.progress import bar, say
from pipeline.settings.data import ExecutorSettings
from pipeline.transcription import chords
from pipeline.transcription.instruments.decoding import LabelledNotes, label_notes
from pipeline.transcription.instruments.network import (
    LEAD,
    WEIGHTS,
    InstrumentNetwork,
    as_tensors,
    label_points,
    save_network,
)
from pipeline.transcription.pitches.multipitch import PitchActivations
from pipeline.transcription.training.bands.chord_model import (
    chord_numbers,
    fit_chord_model,
    half_bar_sequence,
    save_chord_model,
)
from pipeline.transcription.training.bands.instrument_examples import (
    InstrumentExample,
    label_pop909,
    label_score,
    make_example,
    other_instruments,
    passage,
    read_example,
    render_mix,
    write_example,
)
from pipeline.transcription.training.bands.note_confidence import fit_note_confidence
from pipeline.transcription.training.drum_stems import NUM_SHARES, share_of

BATCH, CROP_STEPS = 4, 430
"""Passages of 20 s in a batch."""
LEARNING_RATE = 3e-3
WARM_UP = 200
TONE_LEVELS, GAIN_LEVELS = 7.0, 6.0
"""Spread of the tone and the gain that the spectra of each passage are changed by, in steps of a third of a decibel."""
FEWEST_NOTES = 30
POP_SHARE = 3
"""One of so many examples is POP909's."""
TRIES = 20
"""Passages drawn for one example before giving up."""
SALT = b"instruments "
"""Parts the files into shares of their own."""
VALIDATION_SHARE, EVALUATION_SHARE = 1, 0
"""Shares of the files that are not trained on."""


@dataclass(frozen=True)
class ExampleSources:
    """Where examples come from: MIDI files of bands and of POP909 by share, its labels, drum loops, SoundFonts."""

    bands: tuple[Path, ...]
    pop909: tuple[Path, ...]
    labels: Path
    grooves: tuple[Path, ...]
    soundfonts: tuple[Path, ...]
    seed: int


@dataclass(frozen=True)
class ExampleTask:
    """An example to be rendered into a file."""

    number: int
    path: Path


def render_example(task: ExampleTask, sources: ExampleSources) -> str:
    """Render one example, unless its file is there; why there is none, or nothing."""
    if task.path.exists():
        return ""
    config = compose("data=games", "tracks=pop")
    spec, tracks = cutting_settings(config).spec, config.tracks
    random = np.random.default_rng([sources.seed, task.number])
    for _ in range(TRIES):
        is_pop = bool(sources.pop909) and (task.number % POP_SHARE == 0 or not sources.bands)
        paths = sources.pop909 if is_pop else sources.bands
        path = paths[int(random.integers(len(paths)))]
        try:
            if is_pop:
                song = label_pop909(path, sources.labels, sources.grooves, tracks, random)
            else:
                song = label_score(path, tracks, spec)
                song = other_instruments(song, random) if random.random() < 0.6 else song
        except UnusableError:
            continue
        taken = passage(song, random)
        if len(taken.notes) >= FEWEST_NOTES:
            soundfont = sources.soundfonts[int(random.integers(len(sources.soundfonts)))]
            write_example(task.path, make_example(taken, render_mix(taken, soundfont, random)))
            return ""
    return f"no passage with notes in {TRIES} tries"


def render_examples(folder: Path, count: int, sources: ExampleSources, workers: int) -> list[Path]:
    """The files of `count` examples; those that are in the folder are not rendered again."""
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [ExampleTask(number, folder / f"{number:05d}.npz") for number in range(count)]
    made = work_on(
        tasks, partial(render_example, sources=sources), lambda _: "crashed", ExecutorSettings(workers=workers)
    )
    problems = list(bar(made, count, "examples", "example"))
    return [task.path for task, problem in zip(tasks, problems, strict=True) if not problem]


@dataclass(frozen=True)
class ExampleBatch:
    """Passages as tensors: what the network reads, and bool `[batch, steps, 88, 5]`, `[batch, steps, 88]` of labels."""

    spectrum: Tensor
    activations: Tensor
    sounding: Tensor
    onsets: Tensor
    asked: Tensor


def draw_batch(examples: Sequence[InstrumentExample], random: np.random.Generator) -> ExampleBatch:
    """Random crops of random examples."""
    columns: list[list[Tensor]] = [[] for _ in range(5)]
    for number in random.choice(len(examples), BATCH).tolist():
        example = examples[number]
        first = int(random.integers(0, max(len(example.sounding) - CROP_STEPS, 0) + 1))
        spectrum, activations = as_tensors(example.features)
        labels = (torch.from_numpy(one) for one in (example.sounding, example.onsets, example.asked))
        for column, whole in zip(columns, (spectrum, activations, *labels), strict=True):
            column.append(whole[first : first + CROP_STEPS])
    return ExampleBatch(*(torch.stack(column) for column in columns))


def change_tone(spectrum: Tensor, random: np.random.Generator) -> Tensor:
    """Augmentation of spectra, bytes `[batch, steps, 2, bins]`: another gain and a smooth equaliser for each."""
    count, bins = len(spectrum), spectrum.shape[-1]
    place = np.pi * np.linspace(0, 1, bins)
    curve = random.normal(0, GAIN_LEVELS, (count, 1))
    for wave in (1, 2, 3):
        phase = random.uniform(0, 2 * np.pi, (count, 1))
        curve = curve + random.normal(0, TONE_LEVELS, (count, 1)) * np.cos(wave * place + phase)
    return (spectrum.float() + torch.from_numpy(curve.astype(np.float32))[:, None, None]).clamp(0, 255)


def network_loss(network: InstrumentNetwork, batch: ExampleBatch, random: np.random.Generator) -> Tensor:
    """Binary cross-entropy of what sounds and of onsets, the step after an onset left out: it may hold the attack."""
    with torch.autocast("cpu", torch.bfloat16):
        logits = network(change_tone(batch.spectrum, random), batch.activations)
    sounding, onsets = logits.float().unflatten(1, (2, LEAD + 1)).unbind(1)  # [batch, 5, steps, 88]
    true, begun = (one.permute(0, 3, 1, 2).float() for one in (batch.sounding, batch.onsets))
    asked = batch.asked[:, None].float()
    after = F.pad(begun[:, :, :-1], (0, 0, 1, 0)) * (1 - begun)
    of_sounding = F.binary_cross_entropy_with_logits(sounding, true, reduction="none") * asked
    of_onsets = F.binary_cross_entropy_with_logits(onsets, begun, reduction="none") * asked * (1 - after)
    return of_sounding.mean() + of_onsets.mean()


def train_network(examples: Sequence[InstrumentExample], steps: int, seed: int) -> InstrumentNetwork:
    """Train a network on `steps` batches by AdamW."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network = InstrumentNetwork()
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-3, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / WARM_UP, 1) * (1 - step / steps) ** 0.7
    )
    network.train()
    losses: list[float] = []
    for step in bar(range(1, steps + 1), steps, "training", "step"):
        loss = network_loss(network, draw_batch(examples, random), random)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 200 == 0:
            say(f"step {step}: loss {np.mean(losses[-200:]):.5f}")
    return network.eval()


def argument_parser() -> argparse.ArgumentParser:
    """Options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.transcription.training.bands.instruments", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--midi", type=Path, nargs="+", required=True, metavar="DIR", help="folders of MIDI files")
    parser.add_argument("--pop909", type=Path, required=True, metavar="DIR", help="POP909's MIDI files, 001.mid and on")
    parser.add_argument("--labels", type=Path, required=True, metavar="DIR", help="its 001.chords.txt, 001.beats.txt")
    parser.add_argument("--groove", type=Path, required=True, metavar="DIR", help="MIDI files of drummers")
    parser.add_argument("--soundfonts", type=Path, nargs="+", required=True, metavar="FILE", help="General MIDI, .sf2")
    parser.add_argument("--cache", type=Path, required=True, metavar="DIR", help="keep what is rendered here")
    parser.add_argument("--examples", type=int, default=500, help="passages of 40 seconds (%(default)s)")
    parser.add_argument("--steps", type=int, default=3700, help="of training (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes that render (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=WEIGHTS, metavar="FILE", help="weights (%(default)s)")
    parser.add_argument("--chords", type=Path, default=chords.WEIGHTS, metavar="FILE", help="of chords (%(default)s)")
    return parser


def find_sources(given: argparse.Namespace, shares: Sequence[int], seed: int) -> ExampleSources:
    """The files of these shares. Raises `UserError` where a folder holds none."""

    def below(folder: Path, pattern: str = "*.mid") -> tuple[Path, ...]:
        found = tuple(sorted(folder.rglob(pattern)))
        if not found:
            raise UserError(f"{folder}: there is no MIDI file ({pattern}) in it.")
        return found

    bands = [path for folder in given.midi for path in below(folder) if share_of(path, SALT) in shares]
    pop909 = [path for path in below(given.pop909) if share_of(path, SALT) in shares]
    grooves = below(given.groove, "*beat_4-4.mid")
    return ExampleSources(tuple(bands), tuple(pop909), given.labels, grooves, tuple(given.soundfonts), seed)


def chord_sequences(sources: ExampleSources) -> list[NDArray[np.int64]]:
    """The chords of whole songs, half bar by half bar: POP909's as annotated, the bands' as recognised."""
    config = compose("data=games", "tracks=pop")
    spec = cutting_settings(config).spec
    found = [
        half_bar_sequence(sources.labels / f"{path.stem}.chords.txt", sources.labels / f"{path.stem}.beats.txt")
        for path in sources.pop909
    ]
    for path in sources.bands:
        with suppress(UnusableError):
            found.append(chord_numbers(label_score(path, config.tracks, spec).chords))
    return found


def main(words: Sequence[str]) -> None:
    """Render the examples, train the network, then what reads it, and write the weights."""
    given = argument_parser().parse_args(words)
    for name in ("examples", "steps", "workers"):
        if getattr(given, name) < 1:
            raise UserError(f"--{name} must be at least 1, not {getattr(given, name)}.")
    shares = [one for one in range(NUM_SHARES) if one not in (VALIDATION_SHARE, EVALUATION_SHARE)]
    sources = find_sources(given, shares, given.seed)
    others = find_sources(given, [VALIDATION_SHARE], given.seed + 1)
    examples = [
        read_example(path) for path in render_examples(given.cache / "training", given.examples, sources, given.workers)
    ]
    network = train_network(examples, given.steps, given.seed)
    unseen = [
        read_example(path)
        for path in render_examples(given.cache / "validation", given.examples // 12 + 1, others, given.workers)
    ]
    heard = [label_example(network, one) for one in unseen]
    confidence = fit_note_confidence(
        [notes for notes, _ in heard], [np.any(one.onsets[..., :LEAD], axis=2) for one in unseen]
    )
    save_network(given.out, network, confidence)
    labelled = [label_points(network, one.features) for one in examples[: given.examples // 2]]
    true = [one.chords for one in examples[: given.examples // 2]]
    save_chord_model(given.chords, fit_chord_model(labelled, true, chord_sequences(sources), given.seed))
    say(f"{given.out} and {given.chords} written.")


def label_example(network: InstrumentNetwork, example: InstrumentExample) -> tuple[LabelledNotes, NDArray[np.float32]]:
    """The notes that are heard in a passage, and the network's posterior."""
    labels = label_points(network, example.features)
    onsets, frames, contours = (
        np.repeat(example.features.activations[..., kind], 2, axis=0).astype(np.float32) / np.float32(255)
        for kind in range(3)
    )
    return label_notes(PitchActivations(onsets, frames, contours), labels), labels


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(str(error))

"""How the judge of beats and bars is trained: on MIDI files with the faults that transcribing leaves.

    python -m pipeline.audio.beats_training FOLDER ...

Each folder is searched for MIDI files; files of one half (by a hash of their names) are learned from, so that the other
half can be measured on. Notes and hits are moved, lost and invented as a transcription does. Files whose header counts
another metre than n/4, or several, teach the level of the beat but not its bars. The weights go where
`beats_metre.WEIGHTS_PATH` says. The ones that come with the program were made from the Groove MIDI Dataset (CC BY 4.0),
POP909 (MIT) and the music of Freedoom (BSD-3-Clause) and Simutrans (Artistic-1.0).
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.beats_metre import LAYER_WIDTH, WEIGHTS_PATH, Candidates, find_candidates
from pipeline.audio.beats_onsets import LAYERS, Floats, find_onsets
from pipeline.audio.beats_pulse import find_pulse
from pipeline.music.scores import Score, UnusableError, read_scores

PITCH = np.dtype([("start", "f8"), ("end", "f8"), ("pitch", "i2"), ("velocity", "i2")])
HIT = np.dtype([("start", "f8"), ("pitch", "i2"), ("velocity", "i2")])

Lesson = tuple[NDArray[np.float16], NDArray[np.bool_]]
"""Features of the candidates of a piece, and which of them are right."""

_LONGEST_SECONDS = 150.0
_ROUNDS = 120  # pieces that each folder teaches, so that a large one doesn't outweigh the others
_HIDDEN = 24
_STEPS = 900


@dataclass(frozen=True)
class Truth:
    """A piece whose beats are known.

    Attributes
    ----------
    notes, hits
        As `find_pitches` and `find_drum_hits` would give them, without fault.
    beats
        `[beats]` seconds, the first a bar line where `bars` is set.
    beats_per_bar
        Beats a bar, 4 where it isn't known.
    phase
        Whether the beats themselves are known, or only how long they are.
    bars
        Whether bar lines are known.
    """

    notes: NDArray[np.void]
    hits: NDArray[np.void]
    beats: Floats
    beats_per_bar: int
    phase: bool
    bars: bool


def known_piece(score: Score, longest_seconds: float = _LONGEST_SECONDS) -> Truth:
    """A score as sound would tell it: notes and hits in seconds, cut after `longest_seconds`, and its beats."""
    end = score.end + 8
    starts = np.array([0.0, *(start for start, _ in score.tempos if start > 0), max(end, 1e6)])
    rates = [120.0, *(bpm for start, bpm in score.tempos if start > 0)]
    rates[0] = next((bpm for start, bpm in reversed(score.tempos) if start <= 0), rates[0])
    seconds = np.concatenate([[0.0], np.cumsum(np.diff(starts) * 60 / np.array(rates))])
    notes, hits = [], []
    for part in score.parts:
        events = part.events
        begins = np.interp(events["onset"], starts, seconds)
        keep = (begins < longest_seconds) & (events["velocity"] > 0)
        if part.is_drum:
            rows = np.zeros(keep.sum(), HIT)
            hits.append(rows)
        else:
            rows = np.zeros(keep.sum(), PITCH)
            rows["end"] = np.interp(events["onset"] + events["duration"], starts, seconds)[keep]
            notes.append(rows)
        rows["start"], rows["pitch"], rows["velocity"] = begins[keep], events["pitch"][keep], events["velocity"][keep]
    beats = np.interp(np.arange(np.ceil(end)), starts, seconds)
    metres = {(one.numerator, one.denominator) for one in score.metres}
    # In many files the notes stand beside the beats that are counted: there most notes fall on no beat.
    onsets = np.concatenate([part.events["onset"] for part in score.parts])
    fine = np.bincount(np.round(onsets * 12).astype(int) % 12, minlength=12)
    phase = bool(fine[0] == fine.max())
    bars = phase and len(metres) == 1 and next(iter(metres))[1] == 4 and next(iter(metres))[0] > 2
    return Truth(
        np.sort(np.concatenate([np.zeros(0, PITCH), *notes]), order="start", kind="stable"),
        np.sort(np.concatenate([np.zeros(0, HIT), *hits]), order="start", kind="stable"),
        beats[beats < longest_seconds + 4],
        next(iter(metres))[0] if bars else 4,
        phase,
        bars,
    )


def with_faults(piece: Truth, rng: np.random.Generator, drums: bool = True) -> Truth:
    """The piece as a transcription has it: 25 % of the notes lost, 15 % invented, 20 % of the hits lost, all moved."""
    jitter = rng.uniform(0.010, 0.020)
    notes = piece.notes[rng.random(len(piece.notes)) > 0.25].copy()
    false = notes[rng.random(len(notes)) < 0.10].copy()  # octave errors
    false["pitch"] += rng.choice([-12, 12, 12, 19], len(false)).astype(np.int16)
    stray = notes[rng.random(len(notes)) < 0.05].copy()
    lengths = stray["end"] - stray["start"]
    stray["start"] = rng.uniform(0, notes["start"].max() if len(notes) else 1.0, len(stray))
    stray["end"] = stray["start"] + lengths
    notes = np.concatenate([notes, false, stray])
    lengths = np.maximum((notes["end"] - notes["start"]) * rng.uniform(0.7, 1.1, len(notes)), 0.05)
    notes["start"] = np.maximum(notes["start"] + rng.normal(0, jitter, len(notes)), 0)
    notes["end"] = notes["start"] + lengths
    notes["velocity"] = np.clip(notes["velocity"] + rng.normal(0, 12, len(notes)), 10, 127)
    notes = notes[(notes["pitch"] >= 21) & (notes["pitch"] <= 108)]
    hits = piece.hits[rng.random(len(piece.hits)) > 0.2].copy() if drums else piece.hits[:0]
    confused = rng.random(len(hits)) < 0.08
    hits["pitch"][confused] = rng.choice([36, 38, 42, 45, 49], int(confused.sum())).astype(np.int16)
    hits["start"] = np.maximum(hits["start"] + rng.normal(0, jitter / 2, len(hits)), 0)
    return replace(piece, notes=np.sort(notes, order="start"), hits=np.sort(hits, order="start"))


def right_candidates(found: Candidates, pulse: Floats, piece: Truth) -> NDArray[np.bool_]:
    """`[candidates]`: those that mean the beats (and bar lines, where known) of the piece."""
    inside = (piece.beats > pulse[0]) & (piece.beats < pulse[-1])
    numbers = np.flatnonzero(inside)
    at = np.interp(piece.beats[inside], pulse, np.arange(len(pulse)))
    right = np.zeros(len(found.ratio), bool)
    for ratio in np.unique(found.ratio):
        if len(at) < 4 or abs(np.median(np.diff(at)) / ratio - 1) > 0.04:
            continue
        rows = np.flatnonzero(found.ratio == ratio)
        counted = (at - found.phase[rows, None]) / ratio
        turn = np.exp(2j * np.pi * counted).mean(axis=1)
        near = (np.abs(turn) > 0.7) & (np.abs(np.angle(turn)) <= 2 * np.pi * (1 / 24 + 1e-6))
        if not piece.phase:
            near[:] = True
        elif piece.bars:
            ahead = np.round(counted - numbers).astype(int) % piece.beats_per_bar == 0
            near &= ahead.mean(axis=1) > 0.7
        right[rows] = near
    return right


def is_learned_from(path: Path) -> bool:
    """Whether a file belongs to the half that is learned from."""
    return hashlib.sha256(path.name.encode()).digest()[0] % 2 == 0


def known_pieces(folder: Path) -> list[tuple[Path, Truth]]:
    """The pieces below a folder that are long enough to have a beat: 16 onsets in 8 seconds or more."""
    pieces = []
    for path in sorted(folder.rglob("*.mid")):
        try:
            piece = known_piece(read_scores(path, 10)[0])
        except UnusableError:
            continue
        struck = np.concatenate([piece.notes["start"], piece.hits["start"]])
        if len(struck) >= 16 and np.ptp(struck) >= 8:
            pieces.append((path, piece))
    return pieces


def _faster(piece: Truth, times: float) -> Truth:
    """The piece played so many times as fast."""
    notes, hits = piece.notes.copy(), piece.hits.copy()
    notes["start"] /= times
    notes["end"] /= times
    hits["start"] /= times
    return replace(piece, notes=notes, hits=hits, beats=piece.beats / times)


def lessons(piece: Truth, seed: int) -> list[Lesson]:
    """Features of the candidates of the piece with faults, and which are right.

    The piece is heard as it is, without its drums, and as bare onsets without pitch, each time at another tempo, by up
    to a sixth of an octave.
    """
    kept = []
    rng = np.random.default_rng(seed)
    known = piece
    for way in ("whole", "undrummed", "bare"):
        if way == "undrummed" and (not len(piece.hits) or len(piece.notes) < 16):
            continue
        if way == "bare" and seed % 4:
            continue
        piece = _faster(known, 2 ** rng.uniform(-1 / 6, 1 / 6))
        heard = with_faults(piece, rng, way != "undrummed")
        onsets = find_onsets(heard.notes, heard.hits)
        if way == "bare":
            empty = {name: (np.zeros(0), np.zeros(0)) for name in onsets.layers}
            onsets = replace(onsets, layers=empty | {"any": (onsets.seconds, np.clip(onsets.weights, 0, 1))})
        if len(onsets.seconds) < 8 or np.ptp(onsets.seconds) < 2:
            continue
        pulse = find_pulse(onsets)
        found = find_candidates(onsets, pulse, piece.beats_per_bar)
        right = right_candidates(found, pulse, piece)
        if right.any():
            kept.append((found.features.astype(np.float16), right))
    return kept


def learn(taught: list[Lesson], steps: int = _STEPS) -> dict[str, NDArray[np.float32]]:
    """Weights under which the right candidates of each piece are the likely ones (softmax over its candidates)."""
    import torch

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    sample = np.concatenate([features[::17].astype(np.float32) for features, _ in taught])
    mean, scale = sample.mean(axis=0), sample.std(axis=0) + 0.05
    width = len(mean)
    direct = torch.nn.Linear(width, 1, bias=False)
    torch.nn.init.zeros_(direct.weight)
    hidden, out = torch.nn.Linear(width, _HIDDEN), torch.nn.Linear(_HIDDEN, 1, bias=False)
    parameters = [*direct.parameters(), *hidden.parameters(), *out.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=2e-3, weight_decay=0.5)
    lessons_given = [
        (torch.from_numpy((features.astype(np.float32) - mean) / scale), torch.from_numpy(right))
        for features, right in taught
    ]
    empty = torch.from_numpy(-mean / scale)  # what the features of an empty layer are
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for step in range(steps):
        loss: Any = 0.0
        for index in rng.integers(0, len(taught), 8):
            given, right = lessons_given[index]
            features = (given - empty) * _layers_left(rng, given.shape[1]) + empty
            odds = (direct(features) + out(torch.tanh(hidden(features))))[:, 0]
            loss = loss - torch.logsumexp(odds[right], 0) + torch.logsumexp(odds, 0)
        optimizer.zero_grad()
        (loss / 8).backward()
        optimizer.step()
        schedule.step()
        if step % 500 == 0:
            print(f"step {step}: loss {float(loss.detach()) / 8:.3f}", flush=True)
    return {
        "mean": mean,
        "scale": scale,
        "direct": direct.weight.detach().numpy()[0],
        "hidden": hidden.weight.detach().numpy().T,
        "hidden_bias": hidden.bias.detach().numpy(),
        "out": out.weight.detach().numpy()[0],
    }


def _layers_left(rng: np.random.Generator, width: int) -> Any:
    """`[features]`: 0 for the layers of onsets that are left out at random, so that no one of them is relied on."""
    import torch

    left = np.ones(width, np.float32)
    chance = rng.random()
    for number, name in enumerate(LAYERS):
        if name != "any" and (chance < 0.1 or (chance < 0.5 and rng.random() < 0.3)):
            left[number * LAYER_WIDTH : (number + 1) * LAYER_WIDTH] = 0
    return torch.from_numpy(left)


def main(folders: list[str]) -> None:
    """Train on the folders and write the weights."""
    taught = []
    for folder in folders:
        pieces = [piece for path, piece in known_pieces(Path(folder)) if is_learned_from(path)]
        for number in range(_ROUNDS):
            taught += lessons(pieces[number * max(len(pieces) // _ROUNDS, 1) % len(pieces)], number)
        print(f"{folder}: {len(pieces)} pieces, {len(taught)} lessons so far", flush=True)
    weights = learn(taught)
    np.savez_compressed(WEIGHTS_PATH, **{name: value.astype(np.float16) for name, value in weights.items()})  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1:])

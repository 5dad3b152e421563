"""Training of chord recognition: the network of one root by cross-entropy, changes of chords by counting."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from gan.chords import NO_CHORD
from pipeline.transcription.chords import (
    CHROMA_KINDS,
    NUM_CHORDS,
    NUM_QUALITIES,
    ChordModel,
    half_bar_chroma,
)
from pipeline.transcription.instruments.decoding import STEP_SECONDS
from pipeline.transcription.training.bands.instrument_examples import read_chord_labels

UNITS, BATCH = 32, 256
EPOCHS, LEARNING_RATE, DROPOUT = 60, 3e-3, 0.1
PIECE_SECONDS = 1.1
"""Long chords are cut into pieces of about this length, as half bars are."""
SHORTEST_SECONDS = 0.4
SHARPNESS = 1.2
"""Neighbouring half bars tell much the same, so each counts less than it says."""
UNSEEN = 0.1
"""Added to the counts of changes."""


def chord_numbers(chords: NDArray[np.void]) -> NDArray[np.int64]:
    """Chords (dtype `CHORD`) as classes: root, then quality; last no chord."""
    return np.where(chords["root"] < 0, NUM_CHORDS, chords["root"].astype(int) * NUM_QUALITIES + chords["quality"])


def chord_windows(chords: NDArray[np.void], num_steps: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Chords of a passage in pieces as long as half bars: edges `[pieces + 1]` in steps, and classes `[pieces]`."""
    edges, classes = [], []
    for chord, number in zip(chords, chord_numbers(chords).tolist(), strict=True):
        start, end = max(float(chord["start"]), 0.0), min(float(chord["end"]), num_steps * STEP_SECONDS)
        if end - start < SHORTEST_SECONDS:
            continue
        pieces = max(round((end - start) / PIECE_SECONDS), 1)
        places = np.rint(np.linspace(start, end, pieces + 1) / STEP_SECONDS).astype(int)
        edges += places[:-1].tolist()
        classes += [number] * pieces
    return np.array([*edges, num_steps]), np.array(classes, np.int64)


def half_bar_sequence(chords: Path, beats: Path) -> NDArray[np.int64]:
    """The chord of each half bar of a song of POP909, from a bar line on; classes `[half_bars]`."""
    rows = read_chord_labels(chords)
    table = np.loadtxt(beats, ndmin=2)
    first = int(np.argmax(table[:, 1] > 0))
    middles = [(table[at, 0] + table[at + 1, 0]) / 2 for at in range(first, len(table) - 1, 2)]
    found = np.clip(np.searchsorted(rows["start"], middles, side="right") - 1, 0, len(rows) - 1)
    return chord_numbers(rows)[found]


def count_changes(sequences: Sequence[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Log probability of the next chord by the way to it, `[2, 10, 12, 10]`: to a bar line, and within a bar."""
    counts = np.full((2, NO_CHORD + 1, 12, NO_CHORD + 1), UNSEEN / 12)
    for classes in sequences:
        root, quality = classes // NUM_QUALITIES, classes % NUM_QUALITIES
        quality = np.where(classes == NUM_CHORDS, NO_CHORD, quality)
        root = np.where(classes == NUM_CHORDS, 0, root)
        apart = (root[1:] - root[:-1]) % 12
        apart[(quality[1:] == NO_CHORD) | (quality[:-1] == NO_CHORD)] = 0
        np.add.at(counts, (np.arange(1, len(classes)) % 2, quality[:-1], apart, quality[1:]), 1)
    counts[:, NO_CHORD, 0, :NO_CHORD] /= 12  # any root may follow
    found: NDArray[np.float64] = np.log(counts / counts.sum(axis=(2, 3), keepdims=True))
    return found


class RootNetwork(nn.Module):
    """Scores of all qualities for one root, shared by the twelve, and of no chord."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(CHROMA_KINDS * 12, UNITS)
        self.scores = nn.Linear(UNITS, NUM_QUALITIES)
        self.none = nn.Linear(CHROMA_KINDS, 1)

    def forward(self, rolled: torch.Tensor) -> torch.Tensor:
        """Logits `[batch, NUM_CHORDS + 1]` of `[batch, 12, CHROMA_KINDS, 12]`, the root first in each."""
        hidden = F.dropout(F.relu(self.hidden(rolled.flatten(2))), DROPOUT, self.training)
        none = self.none(rolled[:, 0].sum(dim=2))
        return torch.cat((self.scores(hidden).flatten(1), none), dim=1)


def fit_chord_model(
    labels: Sequence[NDArray[np.float32]],
    chords: Sequence[NDArray[np.void]],
    sequences: Sequence[NDArray[np.int64]],
    seed: int,
) -> ChordModel:
    """Fit chord recognition.

    Parameters
    ----------
    labels
        The instrument network's posterior of each passage, `[steps, 88, 2, 5]`.
    chords
        Its chords in seconds, dtype `CHORD`.
    sequences
        Classes of half bars of whole songs, for the changes.
    seed
        Of the first weights and of the order of training.
    """
    inputs, targets = [np.zeros((0, CHROMA_KINDS, 12))], [np.zeros(0, np.int64)]
    for own, true in zip(labels, chords, strict=True):
        edges, classes = chord_windows(true, len(own))
        inputs.append(np.log1p(4 * half_bar_chroma(own, edges)[: len(classes)]))
        targets.append(classes)
    chroma, wanted = np.concatenate(inputs), torch.from_numpy(np.concatenate(targets))
    rolled = torch.from_numpy(np.stack([np.roll(chroma, -root, axis=2) for root in range(12)], axis=1)).float()
    torch.manual_seed(seed)
    network = RootNetwork()
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-3)
    for _ in range(EPOCHS):
        for batch in torch.split(torch.randperm(len(rolled)), BATCH):
            loss = F.cross_entropy(network(rolled[batch]), wanted[batch], label_smoothing=0.02)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
    weights = {name: value.detach().numpy().astype(np.float64) for name, value in network.state_dict().items()}
    return ChordModel(
        hidden=weights["hidden.weight"].T,
        hidden_bias=weights["hidden.bias"],
        scores=weights["scores.weight"].T,
        scores_bias=weights["scores.bias"],
        none=weights["none.weight"][0],
        none_bias=weights["none.bias"],
        changes=count_changes(sequences),
        sharpness=np.array(SHARPNESS),
    )


def save_chord_model(path: Path, model: ChordModel) -> None:
    """Write the weights in half precision."""
    arrays = {name: getattr(model, name).astype(np.float16) for name in ChordModel.__dataclass_fields__}
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)

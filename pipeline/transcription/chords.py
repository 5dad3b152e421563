"""Chord recognition in recordings: root, quality and bass of each half bar from what both networks hear in it.

A small network shared by all twelve roots (as transposition is nothing to chords) scores each chord by the chroma of
a half bar; a hidden Markov model (Sheh and Ellis 2003) joins half bars to a progression, whose changes are those of
songs in general and of this song. The confidence is the posterior of the root and the third by the forward-backward
algorithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gan.chords import CHORD_TONES, NO_CHORD, NO_PITCH_CLASS, QUALITIES
from pipeline.errors import UserError
from pipeline.scores.chords.symbols import ChordRows
from pipeline.transcription.instruments.network import FAMILIES, LEAD
from pipeline.transcription.pitches.multipitch import LOWEST_PITCH

WEIGHTS = Path(__file__).with_name("chord_weights.npz")
"""The trained weights that come with the program."""

NUM_QUALITIES = len(QUALITIES)
NUM_CHORDS = 12 * NUM_QUALITIES
"""Chords by root, then quality; behind them no chord."""
CHROMA_KINDS = 4
"""All notes, the bass, the tune, and all notes of the half bars beside."""
BASS_FAMILY = FAMILIES.index("Bass")
OWN_CHANGES = 0.3
"""How much the changes of this song count beside those of songs in general."""
CERTAIN = 1e-6

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ChordModel:
    """Weights of chord recognition.

    Attributes
    ----------
    hidden, hidden_bias, scores, scores_bias
        The network of one root: `[CHROMA_KINDS * 12, units]`, `[units]`, `[units, 9]`, `[9]`.
    none, none_bias
        Of no chord, by what sounds in all: `[CHROMA_KINDS]` and one number.
    changes
        Log probability of the next chord, at a bar line and within a bar, `[2, 9 + 1, 12, 9 + 1]`: by quality,
        semitones to the next root and its quality; the last quality is no chord.
    sharpness
        What the network's log probabilities are multiplied with.
    """

    hidden: Floats
    hidden_bias: Floats
    scores: Floats
    scores_bias: Floats
    none: Floats
    none_bias: Floats
    changes: Floats
    sharpness: Floats


@dataclass(frozen=True, eq=False)
class RecognisedChords:
    """Chords of half bars, `[half_bars, 3]`, and how sure root and third of each are, float64 `[half_bars]` 0 to 1."""

    rows: ChordRows
    confidence: Floats


def recognise_chords(
    labels: NDArray[np.float32], edges: NDArray[np.int64], begins_bar: NDArray[np.bool_]
) -> RecognisedChords:
    """The chords of a recording.

    Parameters
    ----------
    labels
        Posterior of families and tune, `[steps, 88, 2, 5]`.
    edges
        The step at which each half bar begins and the last ends, rising, `[half_bars + 1]`.
    begins_bar
        Which half bars begin a bar, `[half_bars]`.
    """
    model = load_chord_model()
    if len(edges) < 2:
        return RecognisedChords(np.zeros((0, 3), np.int8), np.zeros(0))
    chroma = half_bar_chroma(labels, edges)
    emission = float(model.sharpness) * log_probabilities(model, chroma)
    changes = change_table(model.changes)
    kinds = (~begins_bar).astype(int)
    path = _viterbi(emission, changes, kinds)
    changes = _with_own_changes(changes, path)
    path = _viterbi(emission, changes, kinds)
    posterior = _forward_backward(emission, changes, kinds)
    return RecognisedChords(_rows_of(path, chroma), _confidence(posterior, path))


def half_bar_chroma(labels: NDArray[np.float32], edges: NDArray[np.int64]) -> Floats:
    """Chroma of each half bar: how much each pitch class sounds on average, `[half_bars, CHROMA_KINDS, 12]`."""
    sounding = labels[:, :, 0]
    everything = 1 - np.prod(1 - sounding[:, :, :LEAD], axis=2)
    lead = sounding[:, :, LEAD]
    kinds = np.stack([everything, sounding[:, :, BASS_FAMILY], lead], axis=1).astype(np.float64)
    padded = np.pad(kinds, ((0, 0), (0, 0), (LOWEST_PITCH % 12, -(LOWEST_PITCH + kinds.shape[2]) % 12)))
    chroma = padded.reshape(len(kinds), 3, -1, 12).sum(axis=2)
    sums = np.concatenate([np.zeros((1, 3, 12)), np.cumsum(chroma, axis=0)])
    clipped = np.clip(edges, 0, len(chroma))
    lengths = np.maximum(np.diff(clipped), 1)[:, None, None]
    means = (sums[clipped[1:]] - sums[clipped[:-1]]) / lengths
    beside = np.pad(means[:, :1], ((1, 1), (0, 0), (0, 0)))
    return np.concatenate([means, (beside[:-2] + beside[2:]) / 2], axis=1)


def log_probabilities(model: ChordModel, chroma: Floats) -> Floats:
    """Log probability of each chord by its half bar alone, `[half_bars, NUM_CHORDS + 1]`."""
    inputs = np.log1p(4 * chroma)
    rolled = np.stack([np.roll(inputs, -root, axis=2) for root in range(12)], axis=1)  # the root comes first
    hidden = np.maximum(rolled.reshape(len(chroma), 12, -1) @ model.hidden + model.hidden_bias, 0)
    scores = (hidden @ model.scores + model.scores_bias).reshape(len(chroma), -1)
    none = inputs.sum(axis=2) @ model.none + model.none_bias
    joined = np.append(scores, none.reshape(-1, 1), axis=1)
    joined -= joined.max(axis=1, keepdims=True)
    found: Floats = joined - np.log(np.exp(joined).sum(axis=1, keepdims=True))
    return found


def change_table(changes: Floats) -> Floats:
    """Log probability of each next chord, `[2, NUM_CHORDS + 1, NUM_CHORDS + 1]`, of relative changes."""
    roots = np.repeat(np.arange(12), NUM_QUALITIES)
    quality = np.tile(np.arange(NUM_QUALITIES), 12)
    roots, quality = np.append(roots, 0), np.append(quality, NO_CHORD)
    apart = (roots[None] - roots[:, None]) % 12
    table = changes[:, quality[:, None], apart, quality[None]]
    table[:, NUM_CHORDS] = changes[:, NO_CHORD, 0][:, quality]
    table[:, :, NUM_CHORDS] = changes[:, quality, 0, NO_CHORD]
    found: Floats = table - np.log(np.exp(table).sum(axis=2, keepdims=True))
    return found


def _with_own_changes(changes: Floats, path: NDArray[np.int64]) -> Floats:
    """The log probabilities of changes mixed with how often they happen in a path."""
    counts = np.zeros(changes.shape[1:])
    np.add.at(counts, (path[:-1], path[1:]), 1)
    total = counts.sum(axis=1, keepdims=True)
    share = OWN_CHANGES * total / (total + 2)
    own = counts / np.maximum(total, 1)
    mixed: Floats = np.log((1 - share) * np.exp(changes) + share * own + CERTAIN**2)
    return mixed


def _viterbi(emission: Floats, changes: Floats, kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """The most likely chords, `[half_bars]`; `kinds` says which table of changes leads to each half bar."""
    total = emission[0]
    before = np.zeros(emission.shape, np.int64)
    for index in range(1, len(emission)):
        reached = total[:, None] + changes[kinds[index]]
        before[index] = reached.argmax(axis=0)
        total = reached.max(axis=0) + emission[index]
    path = np.zeros(len(emission), np.int64)
    path[-1] = total.argmax()
    for index in range(len(emission) - 1, 0, -1):
        path[index - 1] = before[index, path[index]]
    return path


def _forward_backward(emission: Floats, changes: Floats, kinds: NDArray[np.int64]) -> Floats:
    """Posterior of each chord, `[half_bars, NUM_CHORDS + 1]`."""
    weights, likely = np.exp(changes), np.exp(emission - emission.max(axis=1, keepdims=True))
    forward, backward = np.zeros_like(likely), np.ones_like(likely)
    forward[0] = likely[0] / likely[0].sum()
    for index in range(1, len(likely)):
        forward[index] = (forward[index - 1] @ weights[kinds[index]]) * likely[index]
        forward[index] /= forward[index].sum()
    for index in range(len(likely) - 2, -1, -1):
        backward[index] = weights[kinds[index + 1]] @ (likely[index + 1] * backward[index + 1])
        backward[index] /= backward[index].sum()
    posterior = forward * backward
    found: Floats = posterior / posterior.sum(axis=1, keepdims=True)
    return found


@cache
def _thirds() -> NDArray[np.int64]:
    """Root and third of each chord as one number: chords of one number are right together."""
    minor = np.array([3 in tones for tones in CHORD_TONES.values()])
    return np.append((2 * np.arange(12)[:, None] + minor).reshape(-1), 24)


def _confidence(posterior: Floats, path: NDArray[np.int64]) -> Floats:
    """The posterior of all chords with the root and the third of the one that was taken."""
    thirds = _thirds()
    same = thirds[None] == thirds[path][:, None]
    found: Floats = (posterior * same).sum(axis=1).clip(0, 1)
    return found


def _rows_of(path: NDArray[np.int64], chroma: Floats) -> ChordRows:
    """Chords as numbers; the bass is the chord tone that the bass plays most, if it does so for most of its time."""
    rows = np.tile(np.array((NO_PITCH_CLASS, NO_CHORD, NO_PITCH_CLASS), np.int8), (len(path), 1))
    tones = [set(tones) for tones in CHORD_TONES.values()]
    for index in np.flatnonzero(path < NUM_CHORDS).tolist():
        root, quality = divmod(int(path[index]), NUM_QUALITIES)
        bass = chroma[index, 1]
        own = np.array([bass[(root + one) % 12] if one in tones[quality] else 0 for one in range(12)])
        lowest = int(own.argmax()) if own.max() > 0.5 * bass.sum() and own.max() > own[0] * 1.5 else 0
        rows[index] = root, quality, (root + lowest) % 12
    return rows


@cache
def load_chord_model(path: Path = WEIGHTS) -> ChordModel:
    """Read the weights. Raises `UserError` where the file is missing or holds something else."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return ChordModel(**{name: file[name].astype(np.float64) for name in file.files})
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path} holds no weights of chord recognition: get the program's own copy again.") from error

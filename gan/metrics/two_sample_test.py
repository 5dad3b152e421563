"""Classifier two-sample test (Lopez-Paz and Oquab 2017): a small network learns to tell two sets of phrases apart.

When the two sets are alike, phrases that the network has not seen are told apart no better than by tossing a coin.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.metrics.bootstrap import Interval, pair_interval
from gan.metrics.classifier_training import BATCH, DROPOUT, WIDTH, Standardisation, train_classifier
from gan.metrics.counts import PhraseCounts, tabulate
from gan.metrics.figures import features_and_figures_of
from gan.networks.layers import TimeBlock, activate, linear
from gan.seeds import mix_seed
from gan.spec import RollSpec

EPOCHS = 12


class TwoStreamClassifier(nn.Module):
    """Two streams that share nothing: one reads the notes, step by step, the other the phrase's figures.

    With few songs to learn from, the first learns them by heart, and a sum of its layers with the other's would be
    worth less than the other alone.

    Parameters
    ----------
    figures
        Features and figures of the phrases that are learnt from, `[phrases, figures]`.
    spec
        The shape of the rolls.
    """

    def __init__(self, figures: Tensor, spec: RollSpec) -> None:
        super().__init__()
        self.spec, self.standardise = spec, Standardisation(figures)
        self.enter = linear(26 * spec.num_tracks, WIDTH)
        self.position = nn.Parameter(torch.zeros(spec.steps_per_bar, WIDTH))
        self.steps = TimeBlock(WIDTH, 1)  # [batch, time, width]
        self.to_beats = linear(spec.steps_per_beat * WIDTH, WIDTH)
        self.beats = TimeBlock(WIDTH, 1)  # [batch, beats, width]
        self.bars = TimeBlock(WIDTH, spec.beats_per_bar)
        self.of_notes = linear(2 * WIDTH, 1, gain=0.1)
        self.figures = linear(figures.shape[1], WIDTH)
        self.of_figures = linear(WIDTH, 1, gain=0.1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, steps: Tensor, figures: Tensor) -> Tensor:
        """Logits `[2, batch]` of the streams, higher for generated phrases.

        `steps` are `[batch, time, inputs]` as of `_step_inputs`, `figures` `[batch, figures]`.
        """
        spec, batch = self.spec, len(steps)
        x = self.enter(steps.float()) + self.position.repeat(spec.bars, 1)
        x = activate(self.steps(x)).reshape(batch, spec.bars * spec.beats_per_bar, -1)
        x = activate(self.bars(self.beats(self.to_beats(self.dropout(x)))))  # [batch, beats, width]
        notes = self.of_notes(self.dropout(torch.cat([x.mean(1), x.amax(1)], dim=1)))
        hidden = activate(self.figures(self.dropout(self.standardise(figures))))
        return torch.cat([notes, self.of_figures(self.dropout(hidden))], dim=1).T


def _step_inputs(counts: PhraseCounts) -> Tensor:
    """What each track does at each step, `[phrases, time, tracks * 26]` in half precision.

    Pitch classes that begin and that sound, how many notes sound, and the mean height of those that begin (0 to 1).
    """
    ramp = torch.linspace(0, 1, counts.spec.num_pitches)
    height = (counts.onset @ ramp / counts.onsets_by_step.clamp(min=1)).unsqueeze(-1)
    inputs = torch.cat([counts.onset @ counts.fold, counts.chroma, counts.voices.unsqueeze(-1), height], dim=-1)
    return inputs.transpose(1, 2).flatten(2).half()


@dataclass(frozen=True)
class _PooledSets:
    """Phrases of both sets as the classifier sees them."""

    steps: Tensor
    """`[phrases, time, inputs]`, half precision."""
    figures: Tensor
    """`[phrases, figures]`, NaN where a phrase has none."""
    is_generated: Tensor
    """Bool `[phrases]`."""
    fold: Tensor
    """0 or 1, `[phrases]`: songs of the one are classified by what learnt on the other."""


def split_songs(songs: Tensor, seed: int) -> Tensor:
    """0 or 1 for each phrase, `[phrases]`: songs are kept whole, and the two halves are about as large.

    Raises `ValueError` when there is only one song.
    """
    numbers, counts = torch.unique(songs, return_inverse=True, return_counts=True)[1:]
    if len(counts) < 2:
        raise ValueError("phrases of one song cannot be split into songs to learn from and songs to test on")
    order = torch.randperm(len(counts), generator=torch.Generator().manual_seed(seed))
    half, sizes = torch.zeros_like(counts), [0, 0]
    for song in order[counts[order].argsort(descending=True, stable=True)].tolist():
        half[song] = int(sizes[1] < sizes[0])
        sizes[int(half[song])] += int(counts[song])
    return half[numbers]


def _scores(sets: _PooledSets, fold: int, spec: RollSpec, seed: int) -> Tensor:
    """Scores of the phrases of `fold`, `[phrases of the fold]`, by a classifier that learnt on the others.

    They are the sum of the ranks that the two streams give a phrase among those of the fold: neither outweighs the
    other by being surer of itself.
    """
    learns = sets.fold != fold
    sides = [(learns & (sets.is_generated == side)).nonzero().flatten() for side in (True, False)]
    random = torch.Generator().manual_seed(mix_seed(seed, fold))
    batches = [
        torch.cat([side[torch.randint(len(side), (BATCH // 2,), generator=random)] for side in sides])
        for _ in range(EPOCHS * max(1, sum(len(side) for side in sides) // BATCH))
    ]
    target = torch.cat([torch.ones(BATCH // 2), torch.zeros(BATCH // 2)])

    def loss(classifier: TwoStreamClassifier, rows: Tensor) -> Tensor:
        streams = classifier(sets.steps[rows], sets.figures[rows])
        return torch.stack([F.binary_cross_entropy_with_logits(logits, target) for logits in streams]).sum()

    classifier = train_classifier(
        lambda: TwoStreamClassifier(sets.figures[learns], spec), loss, batches, mix_seed(seed, 2 + fold)
    )
    tested = torch.split((~learns).nonzero().flatten(), 256)
    with torch.no_grad():
        logits = torch.cat([classifier(sets.steps[rows], sets.figures[rows]) for rows in tested], dim=1)
    return logits.argsort(1).argsort(1).sum(0)


def two_sample_test(
    rolls: Tensor, reference: Tensor, songs: Tensor, reference_songs: Tensor, spec: RollSpec, seed: int = 0
) -> Interval:
    """Accuracy in telling two sets of phrases apart, on songs that were not learnt from: 0.5 is alike, 1 told apart.

    Each set is split by song into two halves, and each half is classified by what learnt on the other. The classifier
    is shown a phrase of each set and says which is of the first; the accuracy is over all such pairs (so it needs no
    threshold, and both sets weigh the same). The interval is over the songs that are classified, for these classifiers.

    Parameters
    ----------
    rolls, reference
        The two sets, `[phrases, *spec.shape]`, bool or packed.
    songs, reference_songs
        The number of each phrase's song, int64 `[phrases]`. Raises `ValueError` where either set has one song only.
    spec
        The shape of a roll.
    seed
        Decides on halves, first weights and batches.
    """

    def measure(counts: PhraseCounts) -> dict[str, Tensor]:
        figures = torch.stack(list(features_and_figures_of(counts).values()), 1)
        return {"steps": _step_inputs(counts), "figures": figures}

    tables = [tabulate(phrases, spec, measure) for phrases in (rolls, reference)]
    sets = _PooledSets(
        torch.cat([table["steps"] for table in tables]),
        torch.cat([table["figures"] for table in tables]),
        torch.arange(len(rolls) + len(reference)) < len(rolls),
        torch.cat([split_songs(ids, mix_seed(seed, 4 + side)) for side, ids in enumerate((songs, reference_songs))]),
    )
    scores = torch.zeros(len(sets.fold), dtype=torch.int64)
    for fold in (0, 1):
        scores[sets.fold == fold] = _scores(sets, fold, spec, seed)
    generated, real = scores[: len(rolls), None], scores[len(rolls) :]
    wins = (generated > real).double() + 0.5 * (generated == real)
    counted = (sets.fold[: len(rolls), None] == sets.fold[len(rolls) :]).double()
    return pair_interval(wins, counted, songs, reference_songs, seed=seed)

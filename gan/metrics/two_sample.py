"""A two-sample test: a small network learns to tell one set of phrases from another.

Lopez-Paz and Oquab, "Revisiting classifier two-sample tests" (2017): when the two sets are alike, phrases that the
network has not seen are told apart no better than by tossing a coin.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.metrics.bootstrap import Interval, pair_interval
from gan.metrics.counts import Tally, tabulate
from gan.metrics.features import features_of
from gan.metrics.figures import figures_of
from gan.networks.layers import TimeBlock, activate, linear
from gan.seeds import mix_seed
from gan.spec import RollSpec

EPOCHS = 12
BATCH = 64
"""Phrases in a batch, half of each set."""
WIDTH = 64
DROPOUT = 0.3
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
EXTREME = 4.0
"""Standard deviations beyond which a figure says nothing more."""


class Judge(nn.Module):
    """Two readers that know nothing of one another: one of the notes, step by step, and one of the phrase's figures.

    With few songs to learn from, the first learns them by heart, and a sum of its layers with the other's would be
    worth less than the other alone.
    """

    def __init__(self, spec: RollSpec, num_figures: int) -> None:
        super().__init__()
        self.spec = spec
        self.enter = linear(_step_inputs(spec), WIDTH)
        self.position = nn.Parameter(torch.zeros(spec.steps_per_bar, WIDTH))
        self.steps = TimeBlock(WIDTH, 1)  # [batch, time, width]
        self.to_beats = linear(spec.steps_per_beat * WIDTH, WIDTH)
        self.beats = TimeBlock(WIDTH, 1)  # [batch, beats, width]
        self.bars = TimeBlock(WIDTH, spec.beats_per_bar)
        self.of_notes = linear(2 * WIDTH, 1, gain=0.1)
        self.figures = linear(num_figures, WIDTH)
        self.of_figures = linear(WIDTH, 1, gain=0.1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, steps: Tensor, figures: Tensor) -> Tensor:
        """Scores `[2, batch]`, higher for the first set, of `[batch, time, inputs]` and `[batch, figures]`."""
        spec, batch = self.spec, len(steps)
        x = self.enter(steps) + self.position.repeat(spec.bars, 1)
        x = activate(self.steps(x)).reshape(batch, spec.bars * spec.beats_per_bar, -1)
        x = activate(self.bars(self.beats(self.to_beats(self.dropout(x)))))  # [batch, beats, width]
        notes = self.of_notes(self.dropout(torch.cat([x.mean(1), x.amax(1)], dim=1)))
        hidden = activate(self.figures(self.dropout(figures)))
        return torch.cat([notes, self.of_figures(self.dropout(hidden))], dim=1).T


def _step_inputs(spec: RollSpec) -> int:
    return 26 * spec.num_tracks


def _steps_of(tally: Tally) -> Tensor:
    """What each track does at each step, `[phrases, time, inputs]` in half precision.

    Pitch classes struck and sounding, how many notes sound, and how high they lie on average (0 to 1).
    """
    ramp = torch.linspace(0, 1, tally.spec.num_pitches)
    height = (tally.onset @ ramp / tally.struck.clamp(min=1)).unsqueeze(-1)
    struck = tally.onset @ tally.fold
    parts = torch.cat([struck, tally.chroma, tally.voices.unsqueeze(-1), height], dim=-1)
    return parts.transpose(1, 2).flatten(2).half()


@dataclass(frozen=True)
class _Sample:
    """Phrases of both sets as the judge sees them."""

    steps: Tensor
    """`[phrases, time, inputs]`, half precision."""
    figures: Tensor
    """`[phrases, figures]`, NaN where a phrase has none."""
    is_mine: Tensor
    """Bool `[phrases]`."""
    fold: Tensor
    """0 or 1, `[phrases]`: songs of the one are judged by who learnt on the other."""


def halves(songs: Tensor, seed: int) -> Tensor:
    """0 or 1 for each phrase, `[phrases]`: songs are kept whole, and the two halves are about as large.

    Raises `ValueError` when there is only one song.
    """
    numbers, counts = torch.unique(songs, return_inverse=True, return_counts=True)[1:]
    if len(counts) < 2:
        raise ValueError("phrases of one song cannot be split into songs to learn from and songs to judge")
    order = torch.randperm(len(counts), generator=torch.Generator().manual_seed(seed))
    half, sizes = torch.zeros_like(counts), [0, 0]
    for song in order[counts[order].argsort(descending=True, stable=True)].tolist():
        half[song] = int(sizes[1] < sizes[0])
        sizes[int(half[song])] += int(counts[song])
    return half[numbers]


def _table_of(tally: Tally) -> dict[str, Tensor]:
    return {"steps": _steps_of(tally)} | features_of(tally) | {f"figure {k}": v for k, v in figures_of(tally).items()}


def _standardised(figures: Tensor, by: Tensor) -> Tensor:
    """Figures in standard deviations of those of the phrases `by` (bool); a missing one is 0, at the mean."""
    known = figures[by]
    middle = known.nanmean(0)
    spread = (known - middle).square().nanmean(0).sqrt()
    return ((figures - middle) / spread.clamp(min=1e-3)).nan_to_num(0.0).clamp(-EXTREME, EXTREME)


def _judged(sample: _Sample, fold: int, spec: RollSpec, seed: int) -> Tensor:
    """Scores of the phrases of `fold`, `[phrases of the fold]`, by a judge that learnt on the others.

    They are the sum of the places that the two readers give a phrase among those of the fold: neither outweighs the
    other by being surer of itself.
    """
    learns = sample.fold != fold
    figures = _standardised(sample.figures, learns)
    sides = [(learns & (sample.is_mine == side)).nonzero().flatten() for side in (True, False)]
    random = torch.Generator().manual_seed(mix_seed(seed, fold))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, 2 + fold))
        judge = Judge(spec, figures.shape[1])
        steps = EPOCHS * max(1, sum(len(side) for side in sides) // BATCH)
        optimizer = torch.optim.AdamW(judge.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps + 1)
        target = torch.cat([torch.ones(BATCH // 2), torch.zeros(BATCH // 2)])
        for _ in range(steps):
            rows = torch.cat([side[torch.randint(len(side), (BATCH // 2,), generator=random)] for side in sides])
            scores = judge(sample.steps[rows].float(), figures[rows])
            losses = [F.binary_cross_entropy_with_logits(score, target) for score in scores]
            optimizer.zero_grad()
            torch.autograd.backward(losses)
            optimizer.step()
            schedule.step()
        judge.eval()
        with torch.no_grad():
            rows = (sample.fold == fold).nonzero().flatten()
            scores = torch.cat([judge(sample.steps[r].float(), figures[r]) for r in torch.split(rows, 256)], dim=1)
            return scores.argsort(1).argsort(1).sum(0)


def two_sample_test(
    rolls: Tensor, reference: Tensor, songs: Tensor, their_songs: Tensor, spec: RollSpec, seed: int = 0
) -> Interval:
    """Accuracy in telling two sets of phrases apart, on songs that were not learnt from: 0.5 is alike, 1 told apart.

    Each set is split by song into two halves, and each half is judged by a classifier that learnt on the other. It is
    shown a phrase of each set and says which is of the first; the accuracy is over all such pairs (so it needs no
    threshold, and both sets weigh the same). The interval is over the songs that are judged, for these classifiers.

    Parameters
    ----------
    rolls, reference
        The two sets, `[phrases, *spec.shape]`, bool or packed.
    songs, their_songs
        The number of each phrase's song, int64 `[phrases]`. Raises `ValueError` where either set has one song only.
    spec
        The shape of a roll.
    seed
        Decides on halves, first weights and batches.
    """
    tables = [tabulate(phrases, spec, _table_of) for phrases in (rolls, reference)]
    names = [name for name in tables[0] if name != "steps"]
    sample = _Sample(
        torch.cat([table["steps"] for table in tables]),
        torch.cat([torch.stack([table[name] for name in names], 1) for table in tables]),
        torch.arange(len(rolls) + len(reference)) < len(rolls),
        torch.cat([halves(ids, mix_seed(seed, 4 + side)) for side, ids in enumerate((songs, their_songs))]),
    )
    scores = torch.zeros(len(sample.fold), dtype=torch.int64)
    for fold in (0, 1):
        scores[sample.fold == fold] = _judged(sample, fold, spec, seed)
    mine, theirs = scores[: len(rolls), None], scores[len(rolls) :]
    wins = (mine > theirs).double() + 0.5 * (mine == theirs)
    counted = (sample.fold[: len(rolls), None] == sample.fold[len(rolls) :]).double()
    return pair_interval(wins, counted, songs, their_songs, seed=seed)

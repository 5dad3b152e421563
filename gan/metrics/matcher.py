"""A classifier that tells which given track an accompaniment belongs to. It learns from real phrases only.

It is shown one accompaniment with its own given track and with those of other songs (never of the same song, whose
other phrases often fit as well), and learns to score the right pair highest.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.metrics.track_pairs import Parts, draw_tracks, relations, strangers
from gan.networks.layers import activate, linear
from gan.rolls import mix_seed
from gan.spec import RollSpec

LEARNT = 3000
"""Training phrases that are learnt from at most, evenly spread: neighbours of one song are nearly the same."""
WRONG = 3
"""Given tracks of other songs for each right one."""
EPOCHS = 20
BATCH = 64
WIDTH = 64
DROPOUT = 0.3
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
EXTREME = 4.0
"""Standard deviations beyond which a number says nothing more."""


class Matcher(nn.Module):
    """A score of each pair of a given track and an accompaniment, higher where they belong together.

    Parameters
    ----------
    sample
        Relations of some pairs, `[pairs, features]`: what is usual.
    """

    middle: Tensor
    spread: Tensor

    def __init__(self, sample: Tensor) -> None:
        super().__init__()
        self.register_buffer("middle", sample.mean(0))
        self.register_buffer("spread", sample.std(0).clamp(min=1e-3))
        self.hidden = linear(sample.shape[1], WIDTH)
        self.score = linear(WIDTH, 1, gain=0.1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, found: Tensor) -> Tensor:
        """`[..., features]` to `[...]`."""
        x = ((found - self.middle) / self.spread).clamp(-EXTREME, EXTREME)
        out: Tensor = self.score(self.dropout(activate(self.hidden(self.dropout(x)))))
        return out.squeeze(-1)

    @torch.no_grad()
    def scores(self, given: Parts, rest: Parts, tracks: Tensor) -> Tensor:
        """How well track `tracks[n]` of phrase n of `given` fits the other tracks of phrase n of `rest`, `[pairs]`."""
        found: Tensor = self(relations(given, rest, tracks))
        return found


def train_matcher(rolls: Tensor, songs: Tensor, spec: RollSpec, seed: int = 0) -> Matcher:
    """A classifier that learnt from real phrases.

    Parameters
    ----------
    rolls
        Training phrases, bool or packed `[phrases, *spec.shape]`.
    songs
        The number of each phrase's song, int64 `[phrases]`. Raises `ValueError` where no two songs can be paired.
    spec
        The shape of the rolls.
    seed
        Decides the pairs, their order and the first weights.
    """
    random = torch.Generator().manual_seed(mix_seed(seed, 1))
    if len(rolls) > LEARNT:
        places = torch.linspace(0, len(rolls) - 1, LEARNT, dtype=torch.float64).round().long()
        rolls, songs = rolls[places], songs[places]
    parts = Parts.of(rolls, spec)
    tracks = draw_tracks(parts.plays, spec, random)
    others = strangers(parts.plays, songs, tracks, WRONG, random)
    rows = ((tracks >= 0) & (others >= 0).all(1)).nonzero().flatten()
    if len(rows) < 2:
        raise ValueError("there are no two songs whose tracks could be exchanged")
    shown = torch.cat([rows.unsqueeze(1), others[rows]], dim=1)  # the right one first
    found = torch.stack([relations(parts[column], parts[rows], tracks[rows]) for column in shown.T], dim=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, 2))
        return _learnt(found, random)


def _learnt(found: Tensor, random: torch.Generator) -> Matcher:
    """A matcher for relations `[phrases, 1 + WRONG, features]`, those of the right pair in front."""
    matcher = Matcher(found.flatten(0, 1))
    steps = EPOCHS * -(-len(found) // BATCH)
    optimizer = torch.optim.AdamW(matcher.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps + 1)
    for _ in range(EPOCHS):
        for rows in torch.split(torch.randperm(len(found), generator=random), BATCH):
            loss = F.cross_entropy(matcher(found[rows]), torch.zeros(len(rows), dtype=torch.long))
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
    return matcher.eval()

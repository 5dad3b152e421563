"""What is asked of a phrase: how dense each track is, the key, the tempo, the style of the data it should be like.

Wishes are numbers in the units of a musician, `[batch, tracks + 3]`: for each track notes a bar, then the key (0 to 11
for major from C upwards, 12 to 23 for minor), the tempo in beats a minute, and the number of a style. NaN is no wish.
Both networks read them through a `WishEncoder`; in training some are left out, so that any may be left out later
(classifier-free guidance; Ho and Salimans, arXiv 2207.12598).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.spec import ONSET, RollSpec
from gan.statistics import DataStatistics

NUM_KEYS = 24
NUM_LABELS = 3
KEY, TEMPO, STYLE = range(-NUM_LABELS, 0)
"""Places of the labels at the end of a row of wishes, and in a row of labels."""
SILENT = 0.05
"""Notes a bar below which a track is asked to be silent."""


def no_labels(count: int) -> Tensor:
    """Labels `[count, 3]` of phrases of which nothing is known."""
    return torch.full((count, NUM_LABELS), torch.nan)


def wishes_of(rolls: Tensor, labels: Tensor) -> Tensor:
    """What would have to be asked to get these phrases: `[batch, tracks + 3]`.

    Parameters
    ----------
    rolls
        Bool, `[batch, 2, tracks, bars, steps, pitches]`.
    labels
        Key, tempo and style `[batch, 3]`, NaN where unknown.
    """
    notes = rolls[:, ONSET].sum((2, 3, 4)) / rolls.shape[3]
    return torch.cat([notes, labels.to(notes)], dim=1)


def leave_out(wishes: Tensor, all_share: float, each_share: float, random: torch.Generator) -> Tensor:
    """Wishes with some left out: all of them in a share of the phrases, and each in a share of the others.

    A CPU generator draws them.
    """
    every = torch.rand(len(wishes), 1, generator=random) < all_share
    each = torch.rand(wishes.shape, generator=random) < each_share
    return torch.where((every | each).to(wishes.device), torch.nan, wishes)


def transpose_keys(labels: Tensor, semitones: Tensor) -> Tensor:
    """Labels `[batch, 3]` of phrases that were moved by `semitones` `[batch]`: the key moves with them."""
    key = labels[:, KEY]
    moved = labels.clone()
    moved[:, KEY] = 12 * (key // 12) + (key % 12 + semitones) % 12
    return moved


def between_wishes(start: Tensor, end: Tensor, share: float) -> Tensor:
    """Wishes at `share` (0 to 1) of the way: numbers change evenly; key, style and what one end lacks, half-way."""
    near = start if share < 0.5 else end
    middle = torch.lerp(start, end, share)
    middle[:, [KEY, STYLE]] = near[:, [KEY, STYLE]]
    return torch.where(middle.isnan(), near, middle)


class WishEncoder(nn.Module):
    """Wishes as inputs of a network; what is left out is all zeros.

    Attributes
    ----------
    size
        Numbers in `forward`'s result.
    """

    centres: Tensor
    scales: Tensor

    def __init__(self, spec: RollSpec, statistics: DataStatistics) -> None:
        super().__init__()
        self.num_tracks, self.num_styles = spec.num_tracks, statistics.num_styles
        self.size = 3 * spec.num_tracks + NUM_KEYS + 2 + statistics.num_styles
        known = _scaled(torch.tensor(statistics.examples)[:, : spec.num_tracks + NUM_LABELS])
        known = known[:, [*range(spec.num_tracks), TEMPO]]
        centres = known.nanmean(0).nan_to_num(0.0)
        scales = (known - centres).square().nanmean(0).sqrt().nan_to_num(1.0).clamp(min=0.1)
        self.register_buffer("centres", centres, persistent=False)
        self.register_buffer("scales", scales, persistent=False)

    def densities(self, wishes: Tensor) -> Tensor:
        """What is asked of each track, `[batch, tracks, 3]`: whether anything, how dense, whether to be silent."""
        asked = wishes[:, : self.num_tracks]
        known = ~asked.isnan()
        scaled = (torch.log1p(asked) - self.centres[:-1]) / self.scales[:-1]
        return torch.stack([known.to(wishes), scaled.nan_to_num(0.0), (asked < SILENT).to(wishes)], dim=2)

    def forward(self, wishes: Tensor) -> Tensor:
        """`[batch, tracks + 3]` to `[batch, size]`."""
        tempo = wishes[:, TEMPO, None]
        scaled = (torch.log2(tempo) - self.centres[-1]) / self.scales[-1]
        return torch.cat(
            [
                self.densities(wishes).flatten(1),
                _one_hot(wishes[:, KEY], NUM_KEYS),
                (~tempo.isnan()).to(wishes),
                scaled.nan_to_num(0.0),
                _one_hot(wishes[:, STYLE], self.num_styles),
            ],
            dim=1,
        )


def _scaled(wishes: Tensor) -> Tensor:
    """Densities and tempos as logarithms, in which musicians hear equal distances."""
    scaled = torch.log1p(wishes)
    scaled[:, TEMPO] = torch.log2(wishes[:, TEMPO])
    return scaled


def _one_hot(numbers: Tensor, count: int) -> Tensor:
    """`[batch]` to `[batch, count]`; NaN gives zeros."""
    return (numbers.unsqueeze(1) == torch.arange(count, device=numbers.device)).to(numbers)

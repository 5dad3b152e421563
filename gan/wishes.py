"""What is asked of a phrase: how much each track plays and in what manner, key, tempo, and the style to be like.

Wishes are numbers in the units of a musician, `[batch, num_wishes(tracks)]`: for each track notes a bar, then for each
the mean length of a note in beats, then for each how many notes sound at once where it sounds, then the key (0 to 11
for major from C upwards, 12 to 23 for minor), the tempo in beats a minute, and the number of a style. NaN is no wish.
Both networks read them through a `WishEncoder`; in training some are left out, so that any may be left out later
(classifier-free guidance; Ho and Salimans, arXiv 2207.12598).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan.spec import ONSET

NUM_KEYS = 24
NUM_MANNERS = 3
DENSITY, LENGTH, VOICES = range(NUM_MANNERS)
"""What is asked of a track: notes a bar, beats a note, notes at once."""
NUM_LABELS = 3
KEY, TEMPO, STYLE = range(-NUM_LABELS, 0)
"""Places of the labels at the end of a row of wishes, and in a row of labels."""
SILENT = 0.05
"""Notes a bar below which a track is asked to be silent."""


def num_wishes(tracks: int) -> int:
    """Numbers in a row of wishes."""
    return NUM_MANNERS * tracks + NUM_LABELS


def no_wishes(count: int, tracks: int) -> Tensor:
    """`count` rows that leave everything to chance."""
    return torch.full((count, num_wishes(tracks)), torch.nan)


def manners(wishes: Tensor) -> Tensor:
    """What is asked of the tracks: `[..., NUM_MANNERS, tracks]` of wishes `[..., num_wishes(tracks)]`."""
    return wishes[..., :-NUM_LABELS].reshape(*wishes.shape[:-1], NUM_MANNERS, -1)


def no_labels(count: int) -> Tensor:
    """Labels `[count, 3]` of phrases of which nothing is known."""
    return torch.full((count, NUM_LABELS), torch.nan)


def wishes_of(rolls: Tensor, labels: Tensor, steps_per_beat: int) -> Tensor:
    """What would have to be asked to get these phrases: `[batch, num_wishes(tracks)]`.

    Of a silent track only the density is known.

    Parameters
    ----------
    rolls
        Bool, `[batch, 2, tracks, bars, steps, pitches]`.
    labels
        Key, tempo and style `[batch, 3]`, NaN where unknown.
    steps_per_beat
        Of the rolls.
    """
    sounding = rolls.any(1)  # [batch, tracks, bars, steps, pitches]
    notes, cells = rolls[:, ONSET].sum((2, 3, 4)), sounding.sum((2, 3, 4))
    heard = sounding.any(4).sum((2, 3))  # steps
    asked = torch.stack([notes / rolls.shape[3], cells / notes / steps_per_beat, cells / heard], dim=1)
    return torch.cat([asked.flatten(1), labels.to(asked)], dim=1)


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

    Parameters
    ----------
    examples
        Wishes of phrases of the data `[phrases, num_wishes]`: what is usual, and how widely it varies.
    num_styles
        Of the data.

    Attributes
    ----------
    size
        Numbers in `forward`'s result.
    """

    TRACK_SIZE = 2 * NUM_MANNERS + 1
    """Numbers in which a network is told what is asked of a track."""

    centres: Tensor
    scales: Tensor

    def __init__(self, examples: Sequence[Sequence[float]], num_styles: int) -> None:
        super().__init__()
        known = _scaled(torch.tensor(examples))
        tracks = (known.shape[1] - NUM_LABELS) // NUM_MANNERS
        self.num_styles = num_styles
        self.size = self.TRACK_SIZE * tracks + NUM_KEYS + 2 + num_styles
        known = torch.cat([known[:, :-NUM_LABELS], known[:, TEMPO, None]], dim=1)
        centres = known.nanmean(0).nan_to_num(0.0)
        scales = (known - centres).square().nanmean(0).sqrt().nan_to_num(1.0).clamp(min=0.1)
        self.register_buffer("centres", centres, persistent=False)
        self.register_buffer("scales", scales, persistent=False)

    def tracks(self, wishes: Tensor) -> Tensor:
        """What is asked of each track, `[batch, tracks, TRACK_SIZE]`: of what, how much, whether silence."""
        asked = wishes[:, :-NUM_LABELS]
        scaled = (torch.log1p(asked) - self.centres[:-1]) / self.scales[:-1]
        known = (~asked.isnan()).to(wishes)
        silent = (manners(wishes)[:, :1] < SILENT).to(wishes)
        parts = [x.view(len(wishes), NUM_MANNERS, -1) for x in (known, scaled.nan_to_num(0.0))]
        return torch.cat([*parts, silent], dim=1).transpose(1, 2)

    def forward(self, wishes: Tensor) -> Tensor:
        """`[batch, num_wishes]` to `[batch, size]`."""
        tempo = wishes[:, TEMPO, None]
        scaled = (torch.log2(tempo) - self.centres[-1]) / self.scales[-1]
        return torch.cat(
            [
                self.tracks(wishes).flatten(1),
                _one_hot(wishes[:, KEY], NUM_KEYS),
                (~tempo.isnan()).to(wishes),
                scaled.nan_to_num(0.0),
                _one_hot(wishes[:, STYLE], self.num_styles),
            ],
            dim=1,
        )


def _scaled(wishes: Tensor) -> Tensor:
    """What is asked of the tracks, and tempos, as logarithms, in which musicians hear equal distances."""
    scaled = torch.log1p(wishes)
    scaled[:, TEMPO] = torch.log2(wishes[:, TEMPO])
    return scaled


def _one_hot(numbers: Tensor, count: int) -> Tensor:
    """`[batch]` to `[batch, count]`; NaN gives zeros."""
    return (numbers.unsqueeze(1) == torch.arange(count, device=numbers.device)).to(numbers)

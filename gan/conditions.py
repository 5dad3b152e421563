"""What is asked of a phrase: how much each track plays and in what manner, when, on which pitches, and labels.

Wishes are numbers in the units of a musician, a row a phrase, `[batch, Layout.size]`, in this order:

- for each track notes a bar; then for each the mean length of its notes in beats; then for each how many notes sound at
  once where it sounds; then for each the share of its notes that last one step only;
- the rhythm: for each step of a bar its share of all onsets;
- the chroma: for each pitch class from C upwards its share of all sound of pitched tracks;
- the key (0 to 11 for major from C upwards, 12 to 23 for minor), the tempo in beats a minute, the number of a style.

NaN is no wish. Both networks read them through a `WishEncoder`; in training some are left out, so that any may be left
out later (classifier-free guidance; Ho and Salimans, arXiv 2207.12598).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from gan.spec import HOLD, ONSET, RollSpec
from gan.training.distributed import for_my_rows

if TYPE_CHECKING:
    from gan.statistics import DataStatistics

NUM_MANNERS = 4
DENSITY, LENGTH, VOICES, SHORT = range(NUM_MANNERS)
"""What is asked of a track: notes a bar, beats a note, notes at once, share of notes of one step."""
NUM_KEYS = 24
NUM_LABELS = 3
KEY, TEMPO, STYLE = range(-NUM_LABELS, 0)
"""Places of the labels at the end of a row of wishes, and in a row of labels."""
NEAREST = 8
"""Of so many phrases of the data, those most like what is asked, one fills in what is not."""
UNLIKE = 25.0
"""How far apart two labels are, and numbers at most, in squared standard deviations; nothing so far off is near."""
SILENT = 0.05
"""Notes a bar below which a track is asked to be silent."""


@dataclass(frozen=True)
class Layout:
    """Where in a row of wishes everything is."""

    tracks: int
    steps: int
    """Of a bar."""

    @classmethod
    def of(cls, spec: RollSpec) -> Layout:
        """The layout for phrases of a `RollSpec`."""
        return cls(spec.num_tracks, spec.steps_per_bar)

    @property
    def size(self) -> int:
        """Numbers in a row."""
        return NUM_MANNERS * self.tracks + self.steps + 12 + NUM_LABELS

    def manner(self, manner: int) -> slice:
        """The tracks' places of `DENSITY`, `LENGTH`, `VOICES` or `SHORT`."""
        return slice(manner * self.tracks, (manner + 1) * self.tracks)

    @property
    def manners(self) -> slice:
        """All that is asked of tracks."""
        return slice(0, NUM_MANNERS * self.tracks)

    @property
    def rhythm(self) -> slice:
        """The rhythm."""
        return slice(self.manners.stop, self.manners.stop + self.steps)

    @property
    def chroma(self) -> slice:
        """The chroma."""
        return slice(self.rhythm.stop, self.rhythm.stop + 12)


def no_wishes(count: int, spec: RollSpec) -> Tensor:
    """`count` rows that leave everything to chance."""
    return torch.full((count, Layout.of(spec).size), torch.nan)


def no_labels(count: int) -> Tensor:
    """Labels `[count, 3]` of phrases of which nothing is known."""
    return torch.full((count, NUM_LABELS), torch.nan)


def wishes_of(rolls: Tensor, labels: Tensor, spec: RollSpec) -> Tensor:
    """What would have to be asked to get these phrases: `[batch, Layout.size]`.

    Of a silent track only the density is known; of silence no rhythm, and of drums alone no chroma.

    Parameters
    ----------
    rolls
        Bool, `[batch, 2, tracks, bars, steps, pitches]`, of any number of bars.
    labels
        Key, tempo and style `[batch, 3]`, NaN where unknown.
    spec
        Of the rolls.
    """
    words = _words(rolls.flatten(3, 4))
    onset, hold = words[:, ONSET], words[:, HOLD]  # [batch, tracks, time, words]
    sounding = onset | hold
    begun, heard, held = (_cells(one) for one in (onset, sounding, onset[:, :, :-1] & hold[:, :, 1:]))
    notes, cells = begun.sum(2), heard.sum(2)
    short = notes - held.sum(2)
    manners = [notes / rolls.shape[3], cells / notes / spec.steps_per_beat, cells / heard.ne(0).sum(2), short / notes]
    rhythm = begun.sum(1).view(len(rolls), *rolls.shape[3:5]).sum(1)  # [batch, steps]
    pitches = sounding[:, list(spec.pitched)].sum(1).view(torch.uint8).sum(1)[:, : spec.num_pitches]
    chroma = pitches @ fold(spec).to(rolls.device)
    shares = [one / one.sum(1, keepdim=True) for one in (rhythm, chroma)]
    return torch.cat([*manners, *shares, labels.to(rolls.device)], dim=1)


def _words(cells: Tensor) -> Tensor:
    """Bools `[..., pitches]` as 64-bit numbers `[..., words]`, a byte a cell.

    Their sums are sums of all eight cells at once, as long as no byte comes to more than 255: tens of times as fast as
    those of bools.
    """
    padded = nn.functional.pad(cells.view(torch.uint8), (0, -cells.shape[-1] % 8))
    return padded.contiguous().view(torch.int64)


def _cells(words: Tensor) -> Tensor:
    """How many cells are set in words `[..., words]`: `[...]`."""
    return words.sum(-1, keepdim=True).view(torch.uint8).sum(-1)


def fold(spec: RollSpec) -> Tensor:
    """`[pitches, 12]`, whole numbers: which pitch class each pitch belongs to."""
    classes = (torch.arange(spec.num_pitches) + spec.lowest_pitch) % 12
    return (classes.unsqueeze(1) == torch.arange(12)).long()


def leave_out(wishes: Tensor, layout: Layout, all_share: float, each_share: float, random: torch.Generator) -> Tensor:
    """Wishes with some left out: all of them in a share of the phrases, and each in a share of the others.

    Rhythm and chroma are left out as wholes. A CPU generator draws them.
    """
    count, size = wishes.shape
    every = for_my_rows(lambda batch: torch.rand(batch, 1, generator=random), count) < all_share
    each = for_my_rows(lambda batch: torch.rand(batch, size, generator=random), count) < each_share
    for whole in (layout.rhythm, layout.chroma):
        each[:, whole] = each[:, whole.start, None]
    return torch.where((every | each).to(wishes.device), torch.nan, wishes)


def transpose_wishes(wishes: Tensor, semitones: Tensor, layout: Layout) -> Tensor:
    """Wishes `[batch, size]` of phrases that were moved by `semitones` `[batch]`: key and chroma move with them."""
    key = wishes[:, KEY]
    source = (torch.arange(12, device=wishes.device) - semitones.unsqueeze(1)) % 12
    moved = wishes.clone()
    moved[:, KEY] = 12 * (key // 12) + (key % 12 + semitones) % 12
    moved[:, layout.chroma] = wishes[:, layout.chroma].gather(1, source)
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
    spec
        Of the phrases.
    statistics
        Of the data: what is usually asked, and how widely it varies.

    Attributes
    ----------
    size
        Numbers in `forward`'s result.
    """

    TRACK_SIZE = 2 * NUM_MANNERS + 1
    """Numbers in which a network is told what is asked of a track."""

    centres: Tensor
    scales: Tensor

    def __init__(self, spec: RollSpec, statistics: DataStatistics) -> None:
        super().__init__()
        self.layout, self.num_styles = Layout.of(spec), statistics.num_styles
        self.size = self.TRACK_SIZE * spec.num_tracks + spec.steps_per_bar + 12 + 1 + 3 + NUM_KEYS + self.num_styles
        usual = self._scaled(torch.tensor(statistics.examples))
        centres = usual.nanmean(0).nan_to_num(0.0)
        scales = (usual - centres).square().nanmean(0).sqrt().nan_to_num(1.0)
        self.register_buffer("centres", centres, persistent=False)
        self.register_buffer("scales", scales.clamp(min=0.01), persistent=False)

    def _scaled(self, wishes: Tensor) -> Tensor:
        """Amounts and tempos as logarithms, in which musicians hear equal distances."""
        layout = self.layout
        amounts = torch.log1p(wishes[:, layout.manners])
        shares = wishes[:, layout.rhythm.start : layout.chroma.stop]
        return torch.cat([amounts, shares, torch.log2(wishes[:, TEMPO, None])], dim=1)

    def fill_in(self, wishes: Tensor, examples: Tensor, random: torch.Generator) -> Tensor:
        """Wishes with their gaps filled, so that what is asked is asked for in the way the data would do it.

        Parameters
        ----------
        wishes
            `[batch, Layout.size]`.
        examples
            Wishes of phrases of the data, `[phrases, Layout.size]`. Each gap is filled from one of the phrases that are
            most like what is asked; where nothing is asked, from any.
        random
            A CPU generator that draws the phrases.
        """
        scales = self.scales.to(wishes)
        unlike = wishes.new_zeros(len(wishes), len(examples))
        for row, wanted in enumerate(wishes):
            off = ((self._scaled(wanted.unsqueeze(0)) - self._scaled(examples)) / scales).square()
            unlike[row] = off.clamp(max=UNLIKE).nan_to_num(0.0).sum(1)
            for label in (KEY, STYLE):
                unlike[row] += UNLIKE * ((examples[:, label] != wanted[label]) & ~wanted[label].isnan())
        ranked = unlike.sort(1).values
        near = (unlike <= ranked[:, min(NEAREST, len(examples)) - 1, None]) & (unlike < ranked[:, :1] + UNLIKE)
        rows = torch.multinomial(near.cpu().to(torch.float32), 1, generator=random).squeeze(1)
        filled = torch.where(wishes.isnan(), examples[rows.to(examples.device)], wishes)
        silent = (filled[:, self.layout.manner(DENSITY)] < SILENT).repeat(1, NUM_MANNERS)
        silent[:, self.layout.manner(DENSITY)] = False
        filled[:, self.layout.manners] = filled[:, self.layout.manners].masked_fill(silent, torch.nan)
        return filled

    def tracks(self, wishes: Tensor) -> Tensor:
        """What is asked of each track, `[batch, tracks, TRACK_SIZE]`: of what, how much, whether silence."""
        place = self.layout.manners
        scaled = ((torch.log1p(wishes[:, place]) - self.centres[place]) / self.scales[place]).nan_to_num(0.0)
        known = (~wishes[:, place].isnan()).to(wishes)
        silent = (wishes[:, self.layout.manner(DENSITY)] < SILENT).to(wishes)
        return torch.cat([known, scaled, silent], dim=1).view(len(wishes), self.TRACK_SIZE, -1).transpose(1, 2)

    def forward(self, wishes: Tensor) -> Tensor:
        """`[batch, Layout.size]` to `[batch, size]`."""
        rest = slice(self.layout.manners.stop, None)
        scaled = ((self._scaled(wishes) - self.centres) / self.scales)[:, rest].nan_to_num(0.0)
        known = ~wishes[:, [self.layout.rhythm.start, self.layout.chroma.start, TEMPO]].isnan()
        return torch.cat(
            [
                self.tracks(wishes).flatten(1),
                scaled,
                known.to(wishes),
                _one_hot(wishes[:, KEY], NUM_KEYS),
                _one_hot(wishes[:, STYLE], self.num_styles),
            ],
            dim=1,
        )


def _one_hot(numbers: Tensor, count: int) -> Tensor:
    """`[batch]` to `[batch, count]`; NaN gives zeros."""
    return (numbers.unsqueeze(1) == torch.arange(count, device=numbers.device)).to(numbers)

"""What is given of a phrase: some of its bars in some of its tracks; the generator makes the rest.

One mask `[batch, tracks, bars]` says it all: nothing given is composing, whole tracks given is accompanying, the first
bars given is continuing, any other bars given is filling in.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, pad

from gan.conditions import NUM_ATTRIBUTES, ConditionLayout, conditions_of, no_labels
from gan.rolls import SOUNDING, STRIKE, fold_streams
from gan.spec import HOLD, ONSET, RollSpec


@dataclass(frozen=True)
class Context:
    """Notes that are given, the batch in front.

    Attributes
    ----------
    rolls
        Bool `[batch, *spec.shape]`; only what lies under the mask counts.
    mask
        Bool `[batch, tracks, bars]`, true where the notes (or the silence) are given.
    """

    rolls: Tensor
    mask: Tensor

    def __post_init__(self) -> None:
        """Raise `ValueError` when the two do not belong together."""
        if self.mask.shape != (len(self.rolls), *self.rolls.shape[2:4]) or self.mask.dtype != torch.bool:
            raise ValueError(f"a mask of shape {tuple(self.mask.shape)} does not fit rolls {tuple(self.rolls.shape)}")

    def __len__(self) -> int:
        """How many phrases."""
        return len(self.rolls)

    def __getitem__(self, index: slice | Tensor | list[int]) -> Context:
        """Some of the phrases; the batch axis stays."""
        return Context(self.rolls[index], self.mask[index])

    def to(self, device: torch.device | str) -> Context:
        """The same on another device."""
        return Context(self.rolls.to(device), self.mask.to(device))

    def complete(self, made: Tensor) -> Tensor:
        """Rolls `made` with what is given in their place, to the bit.

        A made note that held on into given bars ends there, and one that would have held on out of nothing begins.
        """
        phrase, track, bar = self.mask.nonzero(as_tuple=True)
        whole = made.clone()
        whole[phrase, :, track, bar] = self.rolls[phrase, :, track, bar]
        return strike_orphans(whole, ~self.mask)


def conditions_of_context(given: Context, spec: RollSpec) -> Tensor:
    """What the notes that are given ask for, `[batch, ConditionLayout.size]`: go on like this.

    The attributes of the tracks that are given from end to end, and the rhythm and chroma of all that is given.
    """
    layout, mask = ConditionLayout.of(spec), given.mask
    labels = no_labels(len(given)).to(mask.device)
    conditions = conditions_of(given.rolls & mask[:, None, :, :, None, None], labels, spec)
    whole = mask.all(2).repeat(1, NUM_ATTRIBUTES)
    conditions[:, layout.attributes] = conditions[:, layout.attributes].masked_fill(~whole, torch.nan)
    return conditions


@dataclass(frozen=True)
class StreamContext:
    """What is given to a network while it learns: `streams` `[batch, time, tracks, 2, pitch_range]`, and the mask of
    it.
    """

    streams: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Conditioning:
    """What phrases were asked to be: conditions `[batch, ConditionLayout.size]`; what was given: a mask `[batch,
    tracks, bars]`.
    """

    conditions: Tensor
    mask: Tensor


def strike_orphans(rolls: Tensor, where: Tensor | None = None) -> Tensor:
    """Rolls in which a held step with nothing before it, at the start of a bar, begins a note; a phrase's first too.

    With a mask `where` `[batch, tracks, bars]`, in these bars alone.
    """
    first = rolls[:, :, :, :, 0]  # [batch, 2, tracks, bars, pitches]
    last = rolls[:, :, :, :, -1].any(1)  # [batch, tracks, bars, pitches]
    before = torch.cat([torch.zeros_like(last[:, :, :1]), last[:, :, :-1]], dim=2)
    orphan = first[:, HOLD] & ~before
    if where is not None:
        orphan &= where.unsqueeze(3)
    begun = rolls.clone()
    begun[:, ONSET, :, :, 0] |= orphan
    begun[:, HOLD, :, :, 0] &= ~orphan
    # the rest of the note follows by itself: its later steps have a sounding step before them
    return begun


def mask_of_steps(mask: Tensor, spec: RollSpec) -> Tensor:
    """A mask `[batch, tracks, bars]` by steps: `[batch, time, tracks]`."""
    return mask.transpose(1, 2).repeat_interleave(spec.steps_per_bar, dim=1)


def beginnings(mask: Tensor, spec: RollSpec) -> Tensor:
    """Where made notes follow given ones, so that something new must begin: bool `[batch, time, tracks]`."""
    starts = mask.new_zeros(len(mask), spec.bars, spec.steps_per_bar, spec.num_tracks)
    starts[:, 1:, 0] = (mask[:, :, :-1] & ~mask[:, :, 1:]).transpose(1, 2)
    return starts.flatten(1, 2)


def inpaint_streams(made: Tensor, given: Tensor, mask: Tensor, spec: RollSpec) -> Tensor:
    """Streams `made` with those that are given in their place; both `[batch, time, tracks, 2, pitch_range]`.

    A given note whose beginning lies in a bar that is made anew is struck at the bar line, unless what was made sounds
    right up to it: then it is one note.
    """
    whole = torch.where(mask_of_steps(mask, spec)[..., None, None], given, made)
    if spec.bars == 1:
        return whole
    bars = whole.view(len(whole), spec.bars, spec.steps_per_bar, *whole.shape[2:])
    with torch.no_grad():  # what is struck has no gradient, and the sum's is that of `whole`
        joins = (mask[:, :, 1:] & ~mask[:, :, :-1]).transpose(1, 2).unsqueeze(3)  # [batch, bars - 1, tracks, 1]
        first = bars[:, 1:, 0]  # [batch, bars - 1, tracks, 2, pitch_range]
        cut = first[:, :, :, SOUNDING] * (1 - first[:, :, :, STRIKE]) * (1 - bars[:, :-1, -1, :, SOUNDING]) * joins
        bars[:, 1:, 0, :, STRIKE] += cut
    return whole


def embed_context(part: StreamContext, vectors: Tensor, spec: RollSpec) -> Tensor:
    """Sums `[batch, time, width]` of the vectors of all notes that are given, and of the tracks that they are of.

    `vectors` is `[tracks, 2 * pitch_range + 1, width]`, the last one of a track its own. A step has few notes of all
    that it could have: looking them up is far cheaper than a product. Gradients reach the vectors, not the notes.
    """
    batch, bars, steps = len(part.mask), spec.bars, spec.steps_per_bar
    phrase, bar, track = part.mask.transpose(1, 2).nonzero(as_tuple=True)
    pieces = part.streams.view(batch, bars, steps, *part.streams.shape[2:])[phrase, bar, :, track].flatten(2)
    cell, step, place = pad(pieces, [0, 1], value=1.0).nonzero(as_tuple=True)  # what is last is there at each step
    counts = (cell * steps + step).bincount(minlength=len(phrase) * steps)
    number = track[cell] * vectors.shape[1] + place
    sums = embedding_bag(number, vectors.flatten(0, 1), counts.cumsum(0) - counts, mode="sum")
    heard = sums.new_zeros(batch * bars, steps, sums.shape[1])
    return heard.index_add(0, phrase * bars + bar, sums.view(-1, steps, sums.shape[1])).view(batch, bars * steps, -1)


NUM_MARKS = 3
"""Whether, in what is given, a pitched track begins a note, a drum is hit, anything pitched sounds."""
HARMONIC_CONTEXT_SIZE = 12 + NUM_MARKS
"""Features of a step of a track: how well each pitch class fits, and the marks."""


class HarmonicContext(nn.Module):
    """What is given, as each track hears it.

    Parameters
    ----------
    spec, lowest_pitches, pitch_range
        Of the streams, see `gan.rolls.to_streams`.
    gains
        `[tracks][12]`, `gan.statistics.DataStatistics.harmony`: where the fit of each interval starts.
    """

    fold: Tensor
    turn: Tensor

    def __init__(
        self, spec: RollSpec, lowest_pitches: tuple[int, ...], pitch_range: int, gains: list[list[float]]
    ) -> None:
        super().__init__()
        self.spec = spec
        self.drums = [track for track in range(spec.num_tracks) if track not in spec.pitched]
        self.fits = nn.Parameter(torch.tensor(gains))  # [tracks, semitones above a given note]
        self.register_buffer(
            "fold", fold_streams(spec, lowest_pitches, pitch_range), persistent=False
        )  # [pitched, pitch_range, 12]
        turn = (torch.arange(12) - torch.arange(12).unsqueeze(1)) % 12
        self.register_buffer("turn", turn, persistent=False)  # [given, made]: semitones

    def forward(self, part: StreamContext) -> Tensor:
        """`[batch, time, tracks, HARMONIC_CONTEXT_SIZE]`; zeros where nothing is given."""
        spec, streams = self.spec, part.streams
        batch, time, tracks = streams.shape[:3]
        heard = mask_of_steps(part.mask, spec).to(streams)  # [batch, time, tracks]
        pitched = list(spec.pitched)
        sounding = streams[:, :, pitched, SOUNDING] * heard[:, :, pitched, None]
        chroma = torch.einsum("btkp,kpc->btc", sounding, self.fold).clamp(max=1)
        fits = torch.einsum("btc,kcd->btkd", chroma, self.fits[:, self.turn])
        struck = streams[:, :, :, STRIKE].amax(3) * heard
        marks = [_any(struck[:, :, pitched]), _any(struck[:, :, self.drums]), _any(chroma)]
        beside = torch.stack(marks, dim=2).unsqueeze(2).expand(-1, -1, tracks, -1)
        return torch.cat([fits, beside.expand(batch, time, tracks, NUM_MARKS)], dim=3)


def _any(x: Tensor) -> Tensor:
    """Whether anything of the last axis is there."""
    return x.amax(-1) if x.shape[-1] else x.new_zeros(x.shape[:-1])

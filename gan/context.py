"""Context: the bars of some tracks that are given; the generator makes the rest of the phrase around them (inpainting).

One mask `[batch, tracks, bars]` says which: nothing given is composing, whole tracks given is accompanying, the first
bars given is continuing, any other bars given is filling in.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gan.conditions import NUM_ATTRIBUTES, ConditionLayout, conditions_of, no_labels
from gan.rolls import STREAM_ONSET, STREAM_SOUNDING
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
        return start_orphaned_holds(whole, ~self.mask)


@dataclass(frozen=True)
class StreamContext:
    """Context in the networks' form: `streams` `[batch, time, tracks, 2, pitch_range]` (`gan.rolls`), and the mask."""

    streams: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Conditioning:
    """Conditioning of the discriminator: conditions and inpainting mask.

    Attributes
    ----------
    conditions
        Those that the phrases were generated for, `[batch, ConditionLayout.size]`.
    mask
        Which bars of them were given, `[batch, tracks, bars]`.
    known
        Bool `[batch, tracks]`: of which tracks it is known what they play; the others are silent. Without it all are.
    """

    conditions: Tensor
    mask: Tensor
    known: Tensor | None = None


def conditions_of_context(context: Context, spec: RollSpec) -> Tensor:
    """Conditions `[batch, ConditionLayout.size]` for a phrase that goes on like the notes that are given.

    The attributes of the tracks that are given from end to end, and the rhythm and chroma of all that is given; chords
    stay open.
    """
    layout, mask = ConditionLayout.of(spec), context.mask
    labels = no_labels(len(context), spec).to(mask.device)
    conditions = conditions_of(context.rolls & mask[:, None, :, :, None, None], labels, spec)
    whole = mask.all(2).repeat(1, NUM_ATTRIBUTES)
    conditions[:, layout.attributes] = conditions[:, layout.attributes].masked_fill(~whole, torch.nan)
    return conditions


def start_orphaned_holds(rolls: Tensor, where: Tensor | None = None) -> Tensor:
    """Rolls in which a held step with nothing before it, at the start of a bar, is an onset; a phrase's first too.

    With a mask `where` `[batch, tracks, bars]`, in these bars alone.
    """
    first = rolls[:, :, :, :, 0]  # [batch, 2, tracks, bars, pitches]
    last = rolls[:, :, :, :, -1].any(1)  # [batch, tracks, bars, pitches]
    before = torch.cat([torch.zeros_like(last[:, :, :1]), last[:, :, :-1]], dim=2)
    orphan = first[:, HOLD] & ~before
    if where is not None:
        orphan &= where.unsqueeze(3)
    started = rolls.clone()
    started[:, ONSET, :, :, 0] |= orphan
    started[:, HOLD, :, :, 0] &= ~orphan
    # the rest of the note follows by itself: its later steps have a sounding step before them
    return started


def mask_of_steps(mask: Tensor, spec: RollSpec) -> Tensor:
    """A mask `[batch, tracks, bars]` by steps: `[batch, time, tracks]`."""
    return mask.transpose(1, 2).repeat_interleave(spec.steps_per_bar, dim=1)


def inpaint_streams(made: Tensor, context: StreamContext, spec: RollSpec) -> Tensor:
    """Streams `made` `[batch, time, tracks, 2, pitch_range]` with those that are given in their place.

    A given note whose beginning lies in a bar that is made anew has an onset at the bar line, unless what was made
    sounds right up to it: then it is one note.
    """
    mask = context.mask
    whole = torch.where(mask_of_steps(mask, spec)[..., None, None], context.streams, made)
    if spec.bars == 1:
        return whole
    bars = whole.view(len(whole), spec.bars, spec.steps_per_bar, *whole.shape[2:])
    with torch.no_grad():  # these onsets have no gradient, and the sum's is that of `whole`
        joins = (mask[:, :, 1:] & ~mask[:, :, :-1]).transpose(1, 2).unsqueeze(3)  # [batch, bars - 1, tracks, 1]
        sounding, onset = bars[:, 1:, 0].unbind(3)  # [batch, bars - 1, tracks, pitch_range]
        cut = sounding * (1 - onset) * (1 - bars[:, :-1, -1, :, STREAM_SOUNDING]) * joins
        bars[:, 1:, 0, :, STREAM_ONSET] += cut
    return whole

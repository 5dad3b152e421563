"""Note heads: what a track plays at a step, given what was decided before (autoregressive, as a language model).

`PitchedHead` decides in order whether the track strikes something, which of the notes that sound go on, and then the
struck pitches from low to high. Each pitch is scored by a bias of the context, by pointers to what was played before
(pointer networks, Vinyals et al., arXiv 1506.03134) and by the intervals to the last notes of the line, to what it is
led to where later notes are given, and to what the other tracks sound.
`DrumHead` chooses one of the data's frequent patterns of drums.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.networks.layers import activate, linear

REST, KEEP_ALL, KEEP_SOME, STRIKE, STRIKE_KEEP_ALL, STRIKE_KEEP_SOME = range(6)
"""What a pitched track does at a step: whether it strikes, and how many of its sounding notes go on."""
NUM_MODES = 6
WIDEST_INTERVAL = 24
"""Larger intervals are scored alike."""
NO_ORIGIN = -1_000
"""Stands for a pitch where there is none."""
NEVER = -1e4
"""The logit of what can't be."""


def highest(notes: Tensor) -> Tensor:
    """The highest pitch of each row `[..., pitches]` of notes, 0 or 1; -1 where there is none."""
    return (notes * torch.arange(1, notes.shape[-1] + 1, device=notes.device)).amax(-1).long() - 1


def lowest(notes: Tensor) -> Tensor:
    """The lowest pitch of each row `[..., pitches]` of notes, 0 or 1; -1 where there is none."""
    size = notes.shape[-1]
    place = size - (notes * torch.arange(size, 0, -1, device=notes.device)).amax(-1).long()
    return torch.where(place < size, place, -1)


class PitchedHead(nn.Module):
    """Decisions of a pitched track.

    Parameters
    ----------
    num_pointers
        Vectors over the pitches that a pitch may be scored by.
    pitch_range
        Pitches.
    width
        Channels.
    max_notes
        Most notes that are struck at once; 1 makes a monophonic voice.
    num_others
        Tracks to whose highest notes intervals are scored too.
    """

    impossible: Tensor

    def __init__(
        self,
        num_pointers: int,
        pitch_range: int,
        width: int,
        max_notes: int,
        num_others: int,
    ) -> None:
        super().__init__()
        self.pitch_range, self.max_notes = pitch_range, max_notes
        self.num_origins = 4 + num_others
        impossible = torch.zeros(3, NUM_MODES)  # where no note sounds, one, several
        impossible[0, [KEEP_ALL, KEEP_SOME, STRIKE_KEEP_ALL, STRIKE_KEEP_SOME]] = NEVER
        impossible[1, [KEEP_SOME, STRIKE_KEEP_SOME]] = NEVER
        if max_notes == 1:
            impossible[:, [KEEP_SOME, STRIKE_KEEP_ALL, STRIKE_KEEP_SOME]] = NEVER
        self.register_buffer("impossible", impossible, persistent=False)
        self.mode = linear(width, NUM_MODES, gain=0.1)
        self.keep = linear(width, pitch_range, gain=0.1)
        self.pitch_hidden = linear(width, width)
        self.chosen = nn.Linear(2 * pitch_range, width, bias=False)
        nn.init.normal_(self.chosen.weight, std=0.05)
        self.pitch = linear(width, pitch_range + 1, gain=0.1)  # the last place is to strike no more
        self.pointers = linear(width, num_pointers, gain=0.01)
        self.intervals = linear(width, self.num_origins * (2 * WIDEST_INTERVAL + 2), gain=0.01)

    def mode_logits(self, hidden: Tensor, old: Tensor) -> Tensor:
        """`[rows, NUM_MODES]`, those that can't be after notes `old` `[rows, pitch_range]` as good as never."""
        logits: Tensor = self.mode(hidden)
        return logits + self.impossible[old.sum(1).long().clamp(max=2)]

    def pitch_logits(
        self, hidden: Tensor, pointers: Tensor, origins: Tensor, kept: Tensor, chosen: Tensor, last: Tensor
    ) -> Tensor:
        """`[rows, pitch_range + 1]`: the next pitch to strike, from low to high; the last place is none.

        Parameters
        ----------
        hidden
            `[rows, width]`.
        pointers
            `[rows, num_pointers, pitch_range]`.
        origins
            `[rows, num_origins - 1]`: pitches from which intervals count: the lowest and the highest that the track
            struck last, the highest with which its next given notes begin, and the highest that each other track is
            known to sound; `NO_ORIGIN` for none.
        kept
            `[rows, pitch_range]`: notes that go on; none of them is struck.
        chosen
            `[rows, pitch_range]`: what was struck already at this step.
        last
            `[rows]`: the highest of it, -1 for nothing.
        """
        size = self.pitch_range
        state = activate(self.pitch_hidden(hidden) + self.chosen(torch.cat([chosen, kept], 1)))
        logits = self.pitch(state)
        scores = logits[:, :size] + torch.einsum("rk,rkp->rp", self.pointers(state), pointers)
        pitches = torch.arange(size, device=hidden.device)
        origins = torch.cat([origins, torch.where(last >= 0, last, NO_ORIGIN).unsqueeze(1)], 1).unsqueeze(2)
        intervals = pitches - origins
        places = torch.where(intervals.abs() <= WIDEST_INTERVAL, intervals + WIDEST_INTERVAL, 2 * WIDEST_INTERVAL + 1)
        by_interval = self.intervals(state).unflatten(1, (self.num_origins, -1)).gather(2, places)
        scores = scores + (by_interval * (origins > NO_ORIGIN)).sum(1)
        scores = scores.masked_fill((pitches <= last.unsqueeze(1)) | (kept > 0), NEVER)
        return torch.cat([scores, logits[:, size:].masked_fill((last < 0).unsqueeze(1), NEVER)], 1)


class DrumHead(nn.Module):
    """One of the frequent patterns of drums at each step, `patterns` `[patterns, pitch_range]`."""

    patterns: Tensor

    def __init__(self, patterns: Tensor, width: int) -> None:
        super().__init__()
        self.register_buffer("patterns", patterns)
        self.pattern = linear(width, len(patterns), gain=0.1)

    def nearest(self, hits: Tensor) -> Tensor:
        """The pattern nearest to hits `[rows, pitch_range]`, `[rows]`."""
        return (self.patterns.sum(1) - 2 * hits @ self.patterns.T).argmin(1)

"""Note heads: what a track plays at a step, given what was decided before (autoregressive, as a language model).

`PitchedHead` decides in order whether the track strikes something, which of the notes that sound go on, and then the
struck pitches from low to high. Each pitch is scored by a bias of the context, by pointers to what was played before
(pointer networks, Vinyals et al., arXiv 1506.03134) and by the interval to the last notes of the line.
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
NEVER = -1e4
"""The logit of what can't be."""


def highest(notes: Tensor) -> Tensor:
    """The highest pitch of each row `[rows, pitches]` of notes, -1 where there is none."""
    size = notes.shape[1]
    return torch.where(notes.any(1), size - 1 - notes.flip(1).argmax(1), -1)


def lowest(notes: Tensor) -> Tensor:
    """The lowest pitch of each row `[rows, pitches]` of notes, -1 where there is none."""
    return torch.where(notes.any(1), notes.argmax(1), -1)


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
    """

    def __init__(
        self,
        num_pointers: int,
        pitch_range: int,
        width: int,
        max_notes: int,
    ) -> None:
        super().__init__()
        self.pitch_range, self.max_notes = pitch_range, max_notes
        self.hidden = linear(width, width)
        self.mode = linear(width, NUM_MODES, gain=0.1)
        self.keep = linear(width, pitch_range, gain=0.1)
        self.pitch_hidden = linear(width, width)
        self.chosen = nn.Linear(2 * pitch_range, width, bias=False)
        nn.init.normal_(self.chosen.weight, std=0.05)
        self.pitch = linear(width, pitch_range + 1, gain=0.1)  # the last place is to strike no more
        self.pointers = linear(width, num_pointers, gain=0.01)
        self.intervals = linear(width, 3 * (2 * WIDEST_INTERVAL + 2), gain=0.01)

    def mode_logits(self, hidden: Tensor, sounding: Tensor) -> Tensor:
        """`[rows, NUM_MODES]`, of which those that can't be are never; `sounding` `[rows]` counts the notes that could go on."""
        logits: Tensor = self.mode(hidden)
        none, single = sounding < 1, sounding < 2
        if self.max_notes == 1:
            no = torch.zeros_like(none)
            banned = torch.stack([no, none, ~no, no, ~no, ~no], 1)
        else:
            banned = torch.stack([torch.zeros_like(none), none, single, torch.zeros_like(none), none, single], 1)
        return logits.masked_fill(banned, NEVER)

    def pitch_logits(
        self, hidden: Tensor, pointers: Tensor, chord: Tensor, kept: Tensor, chosen: Tensor, last: Tensor
    ) -> Tensor:
        """`[rows, pitch_range + 1]`: the next pitch to strike, from low to high; the last place is none.

        Parameters
        ----------
        hidden
            `[rows, width]`.
        pointers
            `[rows, num_pointers, pitch_range]`.
        chord
            `[rows, pitch_range]`: what the track struck last.
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
        tables = self.intervals(state).view(len(hidden), 3, -1)
        pitches = torch.arange(size, device=hidden.device)
        for number, origin in enumerate((lowest(chord), highest(chord), last)):
            interval = pitches - origin.unsqueeze(1)
            place = torch.where(interval.abs() <= WIDEST_INTERVAL, interval + WIDEST_INTERVAL, 2 * WIDEST_INTERVAL + 1)
            scores = scores + tables[:, number].gather(1, place) * (origin >= 0).unsqueeze(1)
        scores = scores.masked_fill((pitches <= last.unsqueeze(1)) | (kept > 0), NEVER)
        return torch.cat([scores, logits[:, size:].masked_fill((last < 0).unsqueeze(1), NEVER)], 1)


class DrumHead(nn.Module):
    """One of the frequent patterns of drums at each step, `patterns` `[patterns, pitch_range]`."""

    patterns: Tensor

    def __init__(self, patterns: Tensor, width: int) -> None:
        super().__init__()
        self.register_buffer("patterns", patterns)
        self.hidden = linear(width, width)
        self.pattern = linear(width, len(patterns), gain=0.1)

    def nearest(self, hits: Tensor) -> Tensor:
        """The pattern nearest to hits `[rows, pitch_range]`, `[rows]`."""
        return (self.patterns.sum(1) - 2 * hits @ self.patterns.T).argmin(1)

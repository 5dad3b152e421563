"""Embedding bag of the given notes: a linear layer over a step's notes, of which there are few."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, pad


def embed_notes(streams: Tensor, mask: Tensor, vectors: Tensor) -> Tensor:
    """Sums `[batch, time, width]` of the vectors of all notes under a mask, and of the tracks that they are of.

    A step has few notes of all that it could have: looking them up is far cheaper than a product. Gradients reach the
    vectors, not the notes.

    Parameters
    ----------
    streams
        `[batch, time, tracks, 2, pitch_range]`, 0 or 1.
    mask
        Bool `[batch, tracks, bars]`: which bars of which tracks count.
    vectors
        `[tracks, 2 * pitch_range + 1, width]`, the last one of a track its own.
    """
    batch, _, bars = mask.shape
    steps = streams.shape[1] // bars
    phrase, bar, track = mask.transpose(1, 2).nonzero(as_tuple=True)
    pieces = streams.view(batch, bars, steps, *streams.shape[2:])[phrase, bar, :, track].flatten(2)
    cell, step, place = pad(pieces, [0, 1], value=1.0).nonzero(as_tuple=True)  # what is last is there at each step
    counts = (cell * steps + step).bincount(minlength=len(phrase) * steps)
    number = track[cell] * vectors.shape[1] + place
    sums = embedding_bag(number, vectors.flatten(0, 1), counts.cumsum(0) - counts, mode="sum")
    embedded = sums.new_zeros(batch * bars, steps, sums.shape[1])
    return embedded.index_add(0, phrase * bars + bar, sums.view(-1, steps, sums.shape[1])).view(batch, bars * steps, -1)


def embed_notes_reference(streams: Tensor, mask: Tensor, vectors: Tensor) -> Tensor:
    """What `embed_notes` gives, as one dense product; shapes do not depend on the notes, as GPUs and compilers want."""
    given = mask.transpose(1, 2).repeat_interleave(streams.shape[1] // mask.shape[2], dim=1).unsqueeze(3).to(streams)
    notes = torch.cat([streams.flatten(3), torch.ones_like(given)], dim=3) * given  # [batch, time, tracks, 2p + 1]
    return notes.flatten(2) @ vectors.flatten(0, 1)

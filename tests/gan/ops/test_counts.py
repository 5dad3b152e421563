"""Counting in bytes against sums of bools and products of numbers."""

import pytest
import torch

from gan.ops.counts import CountNotes, count_cells, count_cells_reference, count_notes_reference, pack_cells


@pytest.mark.parametrize("pitches", [1, 8, 30, 84])
def test_packed_cells_are_counted_like_bools(pitches: int) -> None:
    cells = torch.rand(3, 5, 7, pitches, generator=torch.Generator().manual_seed(0)) < 0.5
    words = pack_cells(cells)
    assert torch.equal(count_cells(words), count_cells_reference(cells))
    assert torch.equal(count_cells(words[:, 0] & words[:, 1]), count_cells_reference(cells[:, 0] & cells[:, 1]))
    assert torch.equal(count_cells(words.sum(1)), count_cells_reference(cells).sum(1)), "so are sums"


def test_notes_are_counted_with_the_gradient_of_the_plain_products() -> None:
    streams = (torch.rand(2, 6, 3, 2, 5, generator=torch.Generator().manual_seed(0)) < 0.5).double().requires_grad_()
    plain, fast = count_notes_reference(streams), CountNotes.apply(streams)
    wanted, got = (torch.autograd.grad(sum(x.square().sum() for x in counts), streams)[0] for counts in (plain, fast))
    assert all(torch.equal(one, other) for one, other in zip(plain, fast, strict=True))
    assert wanted.abs().max() > 0
    assert torch.allclose(wanted, got)


def test_a_note_is_long_when_it_sounds_on_and_short_when_it_is_repeated_at_once() -> None:
    streams = torch.zeros(1, 8, 1, 2, 3)
    streams[0, [0, 1, 4, 5], 0, 0, 1] = 1.0  # sounding
    streams[0, [0, 4, 5], 0, 1, 1] = 1.0  # a note of two steps, then two of one step
    onsets, cells, long = CountNotes.apply(streams)
    assert (onsets.sum().item(), cells.item(), long.item()) == (3, 4, 1)

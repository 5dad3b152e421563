"""Counting eight cells at once against sums of bools."""

import pytest
import torch

from gan.ops.counts import count_cells, count_cells_reference, pack_cells


@pytest.mark.parametrize("pitches", [1, 8, 30, 84])
def test_packed_cells_are_counted_like_bools(pitches: int) -> None:
    cells = torch.rand(3, 5, 7, pitches, generator=torch.Generator().manual_seed(0)) < 0.5
    words = pack_cells(cells)
    assert torch.equal(count_cells(words), count_cells_reference(cells))
    assert torch.equal(count_cells(words[:, 0] & words[:, 1]), count_cells_reference(cells[:, 0] & cells[:, 1]))
    assert torch.equal(count_cells(words.sum(1)), count_cells_reference(cells).sum(1)), "so are sums"

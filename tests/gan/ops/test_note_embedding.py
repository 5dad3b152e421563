"""Looking up the vectors of given notes against the dense product."""

import torch

from gan.ops.note_embedding import embed_notes, embed_notes_reference


def test_notes_that_are_looked_up_sum_to_what_a_product_gives() -> None:
    batch, tracks, bars, steps, pitch_range, width = 12, 3, 2, 16, 20, 5
    random = torch.Generator().manual_seed(4)
    streams = (torch.rand(batch, bars * steps, tracks, 2, pitch_range, generator=random) < 0.1).float()
    mask = torch.rand(batch, tracks, bars, generator=random) < 0.4
    mask[0] = False
    vectors = torch.randn(tracks, 2 * pitch_range + 1, width, generator=random, requires_grad=True)
    weights = torch.randn(batch, bars * steps, width, generator=random)
    fast, plain = embed_notes(streams, mask, vectors), embed_notes_reference(streams, mask, vectors)
    assert plain.abs().max() > 1 and not plain[0].any()
    torch.testing.assert_close(fast, plain)
    gradients = [torch.autograd.grad((one * weights).sum(), vectors)[0] for one in (fast, plain)]
    torch.testing.assert_close(*gradients)

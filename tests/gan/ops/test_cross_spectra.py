"""Cross-spectra against counting the intervals of all pairs of pitches."""

import torch

from gan.ops.cross_spectra import (
    CrossSpectra,
    SpectraLayout,
    StreamProjection,
    count_intervals_reference,
    cross_spectra_reference,
    fourier,
    sounding_features,
    stream_projection_reference,
)


def test_cross_spectra_are_the_transforms_of_counted_intervals():
    random = torch.Generator().manual_seed(0)
    tracks, pitch_range, time, lags, period = 3, 15, 8, (1, 4), 24
    sounding = (torch.rand(2, time, tracks, pitch_range, generator=random) < 0.3).double()
    pitches = torch.arange(pitch_range) + torch.tensor([0, 5, 9]).unsqueeze(1)
    classes = torch.eye(12, dtype=torch.double)[pitches % 12]
    motion = fourier(pitch_range, period).double().expand(tracks, -1, -1)
    maps = torch.cat([classes, classes @ fourier(12, 12).double(), motion], dim=2)
    layout = SpectraLayout(tracks, 12, 7, period // 2 + 1, lags, time)
    streams = torch.stack([sounding, torch.zeros_like(sounding)], dim=3).requires_grad_()
    fast = CrossSpectra.apply(sounding_features(streams.detach(), range(tracks), maps), layout)
    torch.testing.assert_close(fast, cross_spectra_reference(sounding, classes, lags, period), rtol=1e-5, atol=1e-4)

    weights = torch.randn(*fast.shape, dtype=torch.double, generator=random)
    projection, bias = torch.zeros(1, streams[0, 0].numel(), dtype=torch.double), torch.zeros(1, dtype=torch.double)
    _, features = StreamProjection.apply(streams, projection, bias, range(tracks), maps)
    plain = cross_spectra_reference(streams[:, :, :, 0], classes, lags, period)
    gradients = [
        torch.autograd.grad((one * weights).sum(), streams)[0] for one in (CrossSpectra.apply(features, layout), plain)
    ]
    assert gradients[1].abs().max() > 0
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-4)


def test_transposition_leaves_intervals_alone():
    upper, lower = torch.rand(2, 12, generator=torch.Generator().manual_seed(0))
    counts = count_intervals_reference(upper, lower, 12)
    assert torch.allclose(counts, torch.stack([(upper.roll(-size) * lower).sum() for size in range(12)]))
    assert torch.allclose(counts, count_intervals_reference(upper.roll(5), lower.roll(5), 12), atol=1e-5)


def test_streams_are_projected_as_by_two_ordinary_products():
    random = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, 4, generator=random)
    streams = torch.randn(2, 5, 3, 2, 3, generator=random, requires_grad=True)
    weight, bias = (torch.randn(*shape, generator=random, requires_grad=True) for shape in ((6, 18), (6,)))
    ways = (StreamProjection.apply, stream_projection_reference)
    results = [project(streams, weight, bias, (0, 2), maps) for project in ways]
    for fast, plain in zip(*results, strict=True):
        torch.testing.assert_close(fast, plain)
    gradients = [torch.autograd.grad(sum(x.square().sum() for x in one), [streams, weight, bias]) for one in results]
    for fast, plain in zip(*gradients, strict=True):
        torch.testing.assert_close(fast, plain)


def test_derivatives_are_right_twice_over():
    random = torch.Generator().manual_seed(0)
    layout = SpectraLayout(3, 1, 1, 1, lags=(1, 2), time=3)
    features = torch.randn(3, layout.of_track, 6, dtype=torch.float64, generator=random, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: CrossSpectra.apply(x, layout), features)
    assert torch.autograd.gradgradcheck(lambda x: CrossSpectra.apply(x, layout), features)
    maps = torch.randn(2, 3, 4, dtype=torch.float64, generator=random)
    streams = torch.randn(2, 2, 3, 2, 3, dtype=torch.float64, generator=random, requires_grad=True)
    weight = torch.randn(5, 18, dtype=torch.float64, generator=random, requires_grad=True)
    bias = torch.randn(5, dtype=torch.float64, generator=random, requires_grad=True)

    def project(streams, weight, bias):
        return StreamProjection.apply(streams, weight, bias, (0, 2), maps)

    def penalty_gradient(streams, weight):
        """What a gradient penalty is made of: how squares of both results change with the streams."""
        loss = sum(one.square().sum() for one in project(streams, weight, bias.detach()))
        return torch.autograd.grad(loss, streams, create_graph=True)[0]

    assert torch.autograd.gradcheck(project, (streams, weight, bias))
    assert torch.autograd.gradcheck(penalty_gradient, (streams, weight))

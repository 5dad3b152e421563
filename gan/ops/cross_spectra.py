"""Chroma, intervals between tracks and melodic motion in streams: a fixed linear map, and products of what it gives.

The product of one track's spectrum with the conjugate of another's is their cross-spectrum: the Fourier transform of
"how many pairs of notes lie 0, 1, 2 ... semitones apart", modulo the period. A linear layer reads either, and this one
takes no products of all pairs of pitches, as `count_intervals_reference` does.

The products are those of all pairs of tracks and of each track with itself a little earlier: many small numbers, which
ordinary tensor operations mostly copy to and fro, three times over where gradients have gradients. So each of the two
steps is one function with its own derivatives, which write where the results belong. Rows are laid out feature by
feature, `[..., batch * time]`, so that a track's or a pair's features are one piece of memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

SOUNDING = 0
"""The stream of steps that sound."""


def fourier(places: int, period: int) -> Tensor:
    """`[places, 2 (period // 2 + 1)]`: counts to the real and imaginary parts of a period's frequencies.

    Of chroma with period 12 it is the transform of Quinn (2006) and Amiot (2016).
    """
    angles = torch.arange(places).view(-1, 1) * torch.arange(period // 2 + 1) * (2 * math.pi / period)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def sounding_features(streams: Tensor, tracks: Sequence[int], maps: Tensor) -> Tensor:
    """Features of what sounds in some tracks of streams, `[chosen tracks, features, batch * time]`.

    Takes streams `[batch, time, tracks, 2, pitch_range]`, the tracks, and their maps `[chosen tracks, pitch_range,
    features]`.
    """
    rows = streams.flatten(0, 1)[:, :, SOUNDING]
    features = maps.new_empty(len(tracks), maps.shape[2], len(rows))
    for place, track in enumerate(tracks):
        torch.mm(maps[place].t(), rows[:, track].t(), out=features[place])
    return features


class StreamProjection(torch.autograd.Function):
    """A linear layer over all that streams hold at a step, `[batch * time, width]`, and their `sounding_features`.

    Takes streams `[batch, time, tracks, 2, pitch_range]`, weight and bias of the layer, and what `sounding_features`
    takes beside. The two gradients at the streams are added up where they lie: those are the largest tensors of all.
    See `stream_projection_reference`.
    """

    @staticmethod
    def forward(
        ctx: Any, streams: Tensor, weight: Tensor, bias: Tensor, tracks: Sequence[int], maps: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Products with the streams as they lie."""
        ctx.save_for_backward(streams, weight, maps)
        ctx.tracks = tracks
        projected = torch.addmm(bias, streams.flatten(2).flatten(0, 1), weight.t())
        return projected, sounding_features(streams, tracks, maps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The adjoint, which can be differentiated like the map itself."""
        streams, weight, maps = ctx.saved_tensors
        projected, features = gradients
        adjoint: Tensor | None = None
        if ctx.needs_input_grad[0]:
            adjoint = StreamProjectionAdjoint.apply(  # type: ignore[no-untyped-call]
                projected, features, weight, ctx.tracks, maps, streams.shape
            )
        rows = streams.flatten(2).flatten(0, 1).to(projected.dtype)  # bfloat16 where the product was
        return adjoint, projected.t() @ rows, projected.sum(0), None, None


class StreamProjectionAdjoint(torch.autograd.Function):
    """The adjoint of `StreamProjection` with respect to its streams, of this shape."""

    @staticmethod
    def forward(
        ctx: Any,
        projected: Tensor,
        features: Tensor,
        weight: Tensor,
        tracks: Sequence[int],
        maps: Tensor,
        shape: Sequence[int],
    ) -> Tensor:
        """A product for all, and one a track on top of it."""
        ctx.save_for_backward(projected, weight, maps)
        ctx.tracks = tracks
        features, weight, maps = (x.to(projected.dtype) for x in (features, weight, maps))
        streams = (projected @ weight).view(shape)
        rows = streams.flatten(0, 1)[:, :, SOUNDING]
        for place, track in enumerate(tracks):
            rows[:, track].addmm_(features[place].t(), maps[place].t())
        return streams

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The map again."""
        projected, weight, maps = ctx.saved_tensors
        (change,) = gradients
        rows = change.flatten(2).flatten(0, 1)
        features = sounding_features(change, ctx.tracks, maps)
        return rows @ weight.t(), features, projected.t() @ rows, None, None, None


def stream_projection_reference(
    streams: Tensor, weight: Tensor, bias: Tensor, tracks: Sequence[int], maps: Tensor
) -> tuple[Tensor, Tensor]:
    """What `StreamProjection` gives, in two ordinary products."""
    features = torch.einsum("btkp,kpf->kfbt", streams[:, :, list(tracks), SOUNDING], maps)
    return (streams.flatten(2) @ weight.t() + bias).flatten(0, 1), features.flatten(2)


class SpectraLayout:
    """Where in features of tracks the parts of products are, and where the products go.

    Features of a track are `classes` numbers that are summed over tracks; the spectrum of which the products of each
    pair of tracks are taken, real parts before imaginary ones; and the spectrum whose products with itself `lags` steps
    earlier are taken.

    Parameters
    ----------
    tracks
        How many there are.
    classes, pair_frequencies, motion_frequencies
        Sizes; of the spectra the numbers of frequencies.
    lags
        In steps.
    time
        Steps of a phrase.
    """

    def __init__(
        self, tracks: int, classes: int, pair_frequencies: int, motion_frequencies: int, lags: Sequence[int], time: int
    ) -> None:
        self.tracks, self.classes, self.lags, self.time = tracks, classes, tuple(lags), time
        self.motion = classes + 2 * pair_frequencies  # where the spectra of motion begin
        self.of_track = self.motion + 2 * motion_frequencies
        self.pairs = [(first, first + apart) for apart in range(1, tracks) for first in range(tracks - apart)]
        self.size = classes + 2 * pair_frequencies * len(self.pairs) + 2 * motion_frequencies * len(self.lags) * tracks

    def factors(self, features: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Both factors of each product, `[tracks, parts, ...]`; pairs in the order of `pairs`, then the lags."""
        spectra = features[:, self.classes : self.motion]
        for apart in range(1, self.tracks):
            yield spectra[:-apart], spectra[apart:]
        motion = features[:, self.motion :].view(
            self.tracks, self.of_track - self.motion, features.shape[2] // self.time, self.time
        )
        for lag in self.lags:
            yield motion[..., lag:], motion[..., : self.time - lag]

    def targets(self, products: Tensor) -> Iterator[Tensor]:
        """Where in products `[size, batch * time]` the product of each of `factors` goes."""
        begin = self.classes
        for apart in range(1, self.tracks):
            size = (self.tracks - apart) * (self.motion - self.classes)
            yield products[begin : begin + size].view(self.tracks - apart, self.motion - self.classes, -1)
            begin += size
        for lag in self.lags:
            size = self.tracks * (self.of_track - self.motion)
            motion = products[begin : begin + size].view(self.tracks, self.of_track - self.motion, -1, self.time)
            yield motion[..., lag:]
            begin += size


def add_product(out: Tensor, one: Tensor, other: Tensor, sign: int) -> None:
    """Add to complex `out` the product of `one` and `other`, or with sign 1 of `one` and the conjugate of `other`.

    All are `[tracks, parts, ...]`, the real parts before the imaginary ones.
    """
    (real, imaginary), (a, b), (c, d) = (x.tensor_split(2, dim=1) for x in (out, one, other))
    real.addcmul_(a, c).addcmul_(b, d, value=sign)
    imaginary.addcmul_(b, c).addcmul_(a, d, value=-sign)


def multiply(upper: Tensor, lower: Tensor, layout: SpectraLayout) -> Tensor:
    """Products of the spectra of `upper` with conjugates of those of `lower`, `[size, batch * time]`."""
    products = upper.new_zeros(layout.size, upper.shape[2])
    factors = zip(layout.factors(upper), layout.factors(lower), strict=True)
    for target, ((one, _), (_, other)) in zip(layout.targets(products), factors, strict=True):
        add_product(target, one, other, 1)
    return products


def multiply_backward(gradient: Tensor, features: Tensor, layout: SpectraLayout) -> Tensor:
    """The gradient of `multiply(features, features)` with respect to `features`."""
    result = torch.zeros_like(features)
    factors = zip(layout.factors(result), layout.factors(features), strict=True)
    for one, ((upper, lower), (high, low)) in zip(layout.targets(gradient), factors, strict=True):
        add_product(upper, one, low, -1)
        add_product(lower, high, one, 1)
    return result


class CrossSpectra(torch.autograd.Function):
    """Sums and cross-spectra `[layout.size, batch * time]` of features `[tracks, layout.of_track, batch * time]`."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, layout: SpectraLayout) -> Tensor:
        """Sums first, then products."""
        ctx.save_for_backward(features)
        ctx.layout = layout
        products = multiply(features, features, layout)
        torch.sum(features[:, : layout.classes], 0, out=products[: layout.classes])
        return products

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """The adjoint of the derivative."""
        (features,) = ctx.saved_tensors
        result: Tensor = CrossSpectraBackward.apply(  # type: ignore[no-untyped-call]
            gradients[0].contiguous(), features, ctx.layout
        )
        return result, None


class CrossSpectraBackward(torch.autograd.Function):
    """The derivative of `CrossSpectra`, transposed; linear in the gradient and, but for the sums, in the features."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, features: Tensor, layout: SpectraLayout) -> Tensor:
        """Of all features."""
        ctx.save_for_backward(gradient, features)
        ctx.layout = layout
        result = multiply_backward(gradient, features, layout)
        result[:, : layout.classes] = gradient[: layout.classes]
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None, None]:
        """A product has the derivative `a' b + a b'`, and its transpose is as linear in the other factor."""
        gradient, features = ctx.saved_tensors
        layout, change = ctx.layout, gradients[0].contiguous()
        products = multiply(features, change, layout).add_(multiply(change, features, layout))
        torch.sum(change[:, : layout.classes], 0, out=products[: layout.classes])
        return products, multiply_backward(gradient, change, layout) if ctx.needs_input_grad[1] else None, None


def count_intervals_reference(upper: Tensor, lower: Tensor, period: int) -> Tensor:
    """How many pairs of notes lie 0, 1, 2 ... semitones apart, modulo the period: `[..., period]`.

    The Fourier transform of it (`fourier(period, period)`) is the cross-spectrum of the two.

    Parameters
    ----------
    upper, lower
        How often each pitch sounds, `[..., pitches]` each.
    period
        In semitones.
    """
    counts = upper.new_zeros(*upper.shape[:-1], period)
    for high in range(upper.shape[-1]):
        for low in range(lower.shape[-1]):
            counts[..., (high - low) % period] += upper[..., high] * lower[..., low]
    return counts


def cross_spectra_reference(streams: Tensor, classes: Tensor, lags: Sequence[int], motion_period: int) -> Tensor:
    """What `CrossSpectra` gives for the spectra of notes, by counting the intervals of all pairs of pitches.

    Parameters
    ----------
    streams
        What sounds in the pitched tracks, `[batch, time, tracks, pitch_range]`.
    classes
        Which pitch class each pitch belongs to, `[tracks, pitch_range, 12]`.
    lags, motion_period
        Motion is counted to the pitches so many steps before, modulo so many semitones.

    Returns
    -------
    Tensor
        `[size, batch * time]`: chroma of all tracks, the transforms of the intervals of each pair of tracks, and of the
        motion of each track by each lag.
    """
    tracks = streams.shape[2]
    chroma = torch.einsum("btkp,kpc->btkc", streams, classes)
    found = [chroma.sum(2)]
    for apart in range(1, tracks):
        for first in range(tracks - apart):
            intervals = count_intervals_reference(chroma[:, :, first], chroma[:, :, first + apart], 12)
            found.append(intervals @ fourier(12, 12).to(streams))
    for lag in lags:
        earlier = torch.cat([torch.zeros_like(streams[:, :lag]), streams[:, :-lag]], dim=1)
        for track in range(tracks):
            motion = count_intervals_reference(streams[:, :, track], earlier[:, :, track], motion_period)
            found.append(motion @ fourier(motion_period, motion_period).to(streams))
    return torch.cat(found, dim=2).flatten(0, 1).t()

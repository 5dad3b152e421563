"""Chroma, intervals and motion in streams: a fixed linear map, and products of what it gives.

The products are those of all pairs of tracks and of each track with itself a little earlier: many small numbers, which
ordinary tensor operations mostly copy to and fro, three times over where gradients have gradients. So each of the two
steps is one function with its own derivatives, which write where the results belong. Rows are laid out feature by
feature, `[..., batch * time]`, so that a track's or a pair's features are one piece of memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gan.rolls import SOUNDING


def listen(streams: Tensor, tracks: Sequence[int], maps: Tensor) -> Tensor:
    """Features of what sounds in some tracks of streams, `[chosen tracks, features, batch * time]`.

    Takes streams `[batch, time, tracks, 2, pitch_range]`, the tracks, and their maps `[chosen tracks, pitch_range,
    features]`.
    """
    rows = streams.flatten(0, 1)[:, :, SOUNDING]
    heard = maps.new_empty(len(tracks), maps.shape[2], len(rows))
    for place, track in enumerate(tracks):
        torch.mm(maps[place].t(), rows[:, track].t(), out=heard[place])
    return heard


class Read(torch.autograd.Function):
    """A linear layer over all that streams hold at a step, `[batch * time, width]`, and what `listen` gives.

    Takes streams `[batch, time, tracks, 2, pitch_range]`, weight and bias of the layer, and what `listen` takes beside.
    The two gradients at the streams are added up where they lie: those are the largest tensors of all.
    """

    @staticmethod
    def forward(
        ctx: Any, streams: Tensor, weight: Tensor, bias: Tensor, tracks: Sequence[int], maps: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Products with the streams as they lie."""
        ctx.save_for_backward(streams, weight, maps)
        ctx.tracks = tracks
        return torch.addmm(bias, streams.flatten(2).flatten(0, 1), weight.t()), listen(streams, tracks, maps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The adjoint, which can be differentiated like the map itself."""
        streams, weight, maps = ctx.saved_tensors
        read, heard = gradients
        answer: Tensor | None = None
        if ctx.needs_input_grad[0]:
            answer = Answer.apply(read, heard, weight, ctx.tracks, maps, streams.shape)  # type: ignore[no-untyped-call]
        rows = streams.flatten(2).flatten(0, 1).to(read.dtype)  # bfloat16 where the product was
        return answer, read.t() @ rows, read.sum(0), None, None


class Answer(torch.autograd.Function):
    """The adjoint of `Read` with respect to its streams, of this shape."""

    @staticmethod
    def forward(
        ctx: Any, read: Tensor, heard: Tensor, weight: Tensor, tracks: Sequence[int], maps: Tensor, shape: Sequence[int]
    ) -> Tensor:
        """A product for all, and one a track on top of it."""
        ctx.save_for_backward(read, weight, maps)
        ctx.tracks = tracks
        heard, weight, maps = (x.to(read.dtype) for x in (heard, weight, maps))
        streams = (read @ weight).view(shape)
        rows = streams.flatten(0, 1)[:, :, SOUNDING]
        for place, track in enumerate(tracks):
            rows[:, track].addmm_(heard[place].t(), maps[place].t())
        return streams

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """The map again."""
        read, weight, maps = ctx.saved_tensors
        (change,) = gradients
        rows = change.flatten(2).flatten(0, 1)
        return rows @ weight.t(), listen(change, ctx.tracks, maps), read.t() @ rows, None, None, None


class Plan:
    """Where in features of tracks the parts of products are, and where the products go.

    Features of a track are `classes` numbers that are summed over tracks; real and imaginary parts of a wave of which
    the products of each pair of tracks are taken; and those of a wave whose products with itself `lags` steps earlier
    are taken.

    Parameters
    ----------
    tracks
        How many there are.
    classes, pair_waves, line_waves
        Sizes; of the waves the numbers of frequencies.
    lags
        In steps.
    time
        Steps of a phrase.
    """

    def __init__(
        self, tracks: int, classes: int, pair_waves: int, line_waves: int, lags: Sequence[int], time: int
    ) -> None:
        self.tracks, self.classes, self.lags, self.time = tracks, classes, tuple(lags), time
        self.lines = classes + 2 * pair_waves  # where the waves of lines begin
        self.of_track = self.lines + 2 * line_waves
        self.pairs = [(first, first + apart) for apart in range(1, tracks) for first in range(tracks - apart)]
        self.size = classes + 2 * pair_waves * len(self.pairs) + 2 * line_waves * len(self.lags) * tracks

    def sides(self, heard: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Both factors of each product, `[tracks, waves, ...]`; pairs in the order of `pairs`, then the lags."""
        waves = heard[:, self.classes : self.lines]
        for apart in range(1, self.tracks):
            yield waves[:-apart], waves[apart:]
        lines = heard[:, self.lines :].view(
            self.tracks, self.of_track - self.lines, heard.shape[2] // self.time, self.time
        )
        for lag in self.lags:
            yield lines[..., lag:], lines[..., : self.time - lag]

    def targets(self, products: Tensor) -> Iterator[Tensor]:
        """Where in products `[size, batch * time]` each result of `sides` goes."""
        begin = self.classes
        for apart in range(1, self.tracks):
            size = (self.tracks - apart) * (self.lines - self.classes)
            yield products[begin : begin + size].view(self.tracks - apart, self.lines - self.classes, -1)
            begin += size
        for lag in self.lags:
            size = self.tracks * (self.of_track - self.lines)
            motion = products[begin : begin + size].view(self.tracks, self.of_track - self.lines, -1, self.time)
            yield motion[..., lag:]
            begin += size


def add_product(out: Tensor, one: Tensor, other: Tensor, sign: int) -> None:
    """Add to complex `out` the product of `one` and `other`, or with sign 1 of `one` and the conjugate of `other`.

    All are `[tracks, waves, ...]`, the real parts of the waves before the imaginary ones.
    """
    (real, imaginary), (a, b), (c, d) = (x.tensor_split(2, dim=1) for x in (out, one, other))
    real.addcmul_(a, c).addcmul_(b, d, value=sign)
    imaginary.addcmul_(b, c).addcmul_(a, d, value=-sign)


def multiply(upper: Tensor, lower: Tensor, plan: Plan) -> Tensor:
    """Products of the waves of `upper` with conjugates of those of `lower`, `[size, batch * time]`."""
    products = upper.new_zeros(plan.size, upper.shape[2])
    factors = zip(plan.sides(upper), plan.sides(lower), strict=True)
    for target, ((one, _), (_, other)) in zip(plan.targets(products), factors, strict=True):
        add_product(target, one, other, 1)
    return products


def divide(gradient: Tensor, heard: Tensor, plan: Plan) -> Tensor:
    """The gradient of `multiply(heard, heard)` with respect to `heard`."""
    result = torch.zeros_like(heard)
    factors = zip(plan.sides(result), plan.sides(heard), strict=True)
    for one, ((upper, lower), (high, low)) in zip(plan.targets(gradient), factors, strict=True):
        add_product(upper, one, low, -1)
        add_product(lower, high, one, 1)
    return result


class Products(torch.autograd.Function):
    """Sums and products `[plan.size, batch * time]` of features `[tracks, plan.of_track, batch * time]`.

    A product of two waves says how many pairs of notes lie so and so far apart: their cross-spectrum is the transform
    of "how many pairs of notes lie 0, 1, 2 ... semitones apart", modulo the period. A linear layer reads either, and
    this one takes no products of all pairs of pitches.
    """

    @staticmethod
    def forward(ctx: Any, heard: Tensor, plan: Plan) -> Tensor:
        """Sums first, then products."""
        ctx.save_for_backward(heard)
        ctx.plan = plan
        products = multiply(heard, heard, plan)
        torch.sum(heard[:, : plan.classes], 0, out=products[: plan.classes])
        return products

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """The adjoint of the derivative."""
        (heard,) = ctx.saved_tensors
        result: Tensor = ProductsBack.apply(gradients[0].contiguous(), heard, ctx.plan)  # type: ignore[no-untyped-call]
        return result, None


class ProductsBack(torch.autograd.Function):
    """The derivative of `Products`, transposed; linear in the gradient and, but for the sums, in the features."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, heard: Tensor, plan: Plan) -> Tensor:
        """Of all features."""
        ctx.save_for_backward(gradient, heard)
        ctx.plan = plan
        result = divide(gradient, heard, plan)
        result[:, : plan.classes] = gradient[: plan.classes]
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None, None]:
        """A product has the derivative `a' b + a b'`, and its transpose is as linear in the other factor."""
        gradient, heard = ctx.saved_tensors
        plan, change = ctx.plan, gradients[0].contiguous()
        products = multiply(heard, change, plan).add_(multiply(change, heard, plan))
        torch.sum(change[:, : plan.classes], 0, out=products[: plan.classes])
        return products, divide(gradient, change, plan) if ctx.needs_input_grad[1] else None, None

"""The generator's gradient from the discriminator's own pass: the plain step's result without its third pass.

The relativistic pairing loss has, of the logits r = D(x) and f = D(y) of a pair in a batch of n,

    L_D = mean log(1 + exp(f - r)),   dL_D / df = p / n,         p = sigmoid(f - r)
    L_G = mean log(1 + exp(r - f)),   dL_G / df = (p - 1) / n

so that, where the score of a phrase depends on nothing but that phrase,

    dL_G / dy = dL_G / df df / dy = (p - 1) / p dL_D / dy = -exp(r - f) dL_D / dy.

The gradient of the discriminator's loss with respect to its generated phrases comes with that of its weights. Times
-exp(r - f), row by row, it is the gradient of the generator's loss, with the discriminator as it was before it learnt.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.training.batches import PhrasePair
from gan.training.losses import DiscriminatorOutput, Figures, relativistic_generator_loss
from gan.training.step import AdversarialStep

MAX_ADVANTAGE = 60.0
"""Logits by which a real phrase scores above a generated one beyond which neither side learns from the pair."""


class SharedGradientStep(AdversarialStep):
    """`AdversarialStep` of the relativistic loss whose discriminator runs once a step, not twice."""

    def simultaneous_step(self, pair: PhrasePair, step: int, substep: int = 0) -> Figures:
        """A step of both; the discriminator's pass serves the two."""
        weights = self.learning_weights("discriminator")
        fake = pair.fake.detach().requires_grad_()
        output = self.score(pair, fake, step, substep)
        figures = output.figures
        penalties = [] if output.penalty is None else [output.penalty]
        *gradients, phrase_gradient = torch.autograd.grad(output.loss, [*weights, fake], retain_graph=bool(penalties))
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        penalties += self.matching_losses(pair, step, substep, figures)
        if penalties:
            torch.autograd.backward(penalties, inputs=weights)
        figures |= self.update("discriminator")

        figures["generator_loss"] = relativistic_generator_loss(output.real_logits, output.fake_logits).item()
        losses = self.attribute_losses(pair, figures)
        torch.autograd.backward(
            [pair.fake, *losses],
            [to_generator_gradient(phrase_gradient, output), *[None] * len(losses)],
            inputs=self.learning_weights("generator"),
        )
        return figures | self.update("generator")


def to_generator_gradient(gradient: Tensor, output: DiscriminatorOutput) -> Tensor:
    """The generator's gradient at each generated phrase from the discriminator's, `[batch, ...]`, in place."""
    advantage = (output.real_logits - output.fake_logits).detach()
    return gradient.mul_(-advantage.clamp(max=MAX_ADVANTAGE).exp().view(-1, *[1] * (gradient.dim() - 1)))

"""The game that generator and discriminator play.

`Relativistic`, the default: pairing loss with two gradient penalties (R3GAN, Huang et al., arXiv 2501.05441, eq. 2-4)

    L(G, D) = E f(D(G(z)) - D(x)),   f(t) = -log(1 + exp(-t))
    R1 = gamma / 2 E |grad_x D(x)|^2,   R2 = gamma / 2 E |grad_y D(y)|^2,  y = G(z)

`Wasserstein`, MuseGAN's: WGAN-GP (Gulrajani et al., arXiv 1704.00028, eq. 3)

    L(G, D) = E D(x) - E D(G(z)),   gamma E (|grad_w D(w)| - 1)^2,  w on a line between x and G(z)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gan.ops.shard import WHOLE, Shard

Figures = dict[str, float]
Judge = Callable[..., Tensor]
"""A discriminator: gives the logits of one or several batches of phrases, one behind the other."""


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What a discriminator said of real and generated phrases.

    Attributes
    ----------
    loss
        What the discriminator is to make small.
    penalty
        What it is to make small beside; `None` where no penalty was due.
    figures
        To report.
    real_logits, fake_logits
        `[batch]`, or `[batch, discriminators]`.
    """

    loss: Tensor
    penalty: Tensor | None
    figures: Figures
    real_logits: Tensor
    fake_logits: Tensor


MOST_ADVANTAGE = 60.0
"""Logits by which a real phrase scores above a generated one beyond which neither side learns from the pair."""


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Small when each real phrase scores above the generated one it is paired with. Logits `[batch]`."""
    return softplus(fake_logits - real_logits).mean()


def generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Small when each generated phrase scores above the real one it is paired with. Logits `[batch]`."""
    return softplus(real_logits - fake_logits).mean()


def squared_gradient_norms(logits: Tensor, *inputs: Tensor) -> list[Tensor]:
    """Squared norm of the gradient of each of `logits` with respect to its row of each input `[batch, ...]`.

    Its mean is R1 on real phrases (Mescheder et al., arXiv 1801.04406), R2 on generated ones. Differentiable itself.
    """
    gradients = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return [gradient.square().flatten(1).sum(1) for gradient in gradients]


def wasserstein_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The less, the further real phrases score above generated ones: minus the distance that is estimated.

    Logits `[batch]`, or `[batch, discriminators]`, whose losses are added.
    """
    return (fake_logits - real_logits).mean(0).sum()


def wasserstein_generator_loss(fake_logits: Tensor) -> Tensor:
    """The less, the higher generated phrases score. Logits `[batch]` or `[batch, discriminators]`."""
    return -fake_logits.mean(0).sum()


def gradient_penalty(logits: Tensor, inputs: Tensor) -> Tensor:
    """Mean squared distance to 1 of the length of the gradient of `logits` with respect to `inputs` `[batch, ...]`.

    Of several discriminators, logits `[batch, discriminators]`, each has a penalty of its own; they are added.
    """
    penalties = []
    for one in logits.unsqueeze(1).flatten(1).unbind(1):
        (gradient,) = torch.autograd.grad(one.sum(), inputs, create_graph=True)
        lengths = (gradient.square().flatten(1).sum(1) + 1e-8).sqrt()  # a root of 0 has no gradient
        penalties.append((lengths - 1).square().mean())
    return torch.stack(penalties).sum()


def between(real: Tensor, fake: Tensor, random: torch.Generator, shard: Shard = WHOLE) -> Tensor:
    """A point on the line between each real phrase and a generated one, `[batch, ...]`; a CPU generator draws it."""
    share = shard.draw(partial(torch.rand, generator=random), len(real)).to(real.device)
    share = share.view(-1, *[1] * (real.dim() - 1))
    return share * real + (1 - share) * fake


class Loss(ABC):
    """One kind of game.

    Parameters
    ----------
    gamma
        Weight of the penalty.
    every
        The penalty is asked for every so many steps, and weighs as many times more.

    Attributes
    ----------
    bounds
        The discriminator's loss below which it wins and above which it loses; `None` where no number tells.
    """

    bounds: tuple[float, float] | None

    def __init__(self, gamma: float, every: int) -> None:
        self.gamma, self.every = gamma, every

    @abstractmethod
    def judge(
        self,
        discriminator: Judge,
        real: Tensor,
        fake: Tensor,
        penalised: bool,
        random: torch.Generator,
        shard: Shard = WHOLE,
    ) -> DiscriminatorOutput:
        """Ask the discriminator.

        Parameters
        ----------
        discriminator
            Gives logits.
        real, fake
            Phrases in the design's form, `[batch, ...]`, leaves; the generated ones may want a gradient.
        penalised
            Whether the penalty is due.
        random
            A CPU generator.
        shard
            Which rows of a whole batch the phrases are.
        """

    @abstractmethod
    def generate(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """What the generator is to make small."""

    @staticmethod
    def figures(loss: Tensor, real_logits: Tensor, fake_logits: Tensor) -> Figures:
        """What all games report of the discriminator."""
        return {
            "discriminator_loss": loss.item(),
            "real_logit": real_logits.mean().item(),
            "fake_logit": fake_logits.mean().item(),
            "told_apart": (real_logits > fake_logits).float().mean().item(),
        }


class Relativistic(Loss):
    """R3GAN's game. An undecided discriminator's loss is log 2, good runs are near 0.6."""

    bounds = (0.1, 1.0)

    def judge(
        self,
        discriminator: Judge,
        real: Tensor,
        fake: Tensor,
        penalised: bool,
        random: torch.Generator,
        shard: Shard = WHOLE,
    ) -> DiscriminatorOutput:
        """The pairing loss, with R1 and R2 when they are due."""
        if penalised:
            real = real.detach().requires_grad_()
            fake = fake if fake.requires_grad else fake.detach().requires_grad_()
        logits = discriminator(real, fake)
        real_logits, fake_logits = logits.chunk(2)
        loss, penalty = discriminator_loss(real_logits, fake_logits), None
        figures = self.figures(loss, real_logits, fake_logits)
        if penalised:
            r1, r2 = (slopes.mean() for slopes in squared_gradient_norms(logits, real, fake))
            penalty = self.every * self.gamma / 2 * (r1 + r2)
            figures |= {"r1": r1.item(), "r2": r2.item()}
        return DiscriminatorOutput(loss, penalty, figures, real_logits, fake_logits)

    def generate(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """The pairing loss the other way round."""
        return generator_loss(real_logits, fake_logits)

    @staticmethod
    def other_way_round(verdict: DiscriminatorOutput) -> Tensor:
        """What turns the gradient of the discriminator's loss at each generated phrase into that of the generator's.

        With p = sigmoid(fake - real) of a pair one loss has the slope p, the other p - 1; `[batch]`.
        """
        return -(verdict.real_logits - verdict.fake_logits).detach().clamp(max=MOST_ADVANTAGE).exp()


class Wasserstein(Loss):
    """WGAN-GP's game. The loss is minus a distance, in units of the discriminator's own: no bound tells who wins."""

    bounds = None

    def judge(
        self,
        discriminator: Judge,
        real: Tensor,
        fake: Tensor,
        penalised: bool,
        random: torch.Generator,
        shard: Shard = WHOLE,
    ) -> DiscriminatorOutput:
        """The estimated distance, with the penalty on interpolates when it is due."""
        real_logits, fake_logits = discriminator(real), discriminator(fake)
        loss, penalty = wasserstein_discriminator_loss(real_logits, fake_logits), None
        figures = self.figures(loss, real_logits, fake_logits)
        if penalised:
            middle = between(real, fake, random, shard).requires_grad_(True)
            slope = gradient_penalty(discriminator(middle), middle)
            penalty = self.every * self.gamma * slope
            figures["gradient_penalty"] = slope.item()
        return DiscriminatorOutput(loss, penalty, figures, real_logits, fake_logits)

    def generate(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """How low generated phrases score."""
        return wasserstein_generator_loss(fake_logits)


LOSSES: dict[str, type[Loss]] = {"relativistic": Relativistic, "wasserstein": Wasserstein}
"""What `train.loss` stands for."""

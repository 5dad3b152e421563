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
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gan.distributed import for_my_rows

Figures = dict[str, float]


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Small when each real phrase scores above the generated one it is paired with. Logits `[batch]`."""
    return softplus(fake_logits - real_logits).mean()


def generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Small when each generated phrase scores above the real one it is paired with. Logits `[batch]`."""
    return softplus(real_logits - fake_logits).mean()


def squared_slopes(logits: Tensor, inputs: Tensor) -> Tensor:
    """Squared norm of the gradient of each of `logits` `[batch]` with respect to its row of `inputs` `[batch, ...]`.

    Its mean is R1 on real phrases (Mescheder et al., arXiv 1801.04406), R2 on generated ones. Differentiable itself.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def wasserstein_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """The less, the further real phrases score above generated ones: minus the distance that is estimated.

    Logits `[batch]`, or `[batch, discriminators]`, whose losses are added.
    """
    return (fake_logits - real_logits).mean(0).sum()


def wasserstein_generator_loss(fake_logits: Tensor) -> Tensor:
    """The less, the higher generated phrases score. Logits `[batch]` or `[batch, discriminators]`."""
    return -fake_logits.mean(0).sum()


def slope_penalty(logits: Tensor, inputs: Tensor) -> Tensor:
    """Mean squared distance to 1 of the length of the gradient of `logits` with respect to `inputs` `[batch, ...]`.

    Of several discriminators, logits `[batch, discriminators]`, each has a penalty of its own; they are added.
    """
    penalties = []
    for one in logits.unsqueeze(1).flatten(1).unbind(1):
        (gradient,) = torch.autograd.grad(one.sum(), inputs, create_graph=True)
        lengths = (gradient.square().flatten(1).sum(1) + 1e-8).sqrt()  # a root of 0 has no gradient
        penalties.append((lengths - 1).square().mean())
    return torch.stack(penalties).sum()


def between(real: Tensor, fake: Tensor, random: torch.Generator) -> Tensor:
    """A point on the line between each real phrase and a generated one, `[batch, ...]`; a CPU generator draws it."""
    share = for_my_rows(partial(torch.rand, generator=random), len(real)).to(real.device)
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
        discriminator: Callable[[Tensor], Tensor],
        real: Tensor,
        fake: Tensor,
        penalised: bool,
        random: torch.Generator,
    ) -> tuple[Tensor, Figures, Tensor]:
        """What the discriminator is to make small, figures to report, and its logits of the real phrases.

        Parameters
        ----------
        discriminator
            Gives logits of phrases; of two batches, one behind the other, as it gives them of each alone.
        real, fake
            Phrases in the design's form, `[batch, ...]`, without gradient.
        penalised
            Whether the penalty is due.
        random
            A CPU generator.
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
        discriminator: Callable[[Tensor], Tensor],
        real: Tensor,
        fake: Tensor,
        penalised: bool,
        random: torch.Generator,
    ) -> tuple[Tensor, Figures, Tensor]:
        """The pairing loss, with R1 and R2 when they are due."""
        both = torch.cat([real, fake]).requires_grad_(penalised)
        logits = discriminator(both)
        real_logits, fake_logits = logits.chunk(2)
        loss = discriminator_loss(real_logits, fake_logits)
        figures = self.figures(loss, real_logits, fake_logits)
        if penalised:
            r1, r2 = (slopes.mean() for slopes in squared_slopes(logits, both).chunk(2))
            loss = loss + self.every * self.gamma / 2 * (r1 + r2)
            figures |= {"r1": r1.item(), "r2": r2.item()}
        return loss, figures, real_logits

    def generate(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """The pairing loss the other way round."""
        return generator_loss(real_logits, fake_logits)


class Wasserstein(Loss):
    """WGAN-GP's game. The loss is minus a distance, in units of the discriminator's own: no bound tells who wins."""

    bounds = None

    def judge(
        self,
        discriminator: Callable[[Tensor], Tensor],
        real: Tensor,
        fake: Tensor,
        penalised: bool,
        random: torch.Generator,
    ) -> tuple[Tensor, Figures, Tensor]:
        """The estimated distance, with the penalty on interpolates when it is due."""
        real_logits, fake_logits = discriminator(real), discriminator(fake)
        loss = wasserstein_discriminator_loss(real_logits, fake_logits)
        figures = self.figures(loss, real_logits, fake_logits)
        if penalised:
            middle = between(real, fake, random).requires_grad_(True)
            penalty = slope_penalty(discriminator(middle), middle)
            loss = loss + self.every * self.gamma * penalty
            figures["slope_penalty"] = penalty.item()
        return loss, figures, real_logits

    def generate(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """How low generated phrases score."""
        return wasserstein_generator_loss(fake_logits)


GAMES: dict[str, type[Loss]] = {"relativistic": Relativistic, "wasserstein": Wasserstein}
"""What `train.loss` stands for."""

"""Losses of the generator and the discriminator, as their papers write them; x is real, y = G(z) is generated.

Relativistic pairing loss with zero-centred gradient penalties (R3GAN; Huang et al., arXiv 2501.05441, eq. 2-4)

    L_D = E log(1 + exp(D(y) - D(x))),   L_G = E log(1 + exp(D(x) - D(y)))
    R1 = gamma / 2 E |grad_x D(x)|^2,    R2 = gamma / 2 E |grad_y D(y)|^2

Wasserstein loss with gradient penalty (WGAN-GP, as MuseGAN has it; Gulrajani et al., arXiv 1704.00028, eq. 3)

    L_D = E D(y) - E D(x) + gamma E (|grad_w D(w)| - 1)^2,   w on a line between x and y
    L_G = -E D(y)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gan.ops.shard import WHOLE, Shard
from gan.ops.upload import upload

Figures = dict[str, Tensor]
"""Numbers to report, `[]` each, which stay on the device until a step is done."""
Scorer = Callable[..., Tensor]
"""A discriminator: gives the logits of one or several batches of phrases, one behind the other."""


def relativistic_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Relativistic pairing loss of the discriminator (R3GAN), `E log(1 + exp(D(y) - D(x)))`; logits `[batch]`."""
    return softplus(fake_logits - real_logits).mean()


def relativistic_generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Relativistic pairing loss of the generator (R3GAN), `E log(1 + exp(D(x) - D(y)))`; logits `[batch]`."""
    return softplus(real_logits - fake_logits).mean()


def squared_gradient_norms(logits: Tensor, *inputs: Tensor) -> list[Tensor]:
    """Squared norm of the gradient of each of `logits` with respect to its row of each input, `[batch]` an input.

    Its mean is the R1 penalty on real phrases (Mescheder et al., arXiv 1801.04406), R2 on generated ones.
    Differentiable itself.
    """
    gradients = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return [gradient.square().flatten(1).sum(1) for gradient in gradients]


def wasserstein_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Wasserstein loss of the discriminator (WGAN), `E D(y) - E D(x)`: minus the distance that is estimated.

    Logits `[batch]`, or `[batch, discriminators]`, whose losses are added.
    """
    return (fake_logits - real_logits).mean(0).sum()


def wasserstein_generator_loss(fake_logits: Tensor) -> Tensor:
    """Wasserstein loss of the generator (WGAN), `-E D(y)`; logits `[batch]` or `[batch, discriminators]`."""
    return -fake_logits.mean(0).sum()


def gradient_penalty(logits: Tensor, inputs: Tensor) -> Tensor:
    """Gradient penalty of WGAN-GP, `E (|grad_w D(w)| - 1)^2` at `inputs` `[batch, ...]`.

    Of several discriminators, logits `[batch, discriminators]`, each has a penalty of its own; they are added.
    """
    penalties = []
    for one in logits.unsqueeze(1).flatten(1).unbind(1):
        (gradient,) = torch.autograd.grad(one.sum(), inputs, create_graph=True)
        lengths = (gradient.square().flatten(1).sum(1) + 1e-8).sqrt()  # a root of 0 has no gradient
        penalties.append((lengths - 1).square().mean())
    return torch.stack(penalties).sum()


def interpolate_phrases(real: Tensor, fake: Tensor, random: torch.Generator, shard: Shard = WHOLE) -> Tensor:
    """A random point on the line between each real and generated phrase, `[batch, ...]`; a CPU generator draws it."""
    share = upload(shard.draw(partial(torch.rand, generator=random), len(real)), real.device)
    share = share.view(-1, *[1] * (real.dim() - 1))
    return share * real + (1 - share) * fake


@dataclass(frozen=True)
class DiscriminatorOutput:
    """What a discriminator gives for real and generated phrases.

    Attributes
    ----------
    loss
        The discriminator's.
    penalty
        Added to it, weighted; `None` where no penalty was due.
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

    @classmethod
    def of(
        cls, loss: Tensor, penalty: Tensor | None, real_logits: Tensor, fake_logits: Tensor, **figures: Tensor
    ) -> Self:
        """The output with what is reported of any loss; `figures` are those of its penalties."""
        figures = {
            "discriminator_loss": loss,
            "real_logit": real_logits.mean(),
            "fake_logit": fake_logits.mean(),
            "discriminator_accuracy": (real_logits > fake_logits).float().mean(),
            **figures,
        }
        figures = {name: value.detach() for name, value in figures.items()}
        return cls(loss, penalty, figures, real_logits, fake_logits)


class AdversarialLoss(ABC):
    """A loss of both networks.

    Parameters
    ----------
    gamma
        Weight of the penalty.
    penalty_steps
        The penalty is due every so many steps, and weighs as many times more (lazy regularisation).

    Attributes
    ----------
    bounds
        The discriminator's loss below which it wins and above which it loses; `None` where no number tells.
    simultaneous
        Whether the generator's gradient is taken before the discriminator moves, or after.
    """

    bounds: tuple[float, float] | None
    simultaneous: bool

    def __init__(self, gamma: float, penalty_steps: int) -> None:
        self.gamma, self.penalty_steps = gamma, penalty_steps

    @abstractmethod
    def discriminator(
        self,
        discriminator: Scorer,
        real: Tensor,
        fake: Tensor,
        penalised: bool,
        random: torch.Generator,
        shard: Shard = WHOLE,
    ) -> DiscriminatorOutput:
        """The discriminator's loss and penalty.

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
    def generator(self, discriminator: Scorer, real: Tensor, fake: Tensor) -> Tensor:
        """The generator's loss of phrases `fake` with gradients."""


class Relativistic(AdversarialLoss):
    """Relativistic pairing loss with R1 and R2 (R3GAN): log 2 where D is undecided, near 0.6 in good runs."""

    bounds = (0.1, 1.0)
    simultaneous = True

    def discriminator(
        self,
        discriminator: Scorer,
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
        loss = relativistic_discriminator_loss(real_logits, fake_logits)
        if not penalised:
            return DiscriminatorOutput.of(loss, None, real_logits, fake_logits)
        r1, r2 = (norms.mean() for norms in squared_gradient_norms(logits, real, fake))
        penalty = self.penalty_steps * self.gamma / 2 * (r1 + r2)
        return DiscriminatorOutput.of(loss, penalty, real_logits, fake_logits, r1=r1, r2=r2)

    def generator(self, discriminator: Scorer, real: Tensor, fake: Tensor) -> Tensor:
        """The pairing loss the other way round."""
        real_logits, fake_logits = discriminator(real, fake).chunk(2)
        return relativistic_generator_loss(real_logits, fake_logits)


class Wasserstein(AdversarialLoss):
    """Wasserstein loss with gradient penalty (WGAN-GP): minus a distance in units of the discriminator's own."""

    bounds = None
    simultaneous = False

    def discriminator(
        self,
        discriminator: Scorer,
        real: Tensor,
        fake: Tensor,
        penalised: bool,
        random: torch.Generator,
        shard: Shard = WHOLE,
    ) -> DiscriminatorOutput:
        """The estimated distance, with the penalty on interpolated phrases when it is due."""
        real_logits, fake_logits = discriminator(real), discriminator(fake)
        loss = wasserstein_discriminator_loss(real_logits, fake_logits)
        if not penalised:
            return DiscriminatorOutput.of(loss, None, real_logits, fake_logits)
        between = interpolate_phrases(real, fake, random, shard).requires_grad_(True)
        norm = gradient_penalty(discriminator(between), between)
        penalty = self.penalty_steps * self.gamma * norm
        return DiscriminatorOutput.of(loss, penalty, real_logits, fake_logits, gradient_penalty=norm)

    def generator(self, discriminator: Scorer, real: Tensor, fake: Tensor) -> Tensor:
        """The more negative, the higher generated phrases score."""
        return wasserstein_generator_loss(discriminator(fake))


LOSSES: dict[str, type[AdversarialLoss]] = {"relativistic": Relativistic, "wasserstein": Wasserstein}
"""What `train.loss` stands for."""

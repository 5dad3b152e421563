"""One step of adversarial training, written plainly: gradients of the discriminator, gradients of the generator, Adam.

The same as R3GAN's trainer (`brownvc/R3GAN:R3GAN/Trainer.py`). `gan.training.sequence_step` has what our own generator
needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.seeds import RandomStream, random_stream
from gan.settings import TrainSettings
from gan.training.batches import PhrasePair
from gan.training.distributed import Team
from gan.training.losses import (
    AdversarialLoss,
    DiscriminatorOutput,
    Figures,
    Scorer,
)


class AdversarialStep:
    """Steps of two networks that learn from each other.

    Parameters
    ----------
    generator, discriminator
        Makes phrases, and scores them.
    optimizers
        Of the weights of both, `generator` and `discriminator`.
    loss
        Of both.
    settings
        Weights of the losses, and how often the lazy ones are due.
    seed
        Decides on all that is drawn.
    team
        The processes that share each batch.
    """

    def __init__(
        self,
        generator: PhraseGenerator,
        discriminator: PhraseDiscriminator,
        optimizers: Mapping[str, torch.optim.Optimizer],
        loss: AdversarialLoss,
        settings: TrainSettings,
        seed: int,
        team: Team,
    ) -> None:
        self.generator, self.discriminator = generator, discriminator
        self.optimizers, self.loss = optimizers, loss
        self.settings, self.seed, self.team = settings, seed, team

    def discriminator_step(self, pair: PhrasePair, step: int, substep: int = 0) -> Figures:
        """Teach the discriminator to score each real phrase above the generated one beside it.

        `substep` counts its steps within one step of training, of which only random numbers depend on it.
        """
        figures = self.discriminator_gradients(pair, step, substep)
        return figures | self.update("discriminator")

    def generator_step(self, pair: PhrasePair) -> Figures:
        """Teach the generator to make phrases that score as high as real ones."""
        figures = self.generator_gradients(pair)
        return figures | self.update("generator")

    def simultaneous_step(self, pair: PhrasePair, step: int, substep: int = 0) -> Figures:
        """A step of both, each with the gradient of the other as it was before."""
        figures = self.discriminator_gradients(pair, step, substep) | self.generator_gradients(pair)
        return figures | self.update("discriminator") | self.update("generator")

    def discriminator_gradients(self, pair: PhrasePair, step: int, substep: int) -> Figures:
        """Gradients of the adversarial loss and its penalty."""
        weights = self.learning_weights("discriminator")
        assert pair.fake is not None
        output = self.score(pair, pair.fake.detach(), step, substep)
        figures, losses = output.figures, [output.loss]
        if output.penalty is not None:
            losses.append(output.penalty)
        torch.autograd.backward(losses, inputs=weights)  # a penalty's way leads to phrases too
        return figures

    def generator_gradients(self, pair: PhrasePair) -> Figures:
        """Gradients of the adversarial loss, through the notes."""
        assert pair.fake is not None
        loss = self.loss.generator(self.scorer(pair), pair.real, pair.fake)
        figures = {"generator_loss": loss.detach()}
        torch.autograd.backward(loss, inputs=self.learning_weights("generator"))
        return figures

    def scorer(self, pair: PhrasePair) -> Scorer:
        """The discriminator, given the conditioning of the phrases, if they have any."""
        if pair.conditioning is None:
            return self.discriminator
        return partial(self.discriminator, conditioning=pair.conditioning)

    def score(self, pair: PhrasePair, fake: Tensor, step: int, substep: int) -> DiscriminatorOutput:
        """The discriminator's loss, with the penalty every `penalty_steps` steps, which is float32 throughout."""
        penalised = self.settings.gamma > 0 and step % self.settings.penalty_steps == 0
        random = random_stream(self.seed, RandomStream.PENALTY, step, substep)
        with self.discriminator.exactly(penalised):
            return self.loss.discriminator(self.scorer(pair), pair.real, fake, penalised, random, self.team)

    def learning_weights(self, side: str) -> list[Tensor]:
        """The weights of one side that learn, their gradients forgotten."""
        optimizer = self.optimizers[side]
        optimizer.zero_grad(set_to_none=True)
        return [weight for weight in optimizer.param_groups[0]["params"] if weight.requires_grad]

    def update(self, side: str) -> Figures:
        """One step of Adam with the gradient of the whole batch; the norm of that gradient."""
        optimizer = self.optimizers[side]
        weights: Sequence[Tensor] = [one for one in optimizer.param_groups[0]["params"] if one.requires_grad]
        for weight in weights:
            if weight.grad is None:  # what only given notes reach, where nothing was given
                weight.grad = torch.zeros_like(weight)
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        self.team.average_(gradients)
        optimizer.step()
        return {f"{side}_gradient_norm": torch.nn.utils.get_total_norm(gradients)}

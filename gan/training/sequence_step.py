"""Steps of an autoregressive generator: likelihood of real phrases, and a policy gradient from the discriminator.

Notes are decisions, through which no gradient flows. So the generator learns by two terms,

    L_G = - mean over real x of log p(x)  -  weight * mean over its own y of (w(y) - 1) log p(y)

the first by teacher forcing. The second is the importance-weighted policy gradient of MaliGAN (Che et al., arXiv
1702.07983): w(y), the softmax of D(y) over the batch times its size, says how much more likely y is in the data than it
is to be sampled, where the discriminator is right. Log-probabilities are means over decisions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.context import StreamContext, mask_of_steps
from gan.networks.generator import Generator
from gan.seeds import RandomStream, random_stream
from gan.training.batches import PhrasePair
from gan.training.distributed import ALONE, Team
from gan.training.losses import Figures
from gan.training.step import AdversarialStep


def importance_weights(logits: Tensor, sharpness: float, team: Team = ALONE) -> Tensor:
    """How much more likely samples are in the data than to be drawn, `[batch]`, of logits `[batch]`.

    Their mean over all processes is 1.
    """
    weights = torch.exp(sharpness * logits.double())
    return (weights * team.size * len(weights) / team.sum(weights.sum())).to(logits)


class SequenceStep(AdversarialStep):
    """`AdversarialStep` of a generator that decides note by note."""

    def likelihood_step(self, pair: PhrasePair, step: int) -> Figures:
        """Teach the generator real phrases alone."""
        weights = self.learning_weights("generator")
        loss = -self._log_prob(pair, [pair.real], step)[0].mean()
        torch.autograd.backward(loss, inputs=weights)
        return {"likelihood_loss": loss.item()} | self.update("generator")

    def simultaneous_step(self, pair: PhrasePair, step: int, substep: int = 0) -> Figures:
        """A step of both, each with the gradient of the other as it was before."""
        weights = self.learning_weights("discriminator")
        assert pair.fake is not None
        output = self.score(pair, pair.fake, step, substep)
        losses = [output.loss] if output.penalty is None else [output.loss, output.penalty]
        losses += self.matching_losses(pair, step, substep, output.figures)
        torch.autograd.backward(losses, inputs=weights)
        figures = output.figures | self.update("discriminator")

        advantages = importance_weights(output.fake_logits.detach(), self.settings.sharpness, self.team) - 1
        weights = self.learning_weights("generator")
        real, fake = self._log_prob(pair, [pair.real, pair.fake], step)
        likelihood, policy = -real.mean(), -(advantages * fake).mean()
        torch.autograd.backward(likelihood + self.settings.policy_weight * policy, inputs=weights)
        figures |= {"likelihood_loss": likelihood.item(), "generator_loss": policy.item()}
        return figures | self.update("generator")

    def _log_prob(self, pair: PhrasePair, phrases: list[Tensor], step: int) -> tuple[Tensor, ...]:
        """Log-probability of batches of phrases, each a mean over its decisions, `[batch]`."""
        assert pair.conditioning is not None and isinstance(self.generator, Generator)
        conditions, mask = pair.conditioning.conditions, pair.conditioning.mask
        x = self.generator.features(conditions, StreamContext(pair.real, mask))
        times = len(phrases)
        random = random_stream(self.seed, RandomStream.DROPOUT, step)
        drawn = [self.generator.decoder.draw_dropout(len(pair.real), random, self.team) for _ in phrases]
        dropout = torch.cat([one for one in drawn if one is not None]) if self.generator.decoder.drop else None
        found = self.generator.log_probs(
            torch.cat(phrases), torch.cat([x] * times), conditions.repeat(times, 1), mask.repeat(times, 1, 1), dropout
        )
        made = (~mask_of_steps(mask, pair.spec)).flatten(1).sum(1).repeat(times)
        return (found.flatten(1).sum(1) / made).chunk(times)

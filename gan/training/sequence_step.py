"""Steps of an autoregressive generator: likelihood of real phrases, then a discriminator that tells its phrases.

Notes are decisions, through which no gradient flows. So the generator learns by teacher forcing,

    L_G = - mean over real x of log p(x),

and the discriminator to tell what it samples then. The logits of a discriminator that is right say how much more likely
a phrase is in the data than it is to be sampled; phrases are resampled by them (`gan.networks.resampling`). With
`train.policy_weight` the generator goes on learning, with the importance-weighted policy gradient of MaliGAN (Che et
al., arXiv 1702.07983) beside the likelihood,

    - weight * mean over its own y of (w(y) - 1) log p(y),

w(y) the softmax of D(y) over the batch times its size. Log-probabilities are means over decisions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.context import StreamContext, mask_of_steps
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.seeds import RandomStream, random_stream
from gan.training.batches import PhrasePair
from gan.training.losses import Figures
from gan.training.step import AdversarialStep


def importance_weights(logits: Tensor, sharpness: float) -> Tensor:
    """How much more likely samples are in the data than to be drawn, with a mean of 1, of logits `[batch]`."""
    return torch.softmax(sharpness * logits, 0) * len(logits)


class SequenceStep(AdversarialStep):
    """`AdversarialStep` of a generator that decides note by note."""

    def likelihood_step(self, pair: PhrasePair, step: int) -> Figures:
        """Teach the generator real phrases alone."""
        weights = self.learning_weights("generator")
        loss = -self._log_prob(pair, [pair.real], step)[0].mean()
        torch.autograd.backward(loss, inputs=weights)
        return {"likelihood_loss": loss.detach()} | self.update("generator")

    def simultaneous_step(self, pair: PhrasePair, step: int, substep: int = 0) -> Figures:
        """A step of the discriminator, and of the generator where it learns from it, by the scores from before."""
        assert pair.fake is not None and pair.conditioning is not None
        assert isinstance(self.discriminator, Discriminator)
        weights = self.learning_weights("discriminator")
        output = self.score(pair, pair.fake, step, substep)
        losses = [output.loss] if output.penalty is None else [output.loss, output.penalty]
        torch.autograd.backward(losses, inputs=weights)
        figures = output.figures | self.update("discriminator")
        real_logits, fake_logits = (
            self.team.gather(logits.detach()) for logits in (output.real_logits, output.fake_logits)
        )
        given = self.team.gather(pair.conditioning.mask.flatten(1).any(1).to(real_logits))
        whole = (given == 0).nonzero().squeeze(1)  # phrases of which nothing was given
        if len(whole) > 1:
            self.discriminator.calibrate(real_logits[whole], fake_logits[whole])
        figures["sharpness"] = self.discriminator.density_sharpness()
        if self.settings.policy_weight:
            weighted = importance_weights(fake_logits, self.discriminator.sharpness)[self.team.rows(len(fake_logits))]
            weights = self.learning_weights("generator")
            real, fake = self._log_prob(pair, [pair.real, pair.fake], step)
            likelihood, policy = -real.mean(), -((weighted - 1) * fake).mean()
            torch.autograd.backward(likelihood + self.settings.policy_weight * policy, inputs=weights)
            figures |= {"likelihood_loss": likelihood.detach(), "generator_loss": policy.detach()}
            figures |= self.update("generator")
        return figures

    def _log_prob(self, pair: PhrasePair, phrases: list[Tensor], step: int) -> tuple[Tensor, ...]:
        """Log-probability of batches of phrases, each a mean over its decisions, `[batch]`."""
        assert isinstance(self.generator, Generator)
        random = random_stream(self.seed, RandomStream.DROPOUT, step)
        drawn = [self.generator.decoder.draw_dropout(len(pair.real), random, self.team) for _ in phrases]
        dropout = torch.cat([one for one in drawn if one is not None]) if self.generator.decoder.drop else None
        return log_probs(self.generator, pair, phrases, dropout)


def log_probs(
    generator: Generator, pair: PhrasePair, phrases: list[Tensor], dropout: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Log-probability of batches of phrases with the conditioning of a pair, each a mean over its decisions, `[batch]`.

    `dropout` is what `NoteDecoder.draw_dropout` drew for all of them; without it nothing is dropped.
    """
    assert pair.conditioning is not None
    conditions, mask = pair.conditioning.conditions, pair.conditioning.mask
    x = generator.features(conditions, StreamContext(pair.real, mask))
    times = len(phrases)
    known = torch.ones_like(mask[:, :, 0]) if pair.conditioning.known is None else pair.conditioning.known
    found = generator.log_probs(
        torch.cat(phrases),
        torch.cat([x] * times),
        conditions.repeat(times, 1),
        mask.repeat(times, 1, 1),
        known.repeat(times, 1),
        dropout,
    )
    made = (~mask_of_steps(mask, pair.spec) & known.unsqueeze(1)).flatten(1).sum(1).clamp(min=1).repeat(times)
    return (found.flatten(1).sum(1) / made).chunk(times)

"""Importance resampling: of several phrases of the generator, one by the discriminator's density ratio.

Where a discriminator is right, its logit is the logarithm of how much more likely a phrase is in the data than it is to
be sampled. Drawing one of several samples with probabilities in proportion to that ratio comes nearer to the data than
the generator alone (sampling importance resampling, Rubin 1987; with GANs Azadi et al., arXiv 1810.06758, and Turner et
al., arXiv 1811.11357). The best of them would be too much of what the discriminator likes.

Where later bars are given, how likely they are after what was made counts as well: the generator makes notes one after
another, and what it makes has to lead there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from gan.context import Conditioning, Context
from gan.latents import Latents
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator


def resample(logits: Tensor, random: torch.Generator) -> Tensor:
    """One candidate a row, `[batch]`, drawn by a CPU generator in proportion to `exp(logits)`.

    Logits are `[batch, candidates]`.
    """
    shares = torch.softmax(logits.cpu().double(), 1)
    return torch.multinomial(shares, 1, generator=random).squeeze(1)


@torch.no_grad()
def sample_resampled(
    generator: Generator,
    discriminator: Discriminator,
    latents: Latents,
    candidates: int,
    random: torch.Generator,
    context: Context | None = None,
    condition_strength: float = 1.0,
    temperature: Sequence[float] | None = None,
    known: Tensor | None = None,
) -> tuple[Tensor, Latents]:
    """Phrases, bool `[batch, *spec.shape]`, each one of several with its conditions, and the latents that made them.

    Parameters
    ----------
    generator, discriminator
        On one device.
    latents
        Of the first candidates; the others have fresh ones with the same conditions.
    candidates
        Phrases for each that is kept.
    random
        A CPU generator that draws latents and choices.
    context, condition_strength, temperature, known
        As in `Generator.sample`.
    """
    count = len(latents)
    every = [latents]
    for _ in range(candidates - 1):
        fresh = generator.sample_latents(count, random)
        every.append(replace(fresh, conditions=latents.conditions))
    all_latents = Latents.cat(every)
    repeated = None if context is None else context[torch.arange(count).repeat(candidates)]
    all_known = None if known is None else known.repeat(candidates, 1)
    rolls = generator.sample(all_latents, repeated, condition_strength, temperature, known=all_known)
    mask = rolls.new_zeros(len(rolls), *rolls.shape[2:4]) if repeated is None else repeated.mask
    logits = discriminator.sharpness * discriminator.score(rolls, Conditioning(all_latents.conditions, mask, all_known))
    if repeated is not None:
        logits = logits + generator.join_log_probs(rolls, all_latents.conditions, mask)
    chosen = resample(logits.view(candidates, count).T, random)
    rows = (chosen * count + torch.arange(count)).to(rolls.device)
    return rolls[rows], all_latents[rows]

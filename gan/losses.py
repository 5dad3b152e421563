"""The game: relativistic pairing loss with two gradient penalties (R3GAN, Huang et al., arXiv 2501.05441, eq. 2-4).

L(G, D) = E f(D(G(z)) - D(x)),   f(t) = -log(1 + exp(-t))
R1 = gamma / 2 E |grad_x D(x)|^2,   R2 = gamma / 2 E |grad_y D(y)|^2,  y = G(z)
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Small when each real phrase scores above the generated one it is paired with. Logits `[batch]`."""
    return softplus(fake_logits - real_logits).mean()


def generator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Small when each generated phrase scores above the real one it is paired with. Logits `[batch]`."""
    return softplus(real_logits - fake_logits).mean()


def gradient_penalty(logits: Tensor, inputs: Tensor) -> Tensor:
    """Mean squared norm of the gradient of `logits` `[batch]` with respect to `inputs` `[batch, ...]`.

    R1 on real phrases (Mescheder et al., arXiv 1801.04406), R2 on generated ones. Differentiable itself.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), inputs, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean()

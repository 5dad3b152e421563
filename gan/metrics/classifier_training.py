"""Training of a small classifier of phrases: AdamW with a one-cycle learning rate, on standardised figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from gan.networks.layers import activate, linear

BATCH = 64
WIDTH = 64
DROPOUT = 0.3
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
EXTREME = 4.0
"""Standard deviations beyond which a figure says nothing more."""
MAX_TRAINING = 3000
"""Training phrases that are learnt from at most, evenly spread: neighbours of one song are nearly the same."""

Classifier = TypeVar("Classifier", bound=nn.Module)


class Standardisation(nn.Module):
    """Figures as z-scores within -4 to 4; a figure that a phrase lacks is 0, at the mean.

    Parameters
    ----------
    sample
        Figures of some phrases, `[phrases, figures]`, NaN where a phrase has none: what is usual.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, sample: Tensor) -> None:
        super().__init__()
        mean = sample.nanmean(0)
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", (sample - mean).square().nanmean(0).sqrt().clamp(min=1e-3))

    def forward(self, figures: Tensor) -> Tensor:
        """`[..., figures]` of the same shape."""
        return ((figures - self.mean) / self.deviation).nan_to_num(0.0).clamp(-EXTREME, EXTREME)


class FigureClassifier(nn.Module):
    """A multilayer perceptron with one hidden layer on standardised figures.

    Parameters
    ----------
    sample
        Figures of some phrases, `[phrases, figures]`, as of `Standardisation`.
    num_outputs
        Logits for each phrase.
    """

    def __init__(self, sample: Tensor, num_outputs: int) -> None:
        super().__init__()
        self.standardise = Standardisation(sample)
        self.hidden = linear(sample.shape[1], WIDTH)
        self.out = linear(WIDTH, num_outputs, gain=0.1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, figures: Tensor) -> Tensor:
        """Logits `[..., outputs]` of figures `[..., figures]`."""
        hidden = activate(self.hidden(self.dropout(self.standardise(figures))))
        logits: Tensor = self.out(self.dropout(hidden))
        return logits


def train_classifier(
    make: Callable[[], Classifier],
    loss: Callable[[Classifier, Tensor], Tensor],
    batches: Sequence[Tensor],
    seed: int,
) -> Classifier:
    """A classifier that learnt from each batch once, in order, ready to classify (dropout off).

    Parameters
    ----------
    make
        Makes the classifier; its first weights depend on `seed` only.
    loss
        Of the classifier and the rows of a batch.
    batches
        Rows of the training phrases, int64 `[batch]` each.
    seed
        Decides first weights and dropout. The global random numbers stay where they are.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = make()
        optimizer = torch.optim.AdamW(classifier.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=len(batches) + 1)
        for rows in batches:
            optimizer.zero_grad()
            torch.autograd.backward(loss(classifier, rows))
            optimizer.step()
            schedule.step()
    return classifier.eval()

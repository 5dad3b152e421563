"""Abstract base classes of generator and discriminator, for all designs.

A design has a form of its own in which its two networks exchange phrases: a tensor `[batch, ...]` that `forward` of the
generator gives, that `encode` makes of real rolls, and that the discriminator reads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from gan.latents import Latents
from gan.settings import ModelSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics


class Network(nn.Module, ABC):
    """A network with one expensive part, `compute`, which training may make faster (`gan.training.precision`)."""

    _fast: Callable[..., Any] | None = None
    _exact = False

    @abstractmethod
    def compute(self, *args: Any) -> Any:
        """The part in which the time goes: tensors, or dataclasses of them, go in and float tensors come out."""

    def fast_compute(self, *args: Any) -> Any:
        """What `compute` gives, in the way that `accelerate` has chosen."""
        return (self.compute if self._fast is None or self._exact else self._fast)(*args)

    def leave_uncompiled(self) -> None:
        """Mark what compilers are to leave as it is, before `compute` is compiled."""

    def accelerate(self, fast: Callable[..., Any]) -> None:
        """Have `fast` do the work of `compute` from now on."""
        self._fast = fast

    @contextmanager
    def exactly(self, wanted: bool) -> Iterator[None]:
        """Within the block, if `wanted`, `compute` does its work itself, as second derivatives need it."""
        self._exact = wanted
        try:
            yield
        finally:
            self._exact = False


class PhraseGenerator(Network):
    """Phrases of one `RollSpec`.

    Parameters
    ----------
    spec
        The shape of the rolls.
    statistics
        What the data looks like; a design may start from it.
    settings
        The design and its sizes.
    """

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: ModelSettings) -> None:
        super().__init__()
        self.spec, self.settings = spec, settings
        self.examples = torch.tensor(statistics.examples)  # [phrases, ConditionLayout.size]

    @abstractmethod
    def forward(self, latents: Latents, generator: torch.Generator | None = None) -> Tensor:
        """Phrases in the design's form; with gradients where the design has any through its notes.

        Parameters
        ----------
        latents
            Of the phrases, on the module's device.
        generator
            Draws noise in the decisions of designs that have it, on the module's device.
        """

    @abstractmethod
    def encode(self, rolls: Tensor) -> Tensor:
        """Real rolls, bool `[batch, *spec.shape]`, in the design's form."""

    @abstractmethod
    def onsets(self, phrases: Tensor) -> Tensor:
        """Where notes begin in phrases of the design's form: `[batch, time, tracks, pitches]`, 0 or 1."""

    @abstractmethod
    def sample(self, latents: Latents) -> Tensor:
        """Bool rolls `[batch, *spec.shape]` on the module's device.

        The same latents give the same phrases, whatever other phrases are sampled beside them.
        """

    inpaints = False
    """Whether phrases are made for conditions and around a context; see `gan.networks.generator.Generator`."""

    @property
    def final_phase_start(self) -> int:
        """The step of training from which on phrases are made in the way that they will be at the end."""
        return 0

    def begin_step(self, step: int) -> None:
        """Called before each step of training, for designs that train in stages."""

    def sample_latents(self, batch: int, generator: torch.Generator) -> Latents:
        """Fresh latents of the right sizes on the module's device, drawn by a CPU generator.

        Their conditions are those of phrases drawn from the data.
        """
        rows = torch.randint(len(self.examples), (batch,), generator=generator)
        latents = Latents.sample(self.examples[rows], self.spec.num_tracks, self.settings.latent_size, generator)
        return latents.to(next(self.parameters()).device)


class PhraseDiscriminator(Network):
    """Scores phrases of one `RollSpec`: higher is more like the data. The parameters are the generator's."""

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: ModelSettings) -> None:
        super().__init__()
        self.spec = spec

    @abstractmethod
    def forward(self, *phrases: Tensor) -> Tensor:
        """Logits `[batch]` of phrases in the design's form; `[batch, discriminators]` where there are several.

        Batches, where there are more than one, are of one size; their logits come one behind the other.
        """

    @abstractmethod
    def score(self, rolls: Tensor) -> Tensor:
        """Logits `[batch]` of bool rolls `[batch, *spec.shape]`, to rank phrases by.

        Scores of one call can be compared, those of two calls need not be.
        """

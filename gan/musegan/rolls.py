"""Rolls as MuseGAN sees them: one real number for each track, step and pitch, `[batch, tracks, bars, steps, pitches]`.

Only whether a pitch sounds is told, not where a note begins; a run of sounding steps is read back as one note. As in
the paper's data (section "Dataset", footnote 5), a rest of one step keeps a note apart from the next one of its pitch,
and drums are onsets only.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn.functional import pad

from gan.interface import PhraseDiscriminator, PhraseGenerator
from gan.latents import Latents
from gan.spec import HOLD, ONSET, RollSpec

OCTAVE = 12


def num_octaves(spec: RollSpec) -> int:
    """Octaves that hold all pitches of the spec; the last one may reach beyond them."""
    return -(-spec.num_pitches // OCTAVE)


def octaves(phrases: Tensor, silence: float) -> Tensor:
    """`[..., pitches]` with silence above, so that the pitches are whole octaves."""
    return pad(phrases, (0, -phrases.shape[-1] % OCTAVE), value=silence)


def sounding_steps(rolls: Tensor) -> Tensor:
    """Which pitches sound in rolls `[batch, 2, tracks, bars, steps, pitches]`, bool, the planes' axis gone.

    The last step of a note is left out where the same pitch begins again at once; notes of one step stay.
    """
    onset, hold = (rolls[:, plane].flatten(2, 3) for plane in (ONSET, HOLD))  # [batch, tracks, time, pitches]
    steps = onset | hold
    steps[:, :, :-1] &= ~(hold[:, :, :-1] & onset[:, :, 1:])
    return steps.view_as(rolls[:, ONSET])


def run_onsets(sounding: Tensor, spec: RollSpec) -> Tensor:
    """Where the notes of bool `[batch, tracks, bars, steps, pitches]` begin, in the same shape.

    A run of steps is one note, also across a bar line. Drums have no length: each of their steps is a hit.
    """
    steps = sounding.flatten(2, 3)  # [batch, tracks, time, pitches]
    onset = steps.clone()
    for track in spec.pitched:
        onset[:, track, 1:] &= ~steps[:, track, :-1]
    return onset.view_as(sounding)


class SoundingGenerator(PhraseGenerator):
    """What the generators of this package have in common.

    `SCALE` says which two numbers stand for silence and sound, as the activation of the last layer can give them.
    """

    SCALE: tuple[float, float]

    @abstractmethod
    def compute(self, latents: Latents, generator: torch.Generator | None = None) -> Tensor:
        """Real numbers `[batch, tracks, bars, steps, pitches]`; stochastic neurons, if any, draw from `generator`."""

    def forward(self, latents: Latents, generator: torch.Generator | None = None) -> Tensor:
        """What `compute` gives: these designs have no noise of their own."""
        phrases: Tensor = self.fast_compute(latents, generator)
        return phrases

    def encode(self, rolls: Tensor) -> Tensor:
        """`[batch, tracks, bars, steps, pitches]`: the first number of `SCALE` for silence, the second for sound."""
        return encode(rolls, self.SCALE)

    def binarize(self, phrases: Tensor) -> Tensor:
        """What sounds once numbers are cut in the middle between silence and sound (section "Model Settings")."""
        return phrases.detach() > sum(self.SCALE) / 2

    def onsets(self, phrases: Tensor) -> Tensor:
        """The first step of each run of steps."""
        return run_onsets(self.binarize(phrases), self.spec).flatten(2, 3).transpose(1, 2).to(torch.float32)

    @torch.no_grad()
    def sample(self, latents: Latents) -> Tensor:
        """Rolls made with the batch norm's running statistics: no phrase depends on its neighbours in the batch."""
        training = self.training
        self.eval()
        sounding = self.binarize(self.draw(latents))
        self.train(training)
        onset = run_onsets(sounding, self.spec)
        return torch.stack([onset, sounding & ~onset], dim=1)

    def draw(self, latents: Latents) -> Tensor:
        """Real numbers that `sample` cuts."""
        phrases: Tensor = self(latents)
        return phrases


def encode(rolls: Tensor, scale: tuple[float, float]) -> Tensor:
    """Bool rolls `[batch, *spec.shape]` as `[batch, tracks, bars, steps, pitches]` of the two numbers of `scale`."""
    silence, sound = scale
    return sounding_steps(rolls).to(torch.float32) * (sound - silence) + silence


class SoundingDiscriminator(PhraseDiscriminator):
    """What the discriminators of this package have in common; `SCALE` is the generator's."""

    SCALE: tuple[float, float]

    def forward(self, *phrases: Tensor) -> Tensor:
        """Logits `[batch]`, or `[batch, discriminators]`, of one or several batches."""
        logits: Tensor = self.fast_compute(torch.cat(phrases) if len(phrases) > 1 else phrases[0])
        return logits

    @torch.no_grad()
    def score(self, rolls: Tensor) -> Tensor:
        """Mean logit of all discriminators, `[batch]`."""
        logits: Tensor = self(encode(rolls, self.SCALE))
        return logits.flatten(1).mean(1) if logits.dim() > 1 else logits

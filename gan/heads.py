"""The last layers: from features to notes that are there or not, with a gradient that pretends they were soft.

Straight-through (Bengio et al., arXiv 1308.3432): forward the hard decision, backward the soft one. `ChoiceHead` takes
one pitch or rest (Gumbel-softmax; Jang et al., arXiv 1611.01144), `NeuronHead` decides for each pitch alone
(MuseGAN's binary neurons, arXiv 1804.09399). Both start at the data's rates and are noisy at first: noise makes silent
notes sound now and then, so that the discriminator can ask for them.

The noise is held like notes: at each step it is drawn anew with the data's onset rate at that place of the bar and
kept otherwise. Noise that is new at every step has the same rates, but starts with chopped notes that training must
first learn to join.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan.layers import TrackLinear
from gan.spec import RollSpec
from gan.statistics import DataStatistics

RARE = 1e-4
"""No start rate is below this, so that every pitch of the compass can still be learnt."""


def straight_through(hard: Tensor, soft: Tensor) -> Tensor:
    """The value of `hard` with the gradient of `soft`."""
    return hard + (soft - soft.detach())


def log_odds(rate: Tensor) -> Tensor:
    """The bias at which a neuron with unit logistic noise fires with this rate."""
    clipped = rate.clamp(RARE, 1 - RARE)
    return torch.log(clipped / (1 - clipped))


def held(noise: Tensor, fresh: Tensor) -> Tensor:
    """Noise `[batch, time, tracks, n]` that stays as it was except where `fresh` `[batch, time, tracks]` is true."""
    time = torch.arange(noise.shape[1], device=noise.device).view(1, -1, 1)
    source = torch.where(fresh, time, 0).cummax(dim=1).values
    return torch.gather(noise, 1, source.unsqueeze(-1).expand_as(noise))


class Head(nn.Module):
    """What both heads share: which tracks they serve, their rates in the data, and a re-strike neuron.

    Parameters
    ----------
    tracks
        The indices of the tracks served.
    width
        Channels of the features of each track.
    lows, compass
        Of all tracks, see `gan.statistics.choose_compass`.
    outputs, restrikes
        Numbers a track and step: for the notes, and for striking a sounding note again.
    """

    fresh_rates: Tensor
    is_drum: Tensor

    def __init__(
        self,
        tracks: Sequence[int],
        width: int,
        compass: int,
        outputs: int,
        restrikes: int,
        statistics: DataStatistics,
        spec: RollSpec,
    ) -> None:
        super().__init__()
        self.tracks = tuple(tracks)
        self.compass = compass
        self.outputs = outputs
        self.project = TrackLinear(len(self.tracks), width, outputs + restrikes, gain=0.3)
        onsets = torch.tensor([statistics.onsets[track] for track in self.tracks])  # [tracks, steps of a bar]
        self.register_buffer("fresh_rates", onsets.T.repeat(spec.bars, 1), persistent=False)  # [time, tracks]
        drums = torch.tensor([spec.tracks[track].is_drum for track in self.tracks])
        self.register_buffer("is_drum", drums.view(-1, 1), persistent=False)
        again = torch.tensor([statistics.restrikes[track] for track in self.tracks])
        with torch.no_grad():
            self.project.bias[:, 0, outputs:] = log_odds(again).unsqueeze(1)

    def noise(self, like: Tensor, generator: torch.Generator) -> Tensor:
        """Uniform numbers in (0, 1) of the shape of `like` `[batch, time, tracks, n]`, held like notes."""
        uniform = torch.rand(like.shape, generator=generator, device=like.device).clamp(1e-6, 1 - 1e-6)
        draws = torch.rand(like.shape[:3], generator=generator, device=like.device)
        return held(uniform, draws < self.fresh_rates)

    def strike(self, sounding: Tensor, again: Tensor) -> Tensor:
        """Streams `[batch, time, tracks, 2, compass]` out of what sounds and what is struck again.

        A pitch has an onset where it sounds and did not a step before, or is struck again. Drums only ever strike.
        """
        before = torch.cat([torch.zeros_like(sounding[:, :1]), sounding[:, :-1]], dim=1)
        onset = sounding * (1 - before * (1 - again))
        onset = torch.where(self.is_drum, sounding, onset)
        return torch.stack([sounding, onset], dim=3)


def _neuron(logits: Tensor, uniform: Tensor | None, amount: float, temperature: float) -> Tensor:
    """A binary neuron with logistic noise of this amount."""
    if uniform is not None:
        logits = logits + amount * torch.log(uniform / (1 - uniform))
    return straight_through((logits > 0).to(logits.dtype), torch.sigmoid(logits / temperature))


class ChoiceHead(Head):
    """One pitch or rest a step for tracks that play one note at a time."""

    def __init__(
        self,
        tracks: Sequence[int],
        width: int,
        lows: Sequence[int],
        compass: int,
        statistics: DataStatistics,
        spec: RollSpec,
    ) -> None:
        super().__init__(tracks, width, compass, compass + 1, 1, statistics, spec)
        for row, track in enumerate(tracks):
            rates = torch.tensor(statistics.sounding[track][lows[track] : lows[track] + compass])
            rates = torch.cat([rates, torch.tensor([statistics.rests[track]])]).clamp(min=RARE)
            with torch.no_grad():
                self.project.bias[row, 0, : compass + 1] = rates.log()

    def forward(self, x: Tensor, amount: float, temperature: float, generator: torch.Generator | None) -> Tensor:
        """Features `[batch, time, tracks, width]` to streams `[batch, time, tracks, 2, compass]`."""
        out = self.project(x)
        logits, again = out[..., : self.outputs], out[..., self.outputs :]
        uniform = None
        if generator is not None and amount > 0:
            noise = self.noise(out, generator)
            uniform = noise[..., self.outputs :]
            logits = logits - amount * torch.log(-torch.log(noise[..., : self.outputs]))
        soft = torch.softmax(logits / temperature, dim=-1)
        hard = torch.zeros_like(soft).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
        sounding = straight_through(hard, soft)[..., : self.compass]  # the last choice is rest
        return self.strike(sounding, _neuron(again, uniform, amount, temperature))


class NeuronHead(Head):
    """One binary neuron a pitch, and one to strike it again, for chords and drums."""

    def __init__(
        self,
        tracks: Sequence[int],
        width: int,
        lows: Sequence[int],
        compass: int,
        statistics: DataStatistics,
        spec: RollSpec,
    ) -> None:
        super().__init__(tracks, width, compass, compass, compass, statistics, spec)
        for row, track in enumerate(tracks):
            rates = torch.tensor(statistics.sounding[track][lows[track] : lows[track] + compass])
            with torch.no_grad():
                self.project.bias[row, 0, :compass] = log_odds(rates)

    def forward(self, x: Tensor, amount: float, temperature: float, generator: torch.Generator | None) -> Tensor:
        """Features `[batch, time, tracks, width]` to streams `[batch, time, tracks, 2, compass]`."""
        out = self.project(x)
        uniform = self.noise(out, generator) if generator is not None and amount > 0 else None
        neurons = _neuron(out, uniform, amount, temperature)
        return self.strike(neurons[..., : self.compass], neurons[..., self.compass :])

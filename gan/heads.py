"""The last layers: from features to notes that are there or not, with a gradient that pretends they were soft.

Straight-through (Bengio et al., arXiv 1308.3432): forward the hard decision, backward the soft one. Both heads start at
the data's rates and are noisy at first: noise makes silent notes sound now and then, so that the discriminator can ask
for them.

`ChoiceHead` makes lines of *notes*: a gate says at each step whether something new begins, and if so a
choice says which pitch, or rest (Gumbel-softmax; Jang et al., arXiv 1611.01144); otherwise what sounds goes on. Length,
repetition and rest are then one decision each, and the gradient of a choice sums over all steps of its note. A choice
leans towards the pitches that the line usually moves to from the one that sounds: melodies mostly go by step, and
features alone would have to place every pitch anew.

`NeuronHead`, for drums, has two of MuseGAN's binary neurons (arXiv 1804.09399) for each pitch: one strikes
it, the other holds on to it while it sounds (drums never hold).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gan.layers import TrackLinear
from gan.spec import RollSpec
from gan.statistics import DataStatistics

RARE = 1e-4
"""No start rate is below this, so that every pitch of the compass can still be learnt."""
RARE_GATE = 2e-3
"""No gate opens more rarely than this at first; notes between the beats would never be tried."""


def straight_through(hard: Tensor, soft: Tensor) -> Tensor:
    """The value of `hard` with the gradient of `soft`."""
    return hard + (soft - soft.detach())


def log_odds(rate: Tensor) -> Tensor:
    """The bias at which a neuron with unit logistic noise fires with this rate."""
    clipped = rate.clamp(RARE, 1 - RARE)
    return torch.log(clipped / (1 - clipped))


def uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    """Numbers between 0 and 1, both left out, of the shape of `like`."""
    return torch.rand(like.shape, generator=generator, device=like.device).clamp(1e-6, 1 - 1e-6)


def neuron(logits: Tensor, noise: Tensor | None, amount: float, temperature: float) -> Tensor:
    """A binary neuron; `noise` is uniform and becomes logistic noise of this amount."""
    if noise is not None:
        logits = logits + amount * torch.log(noise / (1 - noise))
    return straight_through((logits > 0).to(logits.dtype), torch.sigmoid(logits / temperature))


def gumbel(noise: Tensor) -> Tensor:
    """Uniform noise as Gumbel noise: added to logits it makes their argmax a draw from their softmax."""
    return -torch.log(-torch.log(noise))


def choice(logits: Tensor, temperature: float) -> Tensor:
    """One choice along the last axis, one-hot."""
    soft = torch.softmax(logits / temperature, dim=-1)
    hard = torch.zeros_like(soft).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    return straight_through(hard, soft)


class ChoiceHead(nn.Module):
    """Notes one after another: one line for a track that plays one note at a time, several for chords.

    Parameters
    ----------
    tracks
        The indices of the tracks served.
    width
        Channels of the features of each track.
    lows, compass
        Of all tracks, see `gan.statistics.choose_compass`.
    statistics, spec
        Where gates, choices and the pull of motion start.
    voices
        Lines a track. What sounds is whatever any of them plays; the first starts as often as anything sounds in the
        data, the second as often as two notes do, and so on.
    """

    moves: Tensor

    def __init__(
        self,
        tracks: Sequence[int],
        width: int,
        lows: Sequence[int],
        compass: int,
        statistics: DataStatistics,
        spec: RollSpec,
        voices: int = 1,
    ) -> None:
        super().__init__()
        self.tracks, self.compass, self.voices = tuple(tracks), compass, voices
        self.project = TrackLinear(len(self.tracks), width, voices * (compass + 2), gain=0.3)
        bias = self.project.bias.detach().view(len(self.tracks), voices, compass + 2)
        metre = torch.zeros(spec.steps_per_bar, len(self.tracks), voices, 1)
        for row, track in enumerate(self.tracks):
            rates = torch.tensor(statistics.sounding[track][lows[track] : lows[track] + compass]).clamp(min=RARE)
            shares = torch.tensor(statistics.voices[track][:voices]).clamp(RARE, 1 - RARE).unsqueeze(1)
            bias[row, :, :compass] = (rates / rates.sum() * shares).clamp(min=RARE).log()
            bias[row, :, compass] = (1 - shares[:, 0]).log()
            onsets = torch.tensor(statistics.onsets[track]).sum(1).view(-1, 1, 1)  # [steps of a bar, 1, 1]
            metre[:, row] = log_odds((onsets * shares / shares.sum()).clamp(RARE_GATE, 1))
        self.metre = nn.Parameter(metre)
        gains = torch.tensor([statistics.motions[track] for track in self.tracks]).unsqueeze(1)  # [tracks, 1, motions]
        known = gains if voices == 1 else torch.zeros_like(gains)  # how one line of a chord moves is not counted
        self.motion = nn.Parameter(known.repeat(1, voices, 1))  # [tracks, voices, motions]
        reach = gains.shape[2] // 2
        place = torch.arange(compass)
        self.register_buffer("moves", (place - place.unsqueeze(1)).clamp(-reach, reach) + reach, persistent=False)

    def forward(self, x: Tensor, amount: float, temperature: float, generator: torch.Generator | None) -> Tensor:
        """Features `[batch, time, tracks, width]` to streams `[batch, time, tracks, 2, compass]`."""
        out = self.project(x)
        out = out.view(*out.shape[:3], self.voices, self.compass + 2)  # [batch, time, tracks, voices, compass + 2]
        wanted, gate = out[..., :-1], out[..., -1:]  # the last place of `wanted` is rest
        noise = uniform(out, generator) if generator is not None and amount > 0 else None
        gate_noise = None
        if noise is not None:
            wanted, gate_noise = wanted + amount * gumbel(noise[..., :-1]), noise[..., -1:]
        metre = self.metre.repeat(x.shape[1] // len(self.metre), 1, 1, 1)  # [time, tracks, voices, 1]
        gate = neuron(gate + metre, gate_noise, amount, temperature)  # [batch, time, tracks, voices, 1]
        gate = torch.cat([torch.ones_like(gate[:, :1]), gate[:, 1:]], dim=1)  # a phrase begins with something new
        pulls = pad(self.motion[:, :, self.moves].flatten(0, 1), [0, 1])  # [lines, from, to]; rest follows any alike
        now = torch.zeros_like(wanted[:, 0, ..., : self.compass])  # [batch, tracks, voices, compass]
        sounding, struck = [], []
        for opens, leaning in zip(gate.unbind(1), wanted.unbind(1), strict=True):
            lines = now.flatten(1, 2).transpose(0, 1)  # [lines, batch, compass]
            pull = torch.bmm(lines, pulls).transpose(0, 1).view_as(leaning)
            new = opens * choice(leaning + pull, temperature)[..., : self.compass]
            now = new + (1 - opens) * now
            struck.append(new)
            sounding.append(now)
        streams = torch.stack([torch.stack(sounding, dim=1), torch.stack(struck, dim=1)], dim=4)
        first, *others = streams.unbind(3)
        for other in others:
            first = first + other - first * other  # a note sounds when either plays it
        return first


class NeuronHead(nn.Module):
    """Any number of notes at once; parameters as in `ChoiceHead`. Drums strike and never hold."""

    rings: Tensor

    def __init__(
        self,
        tracks: Sequence[int],
        width: int,
        lows: Sequence[int],
        compass: int,
        statistics: DataStatistics,
        spec: RollSpec,
    ) -> None:
        super().__init__()
        self.tracks, self.compass = tuple(tracks), compass
        self.project = TrackLinear(len(self.tracks), width, 2 * compass, gain=0.3)
        windows = [
            torch.tensor(statistics.onsets[track])[:, lows[track] : lows[track] + compass] for track in self.tracks
        ]
        self.metre = nn.Parameter(log_odds(torch.stack(windows, dim=1)))  # [steps of a bar, tracks, compass]
        rings = torch.tensor([0.0 if spec.tracks[track].is_drum else 1.0 for track in self.tracks])
        self.register_buffer("rings", rings.view(-1, 1), persistent=False)  # [tracks, 1]
        holds = torch.tensor([statistics.holds[track] for track in self.tracks])
        with torch.no_grad():
            self.project.bias[:, 0, compass:] = log_odds(holds).unsqueeze(1)

    def forward(self, x: Tensor, amount: float, temperature: float, generator: torch.Generator | None) -> Tensor:
        """Features `[batch, time, tracks, width]` to streams `[batch, time, tracks, 2, compass]`."""
        out = self.project(x)
        metre = self.metre.repeat(x.shape[1] // len(self.metre), 1, 1)  # [time, tracks, compass]
        strikes, holds = out[..., : self.compass] + metre, out[..., self.compass :]
        noise = uniform(out, generator) if generator is not None and amount > 0 else None
        strike_noise, hold_noise = (None, None) if noise is None else noise.chunk(2, dim=-1)
        onset = neuron(strikes, strike_noise, amount, temperature)
        hold = neuron(holds, hold_noise, amount, temperature) * self.rings
        now = torch.zeros_like(onset[:, 0])
        sounding = []
        for struck, kept in zip(onset.unbind(1), hold.unbind(1), strict=True):
            now = struck + (1 - struck) * kept * now
            sounding.append(now)
        return torch.stack([torch.stack(sounding, dim=1), onset], dim=3)

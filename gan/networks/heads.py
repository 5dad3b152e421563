"""The last layers: from features to notes that are there or not, with a gradient that pretends they were soft.

Straight-through (Bengio et al., arXiv 1308.3432): forward the hard decision, backward the soft one. Both heads start at
the data's rates and are noisy at first: noise makes silent notes sound now and then, so that the discriminator can ask
for them.

`ChoiceHead` makes lines of *notes*: a gate says at each step whether something new begins, and if so a
choice says which pitch, or rest (Gumbel-softmax; Jang et al., arXiv 1611.01144); otherwise what sounds goes on. Length,
repetition and rest are then one decision each, and the gradient of a choice sums over all steps of its note. All of it
is worked out in whole numbers (`gan.ops.monophonic_voices`), with the gradients of the dense calculation. Where a track
has one line only, a choice leans towards the pitches that the line usually moves to from the one that sounds: melodies
mostly go by step, and features alone would have to place every pitch anew.

`NeuronHead`, for drums, has two of MuseGAN's binary neurons (arXiv 1804.09399) for each pitch: one strikes
it, the other holds on to it while it sounds (drums never hold, and have the first only).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gan.networks.layers import TrackLinear
from gan.ops.monophonic_voices import Play, follow, follow_open, streams_of
from gan.ops.noise import GUMBEL, LOGISTIC
from gan.ops.shard import WHOLE, Shard
from gan.spec import RollSpec
from gan.statistics import DataStatistics

RARE = 1e-4
"""No start rate is below this, so that every pitch of the pitch_range can still be learnt."""
RARE_GATE = 2e-3
"""No gate opens more rarely than this at first; notes between the beats would never be tried."""


def log_odds(rate: Tensor) -> Tensor:
    """The bias at which a neuron with unit logistic noise fires with this rate."""
    clipped = rate.clamp(RARE, 1 - RARE)
    return torch.log(clipped / (1 - clipped))


def shaken(
    logits: Tensor, amount: float | Tensor, generator: torch.Generator | None, batch_axis: int, shard: Shard
) -> Tensor:
    """Logits with this amount of logistic noise, if there is a generator to draw it; an axis of them is the batch."""
    if generator is None or _nothing(amount):
        return logits
    noise = torch.zeros(logits.shape, device=logits.device)
    return logits + LOGISTIC.add_(noise, amount, generator, batch_axis, shard)


def _nothing(amount: float | Tensor) -> bool:
    """Whether no noise is wanted."""
    return not isinstance(amount, Tensor) and amount == 0


def _amounts(amount: float | Tensor, tracks: Sequence[int], dims: int) -> float | Tensor:
    """The amounts of these tracks, with `dims` axes behind; one for all stays as it is."""
    return amount[list(tracks)].view(-1, *[1] * dims) if isinstance(amount, Tensor) else amount


def neuron(logits: Tensor, temperature: float) -> Tensor:
    """A binary neuron: the value of a hard decision with the gradient of a soft one."""
    soft = torch.sigmoid(logits / temperature)
    return (logits > 0).to(logits.dtype) + (soft - soft.detach())


class ChoiceHead(nn.Module):
    """Notes one after another: one line for a track that plays one note at a time, several for chords.

    Parameters
    ----------
    tracks
        The indices of the tracks served.
    width
        Channels of the features of each track.
    lowest_pitches, pitch_range
        Of all tracks, see `gan.statistics.choose_pitch_ranges`.
    statistics, spec
        Where gates, choices and the pull of motion start.
    voices
        Lines a track. What sounds is whatever any of them plays; the first starts as often as anything sounds in the
        data, the second as often as two notes do, and so on. All of them move as the highest notes of the data do.
    """

    moves: Tensor

    def __init__(
        self,
        tracks: Sequence[int],
        width: int,
        lowest_pitches: Sequence[int],
        pitch_range: int,
        statistics: DataStatistics,
        spec: RollSpec,
        voices: int = 1,
    ) -> None:
        super().__init__()
        self.tracks, self.pitch_range, self.voices = tuple(tracks), pitch_range, voices
        self.choose = TrackLinear(
            len(self.tracks), width, voices * (pitch_range + 1), gain=0.3
        )  # the last place is rest
        self.gate = TrackLinear(len(self.tracks), width, voices, gain=0.3)
        bias = self.choose.bias.detach().view(len(self.tracks), voices, pitch_range + 1)
        metre = torch.zeros(spec.steps_per_bar, len(self.tracks), voices)
        for row, track in enumerate(self.tracks):
            rates = torch.tensor(
                statistics.sounding[track][lowest_pitches[track] : lowest_pitches[track] + pitch_range]
            ).clamp(min=RARE)
            shares = torch.tensor(statistics.voices[track][:voices]).clamp(RARE, 1 - RARE)
            bias[row, :, :pitch_range] = (rates / rates.sum() * shares.unsqueeze(1)).clamp(min=RARE).log()
            bias[row, :, pitch_range] = (1 - shares).log()
            onsets = torch.tensor(statistics.onsets[track]).sum(1, keepdim=True)  # [steps of a bar, 1]
            metre[:, row] = log_odds((onsets * shares / shares.sum()).clamp(RARE_GATE, 1))
        self.metre = nn.Parameter(metre)
        classes = torch.tensor([[spec.lowest_pitch + lowest_pitches[track]] for track in self.tracks]) + torch.arange(
            pitch_range
        )
        self.classes = (classes % 12).unsqueeze(1) == torch.arange(12).view(-1, 1)  # [tracks, 12, pitch_range]
        gains = torch.tensor([statistics.motions[track] for track in self.tracks])
        self.motion = nn.Parameter(gains.unsqueeze(1).repeat(1, voices, 1))  # [tracks, voices, motions]
        reach = gains.shape[1] // 2
        place = torch.arange(pitch_range)
        self.register_buffer("moves", (place - place.unsqueeze(1)).clamp(-reach, reach) + reach, persistent=False)

    @torch.no_grad()
    def lean_on_classes(self, place: int) -> None:
        """Start with twelve features, from `place` on, that say how much each pitch class is wanted."""
        weight = self.choose.weight[:, place : place + 12].view(len(self.tracks), 12, self.voices, self.pitch_range + 1)
        weight.zero_()
        weight[..., :-1] = self.classes.unsqueeze(2).to(weight)

    def forward(
        self,
        x: Tensor,
        amount: float | Tensor,
        temperature: float,
        generator: torch.Generator | None,
        begins: Tensor | None = None,
        shard: Shard = WHOLE,
    ) -> Tensor:
        """Streams `[batch, time, tracks, 2, pitch_range]`, each 0 or 1.

        Parameters
        ----------
        x
            Features `[batch, time, tracks, width]`.
        amount
            Of the noise; one for all, or one for each track of the phrase.
        temperature
            Of the soft decisions that carry the gradient.
        generator
            Draws the noise; without one there is none.
        begins
            Bool `[batch, time, tracks of the phrase]`: where every line begins something new, whatever its gate says.
            All do at the first step.
        shard
            Which rows of a whole batch these are, whose noise they get.
        """
        batch, time, tracks, _ = x.shape
        rows = x.permute(2, 1, 0, 3).reshape(tracks, time * batch, -1)
        lines = (tracks, time, batch, self.voices)
        metre = self.metre.repeat(time // len(self.metre), 1, 1).transpose(0, 1).unsqueeze(2)
        gate = torch.baddbmm(self.gate.bias, rows, self.gate.weight).view(lines) + metre
        gate = shaken(gate, _amounts(amount, self.tracks, 3), generator, batch_axis=2, shard=shard)
        pulls = pad(self.motion[:, :, self.moves], [0, 1, 0, 1])  # [tracks, voices, from, to]; rest goes with any alike
        weight, bias = self.choose.weight, self.choose.bias
        shaker = None if _nothing(amount) else generator
        sparse = shaker is None and not torch.is_grad_enabled()
        with torch.no_grad():
            forced = torch.zeros_like(gate, dtype=torch.bool)
            forced[:, 0] = True  # a phrase begins with something new
            if begins is not None:
                forced |= begins[:, :, list(self.tracks)].permute(2, 1, 0).unsqueeze(3)
            opens = (gate > 0) | forced
            if sparse:
                return streams_of(opens, *follow_open(rows, weight, bias, opens, pulls), self.pitch_range, rows.dtype)
            scores = torch.bmm(rows, weight).add_(bias).view(*lines, self.pitch_range + 1)
            if shaker is not None:
                GUMBEL.add_(scores, _amounts(amount, self.tracks, 4), shaker, batch_axis=2, shard=shard)
            choices, sounds, comes_from = follow(scores, opens, pulls)
        streams: Tensor = Play.apply(  # type: ignore[no-untyped-call]
            rows, weight, bias, gate, pulls, scores, opens, forced, choices, sounds, comes_from, temperature
        )
        return streams


class NeuronHead(nn.Module):
    """Any number of notes at once; parameters as in `ChoiceHead`. Drums strike and never hold."""

    rings: Tensor

    def __init__(
        self,
        tracks: Sequence[int],
        width: int,
        lowest_pitches: Sequence[int],
        pitch_range: int,
        statistics: DataStatistics,
        spec: RollSpec,
    ) -> None:
        super().__init__()
        self.tracks, self.pitch_range = tuple(tracks), pitch_range
        rings = torch.tensor([0.0 if spec.tracks[track].is_drum else 1.0 for track in self.tracks])
        self.register_buffer("rings", rings.view(-1, 1), persistent=False)  # [tracks, 1]
        self.holds = bool(rings.any())
        self.project = TrackLinear(len(self.tracks), width, (2 if self.holds else 1) * pitch_range, gain=0.3)
        windows = [
            torch.tensor(statistics.onsets[track])[:, lowest_pitches[track] : lowest_pitches[track] + pitch_range]
            for track in self.tracks
        ]
        self.metre = nn.Parameter(log_odds(torch.stack(windows, dim=1)))  # [steps of a bar, tracks, pitch_range]
        holds = torch.tensor([statistics.holds[track] for track in self.tracks])
        with torch.no_grad():
            self.project.bias[:, 0, pitch_range:] = log_odds(holds).unsqueeze(1)

    def forward(
        self,
        x: Tensor,
        amount: float | Tensor,
        temperature: float,
        generator: torch.Generator | None,
        begins: Tensor | None = None,
        shard: Shard = WHOLE,
    ) -> Tensor:
        """Streams `[batch, time, tracks, 2, pitch_range]`; all as in `ChoiceHead`, and nothing rings on where
        `begins`.
        """
        out = self.project(x)
        amount = _amounts(amount, self.tracks, 1)
        metre = self.metre.repeat(x.shape[1] // len(self.metre), 1, 1)  # [time, tracks, pitch_range]
        onset = neuron(shaken(out[..., : self.pitch_range] + metre, amount, generator, 0, shard), temperature)
        if not self.holds:
            return torch.stack([onset, onset], dim=3)
        hold = neuron(shaken(out[..., self.pitch_range :], amount, generator, 0, shard), temperature) * self.rings
        if begins is not None:
            hold = hold * ~begins[:, :, list(self.tracks)].unsqueeze(3)
        now = torch.zeros_like(onset[:, 0])
        sounding = []
        for struck, kept in zip(onset.unbind(1), hold.unbind(1), strict=True):
            now = struck + (1 - struck) * kept * now
            sounding.append(now)
        return torch.stack([torch.stack(sounding, dim=1), onset], dim=3)

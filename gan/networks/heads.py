"""Note heads, the last layers: from features to notes that are there or not, with straight-through gradients.

Straight-through (Bengio et al., arXiv 1308.3432): forward the hard decision, backward the soft one. Both heads start at
the data's rates and are noisy at first: noise makes silent notes sound now and then, so that the discriminator can ask
for them.

`ChoiceHead` makes monophonic voices: a gate says at each step whether something new begins, and if so a Gumbel-softmax
choice (Jang et al., arXiv 1611.01144) says which pitch, or rest; otherwise what sounds goes on. Length, repetition and
rest are then one decision each, and the gradient of a choice sums over all steps of its note. All of it is worked out
in whole numbers (`gan.ops.monophonic_voices`), with the gradients of the dense calculation. A transition prior adds to
each choice how usual it is in the data to move there from the last pitch: melodies mostly go by step, and features
alone would have to place every pitch anew.

`NeuronHead`, for drums, has two of MuseGAN's binary neurons (arXiv 1804.09399) for each pitch: one makes an onset, the
other holds the note while it sounds (drums never hold, and have the first only).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gan.networks.layers import TrackLinear
from gan.ops.monophonic_voices import VoicesToStreams, decode_open_gates, decode_voices, voices_to_streams
from gan.ops.noise import GUMBEL, LOGISTIC
from gan.ops.shard import WHOLE, Shard
from gan.spec import RollSpec
from gan.statistics import DataStatistics

MIN_RATE = 1e-4
"""No start rate is below this, so that every pitch of the pitch range can still be learnt."""
MIN_GATE_RATE = 2e-3
"""No gate opens more rarely than this at first; notes between the beats would never be tried."""
TEMPERATURE = 1.0
"""Of the soft decisions that carry the gradient; the decisions themselves are always hard."""


def log_odds(rate: Tensor) -> Tensor:
    """The bias at which a neuron with unit logistic noise fires with this rate."""
    clipped = rate.clamp(MIN_RATE, 1 - MIN_RATE)
    return torch.log(clipped / (1 - clipped))


def add_logistic_noise(
    logits: Tensor, amount: float | Tensor, generator: torch.Generator | None, batch_axis: int, shard: Shard
) -> Tensor:
    """Logits with this amount of logistic noise, if there is a generator to draw it; an axis of them is the batch."""
    if generator is None or _is_silent(amount):
        return logits
    noise = torch.zeros(logits.shape, device=logits.device)
    return logits + LOGISTIC.add_(noise, amount, generator, batch_axis, shard)


def _is_silent(amount: float | Tensor) -> bool:
    """Whether there is no noise."""
    return not isinstance(amount, Tensor) and amount == 0


def _amounts(amount: float | Tensor, tracks: Sequence[int], dims: int) -> float | Tensor:
    """The amounts of these tracks, with `dims` axes behind; one for all stays as it is."""
    return amount[list(tracks)].view(-1, *[1] * dims) if isinstance(amount, Tensor) else amount


def binary_neuron(logits: Tensor) -> Tensor:
    """A binary neuron: the value of a hard decision with the gradient of a soft one."""
    soft = torch.sigmoid(logits / TEMPERATURE)
    return (logits > 0).to(logits.dtype) + (soft - soft.detach())


class ChoiceHead(nn.Module):
    """Monophonic voices: one for a track that plays one note at a time, several for chords.

    Parameters
    ----------
    tracks
        The indices of the tracks served.
    width
        Channels of the features of each track.
    lowest_pitches, pitch_range
        Of all tracks, see `gan.statistics.choose_pitch_ranges`.
    statistics, spec
        Where gates, choices and the transition prior start.
    voices
        Voices a track. What sounds is whatever any of them plays; the first starts as often as anything sounds in the
        data, the second as often as two notes do, and so on. All of them move as the highest notes of the data do.
    """

    intervals: Tensor

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
            ).clamp(min=MIN_RATE)
            shares = torch.tensor(statistics.voices[track][:voices]).clamp(MIN_RATE, 1 - MIN_RATE)
            bias[row, :, :pitch_range] = (rates / rates.sum() * shares.unsqueeze(1)).clamp(min=MIN_RATE).log()
            bias[row, :, pitch_range] = (1 - shares).log()
            onsets = torch.tensor(statistics.onsets[track]).sum(1, keepdim=True)  # [steps of a bar, 1]
            metre[:, row] = log_odds((onsets * shares / shares.sum()).clamp(MIN_GATE_RATE, 1))
        self.metre = nn.Parameter(metre)
        classes = torch.tensor([[spec.lowest_pitch + lowest_pitches[track]] for track in self.tracks]) + torch.arange(
            pitch_range
        )
        self.classes = (classes % 12).unsqueeze(1) == torch.arange(12).view(-1, 1)  # [tracks, 12, pitch_range]
        gains = torch.tensor([statistics.motions[track] for track in self.tracks])
        self.transition_prior = nn.Parameter(gains.unsqueeze(1).repeat(1, voices, 1))  # [tracks, voices, intervals]
        reach = gains.shape[1] // 2
        place = torch.arange(pitch_range)
        intervals = (place - place.unsqueeze(1)).clamp(-reach, reach) + reach
        self.register_buffer("intervals", intervals, persistent=False)  # [from, to]

    @torch.no_grad()
    def start_from_pitch_classes(self, place: int) -> None:
        """Initialise the weights of twelve features (from `place` on) as pitch-class logits."""
        weight = self.choose.weight[:, place : place + 12].view(len(self.tracks), 12, self.voices, self.pitch_range + 1)
        weight.zero_()
        weight[..., :-1] = self.classes.unsqueeze(2).to(weight)

    def forward(
        self,
        x: Tensor,
        amount: float | Tensor,
        generator: torch.Generator | None,
        forced_onsets: Tensor | None = None,
        shard: Shard = WHOLE,
    ) -> Tensor:
        """Streams `[batch, time, tracks, 2, pitch_range]`, each 0 or 1.

        Parameters
        ----------
        x
            Features `[batch, time, tracks, width]`.
        amount
            Of the noise; one for all, or one for each track of the phrase.
        generator
            Draws the noise; without one there is none.
        forced_onsets
            Bool `[batch, time, tracks of the phrase]`: where every voice begins something new, whatever its gate
            says. All do at the first step.
        shard
            Which rows of a whole batch these are, whose noise they get.
        """
        batch, time, tracks, _ = x.shape
        rows = x.permute(2, 1, 0, 3).reshape(tracks, time * batch, -1)
        shape = (tracks, time, batch, self.voices)
        metre = self.metre.repeat(time // len(self.metre), 1, 1).transpose(0, 1).unsqueeze(2)
        gate = torch.baddbmm(self.gate.bias, rows, self.gate.weight).view(shape) + metre
        gate = add_logistic_noise(gate, _amounts(amount, self.tracks, 3), generator, batch_axis=2, shard=shard)
        prior = self.transition_prior[:, :, self.intervals]  # [tracks, voices, from, to]
        transitions = pad(prior, [0, 1, 0, 1])  # to and from rest nothing is more usual
        weight, bias = self.choose.weight, self.choose.bias
        noise = None if _is_silent(amount) else generator
        sparse = noise is None and not torch.is_grad_enabled()
        with torch.no_grad():
            forced = torch.zeros_like(gate, dtype=torch.bool)
            forced[:, 0] = True  # a phrase begins with something new
            if forced_onsets is not None:
                forced |= forced_onsets[:, :, list(self.tracks)].permute(2, 1, 0).unsqueeze(3)
            opens = (gate > 0) | forced
            if sparse:
                choices, playing = decode_open_gates(rows, weight, bias, opens, transitions)
                return voices_to_streams(opens, choices, playing, self.pitch_range, rows.dtype)
            scores = torch.bmm(rows, weight).add_(bias).view(*shape, self.pitch_range + 1)
            if noise is not None:
                GUMBEL.add_(scores, _amounts(amount, self.tracks, 4), noise, batch_axis=2, shard=shard)
            choices, playing, origins = decode_voices(scores, opens, transitions)
        streams: Tensor = VoicesToStreams.apply(  # type: ignore[no-untyped-call]
            rows, weight, bias, gate, transitions, scores, opens, forced, choices, playing, origins, TEMPERATURE
        )
        return streams


class NeuronHead(nn.Module):
    """Two binary neurons a pitch: any number of notes at once; parameters as in `ChoiceHead`. Drums never hold."""

    can_hold: Tensor

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
        can_hold = torch.tensor([0.0 if spec.tracks[track].is_drum else 1.0 for track in self.tracks])
        self.register_buffer("can_hold", can_hold.view(-1, 1), persistent=False)  # [tracks, 1]
        self.any_holds = bool(can_hold.any())
        self.project = TrackLinear(len(self.tracks), width, (2 if self.any_holds else 1) * pitch_range, gain=0.3)
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
        generator: torch.Generator | None,
        forced_onsets: Tensor | None = None,
        shard: Shard = WHOLE,
    ) -> Tensor:
        """Streams `[batch, time, tracks, 2, pitch_range]`; all as in `ChoiceHead`, and nothing is held over where
        `forced_onsets` are.
        """
        out = self.project(x)
        amount = _amounts(amount, self.tracks, 1)
        metre = self.metre.repeat(x.shape[1] // len(self.metre), 1, 1)  # [time, tracks, pitch_range]
        onset_logits, hold_logits = out[..., : self.pitch_range] + metre, out[..., self.pitch_range :]
        onset = binary_neuron(add_logistic_noise(onset_logits, amount, generator, 0, shard))
        if not self.any_holds:
            return torch.stack([onset, onset], dim=3)
        hold = binary_neuron(add_logistic_noise(hold_logits, amount, generator, 0, shard)) * self.can_hold
        if forced_onsets is not None:
            hold = hold * ~forced_onsets[:, :, list(self.tracks)].unsqueeze(3)
        now = torch.zeros_like(onset[:, 0])
        sounding = []
        for started, held in zip(onset.unbind(1), hold.unbind(1), strict=True):
            now = started + (1 - started) * held * now
            sounding.append(now)
        return torch.stack([torch.stack(sounding, dim=1), onset], dim=3)

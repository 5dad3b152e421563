"""Reading a phrase: the part that discriminator and encoder have in common, notes in and features out.

A reader is told which notes were given, and what was wished for, so that it can say whether the rest fits.
Beside the two streams it gets chroma over all pitched tracks, the intervals between each pair of tracks, and the
melodic intervals along each track. Steps are read first, then beats, then bars, then the phrase, as MuseGAN's bar and
phrase encoders do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from gan.given import Asked, spread_mask
from gan.layers import TimeBlock, activate, linear, shifted
from gan.rolls import SOUNDING, fold_streams
from gan.settings import ModelSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics, choose_compass
from gan.wishes import WishEncoder

MOTION_PERIOD = 36
"""Melodic intervals are told apart up to half of this, in semitones."""
LAGS_PER_BEAT = (0.25, 1.0)
"""Melodic intervals are taken to the pitch a quarter of a beat and a beat before."""


def fourier(places: int, period: int) -> Tensor:
    """`[places, 2 (period // 2 + 1)]`: counts to the real and imaginary parts of a period's frequencies.

    Of chroma with period 12 it is the transform of Quinn (2006) and Amiot (2016).
    """
    angles = torch.arange(places).view(-1, 1) * torch.arange(period // 2 + 1) * (2 * math.pi / period)
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def intervals(upper: Sequence[Tensor], lower: Sequence[Tensor]) -> Tensor:
    """How the notes of one count lie above those of another, `[..., 2 n]`, as a Fourier transform.

    Each argument is a real and an imaginary part `[..., n]`. Their cross-spectrum is the transform of "how many pairs
    of notes lie 0, 1, 2 ... semitones apart", modulo the period; a linear layer reads either, and this one takes no
    products of all pairs of pitches.
    """
    real = upper[0] * lower[0] + upper[1] * lower[1]
    imaginary = upper[1] * lower[0] - upper[0] * lower[1]
    return torch.cat([real, imaginary], dim=-1)


class Reader(nn.Module):
    """Features of phrases of one `RollSpec`: of each bar, and of the whole."""

    fold: Tensor
    fourier: Tensor
    lines: Tensor

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: ModelSettings) -> None:
        super().__init__()
        self.spec = spec
        self.lows, self.compass = choose_compass(statistics, spec, settings.compass_share)
        self.harmony = settings.harmony and bool(spec.pitched)
        self.lags = sorted({max(1, round(lag * spec.steps_per_beat)) for lag in LAGS_PER_BEAT})
        self.pairs = list(combinations(range(len(spec.pitched)), 2))
        self.register_buffer(
            "fold", fold_streams(spec, self.lows, self.compass), persistent=False
        )  # [pitched, compass, 12]
        self.register_buffer("fourier", fourier(12, 12), persistent=False)  # [12, 14]
        self.register_buffer("lines", fourier(self.compass, MOTION_PERIOD), persistent=False)  # [compass, 38]

        inputs = spec.num_tracks * (2 * self.compass + 1)
        self.wishes = WishEncoder(spec, statistics)
        if self.harmony:
            inputs += 12 + 14 * len(self.pairs) + 2 * (MOTION_PERIOD // 2 + 1) * len(self.lags) * len(spec.pitched)
        step, beat = settings.step_width, settings.beat_width
        self.enter = linear(inputs, step)  # [batch, time, step]
        self.position = nn.Parameter(torch.zeros(spec.steps_per_bar, step))
        self.steps = TimeBlock(step, 1)  # [batch, time, step]
        self.ask = linear(self.wishes.size, beat)  # [batch, beat]
        self.to_beats = linear(spec.steps_per_beat * step, beat)  # [batch, beats, beat]
        self.beats = TimeBlock(beat, 1)  # [batch, beats, beat]
        self.to_bars = linear(spec.beats_per_bar * beat, beat)  # [batch, bars, beat]
        self.to_phrase = linear(spec.bars * beat, beat)  # [batch, beat]

    def chroma(self, streams: Tensor) -> Tensor:
        """How many notes of each pitch class sound in each pitched track: `[batch, time, pitched, 12]`."""
        sounding = streams[:, :, list(self.spec.pitched), SOUNDING]
        return torch.einsum("btkp,kpc->btkc", sounding, self.fold)

    def harmony_streams(self, streams: Tensor) -> Tensor:
        """Chroma of all tracks, intervals between tracks, motion along tracks (octaves apart): `[batch, time, ...]`."""
        chroma = self.chroma(streams)
        spectrum = chroma @ self.fourier
        waves = spectrum[..., :7], spectrum[..., 7:]  # real and imaginary, [batch, time, pitched, 7]
        parts = [chroma.sum(2)]
        if self.pairs:
            first, second = ([pair[place] for pair in self.pairs] for place in (0, 1))
            upper, lower = ([wave[:, :, chosen] for wave in waves] for chosen in (first, second))
            parts.append(intervals(upper, lower).flatten(2))
        height = (streams[:, :, list(self.spec.pitched), SOUNDING] @ self.lines).tensor_split(2, dim=-1)
        for lag in self.lags:
            parts.append(intervals(height, [shifted(wave, lag) for wave in height]).flatten(2))
        return torch.cat(parts, dim=2)

    def forward(self, streams: Tensor, asked: Asked) -> tuple[Tensor, Tensor]:
        """Bars `[batch, bars, beat]` and phrases `[batch, beat]` of streams `[batch, time, tracks, 2, compass]`."""
        parts = [streams.flatten(2), spread_mask(asked.mask, self.spec).to(streams)]
        x = torch.cat([*parts, self.harmony_streams(streams)] if self.harmony else parts, dim=2)
        spec, batch = self.spec, len(streams)
        x = self.enter(x).view(batch, spec.bars, spec.steps_per_bar, -1) + self.position
        x = activate(self.steps(x.flatten(1, 2)))  # [batch, time, step]
        x = self.to_beats(x.reshape(batch, spec.bars * spec.beats_per_bar, -1))  # [batch, beats, beat]
        x = x + self.ask(self.wishes(asked.wishes)).unsqueeze(1)
        x = activate(self.beats(x)).reshape(batch, spec.bars, -1)  # [batch, bars, beats of a bar * beat]
        bars = activate(self.to_bars(x))  # [batch, bars, beat]
        phrase = activate(self.to_phrase(bars.flatten(1)))  # [batch, beat]
        return bars, phrase

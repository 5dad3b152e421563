"""Reading a phrase: the part that discriminator and encoder have in common, notes in and features out.

A reader is told which notes were given, and what was wished for, so that it can say whether the rest fits.
Beside the two streams it gets chroma over all pitched tracks, the intervals between each pair of tracks, and
the melodic intervals along each track. Steps are read first, then beats, then bars, then the phrase, as MuseGAN's bar
and phrase encoders do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan.conditions import ConditionEncoder
from gan.context import Conditioning
from gan.networks.layers import TimeBlock, activate, linear
from gan.ops.cross_spectra import Plan, Products, Read
from gan.rolls import fold_streams
from gan.settings import ModelSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics, choose_pitch_ranges

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


class Reader(nn.Module):
    """Features of phrases of one `RollSpec`: of each bar, and of the whole."""

    maps: Tensor

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: ModelSettings) -> None:
        super().__init__()
        self.spec = spec
        self.lowest_pitches, self.pitch_range = choose_pitch_ranges(statistics, spec, settings.pitch_range_share)
        lags = sorted({max(1, round(lag * spec.steps_per_beat)) for lag in LAGS_PER_BEAT})
        fold = fold_streams(spec, self.lowest_pitches, self.pitch_range)  # [pitched, pitch_range, 12]
        lines = fourier(self.pitch_range, MOTION_PERIOD).expand(len(fold), -1, -1)  # [pitched, pitch_range, 38]
        maps = torch.cat([fold, fold @ fourier(12, 12), lines], dim=2)
        self.register_buffer("maps", maps, persistent=False)  # [pitched, pitch_range, 12 + 14 + 38]
        self.plan: Plan | None = None
        if settings.harmony and spec.pitched:
            self.plan = Plan(len(spec.pitched), 12, 7, MOTION_PERIOD // 2 + 1, lags, spec.num_steps)

        notes = spec.num_tracks * 2 * self.pitch_range
        self.inputs = [notes, spec.num_tracks, *([self.plan.size] if self.plan else [])]
        self.conditions = ConditionEncoder(spec, statistics.examples, statistics.num_styles)
        step, beat = settings.step_width, settings.beat_width
        self.enter = linear(sum(self.inputs), step)  # [batch, time, step]
        self.position = nn.Parameter(torch.zeros(spec.steps_per_bar, step))
        self.steps = TimeBlock(step, 1)  # [batch, time, step]
        self.ask = linear(self.conditions.size, beat)  # [batch, beat]
        self.to_beats = linear(spec.steps_per_beat * step, beat)  # [batch, beats, beat]
        self.beats = TimeBlock(beat, 1)  # [batch, beats, beat]
        self.to_bars = linear(spec.beats_per_bar * beat, settings.bar_width)  # [batch, bars, bar]
        self.to_phrase = linear(spec.bars * settings.bar_width, settings.bar_width)  # [batch, bar]

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def enter_steps(self, streams: Tensor) -> Tensor:
        """What is read of each step, `[batch * time, step]`; compilers leave it as it is.

        Beside the notes it is chroma of all tracks, intervals between tracks, motion along tracks (octaves
        apart), see `gan.ops.cross_spectra`.
        """
        notes, _, *harmony = torch.split(self.enter.weight, self.inputs, dim=1)
        bias = self.enter.bias
        if self.plan is None:
            return torch.addmm(bias, streams.flatten(2).flatten(0, 1), notes.t())
        x, heard = Read.apply(streams, notes, bias, self.spec.pitched, self.maps)  # type: ignore[no-untyped-call]
        return torch.addmm(x, Products.apply(heard, self.plan).t(), harmony[0].t())  # type: ignore[no-untyped-call]

    def forward(self, streams: Sequence[Tensor], asked: Conditioning) -> tuple[Tensor, Tensor]:
        """Bars `[batch, bars, bar]` and phrases `[batch, bar]` of streams `[batch, time, tracks, 2, pitch_range]`.

        The batches, one or several, were all asked the same; their features come one behind the other.
        """
        spec, times = self.spec, len(streams)
        batch = sum(map(len, streams))
        x = torch.cat([self.enter_steps(one) for one in streams])  # [batch * time, step]
        slots = torch.split(self.enter.weight, self.inputs, dim=1)[1]
        given = asked.mask.transpose(1, 2).to(slots) @ slots.t()  # [one batch, bars, step]
        place = given.unsqueeze(2) + self.position  # [one batch, bars, steps of a bar, step]
        x = x.view(times, len(place), spec.bars, spec.steps_per_bar, -1) + place
        x = activate(self.steps(x.view(batch, spec.num_steps, -1)))  # [batch, time, step]
        x = self.to_beats(x.view(batch, spec.bars * spec.beats_per_bar, -1))  # [batch, beats, beat]
        x = x + self.ask(self.conditions(asked.conditions)).repeat(times, 1).unsqueeze(1)
        x = activate(self.beats(x)).view(batch, spec.bars, -1)  # [batch, bars, beats of a bar * beat]
        bars = activate(self.to_bars(x))  # [batch, bars, bar]
        phrase = activate(self.to_phrase(bars.flatten(1)))  # [batch, bar]
        return bars, phrase

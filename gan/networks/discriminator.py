"""The discriminator: phrases in, one score each. Steps, beats, bars and the phrase are encoded in turn, as by MuseGAN.

Beside the notes the encoder gets chroma over all pitched tracks, the intervals between each pair of tracks, and the
melodic intervals along each track (`gan.ops.cross_spectra`). It is told which bars were
given, and of which tracks nothing is known. The conditions it does not read: so it looks for what is real, not for what
was requested, and phrases resampled by it come nearer to the data.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gan.conditions import no_conditions
from gan.context import Conditioning
from gan.interface import PhraseDiscriminator
from gan.networks.layers import TimeBlock, activate, linear
from gan.ops.cross_spectra import CrossSpectra, SpectraLayout, StreamProjection, fourier
from gan.rolls import stream_pitch_classes, to_streams
from gan.settings import AlbumGANSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics, choose_pitch_ranges

MOTION_PERIOD = 36
"""Melodic intervals are told apart up to half of this, in semitones."""
CALIBRATION_RATE = 0.02
"""Weight of a batch in the running means that calibrate the logits."""
MAX_SHARPNESS = 10.0
LAGS_PER_BEAT = (0.25, 1.0)
"""Melodic intervals are taken to the pitch a quarter of a beat and a beat before."""


class PhraseEncoder(nn.Module):
    """Features of phrases of one `RollSpec`: of each bar, and of the whole."""

    maps: Tensor

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: AlbumGANSettings) -> None:
        super().__init__()
        self.spec = spec
        self.lowest_pitches, self.pitch_range = choose_pitch_ranges(statistics, spec)
        lags = sorted({max(1, round(lag * spec.steps_per_beat)) for lag in LAGS_PER_BEAT})
        classes = stream_pitch_classes(spec, self.lowest_pitches, self.pitch_range)  # [pitched, pitch_range, 12]
        motion = fourier(self.pitch_range, MOTION_PERIOD).expand(len(classes), -1, -1)  # [pitched, pitch_range, 38]
        maps = torch.cat([classes, classes @ fourier(12, 12), motion], dim=2)
        self.register_buffer("maps", maps, persistent=False)  # [pitched, pitch_range, 12 + 14 + 38]
        self.spectra: SpectraLayout | None = None
        if spec.pitched:
            self.spectra = SpectraLayout(len(spec.pitched), 12, 7, MOTION_PERIOD // 2 + 1, lags, spec.num_steps)

        notes = spec.num_tracks * 2 * self.pitch_range
        self.inputs = [notes, spec.num_tracks, *([self.spectra.size] if self.spectra else [])]
        step, beat = settings.step_width, settings.beat_width
        self.to_steps = linear(sum(self.inputs), step)  # [batch, time, step]
        self.position = nn.Parameter(torch.zeros(spec.steps_per_bar, step))
        self.unknown = nn.Parameter(torch.zeros(spec.num_tracks, step))
        self.steps = TimeBlock(step, 1)  # [batch, time, step]
        self.to_beats = linear(spec.steps_per_beat * step, beat)  # [batch, beats, beat]
        self.beats = TimeBlock(beat, 1)  # [batch, beats, beat]
        self.to_bars = linear(spec.beats_per_bar * beat, settings.bar_width)  # [batch, bars, bar]
        self.to_phrase = linear(spec.bars * settings.bar_width, settings.bar_width)  # [batch, bar]

    def encode_steps(self, streams: Tensor) -> Tensor:
        """Notes, chroma, intervals and motion of each step, `[batch * time, step]`."""
        notes, _, *harmony = torch.split(self.to_steps.weight, self.inputs, dim=1)
        bias = self.to_steps.bias
        if self.spectra is None:
            return torch.addmm(bias, streams.flatten(2).flatten(0, 1), notes.t())
        x, features = StreamProjection.apply(  # type: ignore[no-untyped-call]
            streams, notes, bias, self.spec.pitched, self.maps
        )
        spectra = CrossSpectra.apply(features, self.spectra)  # type: ignore[no-untyped-call]
        return torch.addmm(x, spectra.t(), harmony[0].t())

    def forward(self, streams: Sequence[Tensor], conditioning: Conditioning) -> tuple[Tensor, Tensor]:
        """Bars `[batch, bars, bar]` and phrases `[batch, bar]` of streams `[batch, time, tracks, 2, pitch_range]`.

        The batches, one or several, have the same conditioning; their features come one behind the other.
        """
        return self.encode_phrases(torch.cat([self.encode_steps(one) for one in streams]), conditioning, len(streams))

    def encode_phrases(self, x: Tensor, conditioning: Conditioning, times: int) -> tuple[Tensor, Tensor]:
        """What `forward` gives for steps `[batch * time, step]` of so many batches."""
        spec, batch = self.spec, x.shape[0] // self.spec.num_steps
        slots = torch.split(self.to_steps.weight, self.inputs, dim=1)[1]
        given = conditioning.mask.transpose(1, 2).to(slots) @ slots.t()  # [one batch, bars, step]
        if conditioning.known is not None:
            given = given + ((~conditioning.known).to(slots) @ self.unknown).unsqueeze(1)
        place = given.unsqueeze(2) + self.position  # [one batch, bars, steps of a bar, step]
        x = x.view(times, place.shape[0], spec.bars, spec.steps_per_bar, -1) + place
        x = activate(self.steps(x.view(batch, spec.num_steps, -1)))  # [batch, time, step]
        x = self.to_beats(x.view(batch, spec.bars * spec.beats_per_bar, -1))  # [batch, beats, beat]
        x = activate(self.beats(x)).view(batch, spec.bars, -1)  # [batch, bars, beats of a bar * beat]
        bars = activate(self.to_bars(x))  # [batch, bars, bar]
        phrase = activate(self.to_phrase(bars.flatten(1)))  # [batch, bar]
        return bars, phrase


class Discriminator(PhraseDiscriminator):
    """Scores phrases of one `RollSpec`: higher is more like the data. Bars and phrase are scored.

    Starts undecided: its last layers start small. A phrase's score depends on nothing but the phrase.
    """

    moments: Tensor

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: AlbumGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        self.encoder = PhraseEncoder(spec, statistics, settings)
        self.score_bars = linear(settings.bar_width, 1, gain=0.1)  # [batch, bars, 1]
        self.score_phrase = linear(settings.bar_width, 1, gain=0.1)  # [batch, 1]
        self.register_buffer(
            "moments", torch.zeros(2)
        )  # how far real and generated logits lie apart, and their variance

    def compute(self, streams: Sequence[Tensor], conditioning: Conditioning) -> tuple[Tensor, Tensor]:
        """All but the last layers: features of bars and of phrases."""
        bars, phrase = self.encoder(streams, conditioning)
        return bars, phrase

    def leave_uncompiled(self) -> None:
        """The encoder's steps; they are marked only here since the compiler takes a second to import."""
        steps = torch.compiler.disable(self.encoder.encode_steps)  # type: ignore[no-untyped-call]
        self.encoder.encode_steps = steps  # type: ignore[method-assign]

    def forward(self, *streams: Tensor, conditioning: Conditioning | None = None) -> Tensor:
        """Logits `[batch]` of streams `[batch, time, tracks, 2, pitch_range]`.

        Several batches of the same conditioning may be scored at once; their logits come one behind the other.
        """
        return self.logits(*self.fast_compute(streams, conditioning or self._unconditional(len(streams[0]))))

    def logits(self, bars: Tensor, phrases: Tensor) -> Tensor:
        """The last layers: features `[batch, bars, bar]` and `[batch, bar]` to `[batch]`."""
        logits: Tensor = self.score_phrase(phrases).squeeze(1) + self.score_bars(bars).mean((1, 2))
        return logits

    @torch.no_grad()
    def calibrate(self, real_logits: Tensor, fake_logits: Tensor) -> None:
        """Take in logits `[batch]` of real and generated phrases, as running means."""
        variance = (real_logits.var() + fake_logits.var()) / 2
        found = torch.stack([real_logits.mean() - fake_logits.mean(), variance])
        self.moments.lerp_(found, torch.where(self.moments.any(), CALIBRATION_RATE, 1.0))

    @property
    def sharpness(self) -> float:
        """Factor that makes logits the logarithm of a density ratio, were both sides Gaussian (linear discriminant)."""
        return float(self.density_sharpness())

    def density_sharpness(self) -> Tensor:
        """`sharpness` as a number that stays on the device, float64."""
        gap, variance = self.moments.double()
        sharpness: Tensor = (gap / variance.clamp(min=1e-6)).clamp(0.0, MAX_SHARPNESS)
        return sharpness

    def _unconditional(self, batch: int) -> Conditioning:
        """No conditions, and nothing given."""
        spec, device = self.spec, self.score_phrase.weight.device
        conditions = no_conditions(batch, spec).to(device)
        return Conditioning(conditions, torch.zeros(batch, spec.num_tracks, spec.bars, dtype=torch.bool, device=device))

    @torch.no_grad()
    def score(self, rolls: Tensor, conditioning: Conditioning | None = None) -> Tensor:
        """Logits `[batch]` of bool rolls `[batch, *spec.shape]`, to rank phrases by."""
        streams = to_streams(rolls, self.encoder.lowest_pitches, self.encoder.pitch_range)
        logits: Tensor = self(streams, conditioning=conditioning)
        return logits

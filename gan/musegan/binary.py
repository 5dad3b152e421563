"""BinaryMuseGAN: a generator, then a refiner that makes binary notes of its numbers (Dong and Yang, arXiv 1804.09399).

Layers, filters and first weights are those of the authors' presets `proposed` in
`salu133445/bmusegan:musegan/bmusegan/presets/phrase/`, which have 96 steps a bar; counts in the comments are for
`model.filters=32`, sizes for 4 bars of 16 steps and 84 pitches. Where those split 24 steps a beat into 4 (shared by all
tracks) times 6 (each track's own), other beats are split likewise; 4 steps are 4 times 1.

0 is silence, 1 is sound. The paper's one latent vector of 128 numbers is made of z and z_time here, half each.
The batch norm is one: the authors' code never updates the statistics of its own, so that there it is a scale.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.latents import Latents
from gan.musegan.layers import grow, initialise, octave_growth, shared_factor, shrink
from gan.musegan.neurons import annealed_slope, binary
from gan.musegan.rolls import OCTAVE, SoundingDiscriminator, SoundingGenerator, num_octaves, octaves
from gan.seeds import mix_seed
from gan.settings import BinaryMuseGANSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics

SCALE = (0.0, 1.0)
REFINER_KERNEL = (1, 3, 12)
"""Of the residual units with silence around."""


class TrackGenerator(nn.Module):
    """A track's own part of the generator: pitch then time beside time then pitch, merged."""

    def __init__(self, steps: int, filters: int) -> None:
        super().__init__()
        time, pitch = (1, steps, 1), (1, 1, OCTAVE)
        wide, slim = 2 * filters, filters
        self.pitch_time = nn.Sequential(grow(wide, wide, pitch, pitch), grow(wide, slim, time, time))  # 64, 32
        self.time_pitch = nn.Sequential(grow(wide, wide, time, time), grow(wide, slim, pitch, pitch))  # 64, 32
        self.merge = nn.Sequential(nn.ConvTranspose3d(2 * slim, 1, 1), nn.BatchNorm3d(1), nn.Sigmoid())

    def forward(self, shared: Tensor) -> Tensor:
        """`[batch, 64, bars, 16, 7]` to `[batch, 1, bars, steps, octaves * 12]`, 0 to 1."""
        merged: Tensor = self.merge(torch.cat([self.pitch_time(shared), self.time_pitch(shared)], dim=1))
        return merged


class FirstStage(nn.Module):
    """The generator of the first stage: a part shared by all tracks, and one for each."""

    def __init__(self, size: int, spec: RollSpec, filters: int) -> None:
        super().__init__()
        self.spec = spec
        pair, beats = min(2, spec.bars), spec.beats_per_bar
        self.places, self.width = spec.bars - pair + 1, 16 * filters
        self.enter = nn.Linear(size, self.places * self.width)  # 512 x 3 bars
        self.norm = nn.BatchNorm1d(self.places * self.width)
        shared = shared_factor(spec.steps_per_beat)
        first, second = octave_growth(num_octaves(spec))
        self.shared = nn.Sequential(
            grow(16 * filters, 8 * filters, (pair, 1, 1), (1, 1, 1)),  # 256 x 4 bars
            grow(8 * filters, 4 * filters, (1, beats, 1), (1, beats, 1)),  # 128 x 4 x 4 beats
            grow(4 * filters, 4 * filters, (1, 1, first), (1, 1, first)),  # 128 x 4 x 4 x 3
            grow(4 * filters, 2 * filters, (1, shared, 1), (1, shared, 1)),  # 64 x 4 x 16 x 3
            grow(2 * filters, 2 * filters, (1, 1, second), (1, 1, 2)),  # 64 x 4 x 16 x 7
        )
        own = spec.steps_per_beat // shared
        self.tracks = nn.ModuleList(TrackGenerator(own, filters) for _ in spec.tracks)

    def forward(self, vector: Tensor) -> Tensor:
        """`[batch, size]` to `[batch, tracks, bars, steps, pitches]`, 0 to 1."""
        x = torch.relu(self.norm(self.enter(vector))).view(len(vector), self.places, self.width)
        shared = self.shared(x.transpose(1, 2)[..., None, None])
        made = torch.cat([track(shared) for track in self.tracks], dim=1)
        return made[..., : self.spec.num_pitches]


def residual_unit(filters: int) -> nn.Sequential:
    """What a residual unit of the refiner adds to a track: norm, ReLU and convolution, twice."""
    steps, pitches = REFINER_KERNEL[1], REFINER_KERNEL[2]
    around = ((pitches - 1) // 2, pitches // 2, (steps - 1) // 2, steps // 2, 0, 0)
    layers: list[nn.Module] = []
    for inputs, outputs in ((1, filters), (filters, 1)):
        layers += [nn.BatchNorm3d(inputs), nn.ReLU(), nn.ConstantPad3d(around, 0.0)]
        layers.append(nn.Conv3d(inputs, outputs, REFINER_KERNEL))
    return nn.Sequential(*layers)


class Refiner(nn.Module):
    """Two residual units for one track; the sizes stay. Zero divides silence from sound."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.units = nn.ModuleList(residual_unit(filters) for _ in range(2))

    def start(self) -> None:
        """Begin near the cut at one half that makes notes of the first stage, not with all pitches sounding."""
        last = self.units[-1][-1]  # type: ignore[index]
        nn.init.constant_(last.bias, -sum(SCALE) / 2)

    def forward(self, track: Tensor) -> Tensor:
        """`[batch, 1, bars, steps, pitches]`, real numbers in and out."""
        for unit in self.units:
            track = track + unit(track)
        return track


class BinaryGenerator(SoundingGenerator):
    """Generator and refiner, trained one after the other.

    Before step `model.pretrain_steps` the generator learns and its numbers are the phrases. From then on it is fixed,
    and the refiner learns to make binary ones of them. `model.neurons` chooses between deterministic neurons and
    stochastic ones; the latter draw the same numbers for the same latents when they are sampled.
    """

    SCALE = SCALE
    settings: BinaryMuseGANSettings
    refining: Tensor
    slope: Tensor

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: BinaryMuseGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        self.first = FirstStage(2 * settings.latent_size, spec, settings.filters)
        self.refiners = nn.ModuleList(Refiner(2 * settings.filters) for _ in spec.tracks)
        self.register_buffer("refining", torch.tensor(False))
        self.register_buffer("slope", torch.tensor(1.0))
        initialise(self)
        for refiner in self.refiners:
            refiner.start()  # type: ignore[operator]

    @property
    def final_phase_start(self) -> int:
        """When the refiner has learnt for the first time."""
        return self.settings.pretrain_steps + 1

    def begin_step(self, step: int) -> None:
        """Enter the second stage when it is time, and steepen its neurons."""
        done = step - self.settings.pretrain_steps
        self.refining.fill_(done >= 0)
        self.slope.fill_(annealed_slope(done))
        self.first.requires_grad_(done < 0)
        self.first.train(self.training and done < 0)

    def compute(self, latents: Latents, generator: torch.Generator | None = None) -> Tensor:
        """`[batch, tracks, bars, steps, pitches]`: 0 to 1 in the first stage, 0 or 1 in the second."""
        phrases = self.first(torch.cat([latents.z, latents.z_time], dim=1))
        if not self.refining:
            return phrases  # type: ignore[no-any-return]
        draws = None
        if self.settings.neurons == "stochastic":
            draws = torch.rand(phrases.shape, generator=generator, device=phrases.device)
        return self.refine(phrases, draws)

    def refine(self, phrases: Tensor, draws: Tensor | None) -> Tensor:
        """Binary phrases out of real ones; see `binary` for the draws."""
        refined = [refiner(phrases[:, track : track + 1]) for track, refiner in enumerate(self.refiners)]
        return binary(torch.cat(refined, dim=1), self.slope, draws)

    def draw(self, latents: Latents) -> Tensor:
        """Phrases whose random numbers, where there are any, follow from the latents."""
        if not self.refining or self.settings.neurons == "deterministic":
            return self(latents)  # type: ignore[no-any-return]
        phrases = self.first(torch.cat([latents.z, latents.z_time], dim=1))
        seeds = torch.cat([latents.z, latents.z_time], dim=1).cpu().view(torch.int32).tolist()
        draws = [
            torch.rand(phrases.shape[1:], generator=torch.Generator().manual_seed(mix_seed(*one))) for one in seeds
        ]
        return self.refine(phrases, torch.stack(draws).to(phrases.device))


class TrackEncoder(nn.Module):
    """A track's own part of the discriminator: pitch then time beside time then pitch, merged."""

    def __init__(self, steps: int, filters: int) -> None:
        super().__init__()
        time, pitch = (1, steps, 1), (1, 1, OCTAVE)
        slim, wide = filters, 2 * filters
        self.pitch_time = nn.Sequential(shrink(1, slim, pitch, pitch), shrink(slim, wide, time, time))  # 32, 64
        self.time_pitch = nn.Sequential(shrink(1, slim, time, time), shrink(slim, wide, pitch, pitch))  # 32, 64
        self.merge = shrink(2 * wide, wide, (1, 1, 1), (1, 1, 1))  # 64 x 4 x 16 x 7

    def forward(self, track: Tensor) -> Tensor:
        """`[batch, 1, bars, steps, octaves * 12]` to `[batch, 64, bars, 16, 7]`."""
        merged: Tensor = self.merge(torch.cat([self.pitch_time(track), self.time_pitch(track)], dim=1))
        return merged


class BinaryDiscriminator(SoundingDiscriminator):
    """Three streams: the notes, their onsets and offsets, and chroma."""

    SCALE = SCALE

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: BinaryMuseGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        tracks, beats, filters = spec.num_tracks, spec.beats_per_bar, settings.filters
        shared = shared_factor(spec.steps_per_beat)
        own = spec.steps_per_beat // shared
        first, second = octave_growth(num_octaves(spec))
        to_steps, to_beats, to_bar = (1, own, 1), (1, shared, 1), (1, beats, 1)
        self.tracks = nn.ModuleList(TrackEncoder(own, filters) for _ in spec.tracks)
        self.shared = nn.Sequential(
            shrink(tracks * 2 * filters, 4 * filters, (1, shared, second), (1, shared, 2)),  # 128 x 4 x 4 x 3
            shrink(4 * filters, 8 * filters, (1, beats, first), (1, beats, first)),  # 256 x 4
        )
        self.onset = nn.Sequential(
            shrink(tracks, filters, to_steps, to_steps),  # 32 x 4 x 16
            shrink(filters, 2 * filters, to_beats, to_beats),  # 64 x 4 x 4
            shrink(2 * filters, 4 * filters, to_bar, to_bar),  # 128 x 4
        )
        self.chroma = nn.Sequential(
            shrink(tracks, 2 * filters, (1, 1, OCTAVE), (1, 1, OCTAVE)),  # 64 x 4 x 4
            shrink(2 * filters, 4 * filters, to_bar, to_bar),  # 128 x 4
        )
        pair = min(2, spec.bars)
        self.merge = nn.Sequential(
            shrink(16 * filters, 16 * filters, (pair, 1, 1), (1, 1, 1)),  # 512 x 3
            nn.Flatten(),
            nn.Linear(16 * filters * (spec.bars - pair + 1), 1),
        )
        initialise(self)

    def compute(self, phrases: Tensor) -> Tensor:
        """Logits `[batch]`."""
        x = octaves(phrases, SCALE[0])
        encoded = torch.cat([encoder(x[:, track : track + 1]) for track, encoder in enumerate(self.tracks)], dim=1)
        streams = [self.shared(encoded), self.chroma(self.fold(x)), self.onset(self.changes(phrases))]
        logits: Tensor = self.merge(torch.cat(streams, dim=1))
        return logits.squeeze(1)

    def fold(self, phrases: Tensor) -> Tensor:
        """How much of each pitch class sounds in each beat, `[batch, tracks, bars, beats, 12]`."""
        beats, steps = self.spec.beats_per_bar, self.spec.steps_per_beat
        return phrases.reshape(*phrases.shape[:3], beats, steps, -1, OCTAVE).sum((4, 5))

    def changes(self, phrases: Tensor) -> Tensor:
        """Onsets less offsets of each step, `[batch, tracks, bars, steps, 1]`; of drums the notes themselves."""
        before = torch.cat([torch.zeros_like(phrases[:, :, :, :1]), phrases[:, :, :, :-1]], dim=3)
        is_drum = torch.tensor([track.is_drum for track in self.spec.tracks], device=phrases.device)
        before = before.masked_fill(is_drum.view(1, -1, 1, 1, 1), 0.0)
        return (phrases - before).sum(4, keepdim=True)

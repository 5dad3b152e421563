"""MuseGAN's three models: jamming, composer and hybrid (Dong et al., arXiv 1709.06298).

Layers, filters and first weights are those of the authors' code, `salu133445/musegan:v1/musegan/modules.py`
(`PhraseGenerator`, `BarGenerator`, `BarDiscriminator`, `PhraseDiscriminator`); it has 96 steps a bar. The filter counts
in the comments are for `model.filters=64`, sizes for 4 bars of 16 steps and 84 pitches.

The last layer is a tanh: -1 is silence, 1 is sound, and what is above 0 sounds (section "Model Settings").
Other than in that code, the bars that the phrase discriminator reads are those of one phrase: a reshape there mixes
phrases of a batch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.latents import Latents
from gan.musegan.layers import SLOPE, grow, initialise, shrink, split_steps
from gan.musegan.rolls import OCTAVE, SoundingDiscriminator, SoundingGenerator, num_octaves, octaves
from gan.settings import MuseGANSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics

SCALE = (-1.0, 1.0)


class TemporalGenerator(nn.Module):
    """One vector a bar out of one latent: G_temp of "Generation from Scratch"; `PhraseGenerator` in the code."""

    def __init__(self, size: int, bars: int, filters: int) -> None:
        super().__init__()
        first = min(2, bars)
        self.layers = nn.Sequential(
            grow(size, 16 * filters, (first, 1, 1), (first, 1, 1)),  # 1024 x 2 bars
            grow(16 * filters, size, (bars - first + 1, 1, 1), (1, 1, 1)),  # size x 4 bars
        )

    def forward(self, latent: Tensor) -> Tensor:
        """`[batch, size]` to `[batch, size, bars, 1, 1]`."""
        bars: Tensor = self.layers(latent[:, :, None, None, None])
        return bars


class BarGenerator(nn.Module):
    """Bars out of one vector each, time before pitch: G_bar; `BarGenerator` in the code.

    Sized for other bars by what each of its five time layers multiplies: 2 2 2 2 3 there, 2 2 2 1 1 for 16 steps.
    """

    def __init__(self, size: int, tracks: int, spec: RollSpec, filters: int) -> None:
        super().__init__()
        self.spec = spec
        steps = spec.steps_per_bar
        self.halves = 2 if steps % 2 == 0 else 1
        self.enter = grow(size, 16 * filters, (1, 1, 1), (1, 1, 1))  # 1024 x 1 step, read as 512 x 2 steps
        widths = [16 * filters // self.halves, *(factor * filters for factor in (8, 4, 4, 2, 2))]
        factors = split_steps(steps // self.halves, 5)
        self.time = nn.Sequential(
            *(
                grow(before, after, (1, factor, 1), (1, factor, 1))  # 512 x 4, 256 x 8, 256 x 16, 128 x 16, 128 x 16
                for before, after, factor in zip(widths[:-1], widths[1:], factors, strict=True)
            )
        )
        self.octaves = grow(2 * filters, filters, (1, 1, num_octaves(spec)), (1, 1, 1))  # 64 x 16 x 7
        self.pitches = nn.ConvTranspose3d(filters, tracks, (1, 1, OCTAVE), (1, 1, OCTAVE))  # tracks x 16 x 84

    def forward(self, vectors: Tensor) -> Tensor:
        """`[batch, size, bars, 1, 1]` to `[batch, tracks, bars, steps, pitches]` between -1 and 1."""
        x = self.enter(vectors)  # [batch, 1024, bars, 1, 1]
        x = x.unflatten(1, (self.halves, -1)).movedim(1, 3).flatten(3, 4)  # [batch, 512, bars, 2, 1]
        x = self.pitches(self.octaves(self.time(x)))
        return torch.tanh(x[..., : self.spec.num_pitches])


def spread(latent: Tensor, bars: int) -> Tensor:
    """A latent `[batch, size]` as it is in each bar, `[batch, size, bars, 1, 1]`."""
    return latent[:, :, None, None, None].expand(-1, -1, bars, -1, -1)


class JammingGenerator(SoundingGenerator):
    """A generator a track, each with latents of its own alone, z_track and z_track_time ("Jamming Model")."""

    SCALE = SCALE

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: MuseGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        size, filters = settings.latent_size, settings.filters
        self.moves = nn.ModuleList(TemporalGenerator(size, spec.bars, filters) for _ in spec.tracks)
        self.bars = nn.ModuleList(BarGenerator(2 * size, 1, spec, filters) for _ in spec.tracks)
        initialise(self)

    def compute(self, latents: Latents, generator: torch.Generator | None = None) -> Tensor:
        """Numbers from -1 to 1, `[batch, tracks, bars, steps, pitches]`."""
        made = []
        for track, (move, bars) in enumerate(zip(self.moves, self.bars, strict=True)):
            own = spread(latents.z_track[:, track], self.spec.bars)
            made.append(bars(torch.cat([own, move(latents.z_track_time[:, track])], dim=1)))
        return torch.cat(made, dim=1)


class ComposerGenerator(SoundingGenerator):
    """One generator makes all tracks at once, out of z and z_time ("Composer Model")."""

    SCALE = SCALE

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: MuseGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        size, filters = settings.latent_size, settings.filters
        self.move = TemporalGenerator(size, spec.bars, filters)
        self.bars = BarGenerator(2 * size, spec.num_tracks, spec, filters)
        initialise(self)

    def compute(self, latents: Latents, generator: torch.Generator | None = None) -> Tensor:
        """Numbers from -1 to 1, `[batch, tracks, bars, steps, pitches]`."""
        phrases: Tensor = self.bars(torch.cat([spread(latents.z, self.spec.bars), self.move(latents.z_time)], dim=1))
        return phrases


class HybridGenerator(SoundingGenerator):
    """A generator a track, which all read z and z_time too ("Hybrid Model", equation 5)."""

    SCALE = SCALE

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: MuseGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        size, filters = settings.latent_size, settings.filters
        self.move = TemporalGenerator(size, spec.bars, filters)
        self.moves = nn.ModuleList(TemporalGenerator(size, spec.bars, filters) for _ in spec.tracks)
        self.bars = nn.ModuleList(BarGenerator(4 * size, 1, spec, filters) for _ in spec.tracks)
        initialise(self)

    def compute(self, latents: Latents, generator: torch.Generator | None = None) -> Tensor:
        """Numbers from -1 to 1, `[batch, tracks, bars, steps, pitches]`."""
        song, moved = spread(latents.z, self.spec.bars), self.move(latents.z_time)
        made = []
        for track, (move, bars) in enumerate(zip(self.moves, self.bars, strict=True)):
            own = spread(latents.z_track[:, track], self.spec.bars)
            made.append(bars(torch.cat([moved, move(latents.z_track_time[:, track]), song, own], dim=1)))
        return torch.cat(made, dim=1)


class TrackDiscriminator(nn.Module):
    """One discriminator of `tracks` tracks: bars, pitch before time, then the phrase.

    `BarDiscriminator` and `PhraseDiscriminator` in the code. Layers whose kernel is longer than what is left of a short
    bar are cut to it.
    """

    def __init__(self, tracks: int, spec: RollSpec, filters: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            shrink(tracks, 2 * filters, (1, 1, OCTAVE), (1, 1, OCTAVE)),  # 128 x 4 bars x 16 steps x 7
            shrink(2 * filters, 2 * filters, (1, 1, num_octaves(spec)), (1, 1, 1)),  # 128 x 4 x 16
        )
        steps, width = spec.steps_per_bar, 2 * filters
        for outputs, kernel in ((2, 2), (2, 2), (4, 4), (8, 3)):  # 128 x 4 x 8, 128 x 4 x 4, 256 x 4 x 1, 512 x 4 x 1
            size = (1, min(kernel, steps), 1)
            self.layers.append(shrink(width, outputs * filters, size, (1, 2, 1)))
            width, steps = outputs * filters, (steps - size[1]) // 2 + 1
        pair = min(2, spec.bars)
        self.layers.append(shrink(width, 8 * filters, (pair, 1, 1), (1, 1, 1)))  # 512 x 3 bars
        self.layers.append(shrink(8 * filters, 2 * filters, (spec.bars - pair + 1, 1, 1), (1, 1, 1)))  # 128
        self.layers.append(nn.Flatten())
        self.layers.append(shrink_flat(2 * filters * steps, 16 * filters))  # 1024
        self.layers.append(nn.Linear(16 * filters, 1))

    def forward(self, phrases: Tensor) -> Tensor:
        """Logits `[batch]` of `[batch, tracks, bars, steps, pitches]`."""
        logits: Tensor = self.layers(octaves(phrases, SCALE[0]))
        return logits.squeeze(1)


def shrink_flat(inputs: int, outputs: int) -> nn.Sequential:
    """A linear layer and leaky ReLU."""
    return nn.Sequential(nn.Linear(inputs, outputs), nn.LeakyReLU(SLOPE))


class JointDiscriminator(SoundingDiscriminator):
    """One discriminator for all tracks ("Composer Model", "Hybrid Model")."""

    SCALE = SCALE

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: MuseGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        self.discriminator = TrackDiscriminator(spec.num_tracks, spec, settings.filters)
        initialise(self)

    def compute(self, phrases: Tensor) -> Tensor:
        """Logits `[batch]`."""
        logits: Tensor = self.discriminator(phrases)
        return logits


class JammingDiscriminator(SoundingDiscriminator):
    """A discriminator a track, which sees no other track ("Jamming Model")."""

    SCALE = SCALE

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: MuseGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        self.discriminators = nn.ModuleList(TrackDiscriminator(1, spec, settings.filters) for _ in spec.tracks)
        initialise(self)

    def compute(self, phrases: Tensor) -> Tensor:
        """Logits `[batch, tracks]`."""
        logits = [one(phrases[:, track : track + 1]) for track, one in enumerate(self.discriminators)]
        return torch.stack(logits, dim=1)

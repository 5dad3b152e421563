"""The small network of the author's PyTorch notebook, `salu133445/ismir2019tutorial:musegan.ipynb`.

One latent vector of 128 numbers, made of z and z_time here; a generator that tracks share but for the last two layers,
a discriminator with layer norm. Counts are for `model.filters=16`, sizes for 4 bars of 16 steps; the notebook has 72
pitches (six octaves), which the layer over octaves follows. 0 is silence, and what is above one half sounds.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.latents import Latents
from gan.musegan.layers import Size, grow
from gan.musegan.rolls import OCTAVE, SoundingDiscriminator, SoundingGenerator, num_octaves, octaves
from gan.settings import MuseGANSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics

SCALE = (0.0, 1.0)


def octave_kernels(spec: RollSpec) -> tuple[int, int]:
    """Kernels of the two layers along octaves, both with stride 1: 4 and 3 make the notebook's 6 octaves."""
    last = min(3, num_octaves(spec))
    return num_octaves(spec) - last + 1, last


class TutorialGenerator(SoundingGenerator):
    """Transposed convolutions with batch norm and ReLU, to the end."""

    SCALE = SCALE

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: MuseGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        filters, beats, steps = settings.filters, spec.beats_per_bar, spec.steps_per_beat
        first, last = octave_kernels(spec)
        self.shared = nn.Sequential(
            grow(2 * settings.latent_size, 16 * filters, (spec.bars, 1, 1), (spec.bars, 1, 1)),  # 256 x 4 bars
            grow(16 * filters, 8 * filters, (1, beats, 1), (1, beats, 1)),  # 128 x 4 x 4
            grow(8 * filters, 4 * filters, (1, 1, first), (1, 1, first)),  # 64 x 4 x 4 x 5
            grow(4 * filters, 2 * filters, (1, 1, last), (1, 1, 1)),  # 32 x 4 x 4 x 7
        )
        time, pitch = (1, steps, 1), (1, 1, OCTAVE)
        self.tracks = nn.ModuleList(
            nn.Sequential(
                grow(2 * filters, filters, time, time),  # 16 x 4 x 16 x 7
                grow(filters, 1, pitch, pitch),  # 1 x 4 x 16 x 84
            )
            for _ in spec.tracks
        )

    def compute(self, latents: Latents, generator: torch.Generator | None = None) -> Tensor:
        """Numbers from 0 up, `[batch, tracks, bars, steps, pitches]`."""
        shared = self.shared(torch.cat([latents.z, latents.z_time], dim=1)[:, :, None, None, None])
        made = torch.cat([track(shared) for track in self.tracks], dim=1)
        return made[..., : self.spec.num_pitches]


def normed(inputs: int, outputs: int, kernel: Size, stride: Size) -> nn.Sequential:
    """A convolution, layer norm over the phrase with a scale a channel, and leaky ReLU."""
    return nn.Sequential(nn.Conv3d(inputs, outputs, kernel, stride), nn.GroupNorm(1, outputs), nn.LeakyReLU(0.01))


class TutorialDiscriminator(SoundingDiscriminator):
    """Each track by itself first, then all together: octaves, beats, bars."""

    SCALE = SCALE

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: MuseGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        filters, beats, steps = settings.filters, spec.beats_per_bar, spec.steps_per_beat
        first, last = octave_kernels(spec)
        pair = min(2, spec.bars)
        time, pitch = (1, steps, 1), (1, 1, OCTAVE)
        self.tracks = nn.ModuleList(
            nn.Sequential(
                normed(1, filters, pitch, pitch),  # 16 x 4 x 16 x 7
                normed(filters, filters, time, time),  # 16 x 4 x 4 x 7
            )
            for _ in spec.tracks
        )
        self.shared = nn.Sequential(
            normed(spec.num_tracks * filters, 4 * filters, (1, 1, last), (1, 1, 1)),  # 64 x 4 x 4 x 5
            normed(4 * filters, 4 * filters, (1, 1, first), (1, 1, first)),  # 64 x 4 x 4
            normed(4 * filters, 8 * filters, (1, beats, 1), (1, beats, 1)),  # 128 x 4
            normed(8 * filters, 8 * filters, (pair, 1, 1), (1, 1, 1)),  # 128 x 3
            normed(8 * filters, 16 * filters, (spec.bars - pair + 1, 1, 1), (1, 1, 1)),  # 256
            nn.Flatten(),
            nn.Linear(16 * filters, 1),
        )

    def compute(self, phrases: Tensor) -> Tensor:
        """Logits `[batch]`."""
        x = octaves(phrases, SCALE[0])
        own = torch.cat([layers(x[:, track : track + 1]) for track, layers in enumerate(self.tracks)], dim=1)
        logits: Tensor = self.shared(own)
        return logits.squeeze(1)

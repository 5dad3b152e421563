"""The generator: latents in, phrases out. MuseGAN's hybrid model (Dong et al., arXiv 1709.06298, section 3.3).

Temporal generators turn `z_time` and each track's `z_track_time` into one vector a bar; a bar's vectors become
features for each of its beats; a trunk shared by all tracks decides on harmony and rhythm, and each track's own part
on the notes of each step.
Unlike MuseGAN's, bars are not made apart from each other: the trunk's blocks look across bar lines.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gan.heads import ChoiceHead, NeuronHead
from gan.interface import PhraseGenerator
from gan.latents import Latents
from gan.layers import TimeBlock, TrackLinear, activate, linear
from gan.rolls import STRIKE, to_rolls, to_streams
from gan.settings import HEADS, ModelSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics, choose_compass, choose_heads


class Generator(PhraseGenerator):
    """Phrases of one `RollSpec`, in streams `[batch, time, tracks, 2, compass]`.

    Parameters
    ----------
    spec
        The shape of the rolls.
    statistics
        Of the data: where biases start, which head and which compass each track gets.
    settings
        Sizes.
    """

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: ModelSettings) -> None:
        super().__init__(spec, statistics, settings)
        self.heads_of_tracks = choose_heads(statistics, spec, settings)
        self.lows, self.compass = choose_compass(statistics, spec, settings.compass_share)
        tracks, bars, beats, steps = spec.num_tracks, spec.bars, spec.beats_per_bar, spec.steps_per_bar
        size, wide, slim = settings.latent_size, settings.trunk_width, settings.track_width

        self.move = linear(size, bars * size)  # z_time to [batch, bars * size]
        self.move_tracks = TrackLinear(tracks, size, bars * size)  # z_track_time to [batch, tracks, bars * size]
        self.share_beats = linear(2 * size, beats * wide)  # [batch, bars, beats * wide]
        self.track_beats = TrackLinear(tracks, 2 * size, beats * slim)  # [batch, bars, tracks, beats * slim]
        self.join = linear(tracks * slim, wide)  # [batch, all beats, wide]
        self.trunk = nn.Sequential(*(TimeBlock(wide, 2**number) for number in range(settings.trunk_blocks)))
        self.to_steps = TrackLinear(tracks, wide + slim, spec.steps_per_beat * slim)  # [batch, all beats, tracks, ...]
        self.position = nn.Parameter(torch.zeros(steps, tracks, slim))

        heads: list[ChoiceHead | NeuronHead] = []
        common = (slim, self.lows, self.compass, statistics, spec)
        for kind in HEADS:
            served = [track for track, chosen in enumerate(self.heads_of_tracks) if chosen == kind]
            if served and kind == "neurons":
                heads.append(NeuronHead(served, *common))
            elif served:
                heads.append(ChoiceHead(served, *common, voices=settings.voices if kind == "voices" else 1))
        order = [track for head in heads for track in head.tracks]
        self.heads = nn.ModuleList(heads)
        self.places = [list(head.tracks) for head in heads]
        self.order = [order.index(track) for track in range(tracks)]

    def forward(self, latents: Latents, noise: float = 0.0, generator: torch.Generator | None = None) -> Tensor:
        """Streams `[batch, time, tracks, 2, compass]`, 0 or 1 with soft gradients.

        Parameters
        ----------
        latents
            Of the phrases, on the module's device.
        noise
            Amount of the heads' noise: 1 at the start of training, 0 for deterministic phrases.
        generator
            Draws the noise, on the module's device.
        """
        spec, size, batch = self.spec, self.settings.latent_size, len(latents)
        beats = spec.bars * spec.beats_per_bar
        moves = self.move(latents.z_time).unflatten(1, (spec.bars, size))  # [batch, bars, size]
        track_moves = self.move_tracks(latents.z_track_time).unflatten(2, (spec.bars, size))
        track_moves = track_moves.transpose(1, 2)  # [batch, bars, tracks, size]

        song = torch.cat([latents.z.unsqueeze(1).expand_as(moves), moves], dim=2)  # [batch, bars, 2 size]
        shared = self.share_beats(song).view(batch, beats, -1)  # [batch, beats, wide]
        own = torch.cat([latents.z_track.unsqueeze(1).expand_as(track_moves), track_moves], dim=3)
        private = self.track_beats(own).view(batch, spec.bars, spec.num_tracks, spec.beats_per_bar, -1)
        private = private.transpose(2, 3).flatten(1, 2)  # [batch, beats, tracks, slim]

        trunk = self.trunk(shared + self.join(activate(private).flatten(2)))  # [batch, beats, wide]
        spread = trunk.unsqueeze(2).expand(-1, -1, spec.num_tracks, -1)
        x = self.to_steps(activate(torch.cat([spread, private], dim=3)))  # [batch, beats, tracks, steps a beat * slim]
        x = x.view(batch, beats, spec.num_tracks, spec.steps_per_beat, -1).transpose(2, 3)
        x = x.reshape(batch, spec.bars, spec.steps_per_bar, spec.num_tracks, -1) + self.position
        x = activate(x.flatten(1, 2))  # [batch, time, tracks, slim]

        temperature = self.settings.temperature
        streams = [
            head(x[:, :, places], noise, temperature, generator)
            for head, places in zip(self.heads, self.places, strict=True)
        ]
        return torch.cat(streams, dim=2)[:, :, self.order]  # [batch, time, tracks, 2, compass]

    def encode(self, rolls: Tensor) -> Tensor:
        """Streams `[batch, time, tracks, 2, compass]`; notes outside a track's compass are left out."""
        return to_streams(rolls, self.lows, self.compass)

    def strikes(self, phrases: Tensor) -> Tensor:
        """The stream of onsets, `[batch, time, tracks, compass]`."""
        return phrases[:, :, :, STRIKE].detach()

    @torch.no_grad()
    def sample(self, latents: Latents) -> Tensor:
        """Bool rolls `[batch, *spec.shape]` on the module's device; the same latents give the same phrases."""
        return to_rolls(self(latents), self.lows, self.spec)

"""The generator: latents in, phrases out. MuseGAN's hybrid model (Dong et al., arXiv 1709.06298, section 3.3).

Temporal generators turn `z_time` and each track's `z_track_time` into one vector a bar; a bar's vectors become
features for each of its beats; a trunk shared by all tracks decides on harmony and rhythm, and each track's own part
on the notes of each step.
Unlike MuseGAN's, bars are not made apart from each other: the trunk's blocks look across bar lines.

One network answers every request: notes that are given are read step by step and beat by beat, whatever their tracks
and bars, and the rest of the phrase is made around them; what is wished for is read beside the latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from gan.conditions import ConditionEncoder
from gan.context import (
    HARMONIC_CONTEXT_SIZE,
    Context,
    HarmonicContext,
    StreamContext,
    beginnings,
    embed_context,
    inpaint_streams,
    mask_of_steps,
)
from gan.interface import PhraseGenerator
from gan.latents import Latents
from gan.networks.heads import ChoiceHead, NeuronHead
from gan.networks.layers import TimeBlock, TrackLinear, activate, linear
from gan.ops.shard import WHOLE, Shard
from gan.ops.threads import on_threads
from gan.rolls import STRIKE, to_rolls, to_streams
from gan.settings import HEADS, ModelSettings
from gan.spec import HOLD, ONSET, RollSpec
from gan.statistics import DataStatistics, choose_heads, choose_pitch_ranges

SHARE = 16
"""Phrases that a thread is given at least: fewer are sooner made than a thread is started."""


class Generator(PhraseGenerator):
    """Phrases of one `RollSpec`, in streams `[batch, time, tracks, 2, pitch_range]`, as wished and around what is
    given.

    Parameters
    ----------
    spec
        The shape of the rolls.
    statistics
        Of the data: where biases start, which head and which pitch_range each track gets.
    settings
        Sizes.
    """

    inpaints = True

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: ModelSettings) -> None:
        super().__init__(spec, statistics, settings)
        self.heads_of_tracks = choose_heads(statistics, spec, settings)
        self.lowest_pitches, self.pitch_range = choose_pitch_ranges(statistics, spec, settings.pitch_range_share)
        tracks, bars, beats, steps = spec.num_tracks, spec.bars, spec.beats_per_bar, spec.steps_per_bar
        size, wide, slim = settings.latent_size, settings.trunk_width, settings.track_width

        self.conditions = ConditionEncoder(spec, statistics.examples, statistics.num_styles)
        heard = tracks * (2 * self.pitch_range + 1)  # the notes that are given, and which bars of which tracks are
        self.listen = linear(heard, settings.context_width)  # [batch, time, listen]
        self.listen_near = TimeBlock(settings.context_width, 1)  # [batch, time, listen]
        self.listen_beats = linear(spec.steps_per_beat * settings.context_width, wide)  # [batch, all beats, wide]
        self.listen_steps = linear(settings.context_width, tracks * slim)  # [batch, time, tracks * slim]

        self.move = linear(size, bars * size)  # z_time to [batch, bars * size]
        self.move_tracks = TrackLinear(tracks, size, bars * size)  # z_track_time to [batch, tracks, bars * size]
        self.share_beats = linear(2 * size + self.conditions.size, beats * wide)  # [batch, bars, beats * wide]
        self.track_beats = TrackLinear(
            tracks, 2 * size + self.conditions.TRACK_SIZE, beats * slim
        )  # [batch, bars, tracks, beats * slim]
        self.join = linear(tracks * slim, wide)  # [batch, all beats, wide]
        self.trunk = nn.Sequential(*(TimeBlock(wide, 2**number) for number in range(settings.trunk_blocks)))
        self.to_steps = TrackLinear(tracks, wide + slim, spec.steps_per_beat * slim)  # [batch, all beats, tracks, ...]
        self.position = nn.Parameter(torch.zeros(steps, tracks, slim))

        self.beside = HarmonicContext(spec, self.lowest_pitches, self.pitch_range, statistics.harmony)
        heads: list[ChoiceHead | NeuronHead] = []
        common = (slim + HARMONIC_CONTEXT_SIZE, self.lowest_pitches, self.pitch_range, statistics, spec)
        for kind in HEADS:
            served = [track for track, chosen in enumerate(self.heads_of_tracks) if chosen == kind]
            if served and kind == "neurons":
                heads.append(NeuronHead(served, *common))
            elif served:
                lines = ChoiceHead(served, *common, voices=settings.voices if kind == "voices" else 1)
                lines.lean_on_classes(slim)
                heads.append(lines)
        order = [track for head in heads for track in head.tracks]
        self.heads = nn.ModuleList(heads)
        self.places = [list(head.tracks) for head in heads]
        self.order = [order.index(track) for track in range(tracks)]

    def forward(
        self,
        latents: Latents,
        noise: float | Tensor = 0.0,
        generator: torch.Generator | None = None,
        part: StreamContext | None = None,
        condition_strength: float = 1.0,
        shard: Shard = WHOLE,
    ) -> Tensor:
        """Streams `[batch, time, tracks, 2, pitch_range]`, 0 or 1 with soft gradients.

        Parameters
        ----------
        latents
            Of the phrases, on the module's device.
        noise
            Amount of the heads' noise: 1 at the start of training, 0 for deterministic phrases.
        generator
            Draws the noise, on the module's device.
        part
            What is given; it is part of the result.
        condition_strength
            How strongly the conditions count: 1 as learnt, 0 not at all.
        shard
            Which rows of a whole batch these are, whose noise they get.
        """
        features = [self.fast_compute(one, part) for one in _as_asked(latents, condition_strength)]
        streams = self._notes(features, noise, generator, part, condition_strength, shard)
        return streams if part is None else inpaint_streams(streams, part.streams, part.mask, self.spec)

    def _notes(
        self,
        features: Sequence[Tensor],
        noise: float | Tensor,
        generator: torch.Generator | None,
        part: StreamContext | None,
        condition_strength: float,
        shard: Shard = WHOLE,
    ) -> Tensor:
        """Streams of features as asked, and unasked where `condition_strength` is not 1; what is given is not part of
        them.
        """
        x = features[0] if condition_strength == 1 else torch.lerp(features[1], features[0], condition_strength)
        beside = x.new_zeros(*x.shape[:3], HARMONIC_CONTEXT_SIZE) if part is None else self.beside(part)
        x = torch.cat([x, beside], dim=3)
        begins = beginnings(part.mask, self.spec) if part is not None else None
        tracks = torch.split(x, 1, dim=2)  # gradients of pieces are cheap to put together, those of indexing are not
        made: list[Tensor] = []
        for head, places in zip(self.heads, self.places, strict=True):
            served = torch.cat([tracks[place] for place in places], dim=2)
            notes = head(served, noise, self.settings.temperature, generator, begins, shard)
            made += torch.split(notes, 1, dim=2)
        return torch.cat([made[place] for place in self.order], dim=2)  # [batch, time, tracks, 2, pitch_range]

    def compute(self, latents: Latents, part: StreamContext | None) -> Tensor:
        """All but the heads: the features that they make notes of, `[batch, time, tracks, width]`."""
        return self.work_out(self.sketch(latents), part)

    def sketch(self, latents: Latents) -> tuple[Tensor, Tensor]:
        """Each beat before anything is heard: `[batch, all beats, wide]` of all, `[batch, all beats, tracks, slim]`."""
        spec, size, batch = self.spec, self.settings.latent_size, len(latents)
        beats = spec.bars * spec.beats_per_bar
        moves = self.move(latents.z_time).unflatten(1, (spec.bars, size))  # [batch, bars, size]
        track_moves = self.move_tracks(latents.z_track_time).unflatten(2, (spec.bars, size))
        track_moves = track_moves.transpose(1, 2)  # [batch, bars, tracks, size]
        asked, asked_tracks = self.conditions(latents.conditions), self.conditions.tracks(latents.conditions)

        song = torch.cat([latents.z, asked], dim=1).unsqueeze(1).expand(-1, spec.bars, -1)
        shared = self.share_beats(torch.cat([song, moves], dim=2)).view(batch, beats, -1)  # [batch, beats, wide]
        own = torch.cat([latents.z_track, asked_tracks], dim=2).unsqueeze(1).expand(-1, spec.bars, -1, -1)
        private = self.track_beats(torch.cat([own, track_moves], dim=3))
        private = private.view(batch, spec.bars, spec.num_tracks, spec.beats_per_bar, -1)
        return shared, private.transpose(2, 3).flatten(1, 2)

    def work_out(self, sketch: tuple[Tensor, Tensor], part: StreamContext | None) -> Tensor:
        """Features of each step, of a sketch and of what is given: `[batch, time, tracks, width]`."""
        spec, (shared, private) = self.spec, sketch
        batch, beats = shared.shape[:2]
        heard = self.listen_to(part)  # [batch or 1, time, listen]
        shared = shared + self.listen_beats(heard.view(len(heard), beats, -1))
        trunk = self.trunk(shared + self.join(activate(private).flatten(2)))  # [batch, beats, wide]
        spread = trunk.unsqueeze(2).expand(-1, -1, spec.num_tracks, -1)
        x = self.to_steps(activate(torch.cat([spread, private], dim=3)))  # [batch, beats, tracks, steps a beat * slim]
        x = x.view(batch, beats, spec.num_tracks, spec.steps_per_beat, -1).transpose(2, 3)
        x = x.reshape(batch, spec.bars, spec.steps_per_bar, spec.num_tracks, -1) + self.position
        near = self.listen_steps(heard).view(len(heard), spec.num_steps, spec.num_tracks, -1)
        return activate(x.flatten(1, 2) + near)  # [batch, time, tracks, slim]

    def listen_to(self, part: StreamContext | None) -> Tensor:
        """Features of what is given, `[batch, time, context_width]`; of a batch of one where nothing is."""
        steps, slots = self.spec.num_steps, self.spec.num_tracks
        silence = activate(self.listen_near(self.listen.bias.expand(1, steps, -1)))
        if part is None:
            return silence
        weights = torch.split(self.listen.weight, [self.listen.in_features - slots, slots], dim=1)
        if part.mask.is_cuda or torch.compiler.is_compiling():  # these want shapes that stay the same
            notes = (part.streams * mask_of_steps(part.mask, self.spec)[..., None, None]).flatten(2)
            heard = torch.addmm(self.listen.bias, notes.flatten(0, 1), weights[0].t()).view(len(notes), steps, -1)
            which = part.mask.transpose(1, 2).to(heard) @ weights[1].t()  # [batch, bars, listen]
            return activate(self.listen_near(heard + which.repeat_interleave(self.spec.steps_per_bar, dim=1)))
        rows = part.mask.flatten(1).any(1).nonzero().squeeze(1)
        if len(rows) == 0:
            return silence
        # one vector for each note of a track, and one for the track itself
        vectors = torch.cat([weights[0].view(len(self.listen.weight), slots, -1), weights[1].unsqueeze(2)], dim=2)
        heard = embed_context(part, vectors.permute(1, 2, 0), self.spec).index_select(0, rows) + self.listen.bias
        return silence.expand(len(part.mask), -1, -1).index_copy(0, rows, activate(self.listen_near(heard)))

    def encode(self, rolls: Tensor) -> Tensor:
        """Streams `[batch, time, tracks, 2, pitch_range]`; notes outside a track's pitch_range are left out."""
        return to_streams(rolls, self.lowest_pitches, self.pitch_range)

    def strikes(self, phrases: Tensor) -> Tensor:
        """The stream of onsets, `[batch, time, tracks, pitch_range]`."""
        return phrases[:, :, :, STRIKE].detach()

    @torch.no_grad()
    def latents_for(self, conditions: Tensor, random: torch.Generator) -> Latents:
        """Fresh latents that ask for `conditions` `[batch, ConditionLayout.size]`; what they leave open is as phrases
        of the data
        have it that are like it. Drawn by a CPU generator, on the module's device.
        """
        latents = self.sample_latents(len(conditions), random)
        device = latents.z.device
        filled = self.conditions.fill_in(conditions.to(device), self.examples.to(device), random)
        return replace(latents, conditions=filled)

    @torch.no_grad()
    def sample(
        self,
        latents: Latents,
        given: Context | None = None,
        condition_strength: float = 1.0,
        temperature: Sequence[float] | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Bool rolls `[batch, *spec.shape]` on the module's device; the same latents give the same phrases.

        All tracks are made at once first. In the first refinement step the lowest one stays, and the others are made
        anew around it (and around what is given), which they then have heard; in the second the two lowest stay, and so
        on: far fewer dissonances, as in blocked Gibbs sampling.

        Parameters
        ----------
        latents
            Of the phrases.
        given
            Notes that come back untouched, and that the rest is made around; on the module's device.
        condition_strength
            How strongly the conditions count, see `forward`.
        temperature
            A number a track: 0 makes what is most likely, 1 is as free as the start of training. Needs `generator`.
        generator
            Draws what `temperature` leaves to chance, on the module's device.
        """
        if latents.z.is_cuda or temperature is not None:  # chance is drawn for the whole batch
            return self._refine(latents, given, condition_strength, temperature, generator)
        return on_threads(
            lambda rows: self._refine(latents[rows], None if given is None else given[rows], condition_strength),
            len(latents),
            least=SHARE,
        )

    @torch.no_grad()
    def _refine(
        self,
        latents: Latents,
        given: Context | None,
        condition_strength: float,
        temperature: Sequence[float] | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """What `sample` gives, on this thread."""
        sketches = [self.sketch(one) for one in _as_asked(latents, condition_strength)]
        noise = 0.0 if temperature is None else latents.z.new_tensor(temperature)

        def play(part: StreamContext | None) -> Tensor:
            """Streams made at once, all tracks without having heard each other."""
            features = [self.work_out(sketch, part) for sketch in sketches]
            return self._notes(features, noise, generator, part, condition_strength)

        part = None if given is None else StreamContext(self.encode(given.rolls), given.mask)
        streams = play(part)
        made = to_rolls(streams, self.lowest_pitches, self.spec)
        made = made if given is None else given.complete(made)
        for count in range(1, min(self.settings.refinement_steps, self.spec.num_tracks - 1) + 1):
            mask = lowest(made, count, self.spec).unsqueeze(2)
            mask = mask if given is None else mask | given.mask
            heard = Context(made, mask.expand(-1, -1, self.spec.bars))
            part = StreamContext(
                streams if part is None else self.encode(made), heard.mask
            )  # streams alone are the rolls still
            streams = play(part)
            made = heard.complete(to_rolls(streams, self.lowest_pitches, self.spec))
        return made


def _as_asked(latents: Latents, condition_strength: float) -> tuple[Latents, ...]:
    """Latents as they are, and without conditions where `condition_strength` wants to know the difference."""
    if condition_strength == 1:
        return (latents,)
    return latents, replace(latents, conditions=torch.full_like(latents.conditions, torch.nan))


def lowest(rolls: Tensor, count: int, spec: RollSpec) -> Tensor:
    """Which tracks of each phrase are its `count` lowest ones by the mean of their notes, bool `[batch, tracks]`.

    Silent tracks come after all that sound, drums last.
    """
    sounding = (rolls[:, ONSET] | rolls[:, HOLD]).flatten(2, 3).sum(2, dtype=torch.int32)  # [batch, tracks, pitches]
    pitches = torch.arange(spec.num_pitches, device=rolls.device)
    height = (sounding * pitches).sum(2) / sounding.sum(2)  # NaN for silence
    is_drum = torch.tensor([track.is_drum for track in spec.tracks], device=rolls.device)
    height = height.nan_to_num(spec.num_pitches).masked_fill(is_drum, torch.inf)
    return height.argsort(dim=1, stable=True).argsort(dim=1) < count

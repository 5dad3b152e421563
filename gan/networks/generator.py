"""The generator: latents in, phrases out. MuseGAN's hybrid model (Dong et al., arXiv 1709.06298, section 3.3).

Temporal generators turn `z_time` and each track's `z_track_time` into one vector a bar; a bar's vectors become
features for each of its beats; a trunk shared by all tracks decides on harmony and rhythm, and each track's own part
on the notes of each step.
Unlike MuseGAN's, bars are not made apart from each other: the trunk's blocks look across bar lines.

One network answers every request: notes that are given are encoded step by step and beat by beat, whatever their tracks
and bars, and the rest of the phrase is made around them (inpainting); conditions are read beside the latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from gan.chords import CHORD_SIZE
from gan.conditions import ConditionEncoder
from gan.context import (
    HARMONIC_CONTEXT_SIZE,
    Context,
    HarmonicContext,
    StreamContext,
    forced_onsets,
    inpaint_streams,
)
from gan.interface import PhraseGenerator
from gan.latents import Latents
from gan.networks.heads import ChoiceHead, NeuronHead
from gan.networks.layers import TimeBlock, TrackLinear, activate, linear
from gan.ops.note_embedding import embed_notes, embed_notes_reference
from gan.ops.shard import WHOLE, Shard
from gan.ops.threads import on_threads
from gan.rolls import STREAM_ONSET, to_rolls, to_streams
from gan.settings import HEADS, AlbumGANSettings
from gan.spec import HOLD, ONSET, RollSpec
from gan.statistics import DataStatistics, choose_heads, choose_pitch_ranges

MIN_ROWS = 16
"""Phrases that a thread is given at least: fewer are sooner made than a thread is started."""


class Generator(PhraseGenerator):
    """Phrases of one `RollSpec`, in streams `[batch, time, tracks, 2, pitch_range]`, for conditions and a context.

    Parameters
    ----------
    spec
        The shape of the rolls.
    statistics
        Of the data: where biases start, which head and which pitch range each track gets.
    settings
        Sizes.
    """

    inpaints = True
    settings: AlbumGANSettings

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: AlbumGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        self.heads_of_tracks = choose_heads(statistics, spec, settings)
        self.lowest_pitches, self.pitch_range = choose_pitch_ranges(statistics, spec)
        tracks, bars, beats, steps = spec.num_tracks, spec.bars, spec.beats_per_bar, spec.steps_per_bar
        size, wide, slim = settings.latent_size, settings.trunk_width, settings.track_width

        self.conditions = ConditionEncoder(spec, statistics.examples, statistics.num_styles)
        given = tracks * (2 * self.pitch_range + 1)  # the notes that are given, and which bars of which tracks are
        self.context = linear(given, settings.context_width)  # [batch, time, context]
        self.context_block = TimeBlock(settings.context_width, 1)  # [batch, time, context]
        self.context_to_beats = linear(spec.steps_per_beat * settings.context_width, wide)  # [batch, all beats, wide]
        self.context_to_steps = linear(settings.context_width, tracks * slim)  # [batch, time, tracks * slim]

        self.time_to_bars = linear(size, bars * size)  # z_time to [batch, bars * size]
        self.track_time_to_bars = TrackLinear(tracks, size, bars * size)  # z_track_time to [batch, tracks, bars * size]
        self.to_beats = linear(2 * size + self.conditions.size, beats * wide)  # [batch, bars, beats * wide]
        track_inputs = 2 * size + self.conditions.TRACK_SIZE
        self.track_to_beats = TrackLinear(tracks, track_inputs, beats * slim)  # [batch, bars, tracks, beats * slim]
        self.tracks_to_trunk = linear(tracks * slim, wide)  # [batch, all beats, wide]
        self.trunk = nn.Sequential(*(TimeBlock(wide, 2**number) for number in range(settings.trunk_blocks)))
        self.to_steps = TrackLinear(tracks, wide + slim, spec.steps_per_beat * slim)  # [batch, all beats, tracks, ...]
        self.position = nn.Parameter(torch.zeros(steps, tracks, slim))

        self.harmonic_context = HarmonicContext(spec, self.lowest_pitches, self.pitch_range, statistics.harmony)
        heads: list[ChoiceHead | NeuronHead] = []
        common = (slim + HARMONIC_CONTEXT_SIZE, self.lowest_pitches, self.pitch_range, statistics, spec)
        for kind in HEADS:
            served = [track for track, chosen in enumerate(self.heads_of_tracks) if chosen == kind]
            if served and kind == "neurons":
                heads.append(NeuronHead(served, *common))
            elif served:
                head = ChoiceHead(served, *common, voices=settings.voices if kind == "voices" else 1)
                head.start_from_pitch_classes(slim)
                heads.append(head)
        order = [track for head in heads for track in head.tracks]
        self.heads = nn.ModuleList(heads)
        self.places = [list(head.tracks) for head in heads]
        self.order = [order.index(track) for track in range(tracks)]
        self.chords_to_beats = linear(CHORD_SIZE, wide)  # [batch, all beats, wide]

    def forward(
        self,
        latents: Latents,
        noise: float | Tensor = 0.0,
        generator: torch.Generator | None = None,
        context: StreamContext | None = None,
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
        context
            What is given; it is part of the result.
        condition_strength
            How strongly the conditions count: 1 as learnt, 0 not at all.
        shard
            Which rows of a whole batch these are, whose noise they get.
        """
        features = [self.fast_compute(one, context) for one in _with_and_without(latents, condition_strength)]
        streams = self._notes(features, noise, generator, context, condition_strength, shard)
        return streams if context is None else inpaint_streams(streams, context, self.spec)

    def _notes(
        self,
        features: Sequence[Tensor],
        noise: float | Tensor,
        generator: torch.Generator | None,
        context: StreamContext | None,
        condition_strength: float,
        shard: Shard = WHOLE,
    ) -> Tensor:
        """Streams of the heads, without what is given; of two features where `condition_strength` is not 1."""
        x = features[0] if condition_strength == 1 else torch.lerp(features[1], features[0], condition_strength)
        if context is None:
            harmony, forced = x.new_zeros(*x.shape[:3], HARMONIC_CONTEXT_SIZE), None
        else:
            harmony, forced = self.harmonic_context(context), forced_onsets(context.mask, self.spec)
        x = torch.cat([x, harmony], dim=3)
        tracks = torch.split(x, 1, dim=2)  # gradients of pieces are cheap to put together, those of indexing are not
        made: list[Tensor] = []
        for head, places in zip(self.heads, self.places, strict=True):
            served = torch.cat([tracks[place] for place in places], dim=2)
            made += torch.split(head(served, noise, generator, forced, shard), 1, dim=2)
        return torch.cat([made[place] for place in self.order], dim=2)  # [batch, time, tracks, 2, pitch_range]

    def compute(self, latents: Latents, context: StreamContext | None) -> Tensor:
        """All but the heads: the features that they make notes of, `[batch, time, tracks, width]`."""
        return self.beats_to_steps(self.latents_to_beats(latents), context)

    def latents_to_beats(self, latents: Latents) -> tuple[Tensor, Tensor]:
        """Features of each beat, without context: `[batch, all beats, wide]` and `[batch, all beats, tracks, slim]`."""
        spec, size, batch = self.spec, self.settings.latent_size, len(latents)
        beats = spec.bars * spec.beats_per_bar
        moves = self.time_to_bars(latents.z_time).unflatten(1, (spec.bars, size))  # [batch, bars, size]
        track_moves = self.track_time_to_bars(latents.z_track_time).unflatten(2, (spec.bars, size))
        track_moves = track_moves.transpose(1, 2)  # [batch, bars, tracks, size]
        conditions = self.conditions(latents.conditions)
        attributes = self.conditions.tracks(latents.conditions)  # [batch, tracks, ...]

        song = torch.cat([latents.z, conditions], dim=1).unsqueeze(1).expand(-1, spec.bars, -1)
        shared = self.to_beats(torch.cat([song, moves], dim=2)).view(batch, beats, -1)  # [batch, beats, wide]
        shared = shared + self.chords_to_beats(self.conditions.chords_of_beats(latents.conditions))
        own = torch.cat([latents.z_track, attributes], dim=2).unsqueeze(1).expand(-1, spec.bars, -1, -1)
        private = self.track_to_beats(torch.cat([own, track_moves], dim=3))
        private = private.view(batch, spec.bars, spec.num_tracks, spec.beats_per_bar, -1)
        return shared, private.transpose(2, 3).flatten(1, 2)

    def beats_to_steps(self, beat_features: tuple[Tensor, Tensor], context: StreamContext | None) -> Tensor:
        """Features of each step, of those of beats and of what is given: `[batch, time, tracks, width]`."""
        spec, (shared, private) = self.spec, beat_features
        batch, beats = shared.shape[:2]
        given = self.encode_context(context)  # [batch or 1, time, context]
        shared = shared + self.context_to_beats(given.view(len(given), beats, -1))
        trunk = self.trunk(shared + self.tracks_to_trunk(activate(private).flatten(2)))  # [batch, beats, wide]
        spread = trunk.unsqueeze(2).expand(-1, -1, spec.num_tracks, -1)
        x = self.to_steps(activate(torch.cat([spread, private], dim=3)))  # [batch, beats, tracks, steps a beat * slim]
        x = x.view(batch, beats, spec.num_tracks, spec.steps_per_beat, -1).transpose(2, 3)
        x = x.reshape(batch, spec.bars, spec.steps_per_bar, spec.num_tracks, -1) + self.position
        near = self.context_to_steps(given).view(len(given), spec.num_steps, spec.num_tracks, -1)
        return activate(x.flatten(1, 2) + near)  # [batch, time, tracks, slim]

    def encode_context(self, context: StreamContext | None) -> Tensor:
        """Features of what is given, `[batch, time, context_width]`; of a batch of one where nothing is."""
        layer, tracks = self.context, self.spec.num_tracks
        nothing = activate(self.context_block(layer.bias.expand(1, self.spec.num_steps, -1)))
        if context is None:
            return nothing
        notes, slots = torch.split(layer.weight, [layer.in_features - tracks, tracks], dim=1)
        # one vector for each note of a track, and one for the track itself: [tracks, 2 * pitch_range + 1, context]
        vectors = torch.cat([notes.view(len(notes), tracks, -1), slots.unsqueeze(2)], dim=2).permute(1, 2, 0)
        if context.mask.is_cuda or torch.compiler.is_compiling():  # these want shapes that stay the same
            given = embed_notes_reference(context.streams, context.mask, vectors) + layer.bias
            return activate(self.context_block(given))
        rows = context.mask.flatten(1).any(1).nonzero().squeeze(1)
        if len(rows) == 0:
            return nothing
        given = embed_notes(context.streams, context.mask, vectors).index_select(0, rows) + layer.bias
        features = activate(self.context_block(given))
        return nothing.expand(len(context.mask), -1, -1).index_copy(0, rows, features)

    def encode(self, rolls: Tensor) -> Tensor:
        """Streams `[batch, time, tracks, 2, pitch_range]`; notes outside a track's pitch range are left out."""
        return to_streams(rolls, self.lowest_pitches, self.pitch_range)

    def onsets(self, phrases: Tensor) -> Tensor:
        """The stream of onsets, `[batch, time, tracks, pitch_range]`."""
        return phrases[:, :, :, STREAM_ONSET].detach()

    @torch.no_grad()
    def latents_for(self, conditions: Tensor, random: torch.Generator) -> Latents:
        """Fresh latents with `conditions` `[batch, ConditionLayout.size]`; open ones are imputed from the data.

        Drawn by a CPU generator, on the module's device.
        """
        latents = self.sample_latents(len(conditions), random)
        device = latents.z.device
        imputed = self.conditions.impute(conditions.to(device), self.examples.to(device), random)
        return replace(latents, conditions=imputed)

    @torch.no_grad()
    def sample(
        self,
        latents: Latents,
        context: Context | None = None,
        condition_strength: float = 1.0,
        temperature: Sequence[float] | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Bool rolls `[batch, *spec.shape]` on the module's device; the same latents give the same phrases.

        Refinement, like blocked Gibbs sampling: all tracks are made at once first. In the first refinement step the
        lowest one stays, and the others are made anew around it (and around what is given), as a context that they
        know; in the second the two lowest stay, and so on. There are far fewer dissonances for it.

        Parameters
        ----------
        latents
            Of the phrases.
        context
            Notes that come back untouched, and that the rest is made around; on the module's device.
        condition_strength
            How strongly the conditions count, see `forward`.
        temperature
            A number a track: 0 makes what is most likely, 1 is as free as the start of training. Needs `generator`.
        generator
            Draws what `temperature` leaves to chance, on the module's device.
        """
        if latents.z.is_cuda or temperature is not None:  # chance is drawn for the whole batch
            return self._sample(latents, context, condition_strength, temperature, generator)
        return on_threads(
            lambda rows: self._sample(latents[rows], None if context is None else context[rows], condition_strength),
            len(latents),
            least=MIN_ROWS,
        )

    @torch.no_grad()
    def _sample(
        self,
        latents: Latents,
        context: Context | None,
        condition_strength: float,
        temperature: Sequence[float] | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """What `sample` gives, on this thread."""
        beats = [self.latents_to_beats(one) for one in _with_and_without(latents, condition_strength)]
        noise = 0.0 if temperature is None else latents.z.new_tensor(temperature)

        def make(given: StreamContext | None) -> Tensor:
            """Streams of all tracks at once; none knows the others but for what is given of them."""
            features = [self.beats_to_steps(one, given) for one in beats]
            return self._notes(features, noise, generator, given, condition_strength)

        given = None if context is None else StreamContext(self.encode(context.rolls), context.mask)
        streams = make(given)
        made = to_rolls(streams, self.lowest_pitches, self.spec)
        made = made if context is None else context.complete(made)
        for count in range(1, min(self.settings.refinement_steps, self.spec.num_tracks - 1) + 1):
            mask = lowest_tracks(made, count, self.spec).unsqueeze(2)
            mask = mask if context is None else mask | context.mask
            kept = Context(made, mask.expand(-1, -1, self.spec.bars))
            # without anything given the streams are the rolls still
            given = StreamContext(streams if given is None else self.encode(made), kept.mask)
            streams = make(given)
            made = kept.complete(to_rolls(streams, self.lowest_pitches, self.spec))
        return made


def _with_and_without(latents: Latents, condition_strength: float) -> tuple[Latents, ...]:
    """Latents as they are, and without conditions where `condition_strength` needs the difference."""
    if condition_strength == 1:
        return (latents,)
    return latents, replace(latents, conditions=torch.full_like(latents.conditions, torch.nan))


def lowest_tracks(rolls: Tensor, count: int, spec: RollSpec) -> Tensor:
    """Which tracks of each phrase are its `count` lowest ones by the mean of their notes, bool `[batch, tracks]`.

    Silent tracks come after all that sound, drums last.
    """
    sounding = (rolls[:, ONSET] | rolls[:, HOLD]).flatten(2, 3).sum(2, dtype=torch.int32)  # [batch, tracks, pitches]
    pitches = torch.arange(spec.num_pitches, device=rolls.device)
    height = (sounding * pitches).sum(2) / sounding.sum(2)  # NaN for silence
    is_drum = torch.tensor([track.is_drum for track in spec.tracks], device=rolls.device)
    height = height.nan_to_num(spec.num_pitches).masked_fill(is_drum, torch.inf)
    return height.argsort(dim=1, stable=True).argsort(dim=1) < count

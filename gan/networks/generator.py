"""The generator: latents and conditions in, phrases out; a trunk of MuseGAN's kind and an autoregressive decoder.

As in MuseGAN's hybrid model (Dong et al., arXiv 1709.06298, section 3.3) a trunk shared by all tracks decides on
harmony and rhythm, bar by bar and beat by beat, and each track has a part of its own. Unlike there, notes are not made
all at once: `gan.networks.decoder` decides them step by step, each given all before it, and the four latents of MuseGAN
are the chance in its decisions.

One network answers every request: notes that are given are encoded step by step and beat by beat, whatever their tracks
and bars, and the rest of the phrase is made around them (inpainting); the trunk reads the conditions of the phrase.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from gan.chords import CHORD_SIZE, QUALITY
from gan.conditions import DENSITY, ConditionEncoder, ConditionLayout, leave_open
from gan.context import Context, StreamContext, inpaint_streams, mask_of_steps
from gan.interface import PhraseGenerator
from gan.latents import Latents
from gan.networks.decoder import NoteDecoder, drum_patterns, pitch_classes
from gan.networks.layers import TimeBlock, TrackLinear, activate, linear
from gan.ops.note_embedding import embed_notes, embed_notes_reference
from gan.ops.threads import on_threads
from gan.rolls import STREAM_ONSET, to_rolls, to_streams
from gan.settings import AlbumGANSettings
from gan.spec import RollSpec
from gan.statistics import DataStatistics, choose_pitch_ranges, decision_order, most_notes

MIN_ROWS = 64
"""Phrases that a thread is given at least: fewer are sooner made than a thread is started."""


class Generator(PhraseGenerator):
    """Phrases of one `RollSpec`, in streams `[batch, time, tracks, 2, pitch_range]`, for conditions and a context.

    Parameters
    ----------
    spec
        The shape of the rolls.
    statistics
        Of the data: pitch ranges, how many notes a track strikes at once, in which order tracks decide.
    settings
        Sizes.
    """

    inpaints = True
    settings: AlbumGANSettings

    def __init__(self, spec: RollSpec, statistics: DataStatistics, settings: AlbumGANSettings) -> None:
        super().__init__(spec, statistics, settings)
        self.always_rests = torch.tensor([rate == 0 for rate in statistics.notes_per_bar])  # [tracks]
        self.lowest_pitches, self.pitch_range = choose_pitch_ranges(statistics, spec)
        tracks, bars, beats, steps = spec.num_tracks, spec.bars, spec.beats_per_bar, spec.steps_per_bar
        wide, slim = settings.trunk_width, settings.track_width

        self.conditions = ConditionEncoder(spec, statistics.examples, statistics.num_styles)
        given = tracks * (2 * self.pitch_range + 1)  # the notes that are given, and which bars of which tracks are
        self.context = linear(given, settings.context_width)  # [batch, time, context]
        self.context_block = TimeBlock(settings.context_width, 1)  # [batch, time, context]
        self.context_to_beats = linear(spec.steps_per_beat * settings.context_width, wide)  # [batch, all beats, wide]
        self.context_to_steps = linear(settings.context_width, tracks * slim)  # [batch, time, tracks * slim]

        self.to_beats = linear(self.conditions.size, beats * wide)  # [batch, beats * wide]
        self.chords_to_beats = linear(CHORD_SIZE, wide)  # [batch, all beats, wide]
        self.track_to_beats = TrackLinear(tracks, self.conditions.TRACK_SIZE, slim)  # [batch, tracks, slim]
        self.tracks_to_trunk = linear(tracks * slim, wide)  # [batch, wide]
        self.bars = nn.Parameter(torch.zeros(bars, 1, wide))
        self.trunk = nn.Sequential(*(TimeBlock(wide, 2**number) for number in range(settings.trunk_blocks)))
        self.to_steps = TrackLinear(tracks, wide + slim, spec.steps_per_beat * slim)  # [batch, all beats, tracks, ...]
        self.position = nn.Parameter(torch.zeros(steps, tracks, slim))

        classes = pitch_classes(spec, self.lowest_pitches, self.pitch_range)
        self.decoder = NoteDecoder(
            spec,
            classes,
            self.lowest_pitches,
            decision_order(statistics, spec),
            most_notes(statistics, spec, settings.voices),
            drum_patterns(statistics, spec, self.lowest_pitches, self.pitch_range),
            slim,
            settings.decoder_width,
            settings.latent_size,
            settings.dropout,
        )

    def forward(self, latents: Latents, generator: torch.Generator | None = None) -> Tensor:
        """Streams `[batch, time, tracks, 2, pitch_range]` around nothing; all chance is in the latents."""
        return self.streams(latents)

    @torch.no_grad()
    def streams(
        self,
        latents: Latents,
        context: StreamContext | None = None,
        condition_strength: float = 1.0,
        temperature: float | Sequence[float] = 1.0,
        known: Tensor | None = None,
        chord_strength: float | Sequence[float] = 1.0,
    ) -> Tensor:
        """Streams `[batch, time, tracks, 2, pitch_range]`, 0 or 1, without gradients.

        Parameters
        ----------
        latents
            Of the phrases, on the module's device.
        context
            What is given; it is part of the result.
        condition_strength
            How strongly the conditions count: 1 as learnt, 0 not at all.
        temperature
            Factor of the model's temperatures, for all or a number a track: 0 for what is most likely.
        known
            Bool `[batch, tracks]`: tracks that are not are silent, and nobody hears them so; as in `log_probs`.
        chord_strength
            How strongly chords count where pitches are decided, for all or a number a track: 1 as learnt, 2 twice as
            much.
        """
        x = self.features(latents.conditions, context, condition_strength, chord_strength)
        return self.sample_streams(latents, x, context, temperature, known)

    def features(
        self,
        conditions: Tensor,
        context: StreamContext | None,
        condition_strength: float = 1.0,
        chord_strength: float | Sequence[float] = 1.0,
    ) -> Tensor:
        """All but the decoder: `[batch, time, tracks, inputs]`, for conditions `[batch, ConditionLayout.size]`."""
        x: Tensor = self.fast_compute(conditions, context)
        if condition_strength != 1:
            x = torch.lerp(self.fast_compute(torch.full_like(conditions, torch.nan), context), x, condition_strength)
        if chord_strength != 1:
            strengths = x.new_tensor(chord_strength).view(-1, 1)  # [tracks or 1, 1]
            x = torch.cat([x[..., :-CHORD_SIZE], strengths * x[..., -CHORD_SIZE:-1], x[..., -1:]], 3)
        return x

    def sample_streams(
        self,
        latents: Latents,
        x: Tensor,
        context: StreamContext | None,
        temperature: float | Sequence[float],
        known: Tensor | None = None,
    ) -> Tensor:
        """What the decoder samples of features `x`, with what is given."""
        factors = [temperature] * self.spec.num_tracks if isinstance(temperature, (int, float)) else temperature
        own = (self.settings.rhythm_temperature, self.settings.pitch_temperature)
        warmth = [(factor * own[0], factor * own[1]) for factor in factors]
        density = latents.conditions[:, self.layout.attribute(DENSITY)]
        uniform = self.decoder.noise(latents)
        if context is None or not bool(context.mask.any()):
            return self.decoder.sample(x, uniform, density, warmth, known=known)
        given = mask_of_steps(context.mask, self.spec)
        made = self.decoder.sample(x, uniform, density, warmth, context.streams, given, known)
        return inpaint_streams(made, context, self.spec)

    def log_probs(
        self,
        streams: Tensor,
        x: Tensor,
        conditions: Tensor,
        mask: Tensor,
        known: Tensor | None = None,
        dropout: Tensor | None = None,
    ) -> Tensor:
        """Log-probabilities `[batch, time, tracks]` of phrases; 0 where notes were given, or it is not known which.

        Parameters
        ----------
        streams
            `[batch, time, tracks, 2, pitch_range]`.
        x
            Features for their conditions and context.
        conditions, mask
            `[batch, ConditionLayout.size]` and `[batch, tracks, bars]`.
        known
            Bool `[batch, tracks]`; without it all tracks are.
        dropout
            See `NoteDecoder.log_probs`.
        """
        given = mask_of_steps(mask, self.spec)
        density = conditions[:, self.layout.attribute(DENSITY)]
        found = self.decoder.log_probs(streams, x, given, density, known, dropout).masked_fill(given, 0.0)
        return found if known is None else found.masked_fill(~known.unsqueeze(1), 0.0)

    @torch.no_grad()
    def join_log_probs(self, rolls: Tensor, conditions: Tensor, mask: Tensor) -> Tensor:
        """How likely what is given is after what was made before it, `[batch]`: a log-probability, 0 at the most.

        That of the first step of each given bar of a track whose bar before was made, to a generator that has not
        seen the given notes. It tells phrases whose lines lead on from those that leap.

        Parameters
        ----------
        rolls
            Phrases with what was given in place, bool `[batch, *spec.shape]`.
        conditions, mask
            `[batch, ConditionLayout.size]` and `[batch, tracks, bars]`, true where notes were given.
        """
        joins = (mask[:, :, 1:] & ~mask[:, :, :-1]).transpose(1, 2)  # [batch, bars - 1, tracks]
        if not bool(joins.any()):
            return rolls.new_zeros(len(rolls), dtype=torch.float32)
        nothing = rolls.new_zeros(len(rolls), self.spec.num_steps, self.spec.num_tracks)
        density = conditions[:, self.layout.attribute(DENSITY)]
        x = self.features(conditions, None)
        found = self.decoder.log_probs_of_downbeats(self.encode(rolls), x, nothing, density)
        return (found[:, 1:] * joins).sum((1, 2))

    def bounds(self, streams: Tensor, conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Bounds of the uniform numbers that make phrases at the model's temperatures, see `NoteDecoder.intervals`."""
        given = streams.new_zeros(streams.shape[:3], dtype=torch.bool)
        density = conditions[:, self.layout.attribute(DENSITY)]
        x = self.features(conditions, None)
        own = (self.settings.rhythm_temperature, self.settings.pitch_temperature)
        return self.decoder.intervals(streams, x, given, density, own)

    @property
    def layout(self) -> ConditionLayout:
        """Of the conditions."""
        return self.conditions.layout

    def compute(self, conditions: Tensor, context: StreamContext | None) -> Tensor:
        """What notes are decided by, features and harmony, `[batch, time, tracks, track_width + HARMONY_SIZE]`."""
        spec, batch = self.spec, conditions.shape[0]
        beats = spec.bars * spec.beats_per_bar
        own = self.track_to_beats(self.conditions.tracks(conditions))  # [batch, tracks, slim]
        shared = self.to_beats(self.conditions(conditions)).unsqueeze(1).expand(-1, spec.bars, -1)
        shared = shared.view(batch, spec.bars, spec.beats_per_bar, -1) + self.bars
        shared = shared.flatten(1, 2) + self.chords_to_beats(self.conditions.chords_of_beats(conditions))
        shared = shared + self.tracks_to_trunk(activate(own).flatten(1)).unsqueeze(1)
        given = self.encode_context(context)  # [batch or 1, time, context]
        trunk = self.trunk(
            shared + self.context_to_beats(given.view(given.shape[0], beats, -1))
        )  # [batch, beats, wide]
        spread = trunk.unsqueeze(2).expand(-1, -1, spec.num_tracks, -1)
        private = own.unsqueeze(1).expand(-1, beats, -1, -1)
        x = self.to_steps(activate(torch.cat([spread, private], dim=3)))  # [batch, beats, tracks, steps a beat * slim]
        x = x.view(batch, beats, spec.num_tracks, spec.steps_per_beat, -1).transpose(2, 3)
        x = x.reshape(batch, spec.bars, spec.steps_per_bar, spec.num_tracks, -1) + self.position
        near = self.context_to_steps(given).view(given.shape[0], spec.num_steps, spec.num_tracks, -1)
        features = activate(x.flatten(1, 2) + near)  # [batch, time, tracks, slim]
        chords = self.conditions.chords_of_beats(conditions).repeat_interleave(spec.steps_per_beat, 1)
        tonality = self.conditions.tonality(conditions).unsqueeze(1).expand(-1, spec.num_steps, -1)
        harmony = torch.cat([tonality, chords], 2).unsqueeze(2).expand(-1, -1, spec.num_tracks, -1)
        return torch.cat([features, harmony], 3)

    def encode_context(self, context: StreamContext | None) -> Tensor:
        """Features of what is given, `[batch, time, context_width]`; of a batch of one where nothing is."""
        layer, tracks = self.context, self.spec.num_tracks
        nothing = activate(self.context_block(layer.bias.expand(1, self.spec.num_steps, -1)))
        if context is None:
            return nothing
        notes, slots = torch.split(layer.weight, [layer.in_features - tracks, tracks], dim=1)
        # one vector for each note of a track, and one for the track itself: [tracks, 2 * pitch_range + 1, context]
        vectors = torch.cat([notes.view(len(notes), tracks, -1), slots.unsqueeze(2)], dim=2).permute(1, 2, 0)
        if context.mask.is_cuda or torch.compiler.is_compiling() or torch.onnx.is_in_onnx_export():  # static shapes
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

        Where chords are requested an open chroma stays open: that of another phrase lacks some of their tones. Drawn by
        a CPU generator, on the module's device.
        """
        latents = self.sample_latents(len(conditions), random)
        wanted = conditions.to(latents.z.device)
        imputed = self.conditions.impute(wanted, self.examples.to(wanted.device), random)
        asks_chords = ~self.layout.chords_of(wanted)[:, :, QUALITY].isnan().all(1, keepdim=True)
        chroma = self.layout.chroma
        imputed[:, chroma] = torch.where(asks_chords, wanted[:, chroma], imputed[:, chroma])
        return replace(latents, conditions=imputed)

    def leave_open(self, latents: Latents, known: Tensor) -> Latents:
        """Latents without conditions of tracks that are not `known`, bool `[batch, tracks]`."""
        return replace(latents, conditions=leave_open(latents.conditions, known, self.layout))

    @torch.no_grad()
    def sample(
        self,
        latents: Latents,
        context: Context | None = None,
        condition_strength: float = 1.0,
        temperature: Sequence[float] | None = None,
        chord_strength: float | Sequence[float] = 1.0,
        known: Tensor | None = None,
    ) -> Tensor:
        """Bool rolls `[batch, *spec.shape]` on the module's device; the same latents give the same phrases.

        Parameters
        ----------
        latents
            Of the phrases.
        context
            Notes that come back untouched, and that the rest is made around; on the module's device.
        condition_strength
            How strongly the conditions count, see `streams`.
        temperature
            A number a track, see `streams`; 1 where none is given.
        chord_strength
            How strongly chords count, see `streams`.
        known
            Bool `[batch, tracks]`, see `streams`; without it all tracks are.
        """

        def make(rows: slice) -> Tensor:
            part = None if context is None else context[rows]
            given = None if part is None else StreamContext(self.encode(part.rolls), part.mask)
            warmth = 1.0 if temperature is None else temperature
            some = None if known is None else known[rows]
            streams = self.streams(latents[rows], given, condition_strength, warmth, some, chord_strength)
            made = to_rolls(streams, self.lowest_pitches, self.spec)
            return made if part is None else part.complete(made)

        if latents.z.is_cuda:
            return make(slice(0, len(latents)))
        return on_threads(make, len(latents), least=MIN_ROWS)

"""Sampling as graphs of tensors, without branches on their values: what ONNX can hold (static control flow).

`SamplerInputs` computes what holds for whole phrases, `SamplerStep` decides one step of all tracks, with all state of
`gan.networks.history.History` as tensors in and out: a window of the last bars instead of the whole past, so that each
step has the same shapes. The body of an ONNX Scan can be made of it. Rows of a batch for which there is nothing to
decide are computed as well, and masked. `DiscriminatorScore` rates what comes out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gan.chords import CHORD_SIZE
from gan.conditions import DENSITY
from gan.context import Conditioning, StreamContext, mask_of_steps
from gan.latents import Latents
from gan.networks.decoder import GOLDEN, NoteDecoder
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.heads import KEEP_ALL, KEEP_SOME, STRIKE, DrumHead, PitchedHead
from gan.networks.history import (
    LONGEST,
    History,
    hash_keys,
    look_ahead,
    places_of_steps,
    steps_before,
)
from gan.ops.cross_spectra import SpectraLayout, stream_projection_reference
from gan.rolls import STREAM_ONSET, STREAM_SOUNDING
from gan.spec import RollSpec

NUM_SUMS = 1 + 4
"""Running sums of a track, see `History.sums`."""


class SamplerState(NamedTuple):
    """What a step leaves to the next one; `window` is `History.lead`.

    Attributes
    ----------
    onset, sounding, struck, hashes, harmony, sums
        The end of the buffers of `History` of these names, `[window, batch, ...]`; of the sums `[window + 1, ...]`.
    sums_of_bar
        The sums at the first step of the bar, `[batch, tracks, NUM_SUMS]`.
    chords
        `[2, batch, tracks, pitch_range]`: the last two.
    since
        `[batch, tracks]`: steps since a track struck something, at most `LONGEST`.
    used
        `[batch, tracks, pitch_range]`: pitches that a track has struck.
    """

    onset: Tensor
    sounding: Tensor
    struck: Tensor
    hashes: Tensor
    harmony: Tensor
    sums: Tensor
    sums_of_bar: Tensor
    chords: Tensor
    since: Tensor
    used: Tensor


class StepInputs(NamedTuple):
    """What is known of a step before it is decided; of all steps with time in front.

    Attributes
    ----------
    features
        `[batch, tracks, inputs]`, see `Generator.features`.
    uniform
        `[batch, tracks, num_noises]`, see `NoteDecoder.noise`.
    given, joins
        `[batch, tracks]`, 0 or 1: whose notes are given; where given notes follow others.
    given_streams
        `[batch, tracks, 2, pitch_range]`: the given notes, zeros elsewhere.
    ahead, nearness
        See `History`.
    place
        `[steps_per_bar + bars]`, see `History.places`.
    elapsed, bar_starts
        Steps since the phrase began, and whether a bar begins here, as numbers.
    """

    features: Tensor
    uniform: Tensor
    given: Tensor
    joins: Tensor
    given_streams: Tensor
    ahead: Tensor
    nearness: Tensor
    place: Tensor
    elapsed: Tensor
    bar_starts: Tensor


class StepHistory(History):
    """A `History` of which only the window before one step is there; that step stands at its end."""

    def __init__(
        self, spec: RollSpec, classes: Tensor, state: SamplerState, inputs: StepInputs, density: Tensor
    ) -> None:
        self.spec, self.bar, self.classes = spec, spec.steps_per_bar, classes
        self.lead = steps_before(spec)
        self.known = torch.ones_like(inputs.given)
        self.requested = (~density.isnan()).to(classes)
        self.density = density.nan_to_num(0.0)
        self.onset, self.sounding, self.struck = state.onset, state.sounding, state.struck
        self.harmony, self.sums, self.chords = state.harmony, state.sums, state.chords
        self.latest = self.lead - state.since
        self.used, self.sums_of_bar = state.used, state.sums_of_bar
        self.ahead, self.nearness = inputs.ahead.unsqueeze(0), inputs.nearness.unsqueeze(0)
        self.counted = torch.eye(LONGEST)
        self.places, self.elapsed = inputs.place.unsqueeze(0), inputs.elapsed
        self.notes = list(inputs.given_streams[:, :, STREAM_SOUNDING].unbind(1))
        self.onsets = list(inputs.given_streams[:, :, STREAM_ONSET].unbind(1))
        self.visible = list(inputs.given.unbind(1))

    def decide(self, track: int, onset: Tensor, sounding: Tensor) -> None:
        """Notes of a track at the step, `[batch, pitch_range]` each."""
        self.onsets[track], self.notes[track] = onset, sounding
        self.visible[track] = torch.ones_like(self.visible[track])

    def beside(self, decided: Sequence[int], start: int, stop: int) -> tuple[Tensor, Tensor, Tensor]:
        """As in `History`: what is known of all tracks at the step."""
        notes = torch.stack(self.notes, 1)
        chroma = self._chroma_of(notes)
        strikes, visible = torch.stack(self.onsets, 1).amax(2), torch.stack(self.visible, 1)
        features = torch.cat([notes.flatten(1), chroma.flatten(1), strikes, visible], 1)
        return features.unsqueeze(0), chroma.amax(1).unsqueeze(0), notes.unsqueeze(0)

    def next_state(self, state: SamplerState, keys: Tensor) -> SamplerState:
        """The state after all tracks have decided; `keys` are `hash_keys`."""
        onset, sounding = torch.stack(self.onsets, 1), torch.stack(self.notes, 1)
        struck, hashes = onset.amax(2), onset @ keys
        counts = [onset.sum(2)]
        for bars in (1, 2):
            back = self.lead - bars * self.bar
            played = torch.maximum(struck, state.struck[back])
            counts += [played * (hashes == state.hashes[back]), played]
        sums = state.sums[-1] + torch.stack(counts, 2)
        hit = struck > 0
        earlier = torch.stack([onset, state.chords[0]])
        return SamplerState(
            onset=_moved_on(state.onset, onset),
            sounding=_moved_on(state.sounding, sounding),
            struck=_moved_on(state.struck, struck),
            hashes=_moved_on(state.hashes, hashes),
            harmony=_moved_on(state.harmony, self._chroma_of(sounding).amax(1)),
            sums=_moved_on(state.sums, sums),
            sums_of_bar=state.sums_of_bar,
            chords=torch.where(hit.unsqueeze(2), earlier, state.chords),
            since=torch.where(hit, 1, (state.since + 1).clamp(max=LONGEST)),
            used=torch.maximum(state.used, onset),
        )

    def _chroma_of(self, notes: Tensor) -> Tensor:
        """Pitch classes `[batch, tracks, 12]` of notes `[batch, tracks, pitch_range]`."""
        return torch.einsum("bvp,vpc->bvc", notes, self.classes).clamp(max=1)

    def _window(self, start: int, stop: int, first: int, count: int) -> Tensor:
        return self.struck[start + first : start + first + count].permute(1, 2, 0).unsqueeze(0)

    def _sums_of_bar(self, start: int, stop: int) -> Tensor:
        return self.sums_of_bar.unsqueeze(0)

    def _elapsed(self, start: int, stop: int) -> Tensor:
        return self.elapsed.view(1, 1, 1)


class SamplerStep(nn.Module):
    """One step of all tracks: what `NoteDecoder.sample` does in its loop."""

    keys: Tensor

    def __init__(self, decoder: NoteDecoder) -> None:
        super().__init__()
        self.decoder = decoder
        self.register_buffer("keys", hash_keys(decoder.pitch_range).to(decoder.classes.dtype))

    def forward(
        self, state: SamplerState, inputs: StepInputs, density: Tensor, temperature: Tensor
    ) -> tuple[SamplerState, Tensor]:
        """The next state, and the streams of the step `[batch, tracks, 2, pitch_range]`.

        Parameters
        ----------
        state, inputs
            As left by the step before, and as known of this one.
        density
            Notes a bar requested, `[batch, tracks]`, NaN for no request.
        temperature
            `[tracks, 2]`: of rhythm and of pitches, factors of the model's own included.
        """
        decoder = self.decoder
        starts = inputs.bar_starts > 0
        state = state._replace(sums_of_bar=torch.where(starts, state.sums[-1], state.sums_of_bar))
        history = StepHistory(decoder.spec, decoder.classes, state, inputs, density)
        x = inputs.features.unsqueeze(0)
        past, own, means = decoder._past(history, x, 0, 1)
        for place, track in enumerate(decoder.order):
            head, chance = decoder.heads[track], inputs.uniform[:, track]
            hidden, chroma, notes = decoder._now(history, past, track, place, 0, 1)
            if isinstance(head, DrumHead):
                onset = sounding = head.patterns[_pick(head.pattern(hidden), chance[:, 0], temperature[track, 0])]
            else:
                assert isinstance(head, PitchedHead)
                pointers = decoder._pointers(own, chroma, means, x, track)
                origins = decoder._origins(own, notes, track)
                old = own[0, :, track, 0]
                onset, sounding = _decide(head, hidden, old, pointers, origins, chance, temperature[track])
            here = inputs.given[:, track].unsqueeze(1) > 0
            given = inputs.given_streams[:, track]
            onset = torch.where(here, given[:, STREAM_ONSET], onset)
            sounding = torch.where(here, given[:, STREAM_SOUNDING], sounding)
            history.decide(track, onset, sounding)
        after = history.next_state(state, self.keys)
        # a given note that goes on where nothing sounds before it begins there, as in `inpaint_streams`
        onset, sounding, before = after.onset[-1], after.sounding[-1], state.sounding[-1]
        begun = onset + sounding * (1 - onset) * (1 - before) * inputs.joins.unsqueeze(2)
        return after, torch.stack([sounding, begun], 2)


class SamplerInputs(nn.Module):
    """What is computed for whole phrases before their first step: features, noise, what is given."""

    places: Tensor
    elapsed: Tensor
    bar_starts: Tensor
    own_temperatures: Tensor

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        spec, weight = generator.spec, generator.decoder.classes
        steps = torch.arange(spec.num_steps)
        self.register_buffer("places", places_of_steps(spec).to(weight))
        own = (generator.settings.rhythm_temperature, generator.settings.pitch_temperature)
        self.register_buffer("own_temperatures", torch.tensor(own).to(weight))
        self.register_buffer("elapsed", steps.to(weight))
        self.register_buffer("bar_starts", (steps % spec.steps_per_bar == 0).to(weight))

    def forward(
        self,
        z: Tensor,
        z_time: Tensor,
        z_track: Tensor,
        z_track_time: Tensor,
        conditions: Tensor,
        streams: Tensor,
        mask: Tensor,
        temperature: Tensor,
        condition_strength: Tensor,
        chord_strength: Tensor,
    ) -> tuple[SamplerState, StepInputs, Tensor, Tensor]:
        """The first state, inputs of all steps with time in front, and density and temperature as a step takes them.

        Parameters
        ----------
        z, z_time, z_track, z_track_time, conditions
            See `gan.latents.Latents`.
        streams, mask
            The context: `[batch, time, tracks, 2, pitch_range]` and `[batch, tracks, bars]`, float, 0 or 1.
        temperature
            `[tracks]`: factors of the model's own temperatures.
        condition_strength, chord_strength
            See `Generator.streams`.
        """
        generator = self.generator
        context = StreamContext(streams, mask > 0)
        x = generator.compute(conditions, context)
        unasked = generator.compute(torch.full_like(conditions, torch.nan), context)
        x = x - (x - unasked) * (1 - condition_strength)
        x = torch.cat([x[..., :-CHORD_SIZE], chord_strength * x[..., -CHORD_SIZE:-1], x[..., -1:]], 3)
        given = mask_of_steps(mask, generator.spec).transpose(0, 1)  # [time, batch, tracks]
        before = torch.cat([torch.ones_like(given[:1]), given[:-1]])
        by_time = streams.transpose(0, 1)
        ahead, nearness = look_ahead(by_time, _next_given(given))
        inputs = StepInputs(
            features=x.transpose(0, 1),
            uniform=generator.decoder.noise(Latents(z, z_time, z_track, z_track_time, conditions), _normal),
            given=given,
            joins=given * (1 - before),
            given_streams=by_time * given[..., None, None],
            ahead=ahead,
            nearness=nearness,
            place=self.places,
            elapsed=self.elapsed,
            bar_starts=self.bar_starts,
        )
        density = conditions[:, generator.layout.attribute(DENSITY)]
        warmth = temperature.unsqueeze(1) * self.own_temperatures
        return first_state(generator.decoder, density), inputs, density, warmth


class DiscriminatorScore(nn.Module):
    """The discriminator's logits times its sharpness: an estimate of the log density ratio."""

    def __init__(self, discriminator: Discriminator) -> None:
        super().__init__()
        self.discriminator = discriminator
        self.sharpness = discriminator.sharpness

    def forward(self, streams: Tensor, mask: Tensor) -> Tensor:
        """`[batch]`, of streams `[batch, time, tracks, 2, pitch_range]`; `mask` as `SamplerInputs` has it."""
        encoder = self.discriminator.encoder
        notes, _, *harmony = torch.split(encoder.to_steps.weight, encoder.inputs, dim=1)
        pitched, bias = encoder.spec.pitched, encoder.to_steps.bias
        x, features = stream_projection_reference(streams, notes, bias, pitched, encoder.maps)
        if encoder.spectra is not None:
            x = x + cross_spectra_of_features(features, encoder.spectra).t() @ harmony[0].t()
        bars, phrases = encoder.encode_phrases(x, Conditioning(streams, mask), 1)
        return self.sharpness * self.discriminator.logits(bars, phrases)


def first_state(decoder: NoteDecoder, density: Tensor) -> SamplerState:
    """The state before the first step of phrases with densities `[batch, tracks]`."""
    spec, batch, pitches = decoder.spec, density.shape[0], decoder.pitch_range
    tracks, window = spec.num_tracks, steps_before(spec)

    def zeros(*sizes: int) -> Tensor:
        return density.new_zeros(sizes)

    return SamplerState(
        onset=zeros(window, batch, tracks, pitches),
        sounding=zeros(window, batch, tracks, pitches),
        struck=zeros(window, batch, tracks),
        hashes=zeros(window, batch, tracks),
        harmony=zeros(window, batch, 12),
        sums=zeros(window + 1, batch, tracks, NUM_SUMS),
        sums_of_bar=zeros(batch, tracks, NUM_SUMS),
        chords=zeros(2, batch, tracks, pitches),
        since=torch.full((batch, tracks), LONGEST, dtype=torch.long, device=density.device),
        used=zeros(batch, tracks, pitches),
    )


def _normal(x: Tensor) -> Tensor:
    """The normal distribution function by the error function, which ONNX has."""
    return 0.5 * (1 + torch.erf(x * math.sqrt(0.5)))


def _next_given(given: Tensor) -> Tensor:
    """For each step the first one from there on that is given, as `look_ahead` takes it, of `[time, batch, tracks]`."""
    time, reach = given.shape[0], 1
    later = torch.where(given > 0, torch.arange(time, device=given.device).view(-1, 1, 1), time)
    while reach < time:  # a cumulative minimum by doubling: ONNX has no other
        later = torch.cat([torch.minimum(later[:-reach], later[reach:]), later[-reach:]])
        reach *= 2
    return later


def _moved_on(window: Tensor, last: Tensor) -> Tensor:
    """A window `[steps, ...]` one step later."""
    return torch.cat([window[1:], last.unsqueeze(0)])


def _pick(logits: Tensor, uniform: Tensor, temperature: Tensor) -> Tensor:
    """As `gan.networks.decoder.pick`, for a temperature that is a tensor of one number."""
    warm = temperature > 0
    shares = torch.softmax(logits / torch.where(warm, temperature, 1.0), 1).cumsum(1)
    drawn = (shares < (uniform * shares[:, -1]).unsqueeze(1)).sum(1).clamp(max=logits.shape[1] - 1)
    return torch.where(warm, drawn, logits.argmax(1))


def _decide(
    head: PitchedHead,
    hidden: Tensor,
    old: Tensor,
    pointers: Tensor,
    origins: Tensor,
    chance: Tensor,
    temperature: Tensor,
) -> tuple[Tensor, Tensor]:
    """As `gan.networks.decoder.decide`, for all rows alike; `temperature` `[2]` is of rhythm and of pitches."""
    mode = _pick(head.mode_logits(hidden, old), chance[:, 0], temperature[0])
    keep = (mode % STRIKE).unsqueeze(1)
    kept = old * (keep == KEEP_ALL)
    places = torch.arange(head.pitch_range, device=hidden.device)
    if head.max_notes > 1:
        draws = chance[:, 1].unsqueeze(1) + places * GOLDEN
        draws = torch.where(temperature[0] > 0, draws - draws.floor(), 0.5)
        kept = torch.where(keep == KEEP_SOME, old * (draws < torch.sigmoid(head.keep(hidden))), kept)
    onset, strikes, last = torch.zeros_like(old), mode >= STRIKE, torch.full_like(mode, -1)
    for number in range(head.max_notes):
        logits = head.pitch_logits(hidden, pointers, origins, kept, onset, last)
        if head.max_notes == 1:
            logits = logits[:, :-1]
        pitch = _pick(logits, chance[:, 2 + number], temperature[1])
        strikes = strikes & (pitch < head.pitch_range)
        last = torch.where(strikes, pitch, last)
        onset = torch.where(strikes.unsqueeze(1) & (places == pitch.unsqueeze(1)), 1.0, onset)
    return onset, torch.maximum(onset, kept)


def cross_spectra_of_features(features: Tensor, layout: SpectraLayout) -> Tensor:
    """What `gan.ops.cross_spectra.CrossSpectra` gives, without writing in place."""
    found = [features[:, : layout.classes].sum(0)]
    for upper, lower in layout.factors(features):
        (a, b), (c, d) = upper.chunk(2, 1), lower.chunk(2, 1)
        product = torch.cat([a * c + b * d, b * c - a * d], 1)
        if product.dim() == 4:  # motion: nothing lies before the first steps
            product = pad(product, [layout.time - product.shape[3], 0]).flatten(2)
        found.append(product.flatten(0, 1))
    return torch.cat(found)

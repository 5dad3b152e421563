"""Sampling as graphs of tensors, without branches on their values: what ONNX can hold (static control flow).

`SamplerInputs` computes what holds for whole phrases, `SamplerStep` decides one step of all tracks, with all state of
`gan.networks.history.History` as tensors in and out: a window of the last bars instead of the whole past, so that each
step has the same shapes. The body of an ONNX Scan can be made of it. Rows of a batch for which there is nothing to
decide are computed as well, and masked. `DiscriminatorScore` rates what comes out.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gan.chords import CHORD_SIZE
from gan.conditions import DENSITY
from gan.context import Conditioning, StreamContext, mask_of_steps
from gan.latents import Latents
from gan.networks.decoder import GOLDEN, HARMONY_SIZE, NoteDecoder
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.heads import (
    KEEP_ALL,
    KEEP_SOME,
    NEVER,
    STRIKE,
    WIDEST_INTERVAL,
    DrumHead,
    PitchedHead,
    highest,
    lowest,
)
from gan.networks.history import (
    LONGEST,
    History,
    hash_keys,
    look_ahead,
    places_of_steps,
    steps_before,
)
from gan.networks.layers import activate
from gan.ops.cross_spectra import SpectraLayout, stream_projection_reference
from gan.rolls import STREAM_ONSET, STREAM_SOUNDING
from gan.spec import RollSpec

COLD = 1e-6
"""The temperature that stands for 0: what is most likely."""
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

    def _window(self, start: int, stop: int, first: int, count: int) -> Tensor:
        return self.struck[start + first : start + first + count].permute(1, 2, 0).unsqueeze(0)

    def _sums_of_bar(self, start: int, stop: int) -> Tensor:
        return self.sums_of_bar.unsqueeze(0)

    def _elapsed(self, start: int, stop: int) -> Tensor:
        return self.elapsed.view(1, 1, 1)


class Present:
    """What is known of the step that is being decided, a list entry a track: first what is given.

    Attributes
    ----------
    notes, onsets
        `[batch, pitch_range]` each.
    chroma
        `[batch, 12]` each.
    strikes, visible, tops
        `[batch, 1]` each: whether a note begins, whether it is known what the track does, its highest note or -1.
    harmony
        `[batch, 12]`: pitch classes of all tracks.
    """

    def __init__(self, inputs: StepInputs, classes: Tensor) -> None:
        sounding, onset = inputs.given_streams[:, :, STREAM_SOUNDING], inputs.given_streams[:, :, STREAM_ONSET]
        self.classes = classes
        chroma = torch.matmul(sounding.transpose(0, 1), classes).clamp(max=1)  # [tracks, batch, 12]
        self.notes, self.onsets = list(sounding.unbind(1)), list(onset.unbind(1))
        self.chroma, self.harmony = list(chroma.unbind(0)), chroma.amax(0)
        self.strikes = list(torch.split(onset.amax(2), 1, 1))
        self.visible = list(torch.split(inputs.given, 1, 1))
        self.tops = list(torch.split(highest(sounding), 1, 1))

    def decide(self, track: int, onset: Tensor, sounding: Tensor, is_pitched: bool) -> None:
        """Notes of a track, `[batch, pitch_range]` each."""
        self.onsets[track], self.notes[track] = onset, sounding
        self.strikes[track] = onset.amax(1, keepdim=True)
        self.visible[track] = torch.ones_like(self.visible[track])
        if is_pitched:
            self.chroma[track] = torch.matmul(sounding, self.classes[track]).clamp(max=1)
            self.harmony = torch.maximum(self.harmony, self.chroma[track])
            self.tops[track] = highest(sounding).unsqueeze(1)

    def features(self) -> Tensor:
        """What `History.beside` has of all tracks, `[batch, inputs]`."""
        return torch.cat([*self.notes, *self.chroma, *self.strikes, *self.visible], 1)


class FusedPitchedHead(nn.Module):
    """What `decide` does with a `PitchedHead`, in few operations: small ones cost a browser more than the sums in them.

    All that scores pitches is one product, in which intervals and the choice to strike no more have a place of their
    own; tables say where the interval from each origin to each pitch stands.

    Parameters
    ----------
    head
        The weights.
    offsets
        `[others]`: semitones from the first pitch of this track to that of each other one.
    """

    scores: Tensor
    bias: Tensor
    from_kept: Tensor
    from_chosen: Tensor
    places_of_origins: Tensor
    first_rows: Tensor
    places_of_last: Tensor
    blocked: Tensor
    one_hot: Tensor

    def __init__(self, head: PitchedHead, offsets: Tensor) -> None:
        super().__init__()
        self.head, size, span = head, head.pitch_range, 2 * WIDEST_INTERVAL + 2
        self.num_intervals = span + 1  # the last place of each origin is for no interval
        weights, biases = (
            head.intervals.weight.view(-1, span, head.intervals.in_features),
            head.intervals.bias.view(-1, span),
        )
        layers: list[tuple[Tensor, Tensor]] = [
            (head.pitch.weight, head.pitch.bias),
            (head.pointers.weight, head.pointers.bias),
        ]
        layers.append((pad(weights, [0, 0, 0, 1]).flatten(0, 1), pad(biases, [0, 1]).flatten()))
        self.sizes = [len(bias) for _, bias in layers]
        self.register_buffer("scores", torch.cat([weight for weight, _ in layers]).t().contiguous())
        self.register_buffer("bias", torch.cat([bias for _, bias in layers]))
        self.register_buffer("from_kept", head.chosen.weight[:, size:].t().contiguous())
        self.register_buffer("from_chosen", head.chosen.weight[:, :size].t().contiguous())
        shifts = torch.cat([torch.zeros(3, dtype=torch.long), offsets])
        tables = torch.stack([_places_of_intervals(size, int(shift)) for shift in shifts])
        tables = torch.cat([torch.full_like(tables[:, :1], span), tables[:, :-1]], 1)  # first that of no origin
        self.register_buffer("places_of_origins", tables.flatten(0, 1))
        self.register_buffer("first_rows", torch.arange(len(shifts)) * (size + 1) + 1)
        self.register_buffer("places_of_last", _places_of_intervals(size, 0))
        pitches = torch.arange(size + 1)
        blocked = NEVER * ((pitches <= pitches.unsqueeze(1)) & (pitches < size)).float()
        blocked[:, size] = NEVER * (head.max_notes == 1)
        self.register_buffer("blocked", blocked)
        self.register_buffer("one_hot", torch.eye(size + 1)[:, :size].contiguous())

    def forward(
        self, hidden: Tensor, old: Tensor, pointers: Tensor, tops: Tensor, chance: Tensor, temperature: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Onsets and sounding notes `[batch, pitch_range]`.

        Parameters
        ----------
        hidden, old, chance
            As in `gan.networks.decoder.decide`.
        pointers
            `[batch, num_pointers, pitch_range + 1]`, zeros in the last place.
        tops
            `[batch, 3 + others]`: pitches from which intervals count, each in its own track's range, -1 for none.
        temperature
            `[2]`: of rhythm and of pitches.
        """
        head, size = self.head, self.head.pitch_range
        rhythm, pitch_warmth = temperature.unbind(0)
        chances = torch.split(chance, 1, 1)
        mode = _pick(head.mode_logits(hidden, old), chances[0], rhythm)
        keep = (mode % STRIKE).unsqueeze(1)
        kept = old * (keep == KEEP_ALL)
        if head.max_notes > 1:
            draws = chances[1] + torch.arange(size, device=hidden.device) * GOLDEN
            draws = torch.where(rhythm > 2 * COLD, draws - draws.floor(), 0.5)
            kept = torch.where(keep == KEEP_SOME, old * (draws < torch.sigmoid(head.keep(hidden))), kept)
        base = head.pitch_hidden(hidden) + torch.matmul(kept, self.from_kept)
        fixed = self.places_of_origins[tops + self.first_rows]
        shut = pad(NEVER * kept, [0, 1])
        onset, strikes, last = torch.zeros_like(old), mode >= STRIKE, mode
        for number in range(head.max_notes):
            state = activate(base if number == 0 else base + torch.matmul(onset, self.from_chosen))
            logits, weights, intervals = torch.split(torch.addmm(self.bias, state, self.scores), self.sizes, 1)
            intervals = intervals.view(len(old), -1, self.num_intervals)
            if number == 0:
                found = intervals[:, :-1].gather(2, fixed)
                closed = pad(shut[:, :-1], [0, 1], value=NEVER)  # something is struck
            else:
                places = torch.cat([fixed, self.places_of_last.index_select(0, last).unsqueeze(1)], 1)
                found, closed = intervals.gather(2, places), shut + self.blocked.index_select(0, last)
            pointed = torch.matmul(weights.unsqueeze(1), pointers).squeeze(1)
            pitch = _pick(logits + pointed + found.sum(1) + closed, chances[2 + number], pitch_warmth)
            strikes = strikes & (pitch < size)
            last = torch.where(strikes, pitch, size)
            onset = onset + self.one_hot.index_select(0, last)
        return onset, torch.maximum(onset, kept)


class SamplerStep(nn.Module):
    """One step of all tracks: what `NoteDecoder.sample` does in its loop."""

    keys: Tensor
    wide_classes: Tensor

    def __init__(self, decoder: NoteDecoder) -> None:
        super().__init__()
        self.decoder, pitched = decoder, decoder.spec.pitched
        self.register_buffer("keys", hash_keys(decoder.pitch_range).to(decoder.classes.dtype))
        self.register_buffer("wide_classes", pad(decoder.classes, [0, 0, 0, 1]).transpose(1, 2).contiguous())
        heads: dict[str, nn.Module] = {}
        for track, head in enumerate(decoder.heads):
            if isinstance(head, PitchedHead):
                heads[str(track)] = FusedPitchedHead(head, decoder.offsets[pitched.index(track)])
        self.heads = nn.ModuleDict(heads)

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
            `[tracks, 2]`: of rhythm and of pitches, factors of the model's own included; `COLD` at least.
        """
        decoder, tracks = self.decoder, self.decoder.spec.num_tracks
        state = state._replace(sums_of_bar=torch.where(inputs.bar_starts > 0, state.sums[-1], state.sums_of_bar))
        history = StepHistory(decoder.spec, decoder.classes, state, inputs, density)
        features, own = history.before(0, 1)
        shared, means = history.shared(0, 1)
        hidden = decoder.before(torch.cat([features, inputs.features.unsqueeze(0)], 3))
        past = list((hidden + decoder.shared(shared).unflatten(2, (tracks, -1))).squeeze(0).unbind(1))
        for name, layer in decoder.drums.items():
            past[int(name)] = past[int(name)] + layer(history.drums(int(name), 0, 1)).squeeze(0)
        present = Present(inputs, decoder.classes)
        chord, old = own[0, :, :, 1], state.sounding[-1].unbind(1)
        own_pointers = pad(own.squeeze(0), [0, 1]).unbind(1)  # [batch, NUM_OWN, pitch_range + 1] each
        lines = torch.stack([lowest(chord), highest(chord), highest(inputs.ahead)], 2).unbind(1)
        harmony_of_chord = torch.matmul(chord.transpose(0, 1), decoder.classes).unsqueeze(2).unbind(0)
        requested = inputs.features[:, :, -HARMONY_SIZE:-1].reshape(-1, tracks, 5, 12).unbind(1)
        uniform, warmth = inputs.uniform.unbind(1), temperature.unbind(0)
        given, here = inputs.given_streams.unbind(1), torch.split(inputs.given > 0, 1, 1)
        for track in decoder.order:
            chance, drums = uniform[track], decoder.heads[track]
            hidden = torch.addmm(decoder.beside.bias[track], present.features(), decoder.beside.weight[track])
            hidden = activate(decoder.hidden[track](activate(hidden + past[track])))
            if isinstance(drums, DrumHead):
                pattern = _pick(drums.pattern(hidden), chance[:, :1], warmth[track][0])
                onset = sounding = drums.patterns.index_select(0, pattern)
            else:
                beside = [present.tops[other] for other in decoder.spec.pitched if other != track]
                harmony = [present.harmony.unsqueeze(1), means[0], harmony_of_chord[track], requested[track]]
                pointed = torch.matmul(torch.cat(harmony, 1), self.wide_classes[track])
                pointers = torch.cat([own_pointers[track], pointed], 1)
                tops = torch.cat([lines[track], *beside], 1)
                head = self.heads[str(track)]
                onset, sounding = head(hidden, old[track], pointers, tops, chance, warmth[track])
            onset = torch.where(here[track], given[track][:, STREAM_ONSET], onset)
            sounding = torch.where(here[track], given[track][:, STREAM_SOUNDING], sounding)
            present.decide(track, onset, sounding, not isinstance(drums, DrumHead))
        after = self.next_state(state, present)
        # a given note that goes on where nothing sounds before it begins there, as in `inpaint_streams`
        onset, sounding, before = after.onset[-1], after.sounding[-1], state.sounding[-1]
        begun = onset + sounding * (1 - onset) * (1 - before) * inputs.joins.unsqueeze(2)
        return after, torch.stack([sounding, begun], 2)

    def next_state(self, state: SamplerState, present: Present) -> SamplerState:
        """The state after all tracks have decided."""
        onset, sounding = torch.stack(present.onsets, 1), torch.stack(present.notes, 1)
        struck, hashes = torch.cat(present.strikes, 1), torch.matmul(onset, self.keys)
        counts, window = [onset.sum(2)], steps_before(self.decoder.spec)
        for bars in (1, 2):
            back = window - bars * self.decoder.spec.steps_per_bar
            played = torch.maximum(struck, state.struck[back])
            counts += [played * (hashes == state.hashes[back]), played]
        hit = struck > 0
        return SamplerState(
            onset=_moved_on(state.onset, onset),
            sounding=_moved_on(state.sounding, sounding),
            struck=_moved_on(state.struck, struck),
            hashes=_moved_on(state.hashes, hashes),
            harmony=_moved_on(state.harmony, present.harmony),
            sums=_moved_on(state.sums, state.sums[-1] + torch.stack(counts, 2)),
            sums_of_bar=state.sums_of_bar,
            chords=torch.where(hit.unsqueeze(2), torch.stack([onset, state.chords[0]]), state.chords),
            since=torch.where(hit, 1, (state.since + 1).clamp(max=LONGEST)),
            used=torch.maximum(state.used, onset),
        )


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
        warmth = (temperature.unsqueeze(1) * self.own_temperatures).clamp(min=COLD)
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
    """As `gan.networks.decoder.pick`, of uniform numbers `[rows, 1]`, for a temperature that is not 0."""
    shares = torch.softmax(logits / temperature, 1).cumsum(1)
    return (shares < uniform * shares[:, -1:]).sum(1)


def _places_of_intervals(size: int, shift: int) -> Tensor:
    """Where in the scores of an origin the interval to each pitch stands, `[size + 1, size + 1]`.

    A row for each origin, `shift` semitones above the track's own; none to the last place, which is no pitch.
    """
    pitches = torch.arange(size + 1)
    intervals = pitches - (pitches + shift).unsqueeze(1)
    inside = intervals.abs() <= WIDEST_INTERVAL
    places = torch.where(inside, intervals + WIDEST_INTERVAL, 2 * WIDEST_INTERVAL + 1)
    places[:, size] = 2 * WIDEST_INTERVAL + 2
    return places


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

"""Autoregressive decoder: notes step by step and track by track, each given all that was decided before.

    p(phrase) = product over steps and tracks of p(what the track does here | the past, tracks before it, features)

as in MusicVAE's or DeepBach's decoders. `log_probs` scores phrases that are known (teacher forcing), `sample` draws
them. All chance comes from the latents: a fixed random projection turns them into one normal number for each decision,
and the inverse distribution function makes the decision of it. So the same latents give the same phrase, and latents
nearby make most decisions alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax, one_hot

from gan.chords import CHORD_SIZE
from gan.conditions import TONALITY_SIZE
from gan.latents import Latents
from gan.networks.heads import (
    KEEP_ALL,
    KEEP_SOME,
    NO_ORIGIN,
    STRIKE,
    DrumHead,
    PitchedHead,
    highest,
    lowest,
)
from gan.networks.history import AHEAD, NUM_POINTERS, History
from gan.networks.layers import TrackLinear, activate, linear
from gan.ops.shard import WHOLE, Shard
from gan.ops.upload import upload
from gan.rolls import STREAM_ONSET, STREAM_SOUNDING, stream_pitch_classes
from gan.spec import RollSpec
from gan.statistics import DataStatistics

HARMONY_SIZE = TONALITY_SIZE + CHORD_SIZE
"""Numbers of a requested harmony: pitch classes of chroma and key, then the chord (`gan.chords.encode_chords`)."""
NOISE_SEED = 20_101
"""Of the fixed projection from latents to the noise of decisions."""
GOLDEN = 0.618034
MARGIN = 1e-6
"""Uniform numbers keep so far from 0 and 1."""


def pitch_classes(spec: RollSpec, lowest_pitches: Sequence[int], pitch_range: int) -> Tensor:
    """`[tracks, pitch_range, 12]`: which pitch class each pitch of a track belongs to; zeros for drums."""
    classes = torch.zeros(spec.num_tracks, pitch_range, 12)
    classes[list(spec.pitched)] = stream_pitch_classes(
        spec, [lowest_pitches[track] for track in range(spec.num_tracks)], pitch_range
    )
    return classes


def drum_patterns(
    statistics: DataStatistics, spec: RollSpec, lowest_pitches: Sequence[int], pitch_range: int
) -> dict[int, Tensor]:
    """Of each drum track the patterns that it chooses from, `[patterns, pitch_range]`, 0 or 1."""
    found = {}
    for track in (track for track in range(spec.num_tracks) if track not in spec.pitched):
        rows = [[pitch - lowest_pitches[track] for pitch in pattern] for pattern in statistics.patterns[track]]
        patterns = torch.zeros(max(1, len(rows)), pitch_range)
        for number, row in enumerate(rows):
            patterns[number, [pitch for pitch in row if 0 <= pitch < pitch_range]] = 1.0
        found[track] = torch.unique(patterns, dim=0)
    return found


def pick(logits: Tensor, uniform: Tensor, temperature: float) -> Tensor:
    """Choices `[rows]` by inverse transform sampling of `softmax(logits / temperature)`, logits `[rows, choices]`."""
    if temperature <= 0:
        return logits.argmax(1)
    shares = torch.softmax(logits / temperature, 1).cumsum(1)
    return (shares < (uniform * shares[:, -1]).unsqueeze(1)).sum(1).clamp(max=logits.shape[1] - 1)


@dataclass(frozen=True)
class Decision:
    """Decisions of one kind of a track in known phrases.

    Attributes
    ----------
    track, slot
        Whose, and which of the noises of a step decides: a number, or one for each row.
    rows
        `[decisions]`: step times batch plus phrase.
    logits, target
        `[decisions, choices]` and the choice `[decisions]`.
    kept
        Where each note of several goes on or not, bool `[decisions, pitch_range]` as numbers; `target` then says for
        which notes that was open, and `logits` are those of going on.
    """

    track: int
    slot: int | Tensor
    rows: Tensor
    logits: Tensor
    target: Tensor
    kept: Tensor | None = None

    def log_probs(self) -> Tensor:
        """`[decisions]`."""
        if self.kept is None:
            return log_softmax(self.logits, 1).gather(1, self.target.unsqueeze(1)).squeeze(1)
        loss = binary_cross_entropy_with_logits(self.logits, self.kept, reduction="none")
        return -(loss * self.target).sum(1)


class NoteDecoder(nn.Module):
    """Decoder of phrases of one `RollSpec`.

    Parameters
    ----------
    spec, classes, lowest_pitches
        The shape of the rolls; `[tracks, pitch_range, 12]` pitch classes, zeros for drums; the first pitch of each
        track's range.
    order
        In which the tracks decide at each step.
    max_notes
        Most notes that each track strikes at once.
    patterns
        Of each drum track, `[patterns, pitch_range]`.
    num_inputs, width, latent_size, drop
        Sizes. Inputs are features, and after them the harmony requested at the step, `HARMONY_SIZE` numbers.
    """

    classes: Tensor
    others: Tensor
    offsets: Tensor
    projection: Tensor

    def __init__(
        self,
        spec: RollSpec,
        classes: Tensor,
        lowest_pitches: Sequence[int],
        order: Sequence[int],
        max_notes: Sequence[int],
        patterns: dict[int, Tensor],
        num_inputs: int,
        width: int,
        latent_size: int,
        drop: float,
    ) -> None:
        super().__init__()
        self.spec, self.order, self.max_notes = spec, tuple(order), tuple(max_notes)
        self.width, self.drop = width, drop
        self.pitch_range, tracks = classes.shape[1], spec.num_tracks
        self.register_buffer("classes", classes, persistent=False)
        beside = [[other for other in spec.pitched if other != track] for track in spec.pitched]
        first = torch.tensor([lowest_pitches[track] for track in range(spec.num_tracks)])
        self.register_buffer("others", torch.tensor(beside, dtype=torch.long), persistent=False)
        self.register_buffer("offsets", first[self.others] - first[list(spec.pitched), None], persistent=False)
        nothing = self.history(torch.zeros(spec.num_steps, 1, tracks), torch.full((1, tracks), math.nan))
        self.before = TrackLinear(tracks, nothing.before(0, 1)[0].shape[3] + num_inputs + HARMONY_SIZE, width)
        self.shared = linear(nothing.shared(0, 1)[0].shape[2], tracks * width)
        self.beside = TrackLinear(tracks, nothing.beside((), 0, 1)[0].shape[2], width)
        self.hidden = nn.ModuleList(linear(width, width) for _ in range(tracks))
        self.drums = nn.ModuleDict()
        heads: list[nn.Module] = []
        for track in range(tracks):
            if spec.tracks[track].is_drum:
                self.drums[str(track)] = linear(nothing.drums(track, 0, 1).shape[2], width)
                heads.append(DrumHead(patterns[track], width))
            else:
                others = len(spec.pitched) - 1
                heads.append(PitchedHead(NUM_POINTERS, self.pitch_range, width, max_notes[track], others))
        self.heads = nn.ModuleList(heads)
        self.num_noises = 2 + max(max_notes)
        random = torch.Generator().manual_seed(NOISE_SEED)
        rows = torch.randn(tracks, spec.num_steps * self.num_noises, 4 * latent_size, generator=random)
        self.register_buffer("projection", rows / rows.norm(dim=2, keepdim=True), persistent=False)

    def history(self, given: Tensor, density: Tensor, known: Tensor | None = None) -> History:
        """An empty history, see there."""
        return History(len(density), self.spec, self.classes, given, density, known)

    def monophonic(self, streams: Tensor) -> Tensor:
        """Streams in which tracks that strike one note at a time have their highest note alone."""
        for track, most in enumerate(self.max_notes):
            sounding, onset = streams[:, :, track].unbind(2)
            if most == 1 and track in self.spec.pitched and bool((sounding.sum(2) > 1).any()):
                top = highest(sounding.flatten(0, 1)).view(sounding.shape[:2])
                earlier = torch.cat([torch.full_like(top[:1], -1), top[:-1]])
                line = one_hot(top + 1, self.pitch_range + 1)[:, :, 1:].to(streams)
                begins = (onset.gather(2, top.clamp(min=0).unsqueeze(2)).squeeze(2) > 0) | (top != earlier)
                streams = streams.clone()
                streams[:, :, track, STREAM_SOUNDING] = line
                streams[:, :, track, STREAM_ONSET] = line * begins.unsqueeze(2)
        return streams

    def _past(self, history: History, x: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden states of what was before steps, `[steps, batch, tracks, width]`, and the pointers to it."""
        features, own = history.before(start, stop)
        shared, means = history.shared(start, stop)
        hidden = self.before(torch.cat([features, x[start:stop]], 3))
        hidden = hidden + self.shared(shared).unflatten(2, (self.spec.num_tracks, -1))
        for track, layer in self.drums.items():
            hidden[:, :, int(track)] += layer(history.drums(int(track), start, stop))
        return hidden, own, means

    def _now(
        self,
        history: History,
        past: Tensor,
        track: int,
        place: int,
        start: int,
        stop: int,
        dropout: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Hidden states of a track at steps, `[steps * batch, width]`, the chroma beside it and the notes."""
        first, second = (None, None) if dropout is None else dropout[:, track].repeat(stop - start, 1, 1).unbind(1)
        features, chroma, notes = history.beside(self.order[:place], start, stop)
        hidden = torch.addmm(self.beside.bias[track], features.flatten(0, 1), self.beside.weight[track])
        hidden = activate(hidden + past[:, :, track].flatten(0, 1))
        hidden = hidden if first is None else hidden * first
        hidden = activate(self.hidden[track](hidden))
        return hidden if second is None else hidden * second, chroma, notes

    def draw_dropout(self, count: int, random: torch.Generator, shard: Shard = WHOLE) -> Tensor | None:
        """Dropout of channels of `count` whole phrases (Gal and Ghahramani, arXiv 1512.05287); None for no dropout.

        Factors of the hidden states, `[count, tracks, 2, width]`: 0 or what makes up for it. A CPU generator draws for
        all shards.
        """
        if not self.drop:
            return None
        size = (self.spec.num_tracks, 2, self.width)
        draws = shard.draw(lambda batch: torch.rand(batch, *size, generator=random), count)
        return upload((draws >= self.drop) / (1 - self.drop), self.projection.device)

    def _pointers(self, own: Tensor, chroma: Tensor, means: Tensor, x: Tensor, track: int) -> Tensor:
        """`[rows, NUM_POINTERS, pitch_range]`; `x` are the inputs of these steps."""
        own = own[:, :, track].flatten(0, 1)
        classes = self.classes[track]
        last = own[:, 1] @ classes
        requested = x[:, :, track, -HARMONY_SIZE:-1].reshape(-1, 5, 12)
        harmony = [chroma.flatten(0, 1).unsqueeze(1), means.flatten(0, 1), last.unsqueeze(1), requested]
        return torch.cat([own, torch.cat(harmony, 1) @ classes.T], 1)

    def _origins(self, own: Tensor, notes: Tensor, track: int) -> Tensor:
        """Pitches from which a track's intervals count, `[rows, num_origins - 1]`, see `PitchedHead.pitch_logits`."""
        chord = own[:, :, track, 1].flatten(0, 1)
        mine = self.spec.pitched.index(track)
        beside = highest(notes.index_select(2, self.others[mine]).flatten(0, 1))
        moved = torch.where(beside >= 0, beside + self.offsets[mine], NO_ORIGIN)
        line = torch.stack([lowest(chord), highest(chord), highest(own[:, :, track, AHEAD].flatten(0, 1))], 1)
        return torch.cat([torch.where(line >= 0, line, NO_ORIGIN), moved], 1)

    def decisions(
        self,
        streams: Tensor,
        x: Tensor,
        given: Tensor,
        density: Tensor,
        known: Tensor | None = None,
        dropout: Tensor | None = None,
    ) -> list[Decision]:
        """What was decided where phrases are known; parameters as in `log_probs`."""
        streams = self.monophonic(streams.transpose(0, 1))
        history = self.history(given.transpose(0, 1), density, known)
        history.fill(streams)
        return self._decisions(history, streams, x.transpose(0, 1), 0, self.spec.num_steps, dropout)

    def _decisions(
        self, history: History, streams: Tensor, x: Tensor, start: int, stop: int, dropout: Tensor | None = None
    ) -> list[Decision]:
        """What was decided at several steps of known phrases `[time, batch, ...]`; rows count from `start` on."""
        past, own, means = self._past(history, x, start, stop)
        here = streams[start:stop]
        earlier = streams[start - 1 : stop - 1] if start else torch.cat([torch.zeros_like(here[:1]), here[:-1]])
        found: list[Decision] = []
        for place, track in enumerate(self.order):
            head = self.heads[track]
            hidden, chroma, notes = self._now(history, past, track, place, start, stop, dropout)
            if isinstance(head, DrumHead):
                hits = here[:, :, track, STREAM_ONSET].flatten(0, 1)
                rows = torch.arange(len(hits), device=hits.device)
                found.append(Decision(track, 0, rows, head.pattern(hidden), head.nearest(hits)))
            elif isinstance(head, PitchedHead):
                pointers = self._pointers(own, chroma, means, x[start:stop], track)
                origins = self._origins(own, notes, track)
                old = earlier[:, :, track, STREAM_SOUNDING].flatten(0, 1)
                found += pitched_decisions(head, track, here[:, :, track].flatten(0, 1), old, hidden, pointers, origins)
        return found

    def log_probs(
        self,
        streams: Tensor,
        x: Tensor,
        given: Tensor,
        density: Tensor,
        known: Tensor | None = None,
        dropout: Tensor | None = None,
    ) -> Tensor:
        """Log-probabilities of what each track does at each step, `[batch, time, tracks]`.

        Parameters
        ----------
        streams
            `[batch, time, tracks, 2, pitch_range]`, 0 or 1.
        x
            The generator's features and the requested harmony, `[batch, time, tracks, num_inputs + HARMONY_SIZE]`.
        given
            Bool `[batch, time, tracks]`: notes that were known from the start.
        density
            Notes a bar requested, `[batch, tracks]`, NaN for no request.
        known
            Bool `[batch, tracks]`: tracks of which it is known what they play. The others are silent, and no track
            takes that for what they play.
        dropout
            `draw_dropout` of the batch, where the decoder learns.
        """
        decisions = self.decisions(streams, x, given, density, known, dropout)
        return self._sum(decisions, x, self.spec.num_steps)

    def log_probs_of_downbeats(self, streams: Tensor, x: Tensor, given: Tensor, density: Tensor) -> Tensor:
        """Log-probabilities of what each track does on the first step of each bar, `[batch, bars, tracks]`.

        Parameters as in `log_probs`, which says the same of all steps and takes longer.
        """
        streams = self.monophonic(streams.transpose(0, 1))
        history = self.history(given.transpose(0, 1), density)
        history.fill(streams)
        found = []
        for start in range(0, self.spec.num_steps, self.spec.steps_per_bar):
            decisions = self._decisions(history, streams, x.transpose(0, 1), start, start + 2)
            found.append(self._sum(decisions, x, 2)[:, 0])
        return torch.stack(found, 1)

    def _sum(self, decisions: Sequence[Decision], x: Tensor, steps: int) -> Tensor:
        """Log-probabilities of what each track does at each of so many steps, `[batch, steps, tracks]`."""
        parts = [x.new_zeros(steps * len(x)) for _ in self.order]
        for one in decisions:
            parts[one.track] = parts[one.track].index_add(0, one.rows, one.log_probs())
        return torch.stack([part.view(steps, len(x)).T for part in parts], 2)

    def intervals(
        self, streams: Tensor, x: Tensor, given: Tensor, density: Tensor, temperature: tuple[float, float]
    ) -> tuple[Tensor, Tensor]:
        """Bounds of the uniform numbers that make known phrases, each as `noise` gives them.

        Where nothing depends on a number they are 0 and 1. Parameters as in `log_probs`.
        """
        shape = (self.spec.num_steps * len(streams), self.spec.num_tracks, self.num_noises)
        low, high = x.new_zeros(shape), x.new_ones(shape)
        for one in self.decisions(streams, x, given, density):
            if one.kept is None:
                shares = torch.softmax(one.logits / temperature[0 if isinstance(one.slot, int) else 1], 1)
                index = one.target.unsqueeze(1)
                upper = shares.cumsum(1).gather(1, index).squeeze(1)
                low[one.rows, one.track, one.slot] = upper - shares.gather(1, index).squeeze(1)
                high[one.rows, one.track, one.slot] = upper
        shape = (self.spec.num_steps, len(streams), *low.shape[1:])
        return low.view(shape), high.view(shape)

    def noise(self, latents: Latents, distribution: Callable[[Tensor], Tensor] = torch.special.ndtr) -> Tensor:
        """Uniform numbers `[time, batch, tracks, num_noises]` of the latents; `distribution` is the normal one."""
        tracks = self.spec.num_tracks
        shared = torch.cat([latents.z, latents.z_time], 1).unsqueeze(1).expand(-1, tracks, -1)
        own = torch.cat([shared, latents.z_track, latents.z_track_time], 2)  # [batch, tracks, 4 * size]
        normal = torch.einsum("bvd,vnd->bvn", own, self.projection)
        uniform = distribution(normal).clamp(MARGIN, 1 - MARGIN)
        return uniform.view(own.shape[0], tracks, self.spec.num_steps, self.num_noises).permute(2, 0, 1, 3).contiguous()

    @torch.no_grad()
    def sample(
        self,
        x: Tensor,
        uniform: Tensor,
        density: Tensor,
        temperature: Sequence[tuple[float, float]],
        streams: Tensor | None = None,
        given: Tensor | None = None,
        known: Tensor | None = None,
    ) -> Tensor:
        """Streams `[batch, time, tracks, 2, pitch_range]`; what is given (as in `log_probs`) comes back as it is.

        `temperature` holds two numbers for each track, of rhythm (drums have no other) and of pitches.
        """
        batch, time, tracks = x.shape[:3]
        fixed = x.new_zeros((time, batch, tracks), dtype=torch.bool) if given is None else given.transpose(0, 1)
        history = self.history(fixed, density, known)
        some, every = fixed.any(1).tolist(), fixed.all(1).tolist()
        if streams is not None:
            history.give(streams.transpose(0, 1))
        x = x.transpose(0, 1)
        for step in range(time):
            history.open(step)
            if not all(every[step]):
                past, own, means = self._past(history, x, step, step + 1)
            for place, track in enumerate(self.order):
                if every[step][track]:
                    continue
                head, warmth, chance = self.heads[track], temperature[track], uniform[step, :, track]
                hidden, chroma, notes = self._now(history, past, track, place, step, step + 1)
                if isinstance(head, DrumHead):
                    onset = sounding = head.patterns[pick(head.pattern(hidden), chance[:, 0], warmth[0])]
                elif isinstance(head, PitchedHead):
                    pointers = self._pointers(own, chroma, means, x[step : step + 1], track)
                    origins = self._origins(own, notes, track)
                    onset, sounding = decide(head, hidden, own[0, :, track, 0], pointers, origins, chance, warmth)
                if some[step][track]:
                    here = fixed[step, :, track].unsqueeze(1)
                    onset = torch.where(here, history.onset[history.lead + step, :, track], onset)
                    sounding = torch.where(here, history.now_notes[:, track], sounding)
                if known is not None:
                    silence = ~known[:, track, None]
                    onset, sounding = onset.masked_fill(silence, 0.0), sounding.masked_fill(silence, 0.0)
                history.put(track, step, onset, sounding)
            history.close(step)
        made = torch.stack([history.sounding, history.onset], 3)[history.lead :]
        return made.transpose(0, 1).contiguous()


def pitched_decisions(
    head: PitchedHead, track: int, streams: Tensor, old: Tensor, hidden: Tensor, pointers: Tensor, origins: Tensor
) -> list[Decision]:
    """What a pitched track decided, of its streams `[rows, 2, pitch_range]` and what sounded before, `old`."""
    sounding, onset = streams.unbind(1)
    kept = sounding * (1 - onset)
    num_kept = kept.sum(1)
    strikes = onset.amax(1) > 0
    keep = torch.where(num_kept == 0, 0, torch.where(num_kept >= old.sum(1), KEEP_ALL, KEEP_SOME))
    every = torch.arange(len(onset), device=hidden.device)
    found = [Decision(track, 0, every, head.mode_logits(hidden, old), STRIKE * strikes + keep)]
    some = (keep == KEEP_SOME).nonzero().squeeze(1)
    if len(some):
        found.append(Decision(track, 1, some, head.keep(hidden[some]), old[some], kept[some]))
    rows = strikes.nonzero().squeeze(1)
    if not len(rows):
        return found
    struck = onset[rows]
    if head.max_notes > 1:  # and then none
        struck = torch.cat([struck, torch.ones_like(struck[:, :1])], 1)
    row, target = struck.nonzero(as_tuple=True)
    number = (struck.cumsum(1).long() - 1)[row, target]
    fits = (number < head.max_notes).nonzero().squeeze(1)  # larger chords lose their highest notes
    row, target, number = row[fits], target[fits], number[fits]
    rows = rows[row]
    chosen = onset[rows] * (torch.arange(head.pitch_range, device=hidden.device) < target.unsqueeze(1))
    logits = head.pitch_logits(hidden[rows], pointers[rows], origins[rows], kept[rows], chosen, highest(chosen))
    if head.max_notes == 1:
        logits = logits[:, :-1]
    return [*found, Decision(track, 2 + number, rows, logits, target)]


def decide(
    head: PitchedHead,
    hidden: Tensor,
    old: Tensor,
    pointers: Tensor,
    origins: Tensor,
    chance: Tensor,
    temperature: tuple[float, float],
) -> tuple[Tensor, Tensor]:
    """Onsets and sounding notes `[batch, pitch_range]` of a pitched track at a step, after notes `old`."""
    mode = pick(head.mode_logits(hidden, old), chance[:, 0], temperature[0])
    keep = mode % STRIKE
    kept = old * (keep == KEEP_ALL).unsqueeze(1)
    if head.max_notes > 1:
        part = (keep == KEEP_SOME).nonzero().squeeze(1)
        if len(part):
            share = torch.sigmoid(head.keep(hidden[part]))
            places = torch.arange(head.pitch_range, device=hidden.device) * GOLDEN
            draws = (chance[part, 1].unsqueeze(1) + places) % 1  # of one number as many as there are pitches
            draws = draws if temperature[0] > 0 else torch.full_like(draws, 0.5)
            kept[part] = old[part] * (draws < share)
    onset = torch.zeros_like(old)
    rows = (mode >= STRIKE).nonzero().squeeze(1)
    last = torch.full((len(rows),), -1, device=hidden.device)
    for number in range(head.max_notes):
        if not len(rows):
            break
        logits = head.pitch_logits(hidden[rows], pointers[rows], origins[rows], kept[rows], onset[rows], last)
        if head.max_notes == 1:
            logits = logits[:, :-1]
        pitch = pick(logits, chance[rows, 2 + number], temperature[1])
        more = (pitch < head.pitch_range).nonzero().squeeze(1)
        rows, last = rows[more], pitch[more]
        onset[rows, last] = 1.0
    return onset, torch.maximum(onset, kept)

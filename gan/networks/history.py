"""What was played before a step, and beside it: the features by which note heads decide.

Notes lie in buffers, time in front, that are either filled at once, to score known phrases (teacher forcing), or step
by step while phrases are sampled; both ways give the same features. Some empty steps stand before the first.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot, pad

from gan.conditions import SILENT
from gan.ops.upload import upload
from gan.rolls import STREAM_ONSET, STREAM_SOUNDING
from gan.spec import RollSpec

NUM_RECENT = 16
"""Steps back over which it is seen at which of them notes began."""
LONGEST = 18
"""Steps since the last onset are counted up to here."""
AROUND = 2
"""Steps before and after the place one and two bars ago."""
NUM_FLAGS = 12
"""Numbers on how much the last bar and beat were as one and two bars before."""
NUM_PROGRESS = 3
NUM_OWN = 7
"""Vectors over the pitches of what a track did before, and does next where that is given; all are pointers as well."""
AHEAD = NUM_OWN - 1
"""The last of them is what comes next."""
NUM_POINTERS = NUM_OWN + 4 + 5
"""Beside them harmony: now, in the last beat and bar, of the last chord; requested chroma, key, root, tones, bass."""
NEAR = (1, 2, 4, 8, 16)
"""Steps within which the next given notes of a track are near, by degrees."""
FARTHEST = 1_000_000
"""Steps to given notes where there are none."""
DRUM_LAGS = (1, 2, 3, 4, 8)
"""Steps back at which a drum track sees its own onsets; those around one and two bars ago it sees too."""


class History:
    """Notes of phrases up to a step.

    Parameters
    ----------
    batch, spec
        Sizes.
    classes
        `[tracks, pitch_range, 12]`: the pitch class of each pitch, zeros for drums.
    given
        Bool `[time, batch, tracks]`: notes that are known from the start.
    density
        Requested notes a bar, `[batch, tracks]`, NaN for no request.
    known
        Bool `[batch, tracks]`: tracks of which it is known what they play; without it all are.
    """

    def __init__(
        self, batch: int, spec: RollSpec, classes: Tensor, given: Tensor, density: Tensor, known: Tensor | None = None
    ) -> None:
        bar, time, tracks, pitches = spec.steps_per_bar, spec.num_steps, spec.num_tracks, classes.shape[1]
        self.spec, self.bar, self.classes = spec, bar, classes
        self.lead = steps_before(spec)
        self.given = given.to(classes)
        self.known = classes.new_ones(batch, tracks) if known is None else known.to(classes)
        self.requested = (~density.isnan()).to(classes)
        self.density = density.nan_to_num(0.0)
        length = self.lead + time
        new = classes.new_zeros
        self.onset = new(length, batch, tracks, pitches)
        self.sounding = new(length, batch, tracks, pitches)
        self.struck = new(length, batch, tracks)
        self.chroma = new(length, batch, tracks, 12)
        self.harmony = new(length, batch, 12)
        self.hashes = new(length, batch, tracks)  # of the onsets: equal where these are
        self.keys = upload(hash_keys(pitches), classes.device).to(classes.dtype)
        self.sums = new(length + 1, batch, tracks, 5)  # so far: notes; steps alike and played, one and two bars apart
        self.chords = new(2, batch, tracks, pitches)  # the last two, while sampling
        self.latest = torch.zeros(batch, tracks, dtype=torch.long, device=classes.device)
        self.used = new(batch, tracks, pitches)
        self.ahead = new(time, batch, tracks, pitches)
        self.nearness = new(time, batch, tracks, 1 + len(NEAR))
        self.counted = torch.eye(LONGEST, device=classes.device)
        self.places = upload(places_of_steps(spec), classes.device).to(classes.dtype)
        self.now = new(batch, tracks * (pitches + 14))  # what is known of the step being decided, while sampling
        sizes = [tracks * pitches, tracks * 12, tracks, tracks]
        notes, chroma, *self.now_flags = torch.split(self.now, sizes, 1)
        self.now_notes, self.now_chroma = notes.view(batch, tracks, -1), chroma.view(batch, tracks, -1)

    def fill(self, streams: Tensor) -> None:
        """All notes at once, of streams `[time, batch, tracks, 2, pitch_range]`."""
        self._look_ahead(streams)
        self.onset[self.lead :] = streams[:, :, :, STREAM_ONSET]
        self.sounding[self.lead :] = streams[:, :, :, STREAM_SOUNDING]
        self.struck = self.onset.amax(3)
        self.chroma = torch.einsum("tbvp,vpc->tbvc", self.sounding, self.classes).clamp(max=1)
        self.harmony = self.chroma.amax(2)
        self.hashes = self.onset @ self.keys
        counts = [self.onset.sum(3)]
        for bars in (1, 2):
            earlier = (pad(one, [0] * 4 + [bars * self.bar, 0])[: len(one)] for one in (self.hashes, self.struck))
            counts += _repeated(self.hashes, self.struck, *earlier)
        self.sums = pad(torch.stack(counts, 3).cumsum(0), [0] * 6 + [1, 0])

    def give(self, streams: Tensor) -> None:
        """Given notes, `[time, batch, tracks, 2, pitch_range]`; tracks see those of others at the same step."""
        self._look_ahead(streams)
        notes = streams * self.given[..., None, None]
        self.onset[self.lead :] = notes[:, :, :, STREAM_ONSET]
        self.sounding[self.lead :] = notes[:, :, :, STREAM_SOUNDING]
        self.struck[self.lead :] = notes[:, :, :, STREAM_ONSET].amax(3)
        sounding = notes[:, :, :, STREAM_SOUNDING]
        self.chroma[self.lead :] = torch.einsum("tbvp,vpc->tbvc", sounding, self.classes).clamp(max=1)

    def _look_ahead(self, streams: Tensor) -> None:
        time = len(streams)
        steps = torch.arange(time, device=streams.device).view(-1, 1, 1)
        later = torch.where(self.given > 0, steps, time).flip(0).cummin(0).values.flip(0)
        self.ahead, self.nearness = look_ahead(streams, later)

    def open(self, step: int) -> None:
        """Begin a step: of it is known what is given."""
        place = self.lead + step
        self.now_notes.copy_(self.sounding[place])
        self.now_chroma.copy_(self.chroma[place])
        self.now_flags[0].copy_(self.struck[place])
        self.now_flags[1].copy_(self.given[step] * self.known)

    def put(self, track: int, step: int, onset: Tensor, sounding: Tensor) -> None:
        """Notes of a track at a step, `[batch, pitch_range]` each."""
        place = self.lead + step
        self.onset[place, :, track] = onset
        self.now_notes[:, track] = sounding
        self.now_flags[0][:, track] = onset.amax(1)
        self.now_flags[1][:, track] = self.known[:, track]
        if track in self.spec.pitched:
            self.now_chroma[:, track] = (sounding @ self.classes[track]).clamp(max=1)

    def close(self, step: int) -> None:
        """All tracks have decided at a step."""
        place = self.lead + step
        self.sounding[place], self.chroma[place], self.struck[place] = (
            self.now_notes,
            self.now_chroma,
            self.now_flags[0],
        )
        onset, struck = self.onset[place], self.struck[place]
        self.harmony[place] = self.now_chroma.amax(1)
        self.hashes[place] = onset @ self.keys
        counts = [onset.sum(2)]
        for bars in (1, 2):
            before = place - bars * self.bar
            counts += _repeated(self.hashes[place], struck, self.hashes[before], self.struck[before])
        self.sums[place + 1] = self.sums[place] + torch.stack(counts, 2)
        hit = struck > 0
        self.chords = torch.where(hit.unsqueeze(2), torch.stack([onset, self.chords[0]]), self.chords)
        self.latest = torch.where(hit, place, self.latest)
        self.used = torch.maximum(self.used, onset)

    def _last_chords(self, start: int, stop: int) -> tuple[Tensor, Tensor, Tensor]:
        """The last two chords before each step, `[steps, batch, tracks, pitch_range]`, and the steps since the last."""
        if stop - start == 1:
            return self.chords[0].unsqueeze(0), self.chords[1].unsqueeze(0), (start - self.latest).unsqueeze(0)
        places = torch.arange(len(self.onset), device=self.onset.device)
        latest = torch.where(self.struck > 0, places.view(-1, 1, 1), 0).cummax(0).values
        first = latest[start - 1 : stop - 1]
        second = latest.gather(0, (first - 1).clamp(min=0))
        found = [
            self.onset.gather(0, one.unsqueeze(3).expand(-1, -1, -1, self.onset.shape[3])) for one in (first, second)
        ]
        return found[0], found[1], places[start:stop].view(-1, 1, 1) - first

    def _window(self, start: int, stop: int, first: int, count: int) -> Tensor:
        """Where notes began in `count` steps from `first` on beside each step, `[steps, batch, tracks, count]`."""
        return self.struck[start + first : stop + first + count - 1].unfold(0, count, 1)

    def _flags(self, start: int, stop: int) -> Tensor:
        """`[steps, batch, tracks, NUM_FLAGS]`."""
        here = self.sums[start:stop]
        begin = self._sums_of_bar(start, stop)
        out = []
        for back in (self.sums[start - self.bar : stop - self.bar], self._beat_ago(start, stop), begin):
            alike, played = (here - back)[..., 1:].view(*here.shape[:3], 2, 2).unbind(4)
            out += [alike / played.clamp(min=1), (played > 0).to(here)]
        out[-1] = (played - alike) / self.spec.steps_per_beat
        return torch.cat(out, 3)

    def _sums_of_bar(self, start: int, stop: int) -> Tensor:
        """The sums at the first step of each step's bar."""
        first = start - (start - self.lead) % self.bar
        if stop - start == 1:
            return self.sums[first : first + 1]
        steps = torch.arange(start, stop, device=self.sums.device)
        return self.sums[steps - (steps - self.lead) % self.bar]

    def _elapsed(self, start: int, stop: int) -> Tensor:
        """Steps since the phrase began, `[steps, 1, 1]`."""
        return torch.arange(start, stop, device=self.onset.device).view(-1, 1, 1) - self.lead

    def _beat_ago(self, start: int, stop: int) -> Tensor:
        back = self.spec.steps_per_beat
        return self.sums[start - back : stop - back]

    def _progress(self, start: int, stop: int) -> Tensor:
        """Notes that are missing to the requested density, `[steps, batch, tracks, NUM_PROGRESS]`."""
        step = self._elapsed(start, stop)
        done = self.sums[start:stop, :, :, 0]
        missing = (self.density * self.spec.bars - done) / (self.spec.num_steps - step) * self.bar
        behind = (self.density * step / self.bar - done) / (1 + self.density)
        silent = (self.density < SILENT).to(done).expand_as(done)
        progress = torch.stack([torch.log1p(missing.clamp(min=0)), behind.clamp(-3, 3), silent], 3)
        return progress * self.requested.unsqueeze(2)

    def before(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Features of what was before each step, `[steps, batch, tracks, ...]`; `NUM_OWN` vectors over its pitches."""
        start, stop = start + self.lead, stop + self.lead
        chord, older, since = self._last_chords(start, stop)
        bar, (onset, sounding) = self.bar, (self.onset, self.sounding)
        around = min(AROUND, bar - 1)  # the present is not yet known
        vectors = [sounding[start - 1 : stop - 1], chord, older, onset[start - bar : stop - bar]]
        vectors += [sounding[start - bar : stop - bar], onset[start - 2 * bar : stop - 2 * bar]]
        vectors.append(self.ahead[start - self.lead : stop - self.lead])
        own = torch.stack(vectors, 3)  # [steps, batch, tracks, NUM_OWN, pitch_range]
        features = [
            own.flatten(3),
            self.counted[since.clamp(max=LONGEST - 1)],
            self._window(start, stop, -NUM_RECENT, NUM_RECENT),
            *(self._window(start, stop, -back - around, 2 * around + 1) for back in (bar, 2 * bar)),
            self._flags(start, stop),
            self._progress(start, stop),
            self.nearness[start - self.lead : stop - self.lead],
        ]
        return torch.cat(features, 3), own

    def shared(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """Features that all tracks share, `[steps, batch, ...]`; chroma of the last beat and bar, `[..., 2, 12]`."""
        place = self.places[start:stop]
        start, stop = start + self.lead, stop + self.lead
        means = []
        for steps in (self.spec.steps_per_beat, self.bar):
            means.append(self.harmony[start - steps : stop - 1].unfold(0, steps, 1).mean(3))
        earlier = self.sounding[start - 1 : stop - 1].flatten(2)
        recent = self._window(start, stop, -NUM_RECENT, NUM_RECENT).flatten(2)
        place = place.unsqueeze(1).expand(-1, earlier.shape[1], -1)
        known = self.known.expand(len(earlier), -1, -1)
        return torch.cat([earlier, recent, place, *means, known], 2), torch.stack(means, 2)

    def beside(self, decided: Sequence[int], start: int, stop: int) -> tuple[Tensor, Tensor, Tensor]:
        """Features of what is known of all tracks at each step, decided or given.

        Beside them its chroma `[steps, batch, 12]` and its notes `[steps, batch, tracks, pitch_range]`.
        """
        if stop - start == 1:
            return self.now.unsqueeze(0), self.now_chroma.amax(1).unsqueeze(0), self.now_notes.unsqueeze(0)
        visible = self.given[start:stop].clone()
        for track in decided:
            visible[:, :, track] = 1.0
        visible = visible * self.known
        start, stop = start + self.lead, stop + self.lead
        notes = self.sounding[start:stop] * visible.unsqueeze(3)
        chroma = self.chroma[start:stop] * visible.unsqueeze(3)
        strikes = self.struck[start:stop] * visible
        return torch.cat([notes.flatten(2), chroma.flatten(2), strikes, visible], 2), chroma.amax(2), notes

    def drums(self, track: int, start: int, stop: int) -> Tensor:
        """Features of what a drum track played before, `[steps, batch, ...]`."""
        own = self.onset[:, :, track]
        start, stop = start + self.lead, stop + self.lead
        used = self.used[:, track].unsqueeze(0) if stop - start == 1 else own.cummax(0).values[start - 1 : stop - 1]
        bar = self.bar
        lags = [*DRUM_LAGS, *range(max(1, bar - 2), bar + 3), 2 * bar, 2 * bar - 1]
        return torch.cat([used, *(own[start - lag : stop - lag] for lag in lags)], 2)


def look_ahead(streams: Tensor, later: Tensor) -> tuple[Tensor, Tensor]:
    """What sounds where the next given notes of a track begin, and how near that is: 0 where there are none.

    Parameters
    ----------
    streams
        `[time, batch, tracks, 2, pitch_range]`.
    later
        For each step the first one from there on that is given, `[time, batch, tracks]`; `time` where there is none.

    Returns
    -------
    ahead, nearness
        `[time, batch, tracks, pitch_range]` and `[time, batch, tracks, 1 + len(NEAR)]`.
    """
    time = len(streams)
    steps = torch.arange(time, device=streams.device).view(-1, 1, 1)
    index = later.clamp(max=time - 1)[..., None].expand(-1, -1, -1, streams.shape[-1])
    found = streams[:, :, :, STREAM_SOUNDING].gather(0, index)
    ahead = found * (later < time).unsqueeze(3)
    far = torch.where(later < time, later - steps, FARTHEST).unsqueeze(3)
    near = (far <= upload(torch.tensor(NEAR), streams.device)).to(ahead)
    return ahead, torch.cat([(far < FARTHEST) / (1.0 + far), near], 3)


def steps_before(spec: RollSpec) -> int:
    """Empty steps before the first one: as far back as is looked."""
    return max(2 * spec.steps_per_bar + AROUND + 1, NUM_RECENT)


def hash_keys(pitches: int) -> Tensor:
    """A whole number for each pitch; sets of pitches have sums of their own."""
    return torch.randint(1, 2**20, (pitches,), generator=torch.Generator().manual_seed(0))


def places_of_steps(spec: RollSpec) -> Tensor:
    """Of each step of a phrase its place in the bar and the bar's number, one-hot, `[time, steps_per_bar + bars]`."""
    step, bar = torch.arange(spec.num_steps), spec.steps_per_bar
    return torch.cat([one_hot(step % bar, bar), one_hot(step // bar, spec.bars)], 1)


def _repeated(hashes: Tensor, struck: Tensor, earlier_hashes: Tensor, earlier_struck: Tensor) -> list[Tensor]:
    """Where notes began as earlier, and where any began now or then, as 0 or 1."""
    played = torch.maximum(struck, earlier_struck)
    return [played * (hashes == earlier_hashes), played]

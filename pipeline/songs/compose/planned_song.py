"""Composition after a plan: bars that return are copied, others are sampled around them, from first to last.

A window of a phrase's length moves over the song. Its beginning is made already and given to the generator, and so are
the tracks that return, rest or hold on in the bars that are to be made. Of a bar that returns varied, the beats that
stay are put in place of what was sampled there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import normalize

from gan.chords import CHORD_NUMBERS, QUALITY, same_chords
from gan.conditions import DENSITY, NUM_ATTRIBUTES, SILENT, ConditionLayout
from gan.context import Context
from gan.latents import Latents
from gan.seeds import mix_seed
from gan.spec import HOLD, ONSET, RollSpec
from pipeline.scores.chords.recognition import recognise_chords
from pipeline.scores.chords.symbols import UNKNOWN, ChordRows, unknown_chords
from pipeline.scores.keys import Key
from pipeline.scores.notes import Notes, Planes, notes_from_roll
from pipeline.scores.structure.song_plan import NEW, SongPlan
from pipeline.songs.chord_requests import chords_in
from pipeline.songs.compose.ending import end_in_last_bar
from pipeline.songs.compose.phrase_sampling import ConditionalSampler, draw_latents, latents_of
from pipeline.songs.compose.reranking import PhraseSlot, SampledPhrase
from pipeline.songs.plan import PhraseConditions, draw_example, request_chords
from pipeline.songs.seeds import SongRandomStream
from pipeline.songs.song import Section

LIKEST = 4
"""The best phrase is taken of the one in so many in which most chords that are asked for are heard, and that are most
like what the song played before: new bars of real songs are like others. In 120 songs of `games` the likest earlier
bar of a new one has a cosine of .45 in the mean."""
TRIES = 3
"""Times that candidates are made before a track stays silent that should play."""
SILENCE = 2
"""A bar that is silent counts as so many that repeat another, where both should be new."""
LOUDER = 1.6
"""Notes requested in the next try of a track that kept silent."""
UNEVEN = 1.5
"""Bars in which drums play so many times more or less than in the one before are made on their own, such as fills."""
HELD_SHARE = 0.5
"""Of a bar in which nothing begins, and something does in the next, so much is held on from the bar before."""


Progress = Callable[[int, int], None]
"""Is told how many of the parts of something are made, of how many."""


def unseen(done: int, total: int) -> None:
    """A `Progress` that nobody watches."""


@dataclass
class PlannedSong:
    """The bars of a song that follows a plan; sections can be made anew.

    Attributes
    ----------
    plan, named
        What returns and who plays; and the sections with their roles.
    home, seed
        The key (C major or A minor), and what decides on the music.
    sampler
        Samples the bars that are new.
    requested_chords
        Chords of all half bars that the user requests, int8 `[2 * bars, 3]`, or None.
    background
        Notes that are there before anything is made, of tracks that rest in the plan: what is made is made around
        them. Bool `[2, tracks, bars, steps, pitches]`, or None.
    planes
        What is made so far, bool `[2, tracks, bars, steps, pitches]`.
    made
        Bool `[bars]`.
    seeds
        What each section was made with.
    latents
        Of each section those that its bars were sampled with.
    openings
        By label of sections what was sampled first for them: latents that they share, and conditions.
    """

    plan: SongPlan
    named: Sequence[Section]
    home: Key
    seed: int
    sampler: ConditionalSampler
    requested_chords: ChordRows | None = None
    background: Planes | None = None
    planes: Planes = field(init=False)
    made: NDArray[np.bool_] = field(init=False)
    seeds: list[int] = field(init=False)
    latents: list[list[Latents]] = field(init=False)
    openings: dict[int, SampledPhrase] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with the background, or silence."""
        spec, bars = self.spec, self.plan.num_bars
        self.planes = np.zeros((2, spec.num_tracks, bars, spec.steps_per_bar, spec.num_pitches), np.bool_)
        self._clear(slice(None))
        self.made = np.zeros(bars, np.bool_)
        self.seeds = [mix_seed(self.seed, SongRandomStream.COMPOSITION, number) for number in range(len(self.named))]
        self.latents = [[] for _ in self.named]

    @property
    def spec(self) -> RollSpec:
        """Of the generator."""
        return self.sampler.generator.spec

    def make(self, progress: Progress = unseen) -> None:
        """Make all sections; `progress` is told how many are made, of how many."""
        everywhere = np.ones(self.plan.num_bars, np.bool_)
        for number in range(len(self.named)):
            self._section(number, everywhere)
            progress(number + 1, len(self.named))

    def remake(self, role: str, count: int) -> None:
        """Make the sections of a role anew, for the `count`th time; all others stay as they are.

        What returned in them from other sections is new, too, or there would be little to hear.
        """
        numbers = [number for number, section in enumerate(self.named) if section.role == role]
        inside = np.zeros(self.plan.num_bars, np.bool_)
        for number in numbers:
            inside[_bars(self.named[number])] = True
            self.openings.pop(self.plan.labels[number], None)
        self.made &= ~inside
        self._clear(inside)
        for number in numbers:
            self.seeds[number] = mix_seed(self.seed, SongRandomStream.REMAKING, number, count)
            self._section(number, inside)

    def notes(self) -> tuple[Notes, int]:
        """The notes of the song without its background, ending in its last bar; and its bars."""
        bars = self.plan.num_bars
        planes = self.planes if self.background is None else self.planes & ~self.background
        return end_in_last_bar(notes_from_roll(planes, self.spec.lowest_pitch), bars, self.spec, self.home), bars

    def chords(self, num_bars: int) -> ChordRows:
        """The chords that the song was made for, `[2 * num_bars, 3]`; those of the last bar, its ending, are open."""
        chords = self._chords.copy()
        chords[2 * num_bars - 2 :] = UNKNOWN
        return chords

    def sections(self, num_bars: int) -> tuple[Section, ...]:
        """The sections of the song of `num_bars` bars, with seeds and latents."""
        spare = [latents for own in self.latents for latents in own] or [self.sampler.song]
        return tuple(
            replace(section, seed=seed, latents=latents_of(own or spare[:1]))
            for section, seed, own in zip(self.named, self.seeds, self.latents, strict=True)
        )

    def _section(self, number: int, returning: NDArray[np.bool_]) -> None:
        """Make the bars of a section; bars return from those of `returning` `[bars]` only."""
        random = torch.Generator().manual_seed(self.seeds[number])
        self.latents[number] = []
        bars = _bars(self.named[number])
        source = self.plan.source[:, bars]
        source = np.where((source != NEW) & returning[source], source, NEW)
        bar = bars.start
        while bar < bars.stop:
            stop = self._end_of_step(bar, bars.stop, source[:, bar - bars.start :])
            self._step(number, slice(bar, stop), source[:, bar - bars.start : stop - bars.start], random)
            self.made[bar:stop] = True
            bar = stop

    def _clear(self, bars: slice | NDArray[np.bool_]) -> None:
        """Take away what was made in some bars."""
        self.planes[:, :, bars] = False if self.background is None else self.background[:, :, bars]

    def _end_of_step(self, bar: int, end: int, source: NDArray[np.int16]) -> int:
        """The bar up to which bars from `bar` on are made at once: none of them returns from another of them.

        Half a phrase at most; bars for which nothing is sampled, or in which the drums do much else, are on their own.
        """
        most = min(end, bar + max(1, self.spec.bars // 2))
        drums = [track for track, kind in enumerate(self.spec.tracks) if kind.is_drum]
        sampled: NDArray[np.bool_] = np.any(self._sampled(slice(bar, most), source[:, : most - bar]), axis=0)
        for stop in range(bar + 1, most):
            here = source[:, stop - bar]
            loud = self.plan.density[drums, stop - 1 : stop + 1].astype(float) + 1
            uneven = np.any(np.abs(np.diff(np.log(loud))) > np.log(UNEVEN))
            if np.any(here >= bar) or not (sampled[0] and sampled[stop - bar]) or uneven:
                return stop
        return most

    def _sampled(self, bars: slice, source: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Which bars are sampled, at least in part, bool `[tracks, bars]`."""
        plan = self.plan
        exact = (source != NEW) & (plan.kept[:, bars] == plan.whole)
        return np.asarray(plan.playing[:, bars] & ~exact & (plan.density[:, bars] > 0) & self._asked[:, None])

    @cached_property
    def _asked(self) -> NDArray[np.bool_]:
        """Bool `[tracks]`: tracks of which the user did not ask to be silent."""
        return np.asarray(~(self.sampler.request.conditions[: self.spec.num_tracks] < SILENT).numpy())

    def _step(self, number: int, bars: slice, source: NDArray[np.int16], random: torch.Generator) -> None:
        """Make some bars of a section."""
        spec, plan = self.spec, self.plan
        sampled = self._sampled(bars, source)
        self._clear(bars)
        for place, bar in enumerate(range(bars.start, bars.stop)):
            for track in np.flatnonzero(plan.playing[:, bar] & ~sampled[:, place] & self._asked):
                origin = int(source[track, place])
                if origin != NEW:
                    self.planes[:, track, bar] = self.planes[:, track, origin]
                elif bar > self.named[number].first_bar:
                    self._hold_on(int(track), bar)
        if not sampled.any():
            return
        before = spec.bars - (bars.stop - bars.start)
        if self.made[bars.stop :].any():  # between bars that stay
            before = (before + 1) // 2
        start = max(0, min(bars.start - before, plan.num_bars - spec.bars))
        window = slice(start, start + spec.bars)
        free = ~self.made[window] & plan.playing[:, window] & self._asked[:, None]
        inside = slice(bars.start - start, bars.stop - start)
        free[:, inside] = sampled
        label = plan.labels[number]
        phrase = self._sample(label, window, inside, free, source, random)
        self.openings.setdefault(label, phrase)
        self.latents[number].append(phrase.latents)
        made = phrase.planes[:, :, inside]
        self.planes[:, :, bars] = np.where(sampled[None, :, :, None, None], made, self.planes[:, :, bars])

    def _hold_on(self, track: int, bar: int) -> None:
        """Hold what sounded last in the bar before into a bar in which nothing begins, to its end if the next is so."""
        plan = self.plan
        before: NDArray[np.bool_] = np.logical_or(*self.planes[:, track, bar - 1])  # [steps, pitches]
        if not before.any():
            return
        last = int(np.flatnonzero(before.any(axis=1))[-1])
        self.planes[HOLD, track, bar - 1, last + 1 :] |= before[last]
        goes_on = bar + 1 < plan.num_bars and plan.playing[track, bar + 1] and plan.density[track, bar + 1] == 0
        steps = self.spec.steps_per_bar if goes_on else round(HELD_SHARE * self.spec.steps_per_bar)
        self.planes[HOLD, track, bar, :steps] = before[last]

    def _sample(
        self,
        label: int,
        window: slice,
        inside: slice,
        free: NDArray[np.bool_],
        source: NDArray[np.int16],
        random: torch.Generator,
    ) -> SampledPhrase:
        """The best of several phrases for a window, in which some bars `free` `[tracks, bars]` are sampled.

        Of these, bars `inside` are to be kept, in which beats return from the bars of `source` `[tracks, bars inside]`.
        """
        sampler, count = self.sampler, self.sampler.candidates
        given = self.planes[:, :, window].copy()
        given[ONSET, :, 0, 0] |= given[HOLD, :, 0, 0]  # what is held into the window begins with it
        given[HOLD, :, 0, 0] = False
        device = sampler.song.z.device
        rolls = torch.from_numpy(given).to(device).expand(count, *given.shape)
        context = Context(rolls, torch.from_numpy(~free).to(device).expand(count, -1, -1))
        conditions = self._conditions(label, window, free)
        best: tuple[int, SampledPhrase] | None = None
        for _ in range(TRIES):
            latents = draw_latents(sampler.generator, count, sampler.song, self.openings.get(label), random)
            latents = replace(latents, conditions=conditions.to(device).expand(count, -1).clone())
            made = sampler.sample(latents, context)
            made = self._with_returning_beats(made, window, inside, free, source)
            silent = (~made.any(1).flatten(3).any(3).cpu() & torch.from_numpy(free))[:, :, inside]
            faults = SILENCE * silent.sum((1, 2)) + self._repetitions(made, window, inside, free)
            keep = torch.nonzero(faults == faults.min()).flatten()
            joins = sampler.generator.join_log_probs(made, latents.conditions, context.mask)[keep.to(device)].cpu()
            keep = keep[joins >= joins.median()]
            fitting = self._likeness(made[keep.to(device)], window, inside, free)
            fitting += self._chords_heard(made[keep.to(device)], window, inside)
            keep = keep[fitting.argsort(descending=True)[: -(-len(keep) // LIKEST)]].sort().values.to(device)
            slot = PhraseSlot(
                home=self.home,
                before=None,
                after=None,
                closes=inside.stop + window.start == self.plan.num_bars,
                fills=False,
                conditions=PhraseConditions(conditions, ~free),
            )
            phrase, _ = sampler.reranker.best(latents[keep], made[keep], 0, slot)
            if best is None or int(faults.min()) < best[0]:
                best = int(faults.min()), phrase
            if best[0] == 0:
                break
            louder = silent[keep.cpu()].any(0).any(1)
            conditions[: len(louder)] = torch.where(louder, LOUDER, 1.0) * conditions[: len(louder)]
        assert best is not None
        return best[1]

    def _with_returning_beats(
        self,
        rolls: torch.Tensor,
        window: slice,
        inside: slice,
        free: NDArray[np.bool_],
        source: NDArray[np.int16],
    ) -> torch.Tensor:
        """Sampled phrases with the beats in place that return from an earlier bar."""
        plan, beat = self.plan, self.spec.steps_per_beat
        made = rolls.clone()
        for track, place in zip(*np.nonzero(free[:, inside] & (source != NEW)), strict=True):
            bar = window.start + inside.start + int(place)
            origin = torch.from_numpy(self.planes[:, track, source[track, place]])
            for one in range(plan.beats):
                if int(plan.kept[track, bar]) >> one & 1:
                    steps = slice(one * beat, (one + 1) * beat)
                    made[:, :, track, inside.start + place, steps] = origin[:, steps].to(made.device)
        return made

    def _repetitions(
        self, phrases: torch.Tensor, window: slice, inside: slice, free: NDArray[np.bool_]
    ) -> torch.Tensor:
        """How many sampled bars begin the notes of an earlier bar, although they should be new, `[batch]`."""
        onsets = phrases[:, ONSET].cpu().numpy()
        known = [
            {bar.tobytes() for bar in own[: window.start + inside.start]} for own in self.planes[ONSET]
        ]  # of each track
        counts = torch.zeros(len(onsets), dtype=torch.long)
        for track, place in zip(*np.nonzero(free[:, inside]), strict=True):
            for number, phrase in enumerate(onsets):
                bars = [bar.tobytes() for bar in phrase[track, inside.start : inside.start + place + 1]]
                counts[number] += bars[-1] in known[track] or bars[-1] in bars[:-1]
        return counts

    def _likeness(self, phrases: torch.Tensor, window: slice, inside: slice, free: NDArray[np.bool_]) -> torch.Tensor:
        """How like earlier bars the sampled ones are, `[batch]`: the cosine of onsets with the likest, a mean."""
        tracks, places = np.nonzero(free[:, inside])
        onsets = phrases[:, ONSET].flatten(3).float().cpu()
        earlier = torch.from_numpy(self.planes[ONSET, :, : window.start + inside.start]).flatten(2).float()
        likeness = torch.zeros(len(phrases))
        for track, place in zip(tracks, places, strict=True):
            if earlier.shape[1]:
                own, before = onsets[:, track, inside.start + place], earlier[track]
                shared = own @ normalize(before).T
                likeness += shared.amax(1) / own.norm(dim=1).clamp(min=1) / len(tracks)
        return likeness

    def _chords_heard(self, phrases: torch.Tensor, window: slice, inside: slice) -> torch.Tensor:
        """The share of the half bars made in which the chord is recognised that they are made for, `[batch]`."""
        requested = torch.from_numpy(self._chords[2 * window.start : 2 * window.stop]).float()
        recognised = [
            recognise_chords(notes_from_roll(one, self.spec.lowest_pitch), self.spec.bars, self.spec)
            for one in phrases.cpu().numpy()
        ]
        halves = slice(2 * inside.start, 2 * inside.stop)
        found = torch.from_numpy(np.stack(recognised)).float()
        return same_chords(found[:, halves], requested[halves].expand(len(found), -1, -1)).nan_to_num(0.0)

    def _conditions(self, label: int, window: slice, free: NDArray[np.bool_]) -> torch.Tensor:
        """Conditions of a window: the planned notes of what is sampled in it, the notes of what is given."""
        spec, requested = self.spec, self.sampler.request.conditions
        layout = ConditionLayout.of(spec)
        conditions = self._values[label].clone()
        given = self.planes[ONSET, :, window].sum(axis=(2, 3))
        planned = torch.from_numpy(np.where(free, self.plan.density[:, window], given)).to(conditions).mean(1)
        density = layout.attribute(DENSITY)
        conditions[density] = torch.where(requested[density].isnan(), planned, requested[density])
        silent = (conditions[density] < SILENT).repeat(NUM_ATTRIBUTES)
        silent[density] = False
        conditions[layout.attributes] = conditions[layout.attributes].masked_fill(silent, torch.nan)
        here = slice(2 * window.start, 2 * window.stop)
        request_chords(conditions, self._chords[here], layout)
        return conditions

    @cached_property
    def _chords(self) -> ChordRows:
        """The chords of all half bars: the requested; else of a bar that returns those of its source, else the plan's.

        What the plan leaves open has those of phrases of the data.
        """
        layout, chords = ConditionLayout.of(self.spec), unknown_chords(2 * self.plan.num_bars)
        drawn = {label: chords_in(values, layout) for label, values in self._values.items()}
        for (start, end), label in zip(self.plan.section_bars, self.plan.labels, strict=True):
            chords[2 * start : 2 * end] = np.resize(drawn[label], (2 * (end - start), CHORD_NUMBERS))
        chords = np.where(self.plan.chords[:, QUALITY, None] == UNKNOWN, chords, self.plan.chords)
        pitched = list(self.spec.pitched)
        for bar in range(self.plan.num_bars):
            sources = self.plan.source[pitched, bar][self.plan.playing[pitched, bar]]
            if len(sources) and np.all(sources == sources[0]) and sources[0] != NEW:
                chords[2 * bar : 2 * bar + 2] = chords[2 * sources[0] : 2 * sources[0] + 2]
        if self.requested_chords is not None:
            is_requested = self.requested_chords[:, QUALITY, None] != UNKNOWN
            chords = np.where(is_requested, self.requested_chords, chords)
        return chords

    @cached_property
    def _values(self) -> dict[int, torch.Tensor]:
        """By label the conditions of a phrase of the data with about as many notes in each track."""
        random = torch.Generator().manual_seed(mix_seed(self.seed, SongRandomStream.COMPOSITION))
        key = self.home.tonic + 12 * self.home.is_minor
        values = {}
        for label in sorted(set(self.plan.labels)):
            bars = [
                bar
                for span, own in zip(self.plan.section_bars, self.plan.labels, strict=True)
                for bar in range(*span)
                if own == label
            ]
            densities = torch.from_numpy(self.plan.density[:, bars].mean(axis=1))
            values[label] = draw_example(
                self.sampler.generator.examples, self.sampler.request.conditions, densities, key, random
            )
        return values


def without_other_chords(plan: SongPlan, chords: ChordRows, spec: RollSpec) -> SongPlan:
    """The plan in which pitched tracks are new in bars that return from a bar of other requested chords."""
    source = plan.source.copy()
    bars = chords.reshape(plan.num_bars, -1)
    for track in spec.pitched:
        returning = np.flatnonzero(source[track] != NEW)
        other = (bars[returning] != bars[source[track, returning]]).any(axis=1)
        source[track, returning[other]] = NEW
    return replace(plan, source=source)


def _bars(section: Section) -> slice:
    return slice(section.first_bar, section.first_bar + section.num_bars)

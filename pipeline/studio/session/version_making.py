"""Versions of selected cells: window by window around what stays, all of them sampled in one batch.

The generator makes many candidates for the first window; those that meet the request best, differ from one another and
from what is there, and that the discriminator rates highest become versions. In further windows each version goes on
with the best of a few candidates of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from gan.chords import same_chords
from gan.conditions import DENSITY, LENGTH, NUM_ATTRIBUTES, SHORT, SILENT, VOICES, ConditionLayout
from gan.context import Context
from gan.latents import Latents
from gan.networks.variation import resample_beats
from gan.seeds import mix_seed
from gan.spec import ONSET
from pipeline.scores.chords.recognition import recognise_chords
from pipeline.scores.chords.symbols import ChordRows, transpose_rows
from pipeline.scores.keys import pitch_class_durations
from pipeline.scores.notes import Notes, Planes, cut_overlaps, in_order, notes_from_roll, roll_from_notes
from pipeline.songs.inpaint.mask import BarMask
from pipeline.songs.inpaint.window_inpainting import (
    MONOPHONIC,
    attributes_of,
    begun_window,
    next_window,
    shift_into_pitch_range,
    wait_for_kept,
)
from pipeline.songs.key_and_tempo import transpose_into_range
from pipeline.songs.performance.model import Performer
from pipeline.songs.plan import request_chords
from pipeline.songs.request import Request
from pipeline.songs.song import Song
from pipeline.studio.session.cell_request import CellRequest, usual_cells
from pipeline.studio.session.model import CANDIDATES, StudioModel
from pipeline.studio.session.performing import perform_beside, performer_of
from pipeline.studio.session.selection import ANEW, BUSIER, LIKE, SPARSER

CANDIDATES_GOING_ON = 3
"""Candidates of each version in a window after its first."""
TRIES = 3
"""Times that candidates are sampled where too few differ or meet the request."""
LEAST_RESAMPLED, MOST_RESAMPLED = 0.25, 0.5
"""Share of the beats that are sampled anew in versions that are like what is there."""
SILENT_COST, DENSITY_COST, CHORD_COST, KEY_COST, RATING_COST, ALIKE_COST = 4.0, 2.0, 2.0, 2.0, 0.25, 1.0
"""What a candidate pays: for each track that keeps silent; for densities, chords and keys that were asked for and are
not met; for a rating one standard deviation lower; for being the same as another version or what is there."""
LIKE_COST, ALIKE = 4.0, 0.7
"""Versions that are to be like what is there have about so many onsets in common with it (Jaccard index)."""
MAJOR_SCALE, MINOR_SCALE = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
LARGEST_SEED = 2**31
"""Seeds of versions are smaller, so that every page and file can hold them."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MadeVersion:
    """The cells of one version: its seed, and the notes that begin in them, at the song's pitch."""

    seed: int
    notes: Notes


@dataclass(eq=False)
class _Way:
    """A version on its way: its seed, what is made so far `[2, tracks, bars, steps, pitches]`, its latents `[1]`."""

    seed: int
    planes: Planes
    latents: Latents | None = None


def make_versions(
    song: Song,
    asked: CellRequest,
    model: StudioModel,
    count: int,
    seed: int,
    seed_is_typed: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[int, Song]]:
    """Up to `count` versions of a song in which the requested cells are made, each with its seed.

    Parameters
    ----------
    song, asked
        The song, and what is requested of which cells.
    model
        Makes them.
    count, seed
        How many at most, and what decides on them.
    seed_is_typed
        Whether the candidate of `seed` itself is to be the first version; typed, the seed that a version comes with
        makes it again.
    progress
        Is told how many bars are made, of how many.
    """
    with model.lock:
        made = _VersionMaker(song, asked, model, progress or (lambda done, total: None)).make(
            count, seed, seed_is_typed
        )
    performer = performer_of(song, model)
    return [(one.seed, with_cells(song, asked, one.notes, performer, model)) for one in made]


def with_cells(song: Song, asked: CellRequest, made: Notes, performer: Performer, model: StudioModel) -> Song:
    """The song with `made` notes in the requested cells; all other notes are as they were, to the byte."""
    stays = staying_notes(song, asked.free)
    notes = cut_overlaps(np.concatenate([stays, made]))
    notes["length"] = np.minimum(notes["length"], song.num_steps - notes["onset"])
    velocities, timing = perform_beside(song, notes, asked.free, performer, model)
    chords = song.composed_chords
    if chords is not None or asked.chords_are_typed:
        half_bars = np.repeat(asked.free.any(axis=0), 2)[:, None]
        chords = np.where(half_bars, asked.chords, song.chords)
    origins = np.where(asked.free, 0, song.all_origins).astype(np.uint8)
    return replace(
        song,
        notes=notes,
        velocities=velocities,
        timing_ticks=timing,
        composed_chords=chords,
        origins=origins if origins.any() else None,
    )


def staying_notes(song: Song, free: BarMask) -> Notes:
    """The notes of a song that do not begin in cells `free` `[tracks, bars]`."""
    return in_order(song.notes[~free[song.notes["track"], song.notes["onset"] // song.spec.steps_per_bar]])


class _VersionMaker:
    """Makes the versions of one request; everything is in the key that the generator knows until the end."""

    def __init__(
        self, song: Song, asked: CellRequest, model: StudioModel, progress: Callable[[int, int], None]
    ) -> None:
        self.song, self.asked, self.model, self.progress = song, asked, model, progress
        self.inpainter, self.spec = model.inpainter, model.spec
        self.layout = ConditionLayout.of(self.spec)
        self.shift = asked.key.shift_to_common if model.in_common_key else 0
        self.stays = staying_notes(song, asked.free)
        self.short = max(0, self.spec.bars - song.num_bars)  # such bars are made, and cut off again
        self.request: Request = asked.request.learnable(model.generator.examples, self.layout)
        free = np.pad(asked.free, [(0, 0), (0, self.short)])
        self.given = ~free | np.pad(np.broadcast_to(asked.silent[:, None], asked.free.shape), [(0, 0), (0, self.short)])
        self.free = ~self.given
        chords = transpose_rows(asked.chords, self.shift)
        self.chords: ChordRows = np.pad(chords, [(0, 2 * self.short), (0, 0)], constant_values=-1)
        self.present = self._planes(song.notes)

    def _planes(self, notes: Notes) -> Planes:
        """Notes of the song as the generator knows them, bool `[2, tracks, bars, steps, pitches]`."""
        known = shift_into_pitch_range(transpose_into_range(notes, self.shift, self.spec), self.model.generator)
        return roll_from_notes(known, self.spec, self.song.num_bars + self.short)

    def make(self, count: int, seed: int, seed_is_typed: bool) -> list[MadeVersion]:
        """Up to `count` versions."""
        if not self.free.any():  # all is to be silent
            return [MadeVersion(seed, self.stays[:0])]
        planes, made = self._planes(self.stays), self.given.copy()
        total, ways = int(self.free.any(axis=0).sum()), list[_Way]()
        while (window := next_window(made, self.spec.bars)) is not None:
            if not ways:
                ways = self._begin(planes, made, window, count, seed, seed_is_typed)
            else:
                self._go_on(ways, made, window)
            made[:, slice(*window)] = True
            self.progress(total - int((~made).any(axis=0).sum()), total)
        made_notes = [MadeVersion(way.seed, self._notes(way.planes)) for way in ways]
        fits = self._fits(np.array([len(one.notes) for one in made_notes]), len(self.song.notes) - len(self.stays))
        return [one for one, fit in zip(made_notes, fits, strict=True) if fit or not fits.any()]

    def _notes(self, planes: Planes) -> Notes:
        """The notes that were made, at the song's pitch."""
        free = self.free[:, : self.song.num_bars]
        bars = np.flatnonzero(free.any(axis=0))
        inside = slice(int(bars[0]), int(bars[-1]) + 1)
        made = notes_from_roll(planes[:, :, inside] & free[None, :, inside, None, None], self.spec.lowest_pitch)
        made["onset"] += inside.start * self.spec.steps_per_bar
        monophonic = [track for track, share in enumerate(self.inpainter.statistics.polyphony) if share <= MONOPHONIC]
        return wait_for_kept(transpose_into_range(made, -self.shift, self.spec), self.stays, monophonic)

    def _begin(
        self, planes: Planes, made: BarMask, window: tuple[int, int], count: int, seed: int, seed_is_typed: bool
    ) -> list[_Way]:
        """The first window of all versions: the best of many candidates that differ."""
        bars = slice(*window)
        mask = made[:, bars]
        pool: list[tuple[float, _Way]] = []
        known = {self._fingerprint(self.present[:, :, bars], mask)}
        first: _Way | None = None
        for attempt in range(TRIES):
            seeds = [mix_seed(seed, attempt, row) % LARGEST_SEED for row in range(CANDIDATES)]
            if attempt == 0:
                seeds[0] = seed
            ways = [_Way(one, planes) for one in seeds]
            costs, fits = self._sample(ways, made, window)
            first = first or ways[0]
            for way, cost, fit in zip(ways, costs.tolist(), fits.tolist(), strict=True):
                mark = self._fingerprint(way.planes[:, :, bars], mask)
                if mark not in known:
                    known.add(mark)
                    pool.append((cost if fit else cost + SILENT_COST * CANDIDATES, way))
            if sum(cost < SILENT_COST * CANDIDATES for cost, _ in pool) >= count:
                break
        fitting = [one for one in pool if one[0] < SILENT_COST * CANDIDATES] or pool
        assert first is not None
        return self._chosen(fitting, [first] if seed_is_typed or not fitting else [], bars, mask, count)

    def _chosen(
        self, pool: list[tuple[float, _Way]], chosen: list[_Way], bars: slice, mask: BarMask, count: int
    ) -> list[_Way]:
        """Those that are `chosen`, and the best of other candidates that differ."""
        rest = [one for one in pool if one[1] not in chosen]
        seen = [] if self.asked.mode == LIKE else [self.present[:, :, bars]]
        alike = [max((_likeness(way.planes[:, :, bars], one, mask) for one in seen), default=0.0) for _, way in rest]
        while rest and len(chosen) < count:
            if chosen:
                last = chosen[-1].planes[:, :, bars]
                alike = [
                    max(before, _likeness(way.planes[:, :, bars], last, mask))
                    for before, (_, way) in zip(alike, rest, strict=True)
                ]
            best = int(np.argmin([cost + ALIKE_COST * like for (cost, _), like in zip(rest, alike, strict=True)]))
            chosen.append(rest.pop(best)[1])
            alike.pop(best)
        return chosen

    def _go_on(self, ways: list[_Way], made: BarMask, window: tuple[int, int]) -> None:
        """The next window of all versions, each the best of a few candidates."""
        tries = [
            _Way(mix_seed(way.seed, window[0], number), way.planes, way.latents)
            for way in ways
            for number in range(CANDIDATES_GOING_ON)
        ]
        costs, fits = self._sample(tries, made, window)
        ranks = np.where(fits, costs, costs + SILENT_COST * CANDIDATES).reshape(len(ways), -1)
        for number, (way, best) in enumerate(zip(ways, ranks.argmin(axis=1).tolist(), strict=True)):
            way.planes = tries[number * CANDIDATES_GOING_ON + best].planes

    def _sample(self, ways: list[_Way], made: BarMask, window: tuple[int, int]) -> tuple[Floats, NDArray[np.bool_]]:
        """Complete a window of all ways, in place; what each costs, and whether it is as busy as asked, `[ways]`."""
        bars = slice(*window)
        mask = torch.from_numpy(made[:, bars].copy())
        device = next(self.model.generator.parameters()).device
        randoms = [torch.Generator().manual_seed(way.seed) for way in ways]
        given = np.stack([begun_window(way.planes[:, :, bars]) for way in ways])
        conditions = self._conditions(given, mask, window, randoms)
        drawn = Latents.cat([self.model.generator.sample_latents(1, random) for random in randoms])
        latents = replace(drawn, conditions=conditions.to(device))
        if ways[0].latents is not None:  # the same version, moving on
            own = Latents.cat([way.latents for way in ways if way.latents is not None])
            latents = replace(latents, z=own.z, z_track=own.z_track)
        masks = mask.expand(len(ways), -1, -1).to(device)
        rolls = self._rolls(given, masks, latents, bars, randoms)
        costs, fits = self._costs(rolls, masks, latents, bars)
        for number, (way, roll) in enumerate(zip(ways, rolls.cpu().numpy(), strict=True)):
            planes = way.planes.copy()
            planes[:, :, bars] = np.where(made[None, :, bars, None, None], planes[:, :, bars], roll)
            way.planes, way.latents = planes, way.latents or latents[number : number + 1]
        return costs, fits

    def _rolls(
        self, given: Planes, masks: torch.Tensor, latents: Latents, bars: slice, randoms: Sequence[torch.Generator]
    ) -> torch.Tensor:
        """Completed windows, bool `[ways, 2, tracks, bars, steps, pitches]`."""
        generator, request = self.model.generator, self.request
        if self.asked.mode != LIKE:
            context = Context(torch.from_numpy(given).to(masks.device), masks)
            return generator.sample(
                latents, context, request.condition_strength, request.temperature, request.chord_strength
            )
        there = torch.from_numpy(begun_window(self.present[:, :, bars])).to(masks.device)
        rolls = torch.where(masks[:, None, :, :, None, None], torch.from_numpy(given).to(masks.device), there)
        assert request.temperature is not None
        return resample_beats(
            generator,
            latents,
            Context(rolls, masks),
            torch.stack([self._resampled(random) for random in randoms]).to(masks.device),
            request.condition_strength,
            request.temperature[0],
            request.chord_strength,
        )

    def _resampled(self, random: torch.Generator) -> torch.Tensor:
        """Which beats of a window are sampled anew, bool `[beats, tracks]`, at least one of each track."""
        beats = self.spec.bars * self.spec.beats_per_bar
        share = LEAST_RESAMPLED + (MOST_RESAMPLED - LEAST_RESAMPLED) * float(torch.rand((), generator=random))
        return torch.rand(beats, self.spec.num_tracks, generator=random) < share

    def _conditions(
        self, given: Planes, mask: torch.Tensor, window: tuple[int, int], randoms: Sequence[torch.Generator]
    ) -> torch.Tensor:
        """Conditions of candidates `[ways, ConditionLayout.size]` for a window `given` to each, of which `mask` stays.

        Densities are those of the whole window: of what stays, and of what is requested for the rest.
        """
        rows = self.inpainter.complete_conditions(
            self.request,
            self._measured,
            lambda num: torch.cat([torch.randint(num, (1,), generator=random) for random in randoms]),
        )
        density = self.layout.attribute(DENSITY)
        spread = torch.stack([torch.randn(self.spec.num_tracks, generator=random) for random in randoms])
        wanted = rows[:, density] * torch.exp(spread * torch.from_numpy(self.asked.spread).to(rows))
        onsets = torch.from_numpy(given[:, ONSET]).flatten(3).sum(3).to(rows)  # [ways, tracks, bars]
        rows[:, density] = torch.where(mask, onsets, wanted.nan_to_num(0.0).unsqueeze(2)).mean(2)
        whole = mask.all(1)
        for row, planes in zip(rows, given, strict=True):
            shown = attributes_of(torch.from_numpy(planes), mask & whole[:, None], self.spec)
            row.copy_(torch.where(shown.isnan(), row, shown))
            request_chords(row, self.chords[2 * window[0] : 2 * window[1]], self.layout)
        silent = (rows[:, density] < SILENT).repeat(1, NUM_ATTRIBUTES - 1)
        rows[:, self.spec.num_tracks : self.layout.attributes.stop][silent] = torch.nan
        return rows

    @cached_property
    def _measured(self) -> torch.Tensor:
        """How the song plays near the cells, as conditions `[ConditionLayout.size]`; NaN where it is to change."""
        song, spec, asked = self.song, self.spec, self.asked
        shown = usual_cells(song, asked.free)
        if asked.mode == LIKE:
            shown = np.where(np.any(asked.free, axis=1, keepdims=True), asked.free, shown)
        bars = self.present[:, :, : song.num_bars]
        measured = attributes_of(torch.from_numpy(bars), torch.from_numpy(np.ascontiguousarray(shown)), spec)
        ratio = torch.from_numpy(np.clip(asked.density / np.maximum(asked.present, 0.5), 0.5, 2.0))
        changes = torch.from_numpy(np.any(asked.free, axis=1, keepdims=True)[:, 0] & (asked.mode in (BUSIER, SPARSER)))
        drums = torch.tensor([track.is_drum for track in spec.tracks])
        length, voices, short = (self.layout.attribute(one) for one in (LENGTH, VOICES, SHORT))
        shorter = torch.where(changes & ~drums, measured[length] / ratio, measured[length]).to(measured)
        measured[length] = shorter
        for place in (voices, short):
            measured[place] = torch.where(changes, torch.nan, measured[place])
        return measured

    def _costs(
        self, rolls: torch.Tensor, masks: torch.Tensor, latents: Latents, bars: slice
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """What candidates pay, and whether they are as busy as the mode asks, `[ways]` each."""
        asked, inpainter = self.asked, self.inpainter
        ratings = inpainter.rate(rolls, masks, self.request.conditions, latents.conditions).cpu().numpy()
        costs = -RATING_COST * (ratings - ratings.mean()) / max(float(ratings.std()), 1e-6)
        costs += SILENT_COST * inpainter.count_silences(rolls, masks, latents.conditions).cpu().numpy()
        free = ~masks[0].cpu().numpy()
        begun = [
            notes_from_roll(roll & free[None, :, :, None, None], self.spec.lowest_pitch) for roll in rolls.cpu().numpy()
        ]
        notes = np.stack([np.bincount(one["track"], minlength=len(free)) for one in begun])  # [ways, tracks]
        counts = notes / np.maximum(free.sum(1), 1)
        playing = free.any(axis=1)
        if asked.density_is_typed or asked.mode != ANEW:
            miss = np.abs(np.log((counts + 0.5) / (np.nan_to_num(asked.density) + 0.5)))
            costs += DENSITY_COST * miss[:, playing].sum(1)
        if asked.chords_are_typed or asked.key_is_typed:
            costs += self._harmony_costs(rolls.cpu().numpy(), free, bars)
        there = int((self.present[ONSET, :, bars].sum(axis=(2, 3)) * free).sum())
        if asked.mode == LIKE:
            like = [_likeness(roll, self.present[:, :, bars], ~free) for roll in rolls.cpu().numpy()]
            costs += LIKE_COST * np.abs(np.array(like) - ALIKE)
        return costs, self._fits(notes.sum(1), there)

    def _fits(self, notes: NDArray[np.int64], there: int) -> NDArray[np.bool_]:
        """Whether so many notes are what the mode asks for beside those that are `there`."""
        if self.asked.mode == BUSIER:
            return np.asarray(notes > there)
        return np.asarray(notes < there) if self.asked.mode == SPARSER else np.ones(len(notes), np.bool_)

    def _harmony_costs(self, rolls: Planes, free: BarMask, bars: slice) -> Floats:
        """What candidates pay for chords and a key that were typed and are not heard, `[ways]`."""
        asked, spec = self.asked, self.spec
        costs = np.zeros(len(rolls))
        halves = np.repeat(free.any(axis=0), 2)
        requested = torch.from_numpy(self.chords[2 * bars.start : 2 * bars.stop][halves]).float()
        scale = np.isin(np.arange(12), MINOR_SCALE if asked.key.is_minor else MAJOR_SCALE)
        tonic = (asked.key.tonic + self.shift) % 12
        for number, roll in enumerate(rolls):
            notes = notes_from_roll(roll, spec.lowest_pitch)
            if asked.chords_are_typed:
                found = torch.from_numpy(recognise_chords(notes, spec.bars, spec)[halves]).float()
                heard = same_chords(found.unsqueeze(0), requested.unsqueeze(0)).nan_to_num(0.0)
                costs[number] += CHORD_COST * (1 - float(heard))
            if asked.key_is_typed:
                made = notes[free[notes["track"], notes["onset"] // spec.steps_per_bar]]
                durations = pitch_class_durations(made, spec)
                inside = durations[np.roll(scale, tonic)].sum() / max(durations.sum(), 1)
                costs[number] += KEY_COST * (1 - inside)
        return costs

    def _fingerprint(self, planes: Planes, mask: BarMask) -> bytes:
        """The same for windows in whose cells beside `mask` the same notes begin."""
        return bytes(np.packbits(planes[ONSET][~mask]))


def _likeness(one: Planes, other: Planes, mask: BarMask) -> float:
    """Jaccard index of the onsets of two windows in the cells beside `mask` `[tracks, bars]`; 0 of silence."""
    first, second = one[ONSET][~mask], other[ONSET][~mask]
    return float((first & second).sum() / max(1, (first | second).sum()))

"""Phrases made around what is there, by a generator that can be given notes and asked for densities.

A phrase goes on from the one before: in a window of a phrase's length, whose first half is the end of what came
before, the generator makes the second half, and then the next half in a window that begins with it. What keeps a
section together are its latents; what joins it to its neighbours are the notes it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.context import Context, start_orphaned_holds
from gan.latents import Latents
from gan.networks.generator import Generator
from gan.spec import ONSET
from pipeline.scores.notes import Planes
from pipeline.songs.compose.reranking import SILENT_TRACK, Judge, Phrase, Place
from pipeline.songs.conditions import Request
from pipeline.songs.plan import Cast, Wanted, window_conditions

OWN_SHARE = 0.5
"""How far the latents of a section lie from those of the whole song: 0 the same, 1 unrelated."""
TRIES = 4
"""Times that candidates are made before a track stays silent that should play, or a bar goes without its fill."""
FILL_SHARE, FULL_SHARE = 2.0, 1.2
"""Drum hits asked of a fill beside the other bars of its phrase, and those that make it one."""
FILL_TEMPERATURE = 0.4
"""A fill may surprise, and more where the first tries brought none."""


@dataclass(frozen=True)
class Weaver:
    """Makes the phrases of one song.

    Attributes
    ----------
    generator, judge
        What proposes and what chooses.
    candidates
        Phrases generated for each one kept.
    variation
        Share of the bars of all tracks that are made anew where a section varies.
    request
        What the user asks of every phrase.
    cast
        Who plays, and how densely.
    song
        Latents (a batch of one) that the sections have half in common.
    """

    generator: Generator
    judge: Judge
    candidates: int
    variation: float
    request: Request
    cast: Cast
    song: Latents

    def invent(self, first: Phrase | None, place: Place, random: torch.Generator) -> Phrase:
        """A phrase that was not there yet: of the section that `first` opened, or one that opens a section."""
        assert place.wanted is not None
        best: tuple[int, Phrase] | None = None
        for attempt in range(TRIES):
            fresh = self.generator.sample_latents(self.candidates, random)
            if first is None:
                latents = repeated(self.song, self.candidates).interpolate(fresh, OWN_SHARE)
            else:
                own = repeated(first.latents, self.candidates)
                latents = replace(own, z_time=fresh.z_time, z_track_time=fresh.z_track_time)
            conditions = place.wanted.conditions.clone()
            if best is not None:  # ask louder for what kept silent
                silent = torch.from_numpy(place.wanted.plays & ~best[1].planes.any(axis=(0, 2, 3, 4)))
                tracks = self.judge.spec.num_tracks
                conditions[:tracks] = torch.where(silent, conditions[:tracks] * 1.5**attempt, conditions[:tracks])
            latents = replace(latents, conditions=conditions.to(latents.z).expand(self.candidates, -1).clone())
            rolls = self._go_on(latents, place, place.wanted, random)
            phrase, faults = self.judge.best(latents, rolls, None, place)
            if best is None or faults < best[0]:
                best = faults, phrase
            if best[0] < SILENT_TRACK:
                break
        assert best is not None
        return self._filled(best[1], place, random) if place.fills else best[1]

    def again(self, phrase: Phrase, place: Place, random: torch.Generator) -> Phrase:
        """The phrase with some bars of some tracks made anew around the rest; its fill stays."""
        assert place.wanted is not None
        if self.variation == 0:
            return phrase
        share = self.variation
        free = place.wanted.plays[:, None] & ~place.wanted.rests
        if place.fills:
            free[list(self._drums(place.wanted)), -1] = False
        original = self._batch(phrase.planes)
        for _ in range(TRIES):
            count = min(int(free.sum()), max(1, round(share * free.sum())))
            masks = torch.stack([self._masked(free, count, random) for _ in range(self.candidates)])
            latents = repeated(phrase.latents, self.candidates).vary(min(1.0, share), random)
            given = Context(original, masks.to(original.device))
            rolls = self._sample(latents, given, random)
            other = (rolls != original).flatten(1).any(1)
            if bool(other.any()):
                keep = torch.nonzero(other).flatten()
                return self.judge.best(latents[keep], rolls[keep], phrase.shift, place)[0]
            share = min(1.0, 2 * share)
        return phrase

    def _go_on(self, latents: Latents, place: Place, wanted: Wanted, random: torch.Generator) -> Tensor:
        """Phrases `[batch, *spec.shape]`: after the phrase before, where there is one, half by half."""
        spec, count = self.judge.spec, len(latents)
        half = spec.bars // 2
        rests = torch.from_numpy(wanted.rests).to(latents.z.device)
        if place.before is None or half == 0:
            nothing = torch.zeros((count, *spec.shape), dtype=torch.bool, device=latents.z.device)
            return self._sample(latents, Context(nothing, rests.expand(count, -1, -1)), random)
        made = self._batch(place.before.planes)[:, :, :, -half:]
        tail = place.before.planes[ONSET, :, -half:].sum(axis=(2, 3)).mean(axis=1)
        first = window_conditions(wanted.conditions, tail, half / spec.bars).to(latents.z)
        asked = replace(latents, conditions=first.expand(count, -1).clone())
        while made.shape[3] < half + spec.bars:
            start = made.shape[3] - half
            window = torch.zeros((count, *spec.shape), dtype=torch.bool, device=made.device)
            window[:, :, :, :half] = made[:, :, :, -half:]
            # where the window ends the phrase may have ended before; what lies beyond is thrown away
            ahead = rests[:, start : start + spec.bars - half]
            mask = torch.ones(spec.num_tracks, spec.bars, dtype=torch.bool, device=made.device)
            mask[:, half:] = False
            mask[:, half : half + ahead.shape[1]] = ahead
            rolls = self._sample(asked, Context(window, mask.expand(count, -1, -1)), random)
            made = torch.cat([made, rolls[:, :, :, half:]], dim=3)
            asked = latents
        return made[:, :, :, half : half + spec.bars]

    def _filled(self, phrase: Phrase, place: Place, random: torch.Generator) -> Phrase:
        """The phrase with a last bar of the drums that leads on: made anew, with everything else given, and denser."""
        assert place.wanted is not None
        drums = self._drums(place.wanted)
        if not drums or self.judge.spec.bars < 2:
            return phrase
        spec = self.judge.spec
        original = self._batch(phrase.planes)
        resting = torch.from_numpy(place.wanted.rests[drums, :-1].any(axis=1)).to(original.device)
        heard = self._notes(original)[:, drums, :-1].float().mean(-1)  # [batch, drums]
        usual = torch.where(resting, self.cast.conditions[drums].to(heard), heard).clamp(min=1)
        mask = torch.ones(spec.num_tracks, spec.bars, dtype=torch.bool)
        mask[drums, -1] = False
        for attempt in range(TRIES):
            latents = repeated(phrase.latents, self.candidates).vary(1.0, random)
            conditions = latents.conditions.clone()
            asked = FILL_SHARE + attempt
            conditions[:, drums] = (usual * (spec.bars - 1 + asked) / spec.bars).to(conditions)
            latents = replace(latents, conditions=conditions)
            given = Context(original, mask.expand(self.candidates, -1, -1).to(original.device))
            rolls = self._sample(latents, given, random, FILL_TEMPERATURE * (1 + attempt / 2))
            hits = self._notes(rolls)[:, drums][..., -1]  # [batch, drums]
            fits = (hits >= FULL_SHARE * usual).all(1)
            if bool(fits.any()):
                keep = torch.nonzero(fits).flatten()
                unhurried = replace(place, closes=False)
                full = self.judge.best(latents[keep], rolls[keep], phrase.shift, unhurried)[0]
                return replace(full, latents=phrase.latents)
        return phrase

    def _sample(self, latents: Latents, given: Context, random: torch.Generator, least: float = 0.0) -> Tensor:
        """Rolls around what is given, as the user asked; `least` is a temperature that they have at the least."""
        request, device = self.request, latents.z.device
        temperature = request.temperature
        if least > 0:
            temperature = tuple(max(least, one) for one in temperature or (0.0,) * self.judge.spec.num_tracks)
        chance = torch.Generator(device)
        chance.manual_seed(int(torch.randint(2**62, (), generator=random)))
        rolls = self.generator.sample(latents, given, request.condition_strength, temperature, chance)
        return start_orphaned_holds(rolls)

    def _batch(self, planes: Planes) -> Tensor:
        """One phrase as often as there are candidates, on the generator's device."""
        device = next(self.generator.parameters()).device
        return torch.from_numpy(planes).to(device).expand(self.candidates, *planes.shape)

    def _drums(self, wanted: Wanted) -> list[int]:
        """The drum tracks that play in the last bar."""
        return [
            track for track, kind in enumerate(self.judge.spec.tracks) if kind.is_drum and not wanted.rests[track, -1]
        ]

    def _masked(self, free: NDArray[np.bool_], count: int, random: torch.Generator) -> Tensor:
        """What stays: all but `count` of the bars that are `free` `[tracks, bars]`, and these rather of few tracks."""
        order = torch.rand(free.shape[0], 1, generator=random) + 0.3 * torch.rand(free.shape, generator=random)
        order[~torch.from_numpy(free)] = torch.inf
        mask = torch.ones(free.size, dtype=torch.bool)
        mask[order.flatten().argsort()[:count]] = False
        return mask.view(free.shape)

    @staticmethod
    def _notes(rolls: Tensor) -> Tensor:
        """Notes of each track in each bar, `[batch, tracks, bars]`."""
        return rolls[:, ONSET].sum((3, 4))


def repeated(latents: Latents, count: int) -> Latents:
    """A batch of `count` copies of one phrase's latents."""
    return Latents(**{name: value.repeat(count, *[1] * (value.dim() - 1)) for name, value in latents.to_dict().items()})

"""Phrase sampling: the phrases of a song from a generator, each continuing the one before.

A generator with conditions and context makes a phrase half by half: in a window of a phrase's length, whose first half
is the end of what came before, it makes the second half, and then the next half in a window that begins with it. What
keeps a section together are its latents; what joins it to its neighbours is the context. A generator without makes
phrases on their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gan.chords import CHORD_NUMBERS
from gan.conditions import ConditionLayout
from gan.context import Context, start_orphaned_holds
from gan.interface import PhraseGenerator
from gan.latents import Latents
from gan.networks.generator import Generator
from gan.spec import HOLD, ONSET
from pipeline.scores.notes import Planes
from pipeline.songs.compose.reranking import SILENT_TRACK, PhraseSlot, Reranker, SampledPhrase
from pipeline.songs.plan import PhraseConditions, SongConditions, window_conditions
from pipeline.songs.request import Request

OWN_SHARE = 0.5
"""How far the latents of a section lie from those of the whole song: 0 the same, 1 unrelated."""
TRIES = 4
"""Times that candidates are made before a track stays silent that should play, or a bar goes without its fill."""
FILL_SHARE, FULL_SHARE = 2.0, 1.2
"""Drum hits requested of a fill beside the other bars of its phrase, and those that make it one."""


class PhraseSampler(Protocol):
    """Makes the phrases of one song."""

    @property
    def generator(self) -> PhraseGenerator:
        """What samples them."""

    def invent(self, first: SampledPhrase | None, slot: PhraseSlot, random: torch.Generator) -> SampledPhrase:
        """A phrase that was not there yet: of the section that `first` opened, or one that opens a section."""

    def vary(self, phrase: SampledPhrase, slot: PhraseSlot, random: torch.Generator) -> SampledPhrase:
        """A phrase that comes back, a little different."""


@dataclass(frozen=True)
class UnconditionalSampler:
    """Samples phrases of a generator without conditions and context: fresh ones, of which the best is taken.

    Attributes
    ----------
    generator, reranker, candidates, song
        As in `ConditionalSampler`.
    variation
        How far the latents move where a section comes back.
    """

    generator: PhraseGenerator
    reranker: Reranker
    candidates: int
    variation: float
    song: Latents

    def invent(self, first: SampledPhrase | None, slot: PhraseSlot, random: torch.Generator) -> SampledPhrase:
        """See `PhraseSampler`."""
        latents = draw_latents(self.generator, self.candidates, self.song, first, random)
        return self.reranker.best(latents, self.generator.sample(latents), None, slot)[0]

    def vary(self, phrase: SampledPhrase, slot: PhraseSlot, random: torch.Generator) -> SampledPhrase:
        """See `PhraseSampler`; where no latents nearby change a note, from further away."""
        amount = self.variation
        original = self.generator.sample(phrase.latents).cpu()
        while amount > 0:
            latents = phrase.latents.repeat(self.candidates).vary(min(1.0, amount), random)
            rolls = self.generator.sample(latents)
            other = (rolls.cpu() != original).flatten(1).any(1)
            if bool(other.any()):
                keep = torch.nonzero(other).flatten().to(rolls.device)
                return self.reranker.best(latents[keep], rolls[keep], phrase.shift, slot)[0]
            if amount >= 1:
                break
            amount *= 2
        return phrase


@dataclass(frozen=True)
class ConditionalSampler:
    """Samples phrases of a generator with conditions, around the end of the phrase before.

    Attributes
    ----------
    generator, reranker
        What samples and what chooses.
    candidates
        Phrases generated for each one kept.
    variation
        Share of the bars of all tracks that are made anew where a section varies.
    request
        What the user requests of every phrase.
    conditions
        Those that the phrases share.
    song
        Latents (a batch of one) that the sections have half in common.
    """

    generator: Generator
    reranker: Reranker
    candidates: int
    variation: float
    request: Request
    conditions: SongConditions
    song: Latents

    def invent(self, first: SampledPhrase | None, slot: PhraseSlot, random: torch.Generator) -> SampledPhrase:
        """See `PhraseSampler`; made again where a track is silent that should play, with a fill of the drums."""
        assert slot.conditions is not None
        best: tuple[int, SampledPhrase] | None = None
        for attempt in range(TRIES):
            latents = draw_latents(self.generator, self.candidates, self.song, first, random)
            conditions = slot.conditions.values.clone()
            if best is not None:  # request more of what kept silent
                silent = torch.from_numpy(slot.conditions.plays & ~best[1].planes.any(axis=(0, 2, 3, 4)))
                tracks = self.reranker.spec.num_tracks
                conditions[:tracks] = torch.where(silent, conditions[:tracks] * 1.5**attempt, conditions[:tracks])
            latents = replace(latents, conditions=conditions.to(latents.z).expand(self.candidates, -1).clone())
            rolls = self._continue(latents, slot.before, slot.conditions, random)
            if first is None:  # what is held into a section begins with it, whatever comes before
                rolls[:, ONSET, :, 0, 0] |= rolls[:, HOLD, :, 0, 0]
                rolls[:, HOLD, :, 0, 0] = False
            phrase, faults = self.reranker.best(latents, rolls, None, slot)
            if best is None or faults < best[0]:
                best = faults, phrase
            if best[0] < SILENT_TRACK:
                break
        assert best is not None
        return self._filled(best[1], slot, random) if slot.fills else best[1]

    def vary(self, phrase: SampledPhrase, slot: PhraseSlot, random: torch.Generator) -> SampledPhrase:
        """See `PhraseSampler`: some bars of some tracks are made anew around the rest; a fill stays."""
        assert slot.conditions is not None
        if self.variation == 0:
            return phrase
        share = self.variation
        free = slot.conditions.plays[:, None] & ~slot.conditions.rests
        if slot.fills:
            free[list(self._drums(slot.conditions)), -1] = False
        original = self._batch(phrase.planes)
        for _ in range(TRIES):
            count = min(int(free.sum()), max(1, round(share * free.sum())))
            masks = torch.stack([self._masked(free, count, random) for _ in range(self.candidates)])
            latents = phrase.latents.repeat(self.candidates).vary(min(1.0, share), random)
            given = Context(original, masks.to(original.device))
            rolls = self.sample(latents, given)
            other = (rolls != original).flatten(1).any(1)
            if bool(other.any()):
                keep = torch.nonzero(other).flatten()
                return self.reranker.best(latents[keep], rolls[keep], phrase.shift, slot)[0]
            share = min(1.0, 2 * share)
        return phrase

    def _continue(
        self, latents: Latents, before: SampledPhrase | None, conditions: PhraseConditions, random: torch.Generator
    ) -> Tensor:
        """Phrases `[batch, *spec.shape]`: after the phrase before, where there is one, half by half."""
        spec, count = self.reranker.spec, len(latents)
        half = spec.bars // 2
        rests = torch.from_numpy(conditions.rests).to(latents.z.device)
        if before is None or half == 0:
            nothing = torch.zeros((count, *spec.shape), dtype=torch.bool, device=latents.z.device)
            return self.sample(latents, Context(nothing, rests.expand(count, -1, -1)))
        made = self._batch(before.planes)[:, :, :, -half:]
        tail = before.planes[ONSET, :, -half:].sum(axis=(2, 3)).mean(axis=1)
        mixed = window_conditions(conditions.values, tail, half / spec.bars).to(latents.z)
        layout = ConditionLayout.of(spec)
        chords = torch.cat([before.latents.conditions[0, layout.chords], mixed[layout.chords]]).view(-1, CHORD_NUMBERS)
        mixed[layout.chords] = chords[-2 * half - spec.half_bars :][: spec.half_bars].flatten()
        window_latents = replace(latents, conditions=mixed.expand(count, -1).clone())
        while made.shape[3] < half + spec.bars:
            start = made.shape[3] - half
            window = torch.zeros((count, *spec.shape), dtype=torch.bool, device=made.device)
            window[:, :, :, :half] = made[:, :, :, -half:]
            # where the window ends the phrase may have ended before; what lies beyond is thrown away
            ahead = rests[:, start : start + spec.bars - half]
            mask = torch.ones(spec.num_tracks, spec.bars, dtype=torch.bool, device=made.device)
            mask[:, half:] = False
            mask[:, half : half + ahead.shape[1]] = ahead
            rolls = self.sample(window_latents, Context(window, mask.expand(count, -1, -1)))
            made = torch.cat([made, rolls[:, :, :, half:]], dim=3)
            window_latents = latents
        return made[:, :, :, half : half + spec.bars]

    def _filled(self, phrase: SampledPhrase, slot: PhraseSlot, random: torch.Generator) -> SampledPhrase:
        """The phrase with a last bar of the drums that leads on: made anew, with everything else given, and denser."""
        assert slot.conditions is not None
        drums = self._drums(slot.conditions)
        if not drums or self.reranker.spec.bars < 2:
            return phrase
        spec = self.reranker.spec
        original = self._batch(phrase.planes)
        resting = torch.from_numpy(slot.conditions.rests[drums, :-1].any(axis=1)).to(original.device)
        played = self._notes(original)[:, drums, :-1].float().mean(-1)  # [batch, drums]
        usual = torch.where(resting, self.conditions.values[drums].to(played), played).clamp(min=1)
        mask = torch.ones(spec.num_tracks, spec.bars, dtype=torch.bool)
        mask[drums, -1] = False
        for attempt in range(TRIES):
            latents = phrase.latents.repeat(self.candidates).vary(1.0, random)
            conditions = latents.conditions.clone()
            share = FILL_SHARE + attempt
            conditions[:, drums] = (usual * (spec.bars - 1 + share) / spec.bars).to(conditions)
            latents = replace(latents, conditions=conditions)
            given = Context(original, mask.expand(self.candidates, -1, -1).to(original.device))
            rolls = self.sample(latents, given)
            hits = self._notes(rolls)[:, drums][..., -1]  # [batch, drums]
            fits = (hits >= FULL_SHARE * usual).all(1)
            if bool(fits.any()):
                keep = torch.nonzero(fits).flatten()
                open_slot = replace(slot, closes=False)
                full = self.reranker.best(latents[keep], rolls[keep], phrase.shift, open_slot)[0]
                return replace(full, latents=phrase.latents)
        return phrase

    def sample(self, latents: Latents, given: Context) -> Tensor:
        """Rolls around what is given, as the user requested."""
        request = self.request
        rolls = self.generator.sample(
            latents, given, request.condition_strength, request.temperature, request.chord_strength
        )
        return start_orphaned_holds(rolls)

    def _batch(self, planes: Planes) -> Tensor:
        """One phrase as often as there are candidates, on the generator's device."""
        device = next(self.generator.parameters()).device
        return torch.from_numpy(planes).to(device).expand(self.candidates, *planes.shape)

    def _drums(self, conditions: PhraseConditions) -> list[int]:
        """The drum tracks that play in the last bar."""
        return [
            track
            for track, kind in enumerate(self.reranker.spec.tracks)
            if kind.is_drum and not conditions.rests[track, -1]
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


def draw_latents(
    generator: PhraseGenerator, count: int, song: Latents, first: SampledPhrase | None, random: torch.Generator
) -> Latents:
    """Latents of a new phrase: `OWN_SHARE` away from the song's, or the section's first ones, moving differently."""
    fresh = generator.sample_latents(count, random)
    if first is None:
        return song.repeat(count).interpolate(fresh, OWN_SHARE, ConditionLayout.of(generator.spec))
    return replace(first.latents.repeat(count), z_time=fresh.z_time, z_track_time=fresh.z_track_time)


def latents_of(latents: Sequence[Latents]) -> dict[str, NDArray[np.float32]]:
    """Latents as arrays by name, one after another, `[phrases, ...]`, as a song file holds them."""
    tensors = [one.to_dict() for one in latents]
    return {name: np.concatenate([one[name].cpu().numpy() for one in tensors]) for name in tensors[0]}

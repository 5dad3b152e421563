"""The sections of a song: which are new, which come back, and what is made anew between neighbours that stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import torch

from gan.conditions import ConditionLayout
from gan.networks.generator import Generator
from gan.seeds import mix_seed
from pipeline.scores.chords.symbols import ChordRows, unknown_chords
from pipeline.scores.keys import Key
from pipeline.scores.notes import Notes, Planes, in_order, notes_from_roll
from pipeline.scores.structure.song_plan import SongPlan
from pipeline.songs.chord_requests import chords_in
from pipeline.songs.compose.ending import add_ending
from pipeline.songs.compose.phrase_sampling import (
    ConditionalSampler,
    PhraseSampler,
    UnconditionalSampler,
    latents_of,
)
from pipeline.songs.compose.planned_song import PlannedSong, Progress, unseen, without_other_chords
from pipeline.songs.compose.reranking import PhraseSlot, Reranker, SampledPhrase
from pipeline.songs.form import FormSection
from pipeline.songs.plan import PhraseConditions, draw_song_conditions, plan_phrases
from pipeline.songs.plan_model import name_sections
from pipeline.songs.request import Request
from pipeline.songs.seeds import SongRandomStream
from pipeline.songs.song import Section
from pipeline.songs.trained_model import TrainedModel

RETURNING = ("chorus", "refrain", "theme")
"""Sections that come back as they were, where the generator can vary others bar by bar."""


@dataclass
class SongSections:
    """The phrases of a song, section by section; sections can be made anew.

    Attributes
    ----------
    form, home, seed
        The form, the key (C major or A minor), and what decides on the music.
    sampler
        Makes the phrases.
    plan
        Conditions of each phrase of each section; None for a generator without conditions.
    phrases
        Of each section, once they are made.
    seeds
        What each section was made with.
    """

    form: Sequence[FormSection]
    home: Key
    seed: int
    sampler: PhraseSampler
    plan: list[list[PhraseConditions]] | None
    phrases: list[list[SampledPhrase]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)

    def make(self, progress: Progress = unseen) -> None:
        """Make all sections, each going on from the one before."""
        material: dict[str, list[SampledPhrase]] = {}
        for number in range(len(self.form)):
            self.seeds.append(mix_seed(self.seed, SongRandomStream.COMPOSITION, number))
            self.phrases.append(self._section(number, material, after=None))
            progress(number + 1, len(self.form))

    def remake(self, role: str, count: int) -> None:
        """Make the sections of a role anew, for the `count`th time, between neighbours that stay as they are."""
        material: dict[str, list[SampledPhrase]] = {}
        for number, section in enumerate(self.form):
            if section.role == role:
                after = self.phrases[number + 1][0] if number + 1 < len(self.form) else None
                self.seeds[number] = mix_seed(self.seed, SongRandomStream.REMAKING, number, count)
                self.phrases[number] = self._section(number, material, after)

    def notes(self) -> tuple[Notes, int]:
        """The notes of the song with an ending, which depends on nothing but the last section; and its bars."""
        spec = self.sampler.generator.spec
        *earlier, last = [np.concatenate([one.planes for one in phrases], axis=2) for phrases in self.phrases]
        notes, num_bars = add_ending(notes_from_roll(last, spec.lowest_pitch), last.shape[2], spec, self.home)
        if not earlier:
            return notes, num_bars
        opening = np.concatenate(earlier, axis=2)
        notes["onset"] += opening.shape[2] * spec.steps_per_bar
        return in_order(np.concatenate([notes_from_roll(opening, spec.lowest_pitch), notes])), opening.shape[
            2
        ] + num_bars

    def chords(self, num_bars: int) -> ChordRows | None:
        """The chords that the song of `num_bars` bars was made for, `[2 * num_bars, 3]`; the last bar's are open."""
        if self.plan is None:
            return None
        layout = ConditionLayout.of(self.sampler.generator.spec)
        rows = [chords_in(phrase.values, layout) for phrases in self.plan for phrase in phrases]
        chords = unknown_chords(2 * num_bars)
        chords[: 2 * num_bars - 2] = np.concatenate(rows)[: 2 * num_bars - 2]
        return chords

    def sections(self, num_bars: int) -> tuple[Section, ...]:
        """The sections of the song of `num_bars` bars, with seeds and latents."""
        result, first_bar = [], 0
        for place, (section, phrases, seed) in enumerate(
            zip(self.form, self.phrases, self.seeds, strict=True), start=1
        ):
            bars = section.num_phrases * self.sampler.generator.spec.bars
            bars = num_bars - first_bar if place == len(self.form) else bars
            latents = latents_of([phrase.latents for phrase in phrases])
            result.append(Section(section.name, section.role, first_bar, bars, seed, latents))
            first_bar += bars
        return tuple(result)

    def _section(
        self, number: int, material: dict[str, list[SampledPhrase]], after: SampledPhrase | None
    ) -> list[SampledPhrase]:
        """The phrases of a section.

        Sections of one role have the same music, `material`: as it was, or a little varied from the second time on. The
        phrases of a section share `z` and `z_track` and move differently. The last phrase of all is chosen to close.
        """
        section, last = self.form[number], number == len(self.form) - 1
        random = torch.Generator().manual_seed(self.seeds[number])
        known = material.setdefault(section.role, [])
        returns = len(known)
        before = self.phrases[number - 1][-1] if number else None
        phrases: list[SampledPhrase] = []
        for index in range(section.num_phrases):
            final = index == section.num_phrases - 1
            slot = PhraseSlot(
                home=self.home,
                before=before,
                after=after if final else None,
                closes=last and final,
                fills=final and self._leads_on(section.role),
                conditions=self.plan[number][index] if self.plan is not None else None,
            )
            if index >= returns:
                phrase = self.sampler.invent(known[0] if known else None, slot, random)
                known.append(phrase)
            elif slot.conditions is not None and section.role in RETURNING:
                phrase = known[index]
            else:
                phrase = self.sampler.vary(known[index], slot, random)
            phrases.append(phrase)
            before = phrase
        return phrases

    def _leads_on(self, role: str) -> bool:
        """Whether something else ever follows sections of this role."""
        return any(section.role == role != later.role for section, later in pairwise(self.form))


@dataclass(frozen=True)
class SectionComposer:
    """Composes the sections of songs with one trained model.

    Attributes
    ----------
    model
        The networks, whose device is used, and what is known of their data.
    candidates
        Phrases generated for each one kept.
    variation
        How far a returning section strays, 0 to 1.
    progress
        Is told how many sections of a song are made, of how many.
    """

    model: TrainedModel
    candidates: int
    variation: float
    progress: Progress = unseen

    def compose(
        self,
        form: Sequence[FormSection] | SongPlan,
        home: Key,
        request: Request,
        lead: int | None,
        seed: int,
        chords: ChordRows | None = None,
        background: Planes | None = None,
    ) -> SongSections | PlannedSong:
        """The sections of a song in C major or A minor, as `home` says.

        Parameters
        ----------
        form, home
            Its sections, or its plan bar by bar, and its key. Only a generator with conditions follows a plan.
        request
            What the user requests of every phrase.
        lead
            The track that has the tune, or None.
        seed
            Decides on everything else.
        chords
            Chords of all half bars that the user requests, in the key of `home`, or None.
        background
            Of a plan: the notes that everything is made around, see `PlannedSong`.
        """
        if isinstance(form, SongPlan):
            return self._compose_plan(form, home, request, lead, seed, chords, background)
        random = torch.Generator().manual_seed(mix_seed(seed, SongRandomStream.COMPOSITION))
        generator, spec, reranker = self.model.generator, self.model.spec, Reranker(self.model)
        song = generator.sample_latents(1, random)
        sampler: PhraseSampler
        plan = None
        if isinstance(generator, Generator):
            key = home.tonic + 12 * home.is_minor
            request = request.learnable(generator.examples, ConditionLayout.of(spec))
            shared = draw_song_conditions(generator.examples, request.conditions, key, lead, spec, random)
            plan = plan_phrases(form, shared, spec, chords)
            song = replace(song, conditions=shared.values.to(song.z).unsqueeze(0))
            sampler = ConditionalSampler(generator, reranker, self.candidates, self.variation, request, shared, song)
        else:
            sampler = UnconditionalSampler(generator, reranker, self.candidates, self.variation, song)
        sections = SongSections(form, home, seed, sampler, plan)
        sections.make(self.progress)
        return sections

    def _compose_plan(
        self,
        plan: SongPlan,
        home: Key,
        request: Request,
        lead: int | None,
        seed: int,
        chords: ChordRows | None,
        background: Planes | None,
    ) -> PlannedSong:
        """A song that follows a plan; see `compose`."""
        generator, spec = self.model.generator, self.model.spec
        assert isinstance(generator, Generator)
        random = torch.Generator().manual_seed(mix_seed(seed, SongRandomStream.COMPOSITION))
        request = request.learnable(generator.examples, ConditionLayout.of(spec))
        key = home.tonic + 12 * home.is_minor
        shared = draw_song_conditions(generator.examples, request.conditions, key, lead, spec, random)
        latents = generator.sample_latents(1, random)
        latents = replace(latents, conditions=shared.values.to(latents.z).unsqueeze(0))
        sampler = ConditionalSampler(
            generator, Reranker(self.model), self.candidates, self.variation, request, shared, latents
        )
        if chords is not None:
            plan = without_other_chords(plan, chords, spec)
        song = PlannedSong(plan, name_sections(plan), home, seed, sampler, chords, background)
        song.make(self.progress)
        return song

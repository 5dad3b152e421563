"""Songs of a trained model: form, phrases, ending, key, velocities and timing, one step after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gan.chords import QUALITY
from gan.networks.generator import Generator
from gan.seeds import mix_seed
from gan.spec import RollSpec
from pipeline.audio.synthesizers import Sound
from pipeline.config import Config
from pipeline.dataset.sample_identification.flip_transforms import draw_transform
from pipeline.scores.chords.symbols import UNKNOWN, transpose_rows, unknown_chords
from pipeline.scores.keys import Key, key_name
from pipeline.scores.notes import cut_overlaps
from pipeline.scores.structure.form_plan import plan_of_named_form
from pipeline.scores.structure.song_plan import SongPlan
from pipeline.scores.swing import STRAIGHT
from pipeline.settings.data import ArrangementSettings
from pipeline.songs.chord_requests import read_chords, requested_key
from pipeline.songs.compose.planned_song import Progress, unseen
from pipeline.songs.compose.rerolls import RerollHistory, check_roles, history_of, read_rerolls
from pipeline.songs.compose.sections import SectionComposer
from pipeline.songs.compose.styles import pick_arrangement, style_in_turn, tempo_of_style
from pipeline.songs.flip.flipped_records import FlippedRecords
from pipeline.songs.flip.song_flip import PlacedFlip, fit_loops
from pipeline.songs.form import FormSection, choose_form, choose_length, pick_form
from pipeline.songs.given_song import plan_of_form
from pipeline.songs.humanizing import draw_performer, humanize, tighten
from pipeline.songs.key_and_tempo import (
    choose_shift,
    comfortable_ranges,
    draw_mode,
    draw_tempo,
    ritardando,
    transpose_into_range,
)
from pipeline.songs.plan_model import MIN_PLANS, PlanModel, letters_of, name_sections
from pipeline.songs.request import draw_requested_tempo, match_style, read_request, with_instruments
from pipeline.songs.song import Song
from pipeline.songs.trained_model import load_trained_model

ENDING_BARS, SLOWING_BARS = 1.7, 0.7
"""Bars' worth of time that a closing bar and slowing down may add, and slowing down alone."""


@dataclass(frozen=True)
class SongOutline:
    """A song before its notes are made: what was drawn for it, and what has been sent back."""

    number: int
    seed: int
    history: RerollHistory
    requested_key: Key | None
    home: Key
    tempo_bpm: float
    form: str
    sections: tuple[FormSection, ...] | SongPlan
    arrangement: ArrangementSettings
    style: int | None
    random: np.random.Generator
    flip: PlacedFlip | None = None

    def roles(self, spec: RollSpec) -> list[tuple[str, int]]:
        """Role and number of bars of each section, a closing bar not counted."""
        if isinstance(self.sections, SongPlan):
            return [(section.role, section.num_bars) for section in name_sections(self.sections)]
        return [(section.role, section.num_phrases * spec.bars) for section in self.sections]


class SongComposer:
    """Makes the songs of one checkpoint; each depends on the settings, the seed and its own number alone.

    Raises `UserError` where the checkpoint does not fit, or what is requested is not there. `progress` is told how many
    sections of a song are made, of how many.
    """

    def __init__(self, config: Config, checkpoint: Path, progress: Progress = unseen) -> None:
        self.config = config
        model = load_trained_model(config, checkpoint)
        self.spec = model.spec
        self.music, self.statistics, self.performance = model.music, model.statistics, model.performance
        settings = config.generate
        self.plan = plan_of_form(config, self.spec)
        self.transforms = model.flip_transforms
        self.flips = None if settings.flip is None else FlippedRecords(config, self.spec)
        self.styles = model.styles if isinstance(model.generator, Generator) else ()
        self.examples = model.generator.examples if isinstance(model.generator, Generator) else None
        self.plans = PlanModel(model.plans, model.plan_styles) if isinstance(model.generator, Generator) else None
        # songs are moved to their key
        self.request = read_request(config, self.spec, model.styles, in_common_key=True)
        self.rerolls = read_rerolls(settings.rerolls, settings.songs, "generate.rerolls")
        self.chords = read_chords(settings.chords)
        if self.chords is not None:
            outlines = [self.outline(number) for number in range(1, settings.songs + 1)]
            self.chords.check_roles(role for outline in outlines for role, _ in outline.roles(self.spec))
        for number in {reroll.number for reroll in self.rerolls}:
            self.outline(number)
        self.composer = SectionComposer(model, settings.candidates, settings.variation, progress)

    def outline(self, number: int) -> SongOutline:
        """What is decided of song `number`, counted from 1, before a note of it is made."""
        config, settings = self.config, self.config.generate
        history = history_of(self.rerolls, number)
        seed = mix_seed(settings.seed, number)
        random = np.random.default_rng(seed)
        key = requested_key(settings)
        is_minor = draw_mode(self.music["modes"], random) if key is None else key.is_minor
        tempo = draw_tempo(config.data.tempo_bpm, self.music["tempo_bpm"], random)
        style = self._style(number)
        if style is not None and self.examples is not None and config.data.tempo_bpm is None:
            tempo = tempo_of_style(self.examples, style, random) or tempo
        requested_tempo = draw_requested_tempo(settings, random)
        tempo = tempo if requested_tempo is None else requested_tempo
        bounds, tempo_is_fixed = (settings.min_seconds, settings.max_seconds), requested_tempo is not None
        flip = None
        if self.flips is not None:
            own = np.random.default_rng(seed)
            transform = draw_transform(self.transforms, own) if self.transforms else None
            loops = self.flips.choose(number, None if transform is None else transform.loop_bars)
            flip = fit_loops(loops, settings.flip_speed, tempo, tempo_is_fixed, key, own, transform)
            tempo, tempo_is_fixed, key = flip.tempo_bpm, flip.tempo_is_fixed, flip.key or key
            is_minor = is_minor if key is None else key.is_minor
        share = float(random.uniform(0.2, 0.7))
        sections: tuple[FormSection, ...] | SongPlan
        if self.plan is not None:
            form, sections = Path(settings.form or "").name, self.plan
        elif settings.form is None and self.plans is not None and len(self.plans.plans) >= MIN_PLANS:
            least, most, tempo = choose_length(tempo, self.spec, bounds, SLOWING_BARS, tempo_is_fixed)
            mode = None if key is None else key.is_minor
            sections = self.plans.draw(least, most, settings.variation, random, mode, style)
            if mode is None and (sections.chords[:, QUALITY] != UNKNOWN).any():
                is_minor = sections.is_minor
            form = letters_of(sections)
        else:
            form = pick_form(settings.form, number)
            sections, tempo = choose_form(form, tempo, self.spec, bounds, ENDING_BARS, share, tempo_is_fixed)
        placed = None
        if flip is not None:
            placed = flip.place(self._as_plan(sections), self.spec, settings.loop_kind == "drums", random)
            sections = placed.placement.plan
        named = name_sections(sections) if isinstance(sections, SongPlan) else sections
        check_roles(history, number, (section.role for section in named))
        tracks = config.tracks
        named_style = None if style is None else self.styles[style]
        arrangement = pick_arrangement(tracks.arrangements, named_style, number, tracks.volumes)
        programs = with_instruments(arrangement.programs, settings.instruments, self.spec)
        arrangement = replace(arrangement, programs=list(programs))
        if history.times:  # made anew: other music of the same form, so that its words still fit
            seed = mix_seed(seed, history.times)
            random = np.random.default_rng(seed)
            is_minor = draw_mode(self.music["modes"], random) if key is None else key.is_minor
            if isinstance(sections, SongPlan):
                sections = replace(sections, chords=unknown_chords(len(sections.chords)))
        home = Key(9 if is_minor else 0, is_minor)
        return SongOutline(number, seed, history, key, home, tempo, form, sections, arrangement, style, random, placed)

    def _as_plan(self, sections: tuple[FormSection, ...] | SongPlan) -> SongPlan:
        """The sections of a named form as a plan."""
        if isinstance(sections, SongPlan):
            return sections
        lengths = [(section.role, section.num_phrases * self.spec.bars) for section in sections]
        rates, rests = np.array(self.statistics.notes_per_bar), np.array(self.statistics.empty_bars)
        return plan_of_named_form(lengths, rates, rests, self.spec)

    def _style(self, number: int) -> int | None:
        """The style of song `number`: the one requested, else all in turn; None where the data has none."""
        settings = self.config.generate
        if settings.style is not None:
            return match_style(settings.style, self.styles)
        return style_in_turn(self.styles, number, settings.seed)

    def make(self, number: int) -> Song:
        """Song `number`, counted from 1; a section that was sent back is made anew in it, the rest stays."""
        settings, tracks, spec = self.config.generate, self.config.tracks, self.spec
        outline = self.outline(number)
        home, arrangement = outline.home, outline.arrangement
        request = self.request.with_defaults(tempo_bpm=outline.tempo_bpm, style=outline.style)
        style = None if outline.style is None else self.styles[outline.style]
        chords = None
        if self.chords is not None and outline.requested_key is not None:
            typed = self.chords.rows(outline.roles(spec))
            chords = transpose_rows(typed, home.tonic - outline.requested_key.tonic)
        if isinstance(outline.sections, SongPlan):
            strengths = [float(settings.chord_strength)] * spec.num_tracks
            if tracks.lead is not None:  # a tune goes through notes between those of the chord
                strengths[tracks.lead] = min(strengths[tracks.lead], 1.0)
            request = replace(request, chord_strength=tuple(strengths))
        background = None
        if outline.flip is not None:
            background, own = outline.flip.background(home, spec), outline.flip.chords(home, spec)
            chords = chords if own is None else own
        composed = self.composer.compose(outline.sections, home, request, tracks.lead, outline.seed, chords, background)
        notes, num_bars = composed.notes()
        ranges = comfortable_ranges(self.statistics.sounding, arrangement.programs, spec)
        shift = choose_shift(notes, home, outline.requested_key, ranges, spec, outline.random)
        performer = draw_performer(self.performance, notes, spec, outline.tempo_bpm, outline.seed, style)
        if outline.history.sections:
            for role, count in outline.history.sections:
                composed.remake(role, count)
            notes, num_bars = composed.notes()
        notes = cut_overlaps(transpose_into_range(notes, shift, spec))

        sections, made_for = composed.sections(num_bars), composed.chords(num_bars)
        velocities, timing = humanize(
            notes,
            spec,
            sections,
            self.performance,
            performer,
            settings.humanize,
            outline.seed,
            is_swung=settings.swing is not None or outline.flip is not None,
        )
        if outline.flip is not None:
            timing = tighten(notes, timing)
        return Song(
            number=number,
            seed=settings.seed,
            spec=spec,
            notes=notes,
            tempo_map=ritardando(outline.tempo_bpm, num_bars, spec, settings.humanize if outline.flip is None else 0),
            key=key_name(Key((home.tonic + shift) % 12, home.is_minor)),
            form=outline.form,
            arrangement=arrangement.name,
            programs=tuple(arrangement.programs),
            pans=tracks.pans,
            volumes=tuple(arrangement.volumes),
            velocities=velocities,
            timing_ticks=timing,
            sections=sections,
            composed_chords=None if made_for is None else transpose_rows(made_for, shift),
            swing=STRAIGHT if settings.swing is None else settings.swing,
            loops=() if outline.flip is None else outline.flip.loops(number, outline.tempo_bpm, spec),
            loop_events=() if outline.flip is None else outline.flip.placement.events,
        )

    def loop_sounds(self, number: int) -> list[Sound]:
        """The loops of song `number` in its tempo and key, float32 `[samples, 2]` at `SAMPLE_RATE_HZ`; often none."""
        outline = self.outline(number)
        return [] if outline.flip is None else outline.flip.sounds(outline.tempo_bpm, self.spec, outline.seed)

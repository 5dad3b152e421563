"""Makes songs of a checkpoint: form, phrases, ending, key, velocities and timing, one step after the other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan.seeds import mix_seed
from pipeline.config import Config
from pipeline.scores.keys import Key, key_name, read_key
from pipeline.scores.notes import Planes, notes_from_roll, roll_from_notes
from pipeline.settings.music import ArrangementSettings
from pipeline.songs.arrangement import choose_shift, comfortable_ranges, draw_mode, draw_tempo, moved
from pipeline.songs.checkpoint import load_trained
from pipeline.songs.compose.composer import Composer, Piece
from pipeline.songs.conditions import draw_asked_tempo, read_request
from pipeline.songs.ending import close
from pipeline.songs.form import Part, choose_form, pick_form
from pipeline.songs.performance import humanize, ritardando
from pipeline.songs.rerolls import History, check_roles, history_of, read_rerolls
from pipeline.songs.song import Section, Song

ENDING_BARS = 1.7
"""Bars' worth of time that a closing bar and slowing down may add."""


@dataclass(frozen=True)
class Outline:
    """A song before its notes are made: what was drawn for it, and what has been sent back."""

    number: int
    seed: int
    history: History
    wanted: Key | None
    home: Key
    tempo_bpm: float
    form: str
    parts: tuple[Part, ...]
    arrangement: ArrangementSettings
    random: np.random.Generator


class SongMaker:
    """Makes the songs of one checkpoint; each depends on the settings, the seed and its own number alone.

    Raises `UserError` where the checkpoint does not fit, or what is asked for is not there.
    """

    def __init__(self, config: Config, checkpoint: Path) -> None:
        self.config = config
        trained = load_trained(config, checkpoint)
        self.spec = trained.spec
        self.music, self.statistics = trained.music, trained.statistics
        settings = config.generate
        self.voice = next((index for index, track in enumerate(config.tracks.tracks) if track.voice), None)
        # songs are moved to their key
        self.request = read_request(config, self.spec, trained.styles, in_common_key=True)
        self.rerolls = read_rerolls(settings.rerolls, settings.songs, "generate.rerolls")
        for number in {reroll.number for reroll in self.rerolls}:
            self.outline(number)
        self.composer = Composer(
            trained.generator,
            trained.discriminator,
            trained.statistics,
            settings.candidates,
            settings.variation,
            trained.in_common_key,
            trained.dissonance,
        )

    def outline(self, number: int) -> Outline:
        """What is decided of song `number`, counted from 1, before a note of it is made."""
        config, settings = self.config, self.config.generate
        history = history_of(self.rerolls, number)
        seed = mix_seed(settings.seed, number)
        random = np.random.default_rng(seed)
        wanted = read_key(settings.key) if settings.key is not None else None
        is_minor = draw_mode(self.music["modes"], random) if wanted is None else wanted.is_minor
        tempo = draw_tempo(config.data.tempo_bpm, self.music["tempo_bpm"], random)
        asked = draw_asked_tempo(settings, random)
        form = pick_form(settings.form, number)
        parts, tempo = choose_form(
            form,
            tempo if asked is None else asked,
            self.spec,
            (settings.min_seconds, settings.max_seconds),
            ENDING_BARS,
            float(random.uniform(0.2, 0.7)),
            asked is not None,
        )
        check_roles(history, number, (part.role for part in parts))
        arrangement = config.tracks.arrangements[(number - 1) % len(config.tracks.arrangements)]
        if history.times:  # made anew: other music of the same form, so that its words still fit
            seed = mix_seed(seed, history.times)
            random = np.random.default_rng(seed)
            is_minor = draw_mode(self.music["modes"], random) if wanted is None else wanted.is_minor
        home = Key(9 if is_minor else 0, is_minor)
        return Outline(number, seed, history, wanted, home, tempo, form, parts, arrangement, random)

    def make(self, number: int) -> Song:
        """Song `number`, counted from 1; a section that was sent back is made anew in it, the rest stays."""
        config, settings, spec = self.config, self.config.generate, self.spec
        plan = self.outline(number)
        home = plan.home
        request = self.request.asking(tempo_bpm=plan.tempo_bpm)
        piece = self.composer.compose(plan.parts, home, request, self.voice, plan.seed)
        notes = notes_from_roll(self._closed(piece), spec.lowest_pitch)
        ranges = comfortable_ranges(self.statistics.sounding, plan.arrangement.programs, spec)
        shift = choose_shift(notes, home, plan.wanted, ranges, spec, plan.random)
        for role, count in plan.history.sections:
            piece.remake(role, count)
        planes = self._closed(piece)
        num_bars = planes.shape[2]
        planes = roll_from_notes(moved(notes_from_roll(planes, spec.lowest_pitch), shift, spec), spec, num_bars)
        notes = notes_from_roll(planes, spec.lowest_pitch)

        sections, first_bar = [], 0
        for part, its, seed in zip(plan.parts, piece.sections, piece.seeds, strict=True):
            bars = num_bars - first_bar if part is plan.parts[-1] else part.phrases * spec.bars
            tensors = [one.latents.to_dict() for one in its]
            latents = {name: np.concatenate([one[name].cpu().numpy() for one in tensors]) for name in tensors[0]}
            sections.append(Section(part.name, part.role, first_bar, bars, seed, latents))
            first_bar += bars
        velocities, timing = humanize(notes, spec, sections, self.voice, plan.tempo_bpm, settings.humanize, plan.seed)
        return Song(
            number=number,
            seed=settings.seed,
            spec=spec,
            planes=planes,
            tempo_map=ritardando(plan.tempo_bpm, num_bars, spec, settings.humanize),
            key=key_name(Key((home.tonic + shift) % 12, home.is_minor)),
            form=plan.form,
            arrangement=plan.arrangement.name,
            programs=tuple(plan.arrangement.programs),
            pans=tuple(track.pan for track in config.tracks.tracks),
            volumes=tuple(track.volume for track in config.tracks.tracks),
            velocities=velocities,
            timing_ticks=timing,
            sections=tuple(sections),
        )

    def _closed(self, piece: Piece) -> Planes:
        """All bars of a piece, with an ending; it depends on nothing but the last section."""
        sections = [np.concatenate([one.planes for one in its], axis=2) for its in piece.sections]
        return np.concatenate([*sections[:-1], close(sections[-1], self.spec, piece.home)], axis=2)

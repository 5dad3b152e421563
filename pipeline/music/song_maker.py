"""Makes songs of a checkpoint: form, phrases, ending, key, velocities and timing, one step after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gan.rolls import mix_seed
from gan.spec import RollSpec
from gan.statistics import DataStatistics
from gan.trainer import load_discriminator, load_generator
from pipeline.config import Config
from pipeline.devices import choose_device, load_checkpoint
from pipeline.errors import UserError
from pipeline.music.arranging import choose_shift, comfortable_ranges, draw_mode, draw_tempo, key_name, moved, read_key
from pipeline.music.composing import Composer
from pipeline.music.ending import close
from pipeline.music.form import choose_form, pick_form
from pipeline.music.humanize import humanize, ritardando
from pipeline.music.keys import Key
from pipeline.music.notes import notes_from_roll, roll_from_notes
from pipeline.music.settings import roll_spec
from pipeline.music.song import Section, Song

ENDING_BARS = 1.7
"""Bars' worth of time that a closing bar and slowing down may add."""


class SongMaker:
    """Makes the songs of one checkpoint; each depends on the settings, the seed and its own number alone."""

    def __init__(self, config: Config, checkpoint: Path) -> None:
        state = load_checkpoint(checkpoint)
        self.config = config
        self.spec = roll_spec(config.roll, config.tracks)
        device = choose_device(config)
        try:
            found = RollSpec.from_dict(state["spec"])
            statistics = DataStatistics.from_dict(state["trainer"]["statistics"])
            generator = load_generator(state["trainer"] | {"average": state["chosen"]["average"]}, device)
            discriminator = load_discriminator(state["trainer"], device)
            self.music: dict[str, Any] = {name: dict(state["music"][name]) for name in ("tempo_bpm", "modes")}
            dissonance = float(state["reference"]["dissonance"])
            in_common_key = state["settings"]["prepare.key"] == "common"
        except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(f"{checkpoint} is damaged or of another version ({reason}).") from error
        if found != self.spec:
            raise UserError(
                f"{checkpoint} makes {describe(found)}, but the settings ask for {describe(self.spec)}: "
                "drop the override or give another name=."
            )
        self.statistics = statistics
        settings = config.generate
        self.composer = Composer(
            generator, discriminator, statistics, settings.candidates, settings.variation, in_common_key, dissonance
        )

    def make(self, number: int) -> Song:
        """Song `number`, counted from 1."""
        config, settings, spec = self.config, self.config.generate, self.spec
        seed = mix_seed(settings.seed, number)
        random = np.random.default_rng(seed)
        wanted = read_key(settings.key) if settings.key is not None else None
        is_minor = draw_mode(self.music["modes"], random) if wanted is None else wanted.is_minor
        home = Key(9 if is_minor else 0, is_minor)
        tempo = draw_tempo(config.data.tempo_bpm, self.music["tempo_bpm"], random)
        form = pick_form(settings.form, number)
        parts, tempo = choose_form(
            form,
            settings.tempo_bpm if settings.tempo_bpm is not None else tempo,
            spec,
            (settings.min_seconds, settings.max_seconds),
            ENDING_BARS,
            float(random.uniform(0.2, 0.7)),
            settings.tempo_bpm is not None,
        )
        arrangement = config.tracks.arrangements[(number - 1) % len(config.tracks.arrangements)]
        phrases = self.composer.compose(parts, home, seed)

        planes = close(np.concatenate([one.planes for part in phrases for one in part], axis=2), spec, home)
        num_bars = planes.shape[2]
        ranges = comfortable_ranges(self.statistics.sounding, arrangement.programs, spec)
        notes = notes_from_roll(planes, spec.lowest_pitch)
        shift = choose_shift(notes, home, wanted, ranges, spec, random)
        planes = roll_from_notes(moved(notes, shift, spec), spec, num_bars)
        notes = notes_from_roll(planes, spec.lowest_pitch)

        sections, first_bar = [], 0
        for part, its in zip(parts, phrases, strict=True):
            bars = num_bars - first_bar if part is parts[-1] else part.phrases * spec.bars
            tensors = [one.latents.to_dict() for one in its]
            latents = {name: np.concatenate([one[name].cpu().numpy() for one in tensors]) for name in tensors[0]}
            sections.append(Section(part.name, part.role, first_bar, bars, latents))
            first_bar += bars
        voice = next((index for index, track in enumerate(config.tracks.tracks) if track.voice), None)
        velocities, timing = humanize(notes, spec, sections, voice, tempo, settings.humanize, random)
        return Song(
            number=number,
            seed=settings.seed,
            spec=spec,
            planes=planes,
            tempo_map=ritardando(tempo, num_bars, spec, settings.humanize),
            key=key_name(Key((home.tonic + shift) % 12, is_minor)),
            form=form,
            arrangement=arrangement.name,
            programs=tuple(arrangement.programs),
            pans=tuple(track.pan for track in config.tracks.tracks),
            volumes=tuple(track.volume for track in config.tracks.tracks),
            velocities=velocities,
            timing_ticks=timing,
            sections=tuple(sections),
        )


def describe(spec: RollSpec) -> str:
    """A RollSpec in words."""
    return (
        f"{', '.join(spec.names)} in {spec.bars} bars of {spec.beats_per_bar}/4, {spec.steps_per_beat} steps a beat, "
        f"{spec.num_pitches} pitches from {spec.lowest_pitch}"
    )

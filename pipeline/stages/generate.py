"""Songs from a trained generator: `python -m pipeline +stage=generate generate.songs=8 generate.key="G major"`.

Writes `songs/NN.npz`, one a song; see `pipeline.music.song`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gan.rolls import mix_seed
from gan.spec import RollSpec
from gan.statistics import DataStatistics
from gan.trainer import load_discriminator, load_generator
from pipeline.config import Config
from pipeline.contract import Outcome, Plan
from pipeline.devices import choose_device, load_checkpoint, prepare_torch
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
from pipeline.places import stage_directory
from pipeline.progress import bar, duration

ENDING_BARS = 1.7
"""Bars' worth of time that a closing bar and slowing down may add."""


def inputs(config: Config) -> dict[str, str]:
    """Nothing but the checkpoint."""
    check(config)
    return {}


def check(config: Config) -> None:
    """Raise `UserError` naming the key when a setting cannot work."""
    settings = config.generate
    for key, low, high in (("songs", 1, 99), ("candidates", 1, 4096), ("variation", 0, 1), ("humanize", 0, 1)):
        value = getattr(settings, key)
        if not low <= value <= high:
            raise UserError(f"generate.{key} must lie between {low} and {high}, not {value}.")
    if settings.tempo_bpm is not None and not 20 <= settings.tempo_bpm <= 400:
        raise UserError(f"generate.tempo_bpm must lie between 20 and 400, not {settings.tempo_bpm:g}.")
    if settings.key is not None:
        read_key(settings.key)
    if not config.tracks.arrangements:
        raise UserError(f"conf/tracks/{config.tracks.name}.yaml names no arrangement; add one.")
    pick_form(settings.form, 1)


def plan(config: Config) -> Plan:
    """How many songs of which length."""
    settings = config.generate
    return Plan(
        f"makes {settings.songs} songs of {settings.min_seconds:g} to {settings.max_seconds:g} s, choosing each phrase "
        f"among {settings.candidates}; about {duration(2 + settings.songs * (1 + settings.candidates / 16))}.",
        400_000 * settings.songs,
    )


def run(config: Config, directory: Path) -> Outcome:
    """Make all songs."""
    prepare_torch(config)
    maker = SongMaker(config, stage_directory("train", config) / "checkpoint.pt")
    numbers = range(1, config.generate.songs + 1)
    songs = []
    for number in bar(numbers, len(numbers), "generate", "songs"):
        song = maker.make(number)
        song.save(directory / "songs" / f"{number:02d}.npz")
        songs.append(
            {
                "number": number,
                "key": song.key,
                "tempo_bpm": round(song.tempo_bpm, 1),
                "form": song.form,
                "arrangement": song.arrangement,
                "bars": song.num_bars,
                "seconds": round(song.seconds, 1),
            }
        )
    return Outcome(facts={"songs": len(songs)}, notes={"songs": songs})


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

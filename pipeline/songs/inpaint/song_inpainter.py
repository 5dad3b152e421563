"""Songs around a given one: what stays comes back as it was played, what is made gets instruments and a hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.rolls import mix_seed
from gan.spec import RollSpec
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.scores.keys import Key, key_name, read_key
from pipeline.scores.notes import Notes, cut_overlaps, notes_from_roll, roll_from_notes
from pipeline.songs.checkpoint import load_trained
from pipeline.songs.conditions import read_request
from pipeline.songs.inpaint.given_song import read_given
from pipeline.songs.inpaint.inpainting import Completer, complete_song
from pipeline.songs.inpaint.mask import Mask, as_list, kept_cells, kept_notes
from pipeline.songs.performance import humanize
from pipeline.songs.rerolls import history_of, read_rerolls
from pipeline.songs.song import Section, Song


class AroundMaker:
    """Makes versions of one song: each depends on the settings, the file, the seed and its own number alone.

    Raises `UserError` where the file, the checkpoint or what is asked does not fit.
    """

    def __init__(self, config: Config, checkpoint: Path) -> None:
        settings = config.generate
        trained = load_trained(config, checkpoint)
        assert isinstance(trained.generator, Generator) and isinstance(trained.discriminator, Discriminator)
        self.config, self.spec, self.in_common_key = config, trained.spec, trained.in_common_key
        keep = [str(name) for name in as_list(settings.keep)]
        limits = (config.collect.max_file_megabytes, config.transcribe)
        self.given = read_given(str(settings.given), "generate.given", self.spec, config.tracks, *limits, keep)
        self.kept = kept_cells(self.given, settings, self.spec)
        self.key = read_key(settings.key) if settings.key is not None else self.given.key
        self.request = read_request(config, self.spec, trained.styles, self.in_common_key)
        self.rerolls = read_rerolls(settings.rerolls, settings.songs, "generate.rerolls")
        if any(reroll.role is not None for reroll in self.rerolls):
            raise UserError(
                "generate.rerolls: songs around given notes are made anew as a whole, [3], not in sections."
            )
        self.voice = next((index for index, track in enumerate(config.tracks.tracks) if track.voice), None)
        self.completer = Completer(trained.generator, trained.discriminator, trained.statistics, settings.candidates)

    def make(self, number: int) -> Song:
        """Version `number`, counted from 1."""
        config, settings, given, kept = self.config, self.config.generate, self.given, self.kept
        times = history_of(self.rerolls, number).times
        seed = mix_seed(settings.seed, number, *([times] if times else []))
        made = complete_song(given, kept, self.completer, self.request, self.key, self.in_common_key, seed)
        stays = kept_notes(given, kept, self.spec)
        spec = reaching(self.spec, stays)
        planes = roll_from_notes(cut_overlaps(np.concatenate([stays, made])), spec, kept.shape[1])
        notes = notes_from_roll(planes, spec.lowest_pitch)
        sections = sections_of(kept[given.sounding | ~kept.all(axis=1)])
        tempo = given.mean_bpm if settings.tempo_bpm is None else settings.tempo_bpm
        velocities, timing = humanize(notes, spec, sections, self.voice, tempo, settings.humanize, seed)
        for index, (track, pitch, onset, _) in enumerate(notes.tolist()):
            if kept[track, onset // spec.steps_per_bar]:
                velocities[index], timing[index] = given.hand[track, pitch, onset]
        arrangement = config.tracks.arrangements[(number - 1) % len(config.tracks.arrangements)]
        programs = [
            theirs if theirs is not None and kept[track].any() else own
            for track, (own, theirs) in enumerate(zip(arrangement.programs, given.programs, strict=True))
        ]
        return Song(
            number=number,
            seed=settings.seed,
            spec=spec,
            planes=planes,
            tempo_map=given.tempo_map if settings.tempo_bpm is None else ((0, tempo),),
            key=key_name(self.key or Key(0, False)),
            form=f"around {given.name}",
            arrangement=arrangement.name,
            programs=tuple(programs),
            pans=tuple(track.pan for track in config.tracks.tracks),
            volumes=tuple(track.volume for track in config.tracks.tracks),
            velocities=velocities,
            timing_ticks=timing,
            sections=sections,
        )


def sections_of(kept: Mask) -> tuple[Section, ...]:
    """Stretches of bars that are given, accompanied or made, for a mask `[tracks, bars]`."""
    roles = ["given" if bar.all() else "accompanied" if bar.any() else "made" for bar in kept.T]
    starts = [bar for bar, role in enumerate(roles) if bar == 0 or role != roles[bar - 1]]
    ends = [*starts[1:], len(roles)]
    return tuple(
        Section(f"{roles[start]} {number}", roles[start], start, end - start)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1)
    )


def reaching(spec: RollSpec, notes: Notes) -> RollSpec:
    """The spec with as many more pitches as the notes need."""
    if not len(notes):
        return spec
    low = min(spec.lowest_pitch, int(notes["pitch"].min()))
    high = max(spec.lowest_pitch + spec.num_pitches - 1, int(notes["pitch"].max()))
    return replace(spec, lowest_pitch=low, num_pitches=high - low + 1)

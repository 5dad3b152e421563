"""Songs around a given one: what stays comes back as it was played, what is made gets instruments and a performance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.seeds import mix_seed
from gan.spec import RollSpec
from pipeline.config import Config
from pipeline.errors import UserError
from pipeline.scores.keys import Key, key_name, read_key
from pipeline.scores.notes import Notes, cut_overlaps
from pipeline.scores.swing import STRAIGHT
from pipeline.songs.chord_requests import read_chords
from pipeline.songs.compose.rerolls import history_of, read_rerolls
from pipeline.songs.compose.styles import pick_arrangement
from pipeline.songs.given_song import GivenSong, read_given
from pipeline.songs.humanizing import draw_performer, humanize
from pipeline.songs.inpaint.mask import BarMask, as_list, kept_cells, kept_notes
from pipeline.songs.inpaint.window_inpainting import WindowInpainter, inpaint_song
from pipeline.songs.provenance import Origin
from pipeline.songs.request import read_request, with_instruments
from pipeline.songs.song import Section, Song
from pipeline.songs.trained_model import load_trained_model


def read_kept(config: Config, spec: RollSpec) -> tuple[GivenSong, BarMask]:
    """The song of `generate.given`, and what of it stays. Raises `UserError` where file or requests don't fit."""
    settings = config.generate
    keep = [str(name) for name in as_list(settings.keep)]
    limits = (config.collect.max_file_megabytes, config.transcribe)
    path, play_repeats = str(settings.given), config.prepare.play_repeats
    given = read_given(path, "generate.given", spec, config.tracks, *limits, keep, play_repeats)
    return given, kept_cells(given, settings, spec)


class SongInpainter:
    """Makes versions of one song: each depends on the settings, the file, the seed and its own number alone.

    Raises `UserError` where the file, the checkpoint or what is requested does not fit.
    """

    def __init__(self, config: Config, checkpoint: Path) -> None:
        settings = config.generate
        model = load_trained_model(config, checkpoint)
        assert isinstance(model.generator, Generator) and isinstance(model.discriminator, Discriminator)
        self.config, self.spec, self.in_common_key = config, model.spec, model.in_common_key
        self.performance = model.performance
        self.given, self.kept = read_kept(config, self.spec)
        self.key = read_key(settings.key) if settings.key is not None else self.given.key
        self.request = read_request(config, self.spec, model.styles, self.in_common_key)
        chords = read_chords(settings.chords)
        self.chords = None if chords is None else chords.everywhere("songs around given notes")
        self.rerolls = read_rerolls(settings.rerolls, settings.songs, "generate.rerolls")
        if any(reroll.role is not None for reroll in self.rerolls):
            raise UserError(
                "generate.rerolls: songs around given notes are made anew as a whole, [3], not in sections."
            )
        self.inpainter = WindowInpainter(model.generator, model.discriminator, model.statistics, settings.candidates)

    def make(self, number: int) -> Song:
        """Version `number`, counted from 1."""
        config, settings, given, kept = self.config, self.config.generate, self.given, self.kept
        times = history_of(self.rerolls, number).times
        seed = mix_seed(settings.seed, number, *([times] if times else []))
        made = inpaint_song(given, kept, self.inpainter, self.request, self.key, self.in_common_key, seed, self.chords)
        stays = kept_notes(given, kept, self.spec)
        spec = widened(self.spec, stays)
        notes = cut_overlaps(np.concatenate([stays, made]))
        notes["length"] = np.minimum(notes["length"], kept.shape[1] * spec.steps_per_bar - notes["onset"])
        sections = sections_of(kept[given.sounding | ~kept.all(axis=1)])
        tempo = given.mean_bpm if settings.tempo_bpm is None else settings.tempo_bpm
        swing = given.swing if settings.swing is None else settings.swing
        is_swung = settings.swing is not None or swing != STRAIGHT
        performer = draw_performer(self.performance, notes, spec, tempo, seed, settings.style)
        velocities, timing = humanize(
            notes, spec, sections, self.performance, performer, settings.humanize, seed, is_swung
        )
        for index, (track, pitch, onset, _) in enumerate(notes.tolist()):
            if kept[track, onset // spec.steps_per_bar]:
                velocities[index], timing[index] = given.performance[track, pitch, onset]
        arrangement = pick_arrangement(config.tracks.arrangements, settings.style, number, config.tracks.volumes)
        programs = [
            given_program if given_program is not None and kept[track].any() else program
            for track, (program, given_program) in enumerate(zip(arrangement.programs, given.programs, strict=True))
        ]
        return Song(
            number=number,
            seed=settings.seed,
            spec=spec,
            notes=notes,
            tempo_map=given.tempo_map if settings.tempo_bpm is None else ((0, tempo),),
            key=key_name(self.key or Key(0, False)),
            form=f"around {given.name}",
            arrangement=arrangement.name,
            programs=with_instruments(programs, settings.instruments, spec),
            pans=config.tracks.pans,
            volumes=tuple(arrangement.volumes),
            velocities=velocities,
            timing_ticks=timing,
            sections=sections,
            swing=swing,
            origins=np.where(kept & given.sounding[:, None], Origin.GIVEN, Origin.MADE).astype(np.uint8),
        )


def sections_of(kept: BarMask) -> tuple[Section, ...]:
    """Stretches of bars that are given, accompanied or made, for a mask `[tracks, bars]`."""
    roles = ["given" if bar.all() else "accompanied" if bar.any() else "made" for bar in kept.T]
    starts = [bar for bar, role in enumerate(roles) if bar == 0 or role != roles[bar - 1]]
    ends = [*starts[1:], len(roles)]
    return tuple(
        Section(f"{roles[start]} {number}", roles[start], start, end - start)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1)
    )


def widened(spec: RollSpec, notes: Notes) -> RollSpec:
    """The spec with as many more pitches as the notes need."""
    if not len(notes):
        return spec
    low = min(spec.lowest_pitch, int(notes["pitch"].min()))
    high = max(spec.lowest_pitch + spec.num_pitches - 1, int(notes["pitch"].max()))
    return replace(spec, lowest_pitch=low, num_pitches=high - low + 1)

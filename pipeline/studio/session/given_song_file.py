"""A file of a person's as a song of the studio: its notes as they are played, its instruments, its sections."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gan.spec import RollSpec
from pipeline.formats import is_recording
from pipeline.scores.keys import Key, key_name
from pipeline.scores.structure.song_plan import plan_of_song
from pipeline.songs.compose.styles import pick_arrangement
from pipeline.songs.given_song import GivenSong, read_given
from pipeline.songs.inpaint.song_inpainter import widened
from pipeline.songs.plan_model import name_sections
from pipeline.songs.provenance import Origin, all_of
from pipeline.songs.song import Section, Song
from pipeline.studio.session.model import StudioModel

GIVEN_SECTION = "given 1"


def song_of_file(path: Path, name: str, number: int, model: StudioModel) -> tuple[Song, tuple[str, ...]]:
    """The song that a file holds, all of it given, and remarks on what of it is left out.

    Raises
    ------
    UserError
        One sentence on what is wrong with the file.
    """
    config, spec = model.config, model.spec
    limits = (config.collect.max_file_megabytes, config.transcribe)
    given = read_given(str(path), "file", spec, config.tracks, *limits, play_repeats=config.prepare.play_repeats)
    arrangement = pick_arrangement(config.tracks.arrangements, None, number, config.tracks.volumes)
    programs = [
        own if own is not None else usual for own, usual in zip(given.programs, arrangement.programs, strict=True)
    ]
    notes = given.notes
    notes["length"] = np.minimum(notes["length"], given.bars * spec.steps_per_bar - notes["onset"])
    played = [given.performance[track, pitch, onset] for track, pitch, onset, _ in notes.tolist()]
    velocities, timing = zip(*played, strict=True)
    song = Song(
        number=number,
        seed=config.generate.seed,
        spec=widened(spec, notes),
        notes=notes,
        tempo_map=given.tempo_map,
        key=key_name(given.key or Key(0, False)),
        form=f"given {name}",
        arrangement=arrangement.name,
        programs=tuple(programs),
        pans=config.tracks.pans,
        volumes=tuple(arrangement.volumes),
        velocities=np.array(velocities, np.uint8),
        timing_ticks=np.array(timing, np.int16),
        sections=sections_of_file(given, spec, is_recording(path.name)),
        swing=given.swing,
        origins=all_of(Origin.GIVEN, spec.num_tracks, given.bars),
    )
    return song, given.remarks


def sections_of_file(given: GivenSong, spec: RollSpec, heard: bool) -> tuple[Section, ...]:
    """The sections of a given song, found by self-similarity; one where it is too short for more."""
    if given.bars < 2 * spec.bars:
        return (Section(GIVEN_SECTION, "given", 0, given.bars),)
    return name_sections(plan_of_song(given.notes, given.bars, spec, heard=heard))

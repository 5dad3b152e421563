"""Velocities and timing of a song: who plays it, drawn from the performances that were learnt from, and how."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from gan.seeds import mix_seed
from gan.spec import RollSpec
from pipeline.scores.notes import Notes
from pipeline.songs.performance.model import LARGEST_STEPS, PLAIN_VELOCITY, PerformanceModel, Performer
from pipeline.songs.seeds import SongRandomStream
from pipeline.songs.song import TICKS_PER_BEAT, Section

TIGHTNESS = 0.5
"""Of their deviations in time players keep so much who play to a loop."""


def draw_performer(
    model: PerformanceModel, notes: Notes, spec: RollSpec, tempo_bpm: float, seed: int, style: str | None = None
) -> Performer:
    """Who plays a song, drawn by its seed; see `PerformanceModel.draw`."""
    random = np.random.default_rng(mix_seed(seed, SongRandomStream.PERFORMANCE))
    return model.draw(notes, spec, tempo_bpm, random, style or "")


def humanize(
    notes: Notes,
    spec: RollSpec,
    sections: Sequence[Section],
    model: PerformanceModel,
    performer: Performer,
    amount: float,
    seed: int,
    is_swung: bool = False,
    only: Collection[int] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Velocities and timing of a song's notes.

    Parameters
    ----------
    notes, spec, sections
        The song.
    model, performer
        What was learnt, and who plays.
    amount
        0 gives each note the same velocity and no offset; 1 is as learnt.
    seed
        Draws what is left to chance, for each section on its own: what changes in one changes nothing in another.
    is_swung
        Whether the song has a swing of its own, so that the performer's does not count.
    only
        Numbers of the sections to be played; notes of others have the plain velocity and no offset. None plays all.

    Returns
    -------
    velocities, timing_ticks
        `[notes]` each; see `Song`.
    """
    loudness, late = np.full(len(notes), float(PLAIN_VELOCITY)), np.zeros(len(notes))
    bars = notes["onset"] // spec.steps_per_bar
    for number, section in enumerate(sections):
        if only is not None and number not in only:
            continue
        own = np.flatnonzero((bars >= section.first_bar) & (bars < section.first_bar + section.num_bars))
        part = notes[own]
        part["onset"] -= section.first_bar * spec.steps_per_bar
        ends = section.num_bars * spec.steps_per_bar  # what follows may hold the last notes on
        part["length"] = np.minimum(part["length"], ends - part["onset"])
        random = np.random.default_rng(mix_seed(seed, SongRandomStream.PERFORMANCE, number))
        loudness[own], late[own] = model.perform(performer, part, spec, random, is_swung)
    velocities = np.clip(np.rint(PLAIN_VELOCITY + amount * (loudness - PLAIN_VELOCITY)), 1, 127).astype(np.uint8)
    step = TICKS_PER_BEAT / spec.steps_per_quarter
    most = np.floor(LARGEST_STEPS * step)
    return velocities, np.clip(np.rint(amount * late * step), -most, most).astype(np.int16)


def tighten(notes: Notes, timing_ticks: NDArray[np.int16]) -> NDArray[np.int16]:
    """Timing of players who play to a loop: none is early or late on the whole, and all deviate half as much."""
    tight = timing_ticks.astype(np.float64)
    for track in np.unique(notes["track"]):
        own = notes["track"] == track
        tight[own] -= np.median(tight[own])
    return np.rint(TIGHTNESS * tight).astype(np.int16)

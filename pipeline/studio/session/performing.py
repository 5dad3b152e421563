"""Velocities and timing of notes that come into a song: played as its own notes are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gan.seeds import mix_seed
from pipeline.scores.notes import Notes
from pipeline.scores.swing import STRAIGHT
from pipeline.songs.humanizing import draw_performer, humanize, tighten
from pipeline.songs.inpaint.mask import BarMask
from pipeline.songs.performance.model import Performer
from pipeline.songs.song import Song
from pipeline.studio.session.model import StudioModel

FEW_NOTES = 8
"""A track that has fewer notes is played as the whole song is."""
MOST_RATIO = 2.0
"""How much wider than as performed a track's velocities and timing may be spread."""


def performer_of(song: Song, model: StudioModel) -> Performer:
    """Who plays a song; of one that was composed the performer that it was composed with."""
    seed = mix_seed(song.seed, song.number)
    return draw_performer(model.performance, song.notes, song.spec, song.tempo_bpm, seed)


def perform_beside(
    song: Song, notes: Notes, free: BarMask, performer: Performer, model: StudioModel
) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Velocities and timing `[notes]` of a song's notes after some cells `free` `[tracks, bars]` were made.

    Notes outside of these cells are played as they were, to the byte. The others are played by the performer of the
    song, and moved to the mean and the spread that the song's own notes of their track have beside how the performer
    would play those: a song that a machine plays stays one.
    """
    spec, seed = song.spec, mix_seed(song.seed, song.number)
    bars = np.flatnonzero(free.any(axis=0))
    touched = [
        number
        for number, one in enumerate(song.sections)
        if np.any((bars >= one.first_bar) & (bars < one.first_bar + one.num_bars))
    ]
    velocities, timing = humanize(
        notes, spec, song.sections, model.performance, performer, 1.0, seed, song.swing != STRAIGHT, touched
    )
    if song.loops:
        timing = tighten(notes, timing)
    known, source = same_notes(notes, song.notes)
    known &= ~free[notes["track"], notes["onset"] // spec.steps_per_bar]
    near = np.isin(section_of(notes, song), touched)
    largest = (song.ticks_per_step - 1) // 2
    moved = []
    for played, own, low, high in (
        (velocities, song.velocities, 1, 127),
        (timing, song.timing_ticks, -largest, largest),
    ):
        matched = _matched(played.astype(np.float64), own[source].astype(np.float64), notes["track"], known & near)
        whole = np.clip(np.rint(matched), low, high).astype(own.dtype)
        moved.append(np.where(known, own[source], whole))
    return moved[0].astype(np.uint8), moved[1].astype(np.int16)


def section_of(notes: Notes, song: Song) -> NDArray[np.intp]:
    """The number of the section in which each note begins, `[notes]`."""
    starts = np.array([section.first_bar for section in song.sections]) * song.spec.steps_per_bar
    return np.asarray(np.searchsorted(starts, notes["onset"], side="right") - 1)


def same_notes(notes: Notes, others: Notes) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """For each of `notes` whether `others` has one of its track, pitch and onset, and its index there (else any)."""
    if not len(others):
        return np.zeros(len(notes), np.bool_), np.zeros(len(notes), np.intp)
    mine, theirs = _keys(notes), _keys(others)
    order = np.argsort(theirs)
    index = order[np.clip(np.searchsorted(theirs[order], mine), 0, len(order) - 1)]
    return np.asarray(theirs[index] == mine), index


def _keys(notes: Notes) -> NDArray[np.int64]:
    """A number for each note that no other note of a song has."""
    line = notes["track"].astype(np.int64) << 8 | notes["pitch"]
    return np.asarray(line << 32 | notes["onset"])


def _matched(
    played: NDArray[np.float64], own: NDArray[np.float64], tracks: NDArray[np.int32], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Numbers of notes with mean and spread of the notes that are `known` to have their `own`, track by track."""
    matched = played.copy()
    for track in np.unique(tracks):
        here = tracks == track
        like = known & here
        like = like if like.sum() >= FEW_NOTES else known
        if like.any():
            wide = float(played[like].std())
            ratio = min(MOST_RATIO, float(own[like].std()) / wide) if wide > 1e-9 else 0.0
            matched[here] = own[like].mean() + ratio * (played[here] - played[like].mean())
    return matched

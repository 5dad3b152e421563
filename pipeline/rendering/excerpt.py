"""An excerpt of a song: some of its bars as a song of their own, for MIDI files of selections, clips and loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.songs.song import Section, Song


def excerpt(song: Song, first_bar: int, end_bar: int) -> Song:
    """The bars from `first_bar` (counted from 0) to before `end_bar` of a song, with their tempi, chords and sections.

    It holds the notes that begin in these bars, cut where the last bar ends; a first note that is played before its
    beat begins on it. Loops of old records are left out. Raises `ValueError` for bars that the song doesn't have.
    """
    if not 0 <= first_bar < end_bar <= song.num_bars:
        raise ValueError(f"bars {first_bar + 1} to {end_bar} are none of a song of {song.num_bars} bars")
    first, end = (bar * song.spec.steps_per_bar for bar in (first_bar, end_bar))
    onsets = song.notes["onset"]
    inside = (onsets >= first) & (onsets < end)
    notes = song.notes[inside].copy()
    notes["length"] = np.minimum(notes["length"], end - notes["onset"])
    notes["onset"] -= first
    changes = {max(0, step - first): tempo for step, tempo in song.tempo_map if step < end}
    return replace(
        song,
        notes=notes,
        velocities=song.velocities[inside],
        timing_ticks=song.timing_ticks[inside],
        tempo_map=tuple(changes.items()),
        sections=tuple(_cut(section, first_bar, end_bar) for section in _touched(song, first_bar, end_bar)),
        composed_chords=song.chords[2 * first_bar : 2 * end_bar],
        loops=(),
        loop_events=(),
        origins=None if song.origins is None else song.origins[:, first_bar:end_bar],
    )


def _touched(song: Song, first_bar: int, end_bar: int) -> list[Section]:
    """The sections that have one of these bars."""
    return [one for one in song.sections if one.first_bar < end_bar and one.first_bar + one.num_bars > first_bar]


def _cut(section: Section, first_bar: int, end_bar: int) -> Section:
    """What of a section lies in these bars, counted from the first of them."""
    begins, ends = max(section.first_bar, first_bar), min(section.first_bar + section.num_bars, end_bar)
    return Section(section.name, section.role, begins - first_bar, ends - begins)

"""Plans of songs made by hand."""

from __future__ import annotations

import numpy as np

from gan.spec import RollSpec
from pipeline.scores.notes import Notes, make_notes
from pipeline.scores.structure.song_plan import SongPlan, pack_plans, plan_of_song


def plan_of_letters(
    rows: dict[str, str], spec: RollSpec, starts: tuple[int, ...] | None = None, *, heard: bool = False
) -> SongPlan:
    """The plan of a song of letters."""
    return plan_of_song(notes_of_letters(rows, spec), max(map(len, rows.values())), spec, starts, heard=heard)


def notes_of_letters(rows: dict[str, str], spec: RollSpec) -> Notes:
    """A song in which each track, by name, plays a bar a letter: equal letters are equal bars, `.` rests.

    A small letter is the bar of the large one with another last beat.
    """
    notes = []
    for name, letters in rows.items():
        for bar, letter in enumerate(letters):
            if letter == ".":
                continue
            for beat in range(spec.beats_per_bar):
                other = 7 if letter.islower() and beat == spec.beats_per_bar - 1 else 0
                # no letter has a beat of another
                pitch = spec.lowest_pitch + (3 * (ord(letter.upper()) - ord("A")) + other + beat) % spec.num_pitches
                start = bar * spec.steps_per_bar + beat * spec.steps_per_beat
                notes.append((spec.names.index(name), pitch, start, 2))
    return make_notes(*zip(*notes, strict=True))


def assert_equal_plans(plan: SongPlan, other: SongPlan) -> None:
    """Equal to the bit."""
    mine, theirs = pack_plans([plan]), pack_plans([other])
    assert list(mine) == list(theirs)
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine)

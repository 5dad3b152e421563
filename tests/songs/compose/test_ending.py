"""Endings: a cadence closes, an open end gets a bar with the tonic."""

from __future__ import annotations

import numpy as np
import pytest

from gan.spec import RollSpec, Track
from pipeline.scores.keys import Key
from pipeline.scores.notes import NOTE, Notes, make_notes
from pipeline.songs.compose.ending import add_ending, end_in_last_bar, ending_score
from tests.song_makers import song_of

C_MAJOR, A_MINOR = Key(0, False), Key(9, True)
QUARTET = RollSpec(tuple(Track(name) for name in ("Soprano", "Alto", "Tenor", "Bass")), bars=1)


def chords(*rows: tuple[int, ...]) -> Notes:
    """Four voices in chords of one beat."""
    notes = [(voice, pitch, 4 * beat, 4) for beat, row in enumerate(rows) for voice, pitch in enumerate(row)]
    return make_notes(*zip(*notes, strict=True))


CADENCE = chords((69, 65, 60, 53), (71, 65, 62, 55), (71, 62, 62, 55), (72, 64, 60, 48))
HALF_CADENCE = chords((72, 64, 60, 48), (69, 65, 60, 53), (72, 64, 57, 57), (71, 67, 62, 55))


def test_a_cadence_closes_and_a_half_cadence_does_not() -> None:
    assert ending_score(CADENCE, 1, QUARTET, C_MAJOR) == 1
    assert ending_score(HALF_CADENCE, 1, QUARTET, C_MAJOR) < 0.6
    assert ending_score(CADENCE, 1, QUARTET, A_MINOR) < 1


def test_the_last_chord_of_a_cadence_rings_to_the_end_of_the_bar() -> None:
    short = CADENCE.copy()
    short["length"][short["onset"] == 12] = 1
    notes, num_bars = add_ending(short, 1, QUARTET, C_MAJOR)
    assert num_bars == 1 and np.array_equal(notes, CADENCE)
    assert (short["length"][short["onset"] == 12] == 1).all(), "the music that came in is as it was"


@pytest.mark.parametrize(("key", "triad"), [(C_MAJOR, {0, 4, 7}), (A_MINOR, {9, 0, 4})])
def test_an_open_end_gets_a_bar_with_the_tonic(key: Key, triad: set[int]) -> None:
    notes, num_bars = add_ending(HALF_CADENCE, 1, QUARTET, key)
    assert num_bars == 2
    last = notes[notes["onset"] == 16]
    assert ending_score(make_notes(last["track"], last["pitch"], 0, last["length"]), 1, QUARTET, key) == 1
    assert set((last["pitch"] % 12).tolist()) <= triad
    assert last["pitch"][last["track"] == 3] % 12 == key.tonic
    assert (last["length"] == 16).all() and len(last) == 4
    steps = np.abs(last["pitch"] - HALF_CADENCE["pitch"][HALF_CADENCE["onset"] == 12])
    assert steps[:3].max() <= 5, "the upper voices move to the nearest chord tone"


def test_no_voice_ends_below_the_root_in_the_bass() -> None:
    crossed = chords((69, 65, 60, 53), (71, 62, 47, 48))
    notes, _ = add_ending(crossed, 1, QUARTET, C_MAJOR)
    last = notes[notes["onset"] == 16]
    assert last["pitch"].min() % 12 == 0


def test_a_song_that_may_not_grow_ends_in_its_last_bar() -> None:
    notes = np.concatenate([CADENCE, HALF_CADENCE])
    notes["onset"][len(CADENCE) :] += 16
    ended = end_in_last_bar(notes, 2, QUARTET, C_MAJOR)
    assert np.array_equal(ended[ended["onset"] < 16], make_notes(*(CADENCE[name] for name in CADENCE.dtype.names)))
    assert ending_score(ended, 2, QUARTET, C_MAJOR) == 1
    assert (ended["onset"] + ended["length"]).max() == 32


def test_the_root_is_the_lowest_note_of_the_ending_also_of_voices_close_together() -> None:
    notes, _ = add_ending(chords((62, 61, 61, 61)), 1, QUARTET, Key(1, False))
    last = notes[notes["onset"] == 16]
    assert last["pitch"].min() % 12 == 1 and set((last["pitch"] % 12).tolist()) <= {1, 5, 8}


def test_drums_end_with_one_hit() -> None:
    song = song_of()
    notes, _ = add_ending(song.notes, song.num_bars, song.spec, C_MAJOR)
    last = notes[(notes["track"] == 0) & (notes["onset"] >= 32)]
    assert last[["pitch", "onset"]].tolist() == [(36, 32)]


def test_silence_stays_silent() -> None:
    assert not len(add_ending(np.empty(0, NOTE), 1, QUARTET, C_MAJOR)[0])

import numpy as np
import pytest

from gan.spec import HOLD, ONSET
from pipeline.dataset.cutting import cut_phrases, phrase_digest, song_digest
from pipeline.scores.notes import Notes, make_notes, notes_from_roll, unpack_rolls
from tests.music_makers import SPEC, tune


def line(seed: int, bars: int = 8, root: int = 60, track: int = 1) -> Notes:
    rows = [(track, pitch, int(onset * 4), int(length * 4)) for onset, length, pitch in tune(seed, bars, root)]
    return make_notes(*np.array(rows).T)


def both(first: Notes, second: Notes) -> Notes:
    return make_notes(*(np.concatenate([first[name], second[name]]) for name in first.dtype.names))


def cut(notes: Notes, bars: int, hop: int = 1, min_tracks: int = 1) -> tuple[list[int], np.ndarray]:
    starts, packed = cut_phrases(notes, bars, SPEC, hop, min_tracks)
    return starts, unpack_rolls(packed, SPEC.num_pitches)


def test_phrases_are_the_bars_they_start_at() -> None:
    notes = line(1)
    starts, rolls = cut(notes, 8, hop=2)
    assert starts == [0, 2, 4]
    assert rolls.shape == (3, *SPEC.shape)
    for start, roll in zip(starts, rolls, strict=True):
        own = notes[(notes["onset"] >= 16 * start) & (notes["onset"] < 16 * (start + 4))].copy()
        own["onset"] -= 16 * start
        assert np.array_equal(notes_from_roll(roll, SPEC.lowest_pitch), own)


def test_a_note_held_into_a_phrase_starts_with_it() -> None:
    notes = make_notes(1, [60, 62], [0, 20], [32, 4])
    _, rolls = cut(notes, 5)
    assert rolls[1, ONSET, 1, 0, 0, 60 - 24] and not rolls[1, HOLD, 1, 0, 0, 60 - 24]
    assert rolls[1, HOLD, 1, 0, 1:, 60 - 24].all()


def test_phrases_in_which_too_few_tracks_sound_do_not_count() -> None:
    notes = both(line(1), make_notes(2, [36, 38], [0, 16], [4, 4]))
    assert cut(notes, 8, min_tracks=1)[0] == [0, 1, 2, 3, 4]
    assert cut(notes, 8, min_tracks=2)[0] == [0, 1]


def test_a_repeated_phrase_is_kept_once() -> None:
    once = line(1, bars=4)
    again = once.copy()
    again["onset"] += 64
    starts, rolls = cut(both(once, again), 8, hop=4)
    assert starts == [0]
    assert len({phrase_digest(np.packbits(roll, axis=-1)) for roll in rolls}) == 1


@pytest.mark.parametrize("shift", [-7, 1, 5])
def test_a_transposed_song_is_the_same_song(shift: int) -> None:
    drums = make_notes(0, 36, np.arange(0, 128, 4), 1)
    here, there = both(line(1), drums), both(line(1, root=60 + shift), drums)
    assert song_digest([here], SPEC) == song_digest([there], SPEC)
    assert song_digest([here], SPEC) != song_digest([both(line(2), drums)], SPEC)


def test_moved_drums_make_another_song() -> None:
    songs = [both(line(1), make_notes(0, pitch, 0, 1)) for pitch in (36, 38)]
    assert song_digest([songs[0]], SPEC) != song_digest([songs[1]], SPEC)

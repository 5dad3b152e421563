from collections import Counter

import numpy as np
import pytest

from gan.spec import HOLD, ONSET
from pipeline.dataset.cutting import cut_phrases, phrase_digest, song_digest
from pipeline.dataset.near_duplicates import KEPT, Turns, song_turns
from pipeline.dataset.splits import SHARES, SPLITS, choose_splits, find_kin
from pipeline.scores.grid import Stretch
from pipeline.scores.notes import Notes, make_notes, notes_from_roll, unpack
from pipeline.scores.tracks import Voice
from tests.music_makers import SPEC, Row, part, tune


def line(seed: int, bars: int = 8, root: int = 60, track: int = 1) -> Notes:
    rows = [(track, pitch, int(onset * 4), int(length * 4)) for onset, length, pitch in tune(seed, bars, root)]
    return make_notes(*np.array(rows).T)


def both(first: Notes, second: Notes) -> Notes:
    return make_notes(*(np.concatenate([first[name], second[name]]) for name in first.dtype.names))


def cut(notes: Notes, bars: int, hop: int = 1, min_tracks: int = 1) -> tuple[list[int], np.ndarray]:
    starts, packed = cut_phrases(notes, bars, SPEC, hop, min_tracks)
    return starts, unpack(packed, SPEC.num_pitches)


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


def turns(*lines: list[Row], program: int = 0, bars: int = 40) -> Turns:
    """The turns of a song with one voice a line."""
    voices = [Voice(1 + number % 2, program, part(rows).events) for number, rows in enumerate(lines)]
    return song_turns(voices, [Stretch(0.0, bars, 0)], SPEC)


def test_settings_of_one_tune_are_kin_whatever_their_key_and_bass() -> None:
    songs = [
        turns(tune(1, 12), tune(10, 12, 36)),
        turns(tune(2, 12), tune(11, 12, 36)),
        turns(tune(1, 12, root=65), tune(12, 12, 41)),
    ]
    assert find_kin(songs) == [0, 1, 0]


@pytest.mark.parametrize("speed", [0.5, 1.5, 2])
def test_a_tune_at_another_speed_is_kin(speed: float) -> None:
    rows = [(onset, length, pitch) for (onset, length, pitch) in tune(1, 8) if onset % 4 != 3]
    moved = [(onset * speed, length * speed, pitch) for onset, length, pitch in rows]
    assert find_kin([turns(rows), turns(tune(2, 8)), turns(moved)]) == [0, 1, 0]


def test_a_tune_without_its_beginning_and_with_wrong_notes_is_kin() -> None:
    random = np.random.default_rng(0)
    rows = [
        (onset - 32, length, pitch + int(random.choice([0] * 19 + [1])))
        for onset, length, pitch in tune(1, 32)
        if onset >= 32
    ]
    assert find_kin([turns(tune(1, 32)), turns(tune(2, 32)), turns(tune(3, 32), rows)]) == [0, 1, 0]


def test_a_tune_that_hundreds_of_songs_have_joins_them_all() -> None:
    common = tune(1, 8)
    songs = [turns(common, tune(number, 3)) for number in range(2, 102)]
    assert find_kin(songs) == [0] * 100


def test_a_song_within_a_longer_one_is_kin_although_few_turns_are_kept() -> None:
    long = tune(1, 60)
    assert len(turns(long, bars=60)[0]) == KEPT
    assert find_kin([turns(long, bars=60), turns(long[:160], bars=60), turns(tune(2, 60), bars=60)]) == [0, 0, 2]


def test_a_note_repeated_for_ever_makes_no_kin() -> None:
    pulse = [[(beat / 2, 0.5, pitch + (beat % 16 == 15)) for beat in range(128)] for pitch in (40, 45)]
    assert find_kin([turns(rows) for rows in pulse]) == [0, 1]
    assert find_kin([]) == []


def test_a_scale_that_both_run_through_makes_no_kin() -> None:
    runs = [[(float(beat), 1.0, start + beat) for beat in range(32)] for start in (40, 45)]
    assert find_kin([turns(run, tune(seed, 12)) for seed, run in enumerate(runs)]) == [0, 1]


DIGESTS = [f"{number:032x}" for number in range(2000)]


def test_splits_are_eighty_ten_ten() -> None:
    counts = Counter(choose_splits(DIGESTS, range(2000)))
    for split, share in zip(SPLITS, SHARES, strict=True):
        assert counts[split] / 2000 == pytest.approx(share, abs=0.03)


def test_a_song_keeps_its_split_when_others_come_and_whatever_the_order() -> None:
    many = dict(zip(DIGESTS, choose_splits(DIGESTS, range(2000)), strict=True))
    few = choose_splits(DIGESTS[500:1500][::-1], range(1000))
    assert few == [many[digest] for digest in DIGESTS[500:1500][::-1]]


def test_a_group_lies_on_one_side() -> None:
    groups = [number // 4 * 4 for number in range(2000)]
    splits = choose_splits(DIGESTS, groups)
    assert all(splits[number] == splits[group] for number, group in enumerate(groups))
    assert set(splits) == set(SPLITS)


def test_a_split_that_is_asked_for_is_given_to_the_whole_group() -> None:
    groups = [0, 1, 0, 3, 4, 5, 6, 7, 8, 9]
    wanted = ["", "", "validation", "test", "", "", "", "", "", "train"]
    splits = choose_splits(DIGESTS[:10], groups, wanted)
    assert (splits[0], splits[2], splits[3], splits[9]) == ("validation", "validation", "test", "train")
    assert choose_splits(DIGESTS[:3], [0, 0, 0], ["", "test", "train"]) == ["test"] * 3
    assert sorted(choose_splits(DIGESTS[:3], range(3), ["train", "", ""])) == ["test", "train", "validation"]
    assert set(choose_splits(DIGESTS[:9], range(9), ["test", *[""] * 8])) == set(SPLITS)


@pytest.mark.parametrize("count", range(3, 30))
def test_three_songs_are_enough_for_every_split(count: int) -> None:
    assert set(choose_splits(DIGESTS[:count], range(count))) == set(SPLITS)


def test_one_song_is_for_training_and_a_second_for_validation() -> None:
    assert choose_splits(DIGESTS[:1], [0]) == ["train"]
    assert sorted(choose_splits(DIGESTS[:2], [0, 1])) == ["train", "validation"]

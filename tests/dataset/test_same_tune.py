import numpy as np
import pytest

from pipeline.dataset.same_tune import KEPT, TuneNgrams, group_same_tunes, interval_ngrams
from pipeline.scores.quantisation import BarSpan
from pipeline.scores.tracks import AssignedPart
from tests.music_makers import SPEC, Row, part, tune


def ngrams(*lines: list[Row], program: int = 0, bars: int = 40) -> TuneNgrams:
    """The n-grams of a song with one part a line."""
    parts = [AssignedPart(1 + number % 2, program, part(rows).events) for number, rows in enumerate(lines)]
    return interval_ngrams(parts, [BarSpan(0.0, bars, 0)], SPEC)


def test_settings_of_one_tune_are_grouped_whatever_their_key_and_bass() -> None:
    songs = [
        ngrams(tune(1, 12), tune(10, 12, 36)),
        ngrams(tune(2, 12), tune(11, 12, 36)),
        ngrams(tune(1, 12, root=65), tune(12, 12, 41)),
    ]
    assert group_same_tunes(songs) == [0, 1, 0]


@pytest.mark.parametrize("speed", [0.5, 1.5, 2])
def test_a_tune_at_another_speed_is_the_same(speed: float) -> None:
    rows = [(onset, length, pitch) for (onset, length, pitch) in tune(1, 8) if onset % 4 != 3]
    moved = [(onset * speed, length * speed, pitch) for onset, length, pitch in rows]
    assert group_same_tunes([ngrams(rows), ngrams(tune(2, 8)), ngrams(moved)]) == [0, 1, 0]


def test_a_tune_without_its_beginning_and_with_wrong_notes_is_the_same() -> None:
    random = np.random.default_rng(0)
    rows = [
        (onset - 32, length, pitch + int(random.choice([0] * 19 + [1])))
        for onset, length, pitch in tune(1, 32)
        if onset >= 32
    ]
    assert group_same_tunes([ngrams(tune(1, 32)), ngrams(tune(2, 32)), ngrams(tune(3, 32), rows)]) == [0, 1, 0]


def test_a_tune_that_hundreds_of_songs_have_joins_them_all() -> None:
    common = tune(1, 8)
    songs = [ngrams(common, tune(number, 3)) for number in range(2, 102)]
    assert group_same_tunes(songs) == [0] * 100


def test_a_song_within_a_longer_one_is_found_although_few_ngrams_are_kept() -> None:
    long = tune(1, 60)
    assert len(ngrams(long, bars=60)[0]) == KEPT
    assert group_same_tunes([ngrams(long, bars=60), ngrams(long[:160], bars=60), ngrams(tune(2, 60), bars=60)]) == [
        0,
        0,
        2,
    ]


def test_a_note_repeated_for_ever_is_no_tune() -> None:
    pulse = [[(beat / 2, 0.5, pitch + (beat % 16 == 15)) for beat in range(128)] for pitch in (40, 45)]
    assert group_same_tunes([ngrams(rows) for rows in pulse]) == [0, 1]
    assert group_same_tunes([]) == []


def test_a_scale_that_both_run_through_is_no_tune() -> None:
    runs = [[(float(beat), 1.0, start + beat) for beat in range(32)] for start in (40, 45)]
    assert group_same_tunes([ngrams(run, tune(seed, 12)) for seed, run in enumerate(runs)]) == [0, 1]

"""Loops of a record: which are found, where they are cut, and how they close."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.errors import UserError
from pipeline.songs.flip.attacks import EARLY_SECONDS
from pipeline.songs.flip.loops import ALIKE, LOWEST_DB, MOST_FLUX, Loop, find_loops, loop_at, loop_features, loop_sound
from pipeline.songs.flip.record import Record
from tests.record_makers import drifting_beats, even_beats, record_of, record_of_sound

SONG = "CFGCaFGCDDDDCFGCqqqqaaFF"


@cache
def song() -> Record:
    """The record of all tests that take it as it is."""
    return record_of(SONG)


def bars_of(loop: Loop, bars: str = SONG) -> str:
    """The bars of the song that a loop has."""
    return bars[loop.first_bar : loop.first_bar + loop.num_bars]


def test_loops_of_chords_are_found_best_first_and_no_two_are_alike() -> None:
    bars = "CCaaFFGGDDDDCCaaqqqqGFGF"
    record = record_of(bars)
    found = find_loops(record)
    assert len(found) >= 3
    scores = [loop.score for loop in found]
    assert scores == sorted(scores, reverse=True)
    assert len({bars_of(loop, bars) for loop in found}) == len(found)
    features = loop_features(record)
    for index, one in enumerate(found):
        assert "D" not in bars_of(one, bars) and "q" not in bars_of(one, bars)
        assert one.parts.level_db >= LOWEST_DB and one.parts.seam_flux <= MOST_FLUX
        assert one.num_bars in (1, 2, 4)
        for other in found[:index]:
            if one.num_bars == other.num_bars == 1:
                assert features.bars[one.first_bar] @ features.bars[other.first_bar] <= ALIKE


def test_drum_breaks_are_found_on_request() -> None:
    found = find_loops(song(), percussive=True)
    assert found and all(set(bars_of(loop)) == {"D"} for loop in found)


def test_drums_alone_have_no_loop_that_sounds_clear() -> None:
    record = record_of("DDDDDD")
    assert not find_loops(record)
    assert find_loops(record, percussive=True)


def test_silence_has_no_loop() -> None:
    assert not find_loops(record_of_sound(np.zeros((8 * SAMPLE_RATE_HZ, 2), np.float32), even_beats(4)))


@pytest.mark.parametrize("late", [0.02, -0.02])
def test_a_loop_begins_just_before_its_attack_where_the_grid_is_late_or_early(late: float) -> None:
    beats = even_beats(4)
    record = record_of(SONG[:4], heard_beats=np.maximum(beats + late, 0) if late < 0 else beats + late)
    loop = loop_at(record, 1, 2)
    assert abs(loop.start / SAMPLE_RATE_HZ - (2.0 - EARLY_SECONDS)) < 0.008
    assert abs(loop.seconds - 4.0) < 0.002


def test_a_loop_is_as_long_as_its_bars_are_where_the_grid_runs_slower() -> None:
    played = drifting_beats([2.0] * 4)
    record = record_of("CCCC", played, played * 1.004)
    assert abs(loop_at(record, 1, 2).seconds - 4.0) < 0.005


def test_the_end_of_a_loop_leads_to_its_beginning() -> None:
    record = song()
    loop = loop_at(record, 5, 1)
    sound = loop_sound(record, loop)
    fade = round(0.02 * SAMPLE_RATE_HZ)
    assert len(sound) == loop.end - loop.start
    assert np.array_equal(sound[:-fade], record.sound[loop.start : loop.end - fade])
    assert np.abs(sound[-20:] - record.sound[loop.start - 20 : loop.start]).max() < 0.01


def test_bars_that_the_user_names_are_cut_whatever_they_are() -> None:
    record = song()
    loop = loop_at(record, 8, 3)
    assert (loop.first_bar, loop.num_bars) == (8, 3)
    assert loop.seconds == pytest.approx(6, abs=0.01)
    assert loop.parts.percussive > 0.5
    assert loop_at(record, len(SONG) - 1, 1).end <= len(record.sound)
    for first, count in ((23, 2), (-1, 1), (24, 1), (0, 0)):
        with pytest.raises(UserError, match=r"generate.flip=old.wav has no bars? .*: it has bars 1 to 24"):
            loop_at(record, first, count)


def test_bars_that_do_not_sound_from_beginning_to_end_are_no_loops() -> None:
    record = record_of("CFGC", heard_beats=even_beats(5) - 0.7)
    assert record.whole_bars == range(1, 4)
    assert all(loop.first_bar in range(1, 4) for loop in find_loops(record))
    with pytest.raises(UserError, match="has no bar 1: it has bars 2 to 4"):
        loop_at(record, 0, 1)

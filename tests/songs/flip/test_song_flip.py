"""What is done to loops of old records for a song."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.scores.chords.symbols import UNKNOWN, read_progression, transpose_rows
from pipeline.scores.keys import Key
from pipeline.scores.notes import make_notes, notes_from_roll
from pipeline.songs.flip.loops import Loop, LoopParts
from pipeline.songs.flip.record import Record
from pipeline.songs.flip.song_flip import (
    ChosenLoop,
    FlipPlan,
    fit_loops,
    host_track,
    in_song_steps,
    loop_key,
    nearest_shift,
)
from tests.scores.structure.test_loop_placement import SONG
from tests.songs.compose.test_sections import HOME, SPEC, STRINGS

D_MINOR = Key(2, True)


def make_loop(num_samples: int) -> Loop:
    return Loop(16, 2, 0, num_samples, 0.0, LoopParts(1.0, 0.5, 0.2, 0.5, 0.5, 0.2, 0.0, 0.5))


def chosen(bpm: float = 80.0, key: Key | None = D_MINOR, cents: float = 0.0) -> ChosenLoop:
    """Two bars in D minor: Dm, then B flat."""
    seconds = 8 * 60 / bpm
    loop = make_loop(round(seconds * SAMPLE_RATE_HZ))
    notes = make_notes(1, [62, 65, 69, 58, 62, 65], [0, 0, 0, 8, 8, 8], 8)
    hits = make_notes(0, [36, 38], [0, 4], 1)
    return ChosenLoop(
        cast(Record, SimpleNamespace(name="old.mp3", tuning_cents=cents)),
        loop,
        8.0,
        notes,
        hits,
        read_progression("Dm Bb"),
        key,
    )


def fitted(
    loop: ChosenLoop, speed: str = "song", tempo: float = 90.0, asks: bool = False, key: Key | None = None
) -> FlipPlan:
    return fit_loops([loop], speed, tempo, asks, key, np.random.default_rng(0))


def test_the_song_takes_the_key_of_the_record_unless_one_is_asked_for() -> None:
    assert fitted(chosen()).key == D_MINOR
    up = fitted(chosen(), key=Key(4, True))
    assert (up.key, up.fits[0].semitones) == (Key(4, True), 2)
    relative = fitted(chosen(), key=Key(7, False))
    assert (relative.key, relative.fits[0].semitones) == (Key(4, True), 2), "G major is E minor for a record in minor"


def test_a_drawn_tempo_comes_near_the_record_and_a_typed_one_stays() -> None:
    assert fitted(chosen(80), tempo=90).tempo_bpm == 90
    assert fitted(chosen(80), tempo=112).tempo_bpm == pytest.approx(100)
    typed = fitted(chosen(80), tempo=112, asks=True)
    assert typed.tempo_bpm == 112
    assert typed.tempo_is_fixed


def test_a_record_twice_as_fast_is_heard_in_half_its_beats() -> None:
    plan = fitted(chosen(170), tempo=88, asks=True)
    assert plan.fits[0].octave == 0.5
    assert plan.num_steps(SPEC) == [8], "two bars of the record are one of the song, eight steps"
    notes = in_song_steps(make_notes(0, [60, 62], [0, 5], [2, 1]), 0.5)
    assert notes["onset"].tolist() == [0, 3]
    assert notes["length"].tolist() == [1, 1]


def test_the_song_can_take_the_tempo_of_the_record() -> None:
    plan = fitted(chosen(83.5), "record", tempo=120)
    assert plan.tempo_bpm == pytest.approx(83.5, abs=0.01)
    assert plan.fits[0].semitones == 0


def test_a_turntable_moves_pitch_and_speed_together() -> None:
    plan = fitted(chosen(80), "turntable", key=Key(5, True))
    assert plan.fits[0].semitones == 3
    assert plan.tempo_bpm == pytest.approx(80 * 2 ** (3 / 12), rel=1e-3)
    by_tempo = fitted(chosen(80), "turntable", tempo=100, asks=True)
    assert by_tempo.fits[0].semitones == 4
    sharp = fitted(chosen(80, cents=20), "turntable", key=Key(5, True))
    assert sharp.tempo_bpm == pytest.approx(80 * 2 ** (2.8 / 12), rel=1e-3), "a sharp record turns a little slower"
    drawn = fitted(chosen(80), "turntable")
    assert 1 <= drawn.fits[0].semitones <= 5


def test_a_second_record_is_moved_to_the_key_and_tempo_of_the_first() -> None:
    plan = fit_loops([chosen(80), chosen(150, Key(9, True))], "song", 84.0, True, None, np.random.default_rng(0))
    assert plan.fits[1].semitones == 5
    assert plan.fits[1].octave == 0.5


def test_keys_are_compared_by_their_accidentals() -> None:
    assert nearest_shift(Key(9, True), Key(0, False)) == 0
    assert nearest_shift(Key(0, False), Key(7, False)) == -5
    assert nearest_shift(Key(0, False), Key(6, False)) == 6


def test_a_loop_is_in_the_key_of_its_record_where_its_notes_fit() -> None:
    notes = make_notes(1, [62, 65, 69], 0, 8)
    assert loop_key(notes, SPEC, Key(5, False)) == Key(5, False)
    assert loop_key(notes, SPEC, Key(6, False)) != Key(6, False)
    assert loop_key(notes[:0], SPEC, None) is None


def test_the_record_stands_where_the_strings_would_and_its_notes_in_the_home_key() -> None:
    placed = fitted(chosen()).place(SONG, SPEC, False, np.random.default_rng(0))
    assert placed.host == STRINGS == host_track(SONG, SPEC, False)
    home = Key(9, True)
    background = placed.background(home, SPEC)
    assert background is not None
    notes = notes_from_roll(background, SPEC.lowest_pitch)
    assert set(notes["track"].tolist()) == {STRINGS}
    assert set((notes["pitch"] % 12).tolist()) <= {9, 0, 4, 5}, "Am and F: D minor moved to A minor"
    chords = placed.chords(home, SPEC)
    assert chords is not None
    known = {tuple(row) for row in chords.tolist() if row[1] != UNKNOWN}
    expected = {tuple(row) for row in transpose_rows(read_progression("Dm Bb"), -5).tolist()}
    assert known == expected


def test_a_drum_break_takes_the_place_of_the_drums_and_says_nothing_of_chords() -> None:
    placed = fitted(chosen()).place(SONG, SPEC, True, np.random.default_rng(0))
    assert SPEC.tracks[placed.host or 0].is_drum
    assert placed.chords(HOME, SPEC) is None
    background = placed.background(HOME, SPEC)
    assert background is not None
    assert background[:, 0].any()
    assert not background[:, 1:].any()


def test_the_description_of_a_loop_follows_the_tempo_of_the_song() -> None:
    plan = fitted(chosen(80), tempo=100, asks=True, key=Key(4, True))
    (loop,) = plan.place(SONG, SPEC, False, np.random.default_rng(0)).loops(3, 100.0, SPEC)
    assert loop.speed == pytest.approx(1.25, abs=1e-3)
    assert (loop.semitones, loop.num_steps, loop.sound) == (2, 16, "03-loop-1.wav")
    assert replace(loop, record="old.mp3").description.endswith("2 semitones up, 1.25 times as fast")

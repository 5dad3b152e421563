"""Velocities and timing of songs: as players play, one player a song, and never off the grid."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from gan.spec import RollSpec
from pipeline.scores.notes import Notes, make_notes
from pipeline.songs.humanizing import draw_performer, humanize, tighten
from pipeline.songs.performance.model import PLAIN_VELOCITY, bundled_model
from pipeline.songs.song import Section
from tests.song_makers import BAND, JIG

BARS = 16


@cache
def rock(bars: int = BARS) -> Notes:
    """Eighths on the hi-hat, kick, snare with ghost notes, chords and a bass in eighths."""
    rows = [(0, 42, step, 1) for step in range(0, 16 * bars, 2)]
    for bar in range(bars):
        rows += [(0, 36, 16 * bar + step, 1) for step in (0, 8, 10)]
        rows += [(0, 38, 16 * bar + step, 1) for step in (4, 7, 9, 12, 15)]
        rows += [(1, pitch, 16 * bar + step, 8) for step in (0, 8) for pitch in (60, 64, 67)]
        rows += [(2, 36 + 7 * (step == 12), 16 * bar + step, 2) for step in range(0, 16, 2)]
    return make_notes(*zip(*rows, strict=True))


def play(
    seed: int, amount: float = 1.0, notes: Notes | None = None, spec: RollSpec = BAND, is_swung: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    notes = rock() if notes is None else notes
    bars = int(notes["onset"].max()) // spec.steps_per_bar + 1
    sections = (Section("verse", "verse", 0, bars // 2), Section("chorus", "chorus", bars // 2, bars - bars // 2))
    performer = draw_performer(bundled_model(), notes, spec, 110, seed)
    return humanize(notes, spec, sections, bundled_model(), performer, amount, seed, is_swung)


def test_a_machine_has_one_velocity_and_no_offsets() -> None:
    velocities, timing = play(1, amount=0)
    assert set(velocities.tolist()) == {PLAIN_VELOCITY} and not timing.any()


def test_the_same_seed_plays_the_same_and_another_otherwise() -> None:
    assert all(np.array_equal(one, two) for one, two in zip(play(3), play(3), strict=True))
    assert not np.array_equal(play(3)[0], play(4)[0])


def test_ghost_notes_are_softer_than_backbeats() -> None:
    notes = rock()
    snare, place = notes["pitch"] == 38, notes["onset"] % 16
    backbeat, ghost = snare & np.isin(place, (4, 12)), snare & np.isin(place, (7, 9, 15))
    louder = [np.median(velocities[backbeat]) - np.median(velocities[ghost]) for velocities, _ in map(play, range(9))]
    assert np.median(louder) > 15 and np.mean(np.array(louder) > 0) > 0.7


def test_a_song_has_one_player_and_songs_have_several() -> None:
    hats = rock()["pitch"] == 42
    means = np.array([velocities[hats].reshape(2, -1).mean(axis=1) for velocities, _ in map(play, range(12))])
    assert means.mean(axis=1).std() > 2 * np.abs(np.diff(means)).mean() / np.sqrt(2)


def test_half_the_strength_is_half_way_from_a_machine() -> None:
    whole, half = (play(5, amount)[0].astype(int) - PLAIN_VELOCITY for amount in (1.0, 0.5))
    assert np.abs(whole - 2 * half).max() <= 1


def test_no_note_leaves_its_step() -> None:
    for seed in range(6):
        timing = play(seed)[1]
        assert timing.any() and np.abs(timing.astype(int)).max() <= 48, "two fifths of a step of 120 ticks"


def test_a_swing_of_the_song_replaces_that_of_the_player() -> None:
    place = rock()["onset"] % 4
    own, replaced = np.zeros((2, 20))
    for seed in range(20):
        own[seed], replaced[seed] = (
            np.mean(timing[place == 2]) - np.mean(timing[place == 0])
            for timing in (play(seed)[1], play(seed, is_swung=True)[1])
        )
    assert np.abs(replaced).mean() < np.abs(own).mean()


@pytest.mark.parametrize(
    "spec", [JIG, RollSpec(BAND.tracks, beats_per_bar=3), RollSpec(BAND.tracks, steps_per_beat=12)]
)
def test_every_metre_and_grid_is_played(spec: RollSpec) -> None:
    rows = [(track, pitch, step, 1) for track, pitch in ((0, 42), (1, 60), (2, 40)) for step in range(4 * 12)]
    velocities, timing = play(2, notes=make_notes(*zip(*rows, strict=True)), spec=spec)
    assert len(set(velocities.tolist())) > 5 and timing.any()


def test_tracks_without_notes_and_empty_sections_are_nothing_to_play() -> None:
    velocities, timing = play(0, notes=make_notes([1], [60], [40], [4]))
    assert velocities.shape == timing.shape == (1,)


def test_who_plays_to_a_loop_is_neither_early_nor_late_and_keeps_closer_to_the_beat() -> None:
    notes = make_notes([0, 0, 0, 1, 1], [36, 36, 36, 60, 60], [0, 4, 8, 0, 8], 1)
    tight = tighten(notes, np.array([-20, -16, -8, 30, 30], np.int16))
    assert tight.tolist() == [-2, 0, 4, 0, 0]
    assert tight.dtype == np.int16

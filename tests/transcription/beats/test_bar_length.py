"""How many beats a bar has: heard in what comes back, bar after bar."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.transcription.beats.bar_length import BarLength, divides_in_three, divides_in_two, find_bar_length
from pipeline.transcription.beats.grid import Beats, find_beats
from pipeline.transcription.pitches.multipitch import PITCH
from tests.transcription.beats.test_grid import NO_HITS, NO_NOTES, SILENCE, notes_at, rock, song

BEATS = 0.5 + 0.5 * np.arange(120)


@pytest.mark.parametrize("beats_per_bar", [3, 4, 5, 7])
@pytest.mark.parametrize("taken", [3, 4])
def test_bars_of_three_four_five_and_seven_beats_are_told_apart(beats_per_bar: int, taken: int) -> None:
    notes = notes_at(song(100 // beats_per_bar, beats_per_bar), BEATS)
    assert find_bar_length(notes, NO_HITS, Beats(BEATS, taken)).beats_per_bar == beats_per_bar


def test_seven_eighths_are_seven_faster_beats() -> None:
    notes = notes_at(song(26, 7), np.interp(np.arange(190) / 2, np.arange(120), BEATS))
    assert find_bar_length(notes, NO_HITS, Beats(BEATS, 4)) == BarLength(7, 2)


def test_a_bar_of_a_beat_and_a_half_is_three_faster_beats() -> None:
    notes = notes_at(song(60, 3), np.interp(np.arange(190) / 2, np.arange(120), BEATS))
    assert find_bar_length(notes, NO_HITS, Beats(BEATS, 4)) == BarLength(3, 2)
    assert find_bar_length(notes, NO_HITS, Beats(BEATS, 3)) == BarLength(3, 2)


def test_a_rock_beat_keeps_its_four_beats_whatever_the_tempo_was_taken_for() -> None:
    notes, hits = notes_at(song(24), BEATS), rock(24, BEATS)
    for step in (0.25, 0.5, 1.0):
        beats = Beats(0.5 + step * np.arange(round(60 / step)), 4)
        assert find_bar_length(notes, hits, beats) == BarLength(4, 1)


def test_two_beats_are_four_as_well() -> None:
    notes = notes_at(song(24), BEATS)
    assert find_bar_length(notes, NO_HITS, Beats(BEATS, 2)) == BarLength(2, 1)


def test_little_music_and_noise_keep_their_bars() -> None:
    rng = np.random.default_rng(0)
    noise = np.zeros(400, PITCH)
    noise["start"] = np.sort(rng.uniform(0, 60, 400))
    noise["end"], noise["pitch"], noise["velocity"] = noise["start"] + 0.3, rng.integers(40, 80, 400), 80
    for notes in (NO_NOTES, notes_at(song(4, 3), BEATS), noise):
        beats = find_beats(SILENCE, notes, NO_HITS)
        assert find_bar_length(notes, NO_HITS, beats) == BarLength(4, 1)


def test_triplets_divide_beats_in_three_and_swing_and_eighths_do_not() -> None:
    beats = Beats(BEATS, 4)
    thirds = notes_at([(beat + third / 3, 0.3, 60 + third, 90) for beat in range(60) for third in range(3)], BEATS)
    swing = notes_at([(beat + place, 0.3, 60, 90) for beat in range(60) for place in (0, 2 / 3)], BEATS)
    assert divides_in_three(thirds, NO_HITS, beats)
    assert not divides_in_three(swing, NO_HITS, beats)
    assert not divides_in_three(notes_at(song(24), BEATS), rock(24, BEATS), beats)
    assert not divides_in_three(NO_NOTES, NO_HITS, beats)


def test_eighths_divide_beats_in_two_and_a_waltz_slowed_to_dotted_beats_does_not() -> None:
    dotted = Beats(0.5 + 0.75 * np.arange(80), 4)
    waltz = notes_at(song(32, 3), BEATS)
    assert divides_in_two(notes_at(song(24), BEATS), NO_HITS, Beats(BEATS, 4))
    assert not divides_in_two(waltz, NO_HITS, dotted)
    assert not divides_in_two(NO_NOTES, NO_HITS, dotted)

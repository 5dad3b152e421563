"""Where beats and bar lines are found: in notes whose beats are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.transcription.beats.grid import Beats, find_beats
from pipeline.transcription.drums.drum_map import HIT
from pipeline.transcription.pitches.multipitch import PITCH

SILENCE = np.zeros(SAMPLE_RATE_HZ, np.float32)
NO_HITS = np.zeros(0, HIT)
NO_NOTES = np.zeros(0, PITCH)
CHORDS = ((48, 64, 67, 72), (45, 64, 69, 72), (41, 65, 69, 72), (43, 62, 67, 71))


def notes_at(rows: list[tuple[float, float, int, int]], beats: NDArray[np.float64]) -> NDArray[np.void]:
    """Notes given in beats (start, length, pitch, velocity), at the seconds of those beats."""
    number = np.arange(len(beats))
    notes = np.zeros(len(rows), PITCH)
    for index, (start, length, pitch, velocity) in enumerate(rows):
        notes[index] = *np.interp([start, start + length], number, beats), pitch, velocity
    return np.sort(notes, order="start")


def song(bars: int, beats_per_bar: int = 4, first: float = 0.0) -> list[tuple[float, float, int, int]]:
    """A chord and a bass note on each bar line, weaker chords on the beats, a melody in eighths; from beat `first`."""
    rng = np.random.default_rng(1)
    rows = []
    for bar in range(bars):
        chord, start = CHORDS[bar % 4], bar * beats_per_bar
        rows.append((start, float(beats_per_bar), chord[0] - 12, 100))
        rows += [(start + beat, 0.9, pitch, 60) for beat in range(beats_per_bar) for pitch in chord[1:]]
        rows += [(start + half / 2, 0.4, int(rng.choice(chord)) + 12, 70) for half in range(2 * beats_per_bar)]
    return [row for row in rows if row[0] >= first]


def rock(bars: int, beats: NDArray[np.float64], swing: float = 0.5) -> NDArray[np.void]:
    """Kick on one and three, snare on two and four, hi-hat in eighths that may swing."""
    rows = []
    for bar in range(bars):
        rows += [(4 * bar + beat, (36, 38)[beat % 2], 110) for beat in range(4)]
        rows += [(4 * bar + beat + off, 42, 80) for beat in range(4) for off in (0, swing)]
        rows += [(4 * bar, 49, 100)] if bar % 4 == 0 else []
    hits = np.zeros(len(rows), HIT)
    for index, (start, pitch, velocity) in enumerate(rows):
        hits[index] = np.interp(start, np.arange(len(beats)), beats), pitch, velocity
    return np.sort(hits, order="start")


def farthest(found: Beats, truth: NDArray[np.float64]) -> float:
    """How far the worst of the true beats is from the next one found, in seconds."""
    return float(np.abs(found.seconds[:, None] - truth).min(axis=0).max())


def test_a_metronome_of_notes_comes_back_with_exact_beats() -> None:
    truth = 1.0 + 0.6 * np.arange(64)
    notes = notes_at([(beat, 0.5, 36 if beat % 4 == 0 else 60, 100) for beat in range(63)], truth)
    found = find_beats(SILENCE, notes, NO_HITS)
    assert found.bpm == pytest.approx(100, abs=0.01)
    assert farthest(found, truth[:63]) < 0.001
    assert found.seconds[0] == pytest.approx(1.0, abs=0.001)


def test_a_three_minute_piece_does_not_drift() -> None:
    truth = 0.3 + 60 / 127.3 * np.arange(380)
    notes = notes_at(song(94), truth)
    notes["start"] += np.random.default_rng(0).normal(0, 0.015, len(notes))
    assert farthest(find_beats(SILENCE, np.sort(notes, order="start"), NO_HITS), truth[:376]) < 0.005


@pytest.mark.parametrize(("bpm", "swing"), [(92, 0.5), (120, 0.5), (110, 2 / 3), (140, 0.5)])
def test_eighths_and_swing_do_not_double_the_tempo_of_a_rock_beat(bpm: float, swing: float) -> None:
    truth = 0.5 + 60 / bpm * np.arange(80)
    found = find_beats(SILENCE, notes_at(song(16), truth), rock(16, truth, swing))
    assert found.bpm == pytest.approx(bpm, rel=0.005)
    assert farthest(found, truth[:64]) < 0.02
    assert found.seconds[0] == pytest.approx(0.5, abs=0.02)


def test_a_ritardando_is_followed() -> None:
    periods = np.concatenate([np.full(40, 0.5), np.linspace(0.5, 0.75, 24)])
    truth = 0.4 + np.concatenate([[0.0], np.cumsum(periods)])
    assert farthest(find_beats(SILENCE, notes_at(song(16), truth), NO_HITS), truth[:64]) < 0.05


def test_a_beat_that_drifts_by_three_percent_is_followed() -> None:
    truth = 0.4 + np.cumsum(0.55 * (1 + 0.03 * np.sin(np.arange(100) / 12)))
    found = find_beats(SILENCE, notes_at(song(24), truth), rock(24, truth))
    assert farthest(found, truth[:96]) < 0.05


def test_a_piece_of_two_tempos_is_followed() -> None:
    truth = 0.4 + np.cumsum(np.concatenate([np.full(64, 60 / 100), np.full(66, 60 / 124)]))
    found = find_beats(SILENCE, notes_at(song(32), truth), rock(32, truth))
    assert np.mean(np.abs(found.seconds[:, None] - truth[:128]).min(axis=0) < 0.05) > 0.9


def test_a_pickup_does_not_move_the_bar_line() -> None:
    truth = 0.2 + 0.5 * np.arange(80)
    found = find_beats(SILENCE, notes_at(song(16, first=3.0), truth), NO_HITS)
    assert found.seconds[0] == pytest.approx(truth[0], abs=0.02)
    assert found.seconds[4] == pytest.approx(truth[4], abs=0.02)


def test_a_waltz_has_bars_of_three() -> None:
    truth = 0.7 + 60 / 132 * np.arange(100)
    found = find_beats(SILENCE, notes_at(song(24, beats_per_bar=3), truth), NO_HITS, beats_per_bar=3)
    assert found.beats_per_bar == 3
    assert found.bpm == pytest.approx(132, rel=0.005)
    assert found.seconds[0] == pytest.approx(0.7, abs=0.02)


def test_a_tempo_that_is_given_rules() -> None:
    truth = 0.5 + 0.5 * np.arange(80)
    notes, hits = notes_at(song(16), truth), rock(16, truth)
    for bpm in (60, 120, 121, 240):
        found = find_beats(SILENCE, notes, hits, bpm=bpm)
        assert found.bpm == pytest.approx(bpm, rel=0.021)
        assert found.bpm == pytest.approx(round(bpm / 60) * 60, rel=0.002)


@pytest.mark.parametrize("line", [0.0, 1.0, 1.5, 2.02])
def test_a_bar_line_that_is_given_rules(line: float) -> None:
    truth = 0.5 + 0.5 * np.arange(80)
    found = find_beats(SILENCE, notes_at(song(16), truth), rock(16, truth), downbeat_seconds=line)
    assert np.abs(found.seconds[::4] - line).min() < 0.05
    assert found.seconds[0] <= 0.52


@pytest.mark.parametrize("seconds", [0, 3, 30])
def test_an_empty_recording_has_a_steady_grid(seconds: int) -> None:
    found = find_beats(np.zeros(seconds * SAMPLE_RATE_HZ, np.float32), NO_NOTES, NO_HITS)
    assert np.allclose(np.diff(found.seconds), 0.5)
    assert found.seconds[0] == 0 and found.seconds[-1] >= seconds and len(found.seconds) >= 2


def test_an_empty_recording_takes_the_grid_that_is_given() -> None:
    found = find_beats(np.zeros(5 * SAMPLE_RATE_HZ, np.float32), NO_NOTES, NO_HITS, bpm=90, downbeat_seconds=1.25)
    assert np.allclose(np.diff(found.seconds), 60 / 90)
    assert np.abs(found.seconds[::4] - 1.25).min() < 1e-9


def test_clicks_without_notes_are_heard_in_the_sound() -> None:
    rng = np.random.default_rng(0)
    sound = rng.normal(0, 1e-4, 20 * SAMPLE_RATE_HZ).astype(np.float32)
    for second in np.arange(0.5, 19.5, 0.6):
        at = int(second * SAMPLE_RATE_HZ)
        sound[at : at + 400] += rng.normal(0, 0.5, 400).astype(np.float32)
    found = find_beats(sound, NO_NOTES, NO_HITS)
    assert found.bpm == pytest.approx(100, rel=0.01)
    assert farthest(found, np.arange(0.5, 19, 0.6)) < 0.02


def test_noise_and_single_notes_are_no_error() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 3 * SAMPLE_RATE_HZ).astype(np.float32)
    lonely = notes_at([(2.0, 1.0, 60, 90)], np.arange(9.0))
    for sound, notes in ((noise, NO_NOTES), (SILENCE, lonely), (noise[:100], NO_NOTES)):
        found = find_beats(sound, notes, NO_HITS)
        assert np.all(np.diff(found.seconds) > 0) and len(found.seconds) >= 2


@pytest.mark.parametrize("seed", range(6))
def test_beats_rise_and_span_the_piece_whatever_is_played(seed: int) -> None:
    rng = np.random.default_rng(seed)
    notes = np.zeros(rng.integers(1, 200), PITCH)
    notes["start"] = np.sort(rng.uniform(0, rng.choice([1, 5, 60]), len(notes)))
    notes["end"] = notes["start"] + rng.uniform(0, 3, len(notes))
    notes["pitch"], notes["velocity"] = rng.integers(0, 128, len(notes)), rng.integers(1, 128, len(notes))
    found = find_beats(SILENCE, notes, NO_HITS, beats_per_bar=int(rng.integers(1, 8)))
    assert np.all(np.diff(found.seconds) > 0)
    assert found.seconds[0] <= notes["start"][0] + 0.2
    assert found.seconds[-1] >= notes["end"].max()


def test_position_counts_beats_and_goes_on_beyond_them() -> None:
    beats = Beats(np.array([1.0, 2.0, 4.0]), 4)
    assert beats.position(np.array([1.0, 1.5, 3.0, 4.0, 6.0, 0.0])).tolist() == [0, 0.5, 1.5, 2, 3, -1]


def test_the_same_notes_give_the_same_beats() -> None:
    truth = 0.5 + 0.5 * np.arange(80)
    notes = notes_at(song(8), truth)
    first, second = (find_beats(SILENCE, notes, NO_HITS).seconds for _ in range(2))
    assert np.array_equal(first, second)

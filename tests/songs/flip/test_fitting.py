"""Loops in the tempo, key and tuning of a song."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.stretching import change_speed
from pipeline.songs.flip.attacks import attack_near
from pipeline.songs.flip.fitting import bar_lines, fit_loop
from pipeline.songs.flip.loops import loop_at
from pipeline.songs.flip.tuning import find_tuning
from tests.record_makers import drifting_beats, record_of, record_of_sound


@pytest.mark.parametrize(("num_samples", "semitones"), [(150001, 0.0), (220500, 3.0), (176400, -2.0)])
def test_a_fitted_loop_has_its_length_to_the_sample_and_the_same_bytes(num_samples: int, semitones: float) -> None:
    record = record_of("CFGCaFGC")
    loop = loop_at(record, 4, 2)
    found = fit_loop(record, loop, num_samples, semitones)
    assert found.shape == (num_samples, 2) and found.dtype == np.float32
    assert found.tobytes() == fit_loop(record, loop, num_samples, semitones).tobytes()


def test_a_loop_of_a_record_that_turns_too_fast_comes_in_tune() -> None:
    sound = record_of("CFGCaFGC").sound
    slow = change_speed(sound, round(len(sound) * 2 ** (-30 / 1200)))
    record = record_of_sound(slow, 0.5 * np.arange(33) * len(slow) / len(sound))
    loop = loop_at(record, 4, 2)
    assert abs(find_tuning(fit_loop(record, loop, 180000, 0), SAMPLE_RATE_HZ).cents) < 6
    assert find_tuning(fit_loop(record, loop, loop.end - loop.start, 0, True), SAMPLE_RATE_HZ).cents == pytest.approx(
        30, abs=4
    )


@pytest.mark.parametrize("turntable", [False, True])
def test_a_fitted_loop_closes(turntable: bool) -> None:
    record = record_of("CFGCaFGC")
    found = fit_loop(record, loop_at(record, 4, 1), 100000, -1, turntable)
    bend = np.abs(np.diff(np.tile(found, (2, 1)).mean(axis=1), 2))
    assert bend[99000:100100].max() < bend[:90000].max()


def test_bars_of_a_record_that_drifts_become_equally_long() -> None:
    beats = drifting_beats([2.0, 2.0, 1.9, 2.08, 2.0, 1.94, 2.0])
    record = record_of("CFGCaFG", beats)
    loop = loop_at(record, 1, 4)
    uneven = np.array(bar_lines(record, loop)) / SAMPLE_RATE_HZ
    assert np.abs(uneven - (beats[4::4][:5] - beats[4])).max() < 0.01
    num_samples = 6 * SAMPLE_RATE_HZ
    twice = np.tile(fit_loop(record, loop, num_samples, 0), (2, 1))
    for bar in range(4):
        line = num_samples + bar * num_samples // 4
        attack = attack_near(twice, line)
        assert attack is not None and abs(attack - line) < 0.012 * SAMPLE_RATE_HZ

"""Mastering: tracks are balanced, peaks limited, ends clean."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.audio.loudness import loudness_lufs, peak_dbfs
from pipeline.audio.mastering import (
    LOUDEST_STEM,
    balanced_volumes,
    end_cleanly,
    limit,
    master,
    resample,
    within_full_scale,
)
from pipeline.audio.synthesizers import RATE_HZ, Sound
from tests.render_makers import sine


def test_the_limiter_never_exceeds_its_ceiling_and_leaves_the_rest_alone() -> None:
    random = np.random.default_rng(0)
    sound = (0.15 * random.standard_normal((20000, 2))).astype(np.float32)
    sound[9000:9010] *= 8
    limited = limit(sound, 0.9, RATE_HZ)
    assert np.abs(limited).max() <= 0.9
    assert np.array_equal(limited[:8000], sound[:8000]) and np.array_equal(limited[11000:], sound[11000:])
    gain = limited[8900:9100] / np.where(sound[8900:9100] == 0, 1, sound[8900:9100])
    assert np.abs(np.diff(gain, axis=0)).max() < 0.02, "the gain moves smoothly"


def test_master_reaches_its_loudness_even_through_the_limiter() -> None:
    sound = sine(440, 2) * np.where(np.arange(2 * RATE_HZ) % 24000 < 200, 1, 0.1)[:, None].astype(np.float32)
    result, gain = master(sound, RATE_HZ, -18, -6)
    assert loudness_lufs(result, RATE_HZ) == pytest.approx(-18, abs=0.5)
    assert peak_dbfs(result) <= -6 and gain > 1


def test_volumes_bring_loud_tracks_down_to_the_softest() -> None:
    volumes = balanced_volumes([-20.0, -32.0, -math.inf], [1.0, 1.0, 0.5])
    assert volumes[1] == 1.0 and volumes[0] == pytest.approx(0.5, abs=0.01)
    assert volumes[2] == pytest.approx(0.5, abs=0.01)
    louder = balanced_volumes([-20.0, -20.0], [1.0, 0.5])
    assert louder[0] == 1.0 and louder[1] == pytest.approx(10 ** (-6 / 40), abs=0.01)


def test_the_last_note_rings_and_silence_is_cut() -> None:
    sound = np.concatenate([sine(440, 2), 0.01 * sine(440, 1), np.zeros((5 * RATE_HZ, 2), np.float32)])
    ended = end_cleanly(sound, RATE_HZ, 1.5, 6)
    assert len(ended) / RATE_HZ == pytest.approx(3.4, abs=0.02)
    assert np.array_equal(ended[: 2 * RATE_HZ], sound[: 2 * RATE_HZ])
    silent_end = end_cleanly(sine(440, 1), RATE_HZ, 2.0, 6)
    assert len(silent_end) / RATE_HZ == pytest.approx(2.4, abs=0.01), "a song that ends in rests is not cut short"


def test_resampling_keeps_pitch_and_length() -> None:
    converted = resample(sine(440, 1), 48000, 44100)
    assert len(converted) == 44100
    assert np.argmax(np.abs(np.fft.rfft(converted[:, 0]))) == 440


def stem(peak: float) -> Sound:
    return np.full((8, 2), peak, np.float32)


def test_stems_over_full_scale_are_all_made_as_much_softer() -> None:
    found = within_full_scale({"Drums": stem(-1.5), "Bass": stem(0.5)})
    assert found["Drums"].min() == pytest.approx(-LOUDEST_STEM)
    assert found["Bass"].max() / -found["Drums"].min() == pytest.approx(1 / 3)


def test_stems_within_full_scale_stay_as_they_are() -> None:
    stems = {"Drums": stem(1.0), "Bass": stem(0.5)}
    found = within_full_scale(stems)
    assert list(found) == list(stems) and all(found[name] is stems[name] for name in stems)
    assert within_full_scale({}) == {}

"""Tuning in cents."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.stretching import change_speed
from pipeline.songs.flip.tuning import find_tuning
from tests.record_makers import band_sound, even_beats


@pytest.mark.parametrize("cents", [0.0, 32.0, -21.0])
def test_a_record_that_turns_too_fast_or_slow_is_heard_to_the_cent(cents: float) -> None:
    sound = band_sound("CFGC", tuple(even_beats(4).tolist()))
    found = find_tuning(change_speed(sound, round(len(sound) * 2 ** (-cents / 1200))), SAMPLE_RATE_HZ)
    assert found.cents == pytest.approx(cents, abs=3)
    assert found.clearness > 0.5


def test_drums_and_silence_have_no_clear_tuning() -> None:
    assert find_tuning(band_sound("DD", tuple(even_beats(2).tolist())), SAMPLE_RATE_HZ).clearness < 0.3
    for num_samples in (0, 100, 50000):
        found = find_tuning(np.zeros((num_samples, 2), np.float32), SAMPLE_RATE_HZ)
        assert (found.cents, found.clearness) == (0, 0)

"""Where notes are struck."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.songs.flip.attacks import SEARCH_SECONDS, attack_near, displacement
from tests.record_makers import band_sound, even_beats

SOUND = band_sound("CFDD", tuple(even_beats(4).tolist()))


@pytest.mark.parametrize("beat", [1, 2, 5, 9, 13])
@pytest.mark.parametrize("late", [-0.02, 0.0, 0.02])
def test_an_attack_is_found_to_a_few_milliseconds(beat: int, late: float) -> None:
    found = attack_near(SOUND, round((0.5 * beat + late) * SAMPLE_RATE_HZ))
    assert found is not None
    assert abs(found / SAMPLE_RATE_HZ - 0.5 * beat) < 0.008


def test_nothing_is_struck_in_the_middle_of_a_note_nor_in_silence() -> None:
    assert attack_near(SOUND, round(1.25 * SAMPLE_RATE_HZ)) is None
    assert attack_near(np.zeros_like(SOUND), 30000) is None


def test_passages_that_are_alike_say_how_far_they_lie_apart() -> None:
    one, late = 2 * SAMPLE_RATE_HZ * 2, round(0.015 * SAMPLE_RATE_HZ)  # bars of drums are all the same
    assert abs(displacement(SOUND, one, one + SAMPLE_RATE_HZ + late) + late) < 100
    noise = np.random.default_rng(0).standard_normal(SOUND.shape).astype(np.float32)
    assert displacement(noise, one, one + SAMPLE_RATE_HZ) == 0


def test_places_at_the_ends_of_a_sound_are_searched_too() -> None:
    for sample in (0, len(SOUND)):
        found = attack_near(SOUND, sample)
        assert found is None or abs(found - sample) <= (SEARCH_SECONDS + 0.02) * SAMPLE_RATE_HZ

"""Channels to one: what cancels in their mean, and a mix in which nothing does."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.downmix import CancellationMeter, PhaseAlignedDownmix
from tests.sound_makers import melody


def cancels(*channels: NDArray[np.float32]) -> bool:
    meter = CancellationMeter(SAMPLE_RATE_HZ)
    meter.add(np.stack(channels, axis=1))
    return meter.cancels


def mixed(block_size: int, *channels: NDArray[np.float32]) -> NDArray[np.float32]:
    sound, mix = np.stack(channels, axis=1), PhaseAlignedDownmix(SAMPLE_RATE_HZ, len(channels))
    parts = [mix.add(sound[start : start + block_size]) for start in range(0, len(sound), block_size)]
    return np.concatenate([*parts, mix.end()])


LOW, HIGH = melody([36, 43, 40, 45]), melody([76, 79, 84, 88])


def test_an_instrument_of_opposite_polarity_cancels_whatever_else_sounds() -> None:
    assert cancels(LOW + HIGH, LOW - HIGH)
    assert cancels(HIGH, -0.9 * HIGH)


def test_panned_delayed_and_unrelated_channels_do_not_cancel() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, SAMPLE_RATE_HZ)).astype(np.float32)
    assert not cancels(LOW, HIGH)
    assert not cancels(LOW + 0.3 * HIGH, 0.2 * LOW + HIGH)
    assert not cancels(noise[0], noise[1])
    assert not cancels(LOW, np.zeros_like(LOW))
    assert not cancels(noise[0], np.roll(noise[0], 20))


@pytest.mark.parametrize("block_size", [1000, 50000, 10**6])
def test_both_instruments_are_in_the_aligned_mix(block_size: int) -> None:
    mix = mixed(block_size, LOW + HIGH, LOW - HIGH)
    assert len(mix) == len(LOW)
    spectrum, low, high = (np.abs(np.fft.rfft(one)) for one in (mix, LOW, HIGH))
    for alone in (low, high):
        loud = alone > 0.3 * alone.max()
        assert spectrum[loud].sum() > 0.8 * alone[loud].sum()


def test_the_aligned_mix_of_equal_channels_is_their_mean() -> None:
    assert np.abs(mixed(7000, LOW, LOW) - LOW).max() < 1e-5

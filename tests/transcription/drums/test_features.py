"""Band power of sound."""

from __future__ import annotations

import numpy as np

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.transcription.drums.features import BANDS, FRAMES_PER_SECOND, HOP, band_centres, band_power


def test_a_tone_is_in_its_band() -> None:
    seconds = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    power = band_power(np.sin(2 * np.pi * 1000 * seconds).astype(np.float32))
    assert power.shape == (SAMPLE_RATE_HZ // HOP + 1, BANDS)
    assert abs(band_centres()[power[50].argmax()] - 1000) < 60


def test_a_click_is_in_the_frame_of_its_time() -> None:
    sound = np.zeros(SAMPLE_RATE_HZ, np.float32)
    sound[round(0.5 * SAMPLE_RATE_HZ)] = 1
    assert band_power(sound).sum(axis=1).argmax() == round(0.5 * FRAMES_PER_SECOND)

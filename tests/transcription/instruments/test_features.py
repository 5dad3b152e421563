"""Features of multi-instrument transcription: levels lie at the pitch that sounds."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.transcription.instruments.features import LOWEST_BIN, NUM_BINS, semitone_spectrum, spectral_features
from pipeline.transcription.pitches.multipitch import NETWORK_RATE_HZ, PitchActivations


@pytest.mark.parametrize("pitch", [33, 45, 60, 76, 100])
def test_a_sine_is_loudest_in_the_band_of_its_pitch(pitch: int) -> None:
    seconds = np.arange(NETWORK_RATE_HZ) / NETWORK_RATE_HZ
    sound = np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * seconds).astype(np.float32)
    spectrum = semitone_spectrum(sound, 40)
    assert spectrum.shape == (40, NUM_BINS)
    assert set(spectrum[10:30].argmax(axis=1) + LOWEST_BIN) == {pitch}


def test_levels_are_decibels_below_the_loudest() -> None:
    seconds = np.arange(2 * NETWORK_RATE_HZ) / NETWORK_RATE_HZ
    tone = np.sin(2 * np.pi * 440 * seconds) * np.where(seconds < 1, 1.0, 0.1)
    band = semitone_spectrum(tone.astype(np.float32), 80)[:, 69 - LOWEST_BIN].astype(float)
    assert band[10:30].mean() - band[55:75].mean() == pytest.approx(20 * 255 / 85, abs=2)  # a tenth is 20 dB less


def test_two_frames_of_the_pitch_network_are_one_of_the_features() -> None:
    onsets, frames, contours = np.zeros((3, 87, 88), np.float32)
    onsets[11, 40], frames[10:12, 40], frames[12, 40] = 1, 1, 1
    found = spectral_features(np.zeros(44100, np.float32), PitchActivations(onsets, frames, contours))
    assert len(found) == 44
    assert found.activations[5, 40].tolist() == [255, 255, 0]
    assert found.activations[6, 40].tolist() == [0, 128, 0]
    assert not found.spectrum.any()

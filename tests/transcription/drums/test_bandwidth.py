"""Recordings without treble: where they end, and drums that are heard all the same."""

from __future__ import annotations

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.transcription.drums.bandwidth import band_limit, continued_spectrum, limit_hz
from pipeline.transcription.drums.features import band_power
from pipeline.transcription.drums.hits import find_drum_hits
from pipeline.transcription.training.f1_scores import MatchCounts
from tests.sound_makers import KICK, SNARE, chorale, melody, render_rows, rock


def at_rate(sound: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """The sound as a recording of another sampling rate has it."""
    lower = soxr.resample(sound, SAMPLE_RATE_HZ, rate_hz)
    return np.asarray(soxr.resample(lower, rate_hz, SAMPLE_RATE_HZ), np.float32)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 16000])
def test_a_low_sampling_rate_is_seen_in_the_spectrum(rate_hz: int) -> None:
    limit = band_limit(band_power(at_rate(render_rows(rock(2), drums=True), rate_hz)))
    assert limit is not None and limit_hz(limit) == pytest.approx(rate_hz / 2, rel=0.12)


def test_whole_spectra_and_fading_ones_have_no_limit() -> None:
    for sound in (render_rows(rock(2), drums=True), render_rows(chorale(), drums=False), melody([60, 64, 84])):
        assert band_limit(band_power(sound)) is None
    assert band_limit(np.zeros((9, 64), np.float32)) is None


def test_a_telephone_hears_kick_and_snare() -> None:
    rows = rock()
    hits = find_drum_hits(at_rate(render_rows(rows, drums=True), 8000))
    for drum in (KICK, SNARE):
        counts = MatchCounts()
        counts.add(hits["start"][hits["pitch"] == drum], rows[rows[:, 2] == drum, 0], 0.05)
        assert counts.recall >= 0.7, drum


def test_a_chorale_on_the_telephone_has_no_drums() -> None:
    assert len(find_drum_hits(at_rate(render_rows(chorale(), drums=False), 8000))) == 0


def test_a_flat_spectrum_goes_on_and_a_falling_one_falls_faster() -> None:
    flat, falling = np.ones(64, np.float32), (0.5 ** np.arange(64)).astype(np.float32)
    filled = continued_spectrum(np.stack([flat, falling]), 40)
    assert np.allclose(filled[0], 1, rtol=1e-3)
    assert filled[1, 50] < falling[50] and np.array_equal(filled[1, :40], falling[:40])

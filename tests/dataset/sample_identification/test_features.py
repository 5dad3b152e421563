import numpy as np

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.dataset.sample_identification.features import (
    BINS_PER_SEMITONE,
    FRAME_SECONDS,
    NUM_BINS,
    matching_features,
)
from tests.dataset.sample_identification.sounds import drums, tones


def test_a_semitone_moves_what_is_held_by_its_bins() -> None:
    low, high = (matching_features(tones([pitch], 1.0)).held[8] for pitch in (60, 62))
    moved = np.roll(low, 2 * BINS_PER_SEMITONE)
    assert float(moved @ high) > 0.9 > 0.5 > float(low @ high)


def test_onsets_hold_the_notes_that_begin() -> None:
    found = matching_features(np.concatenate([tones([60], 1.0), tones([67], 1.0)]))
    begin = round(1.0 / FRAME_SECONDS)
    rising = found.onsets[begin - 2 : begin + 3].mean(axis=0)
    before, after = (found.held[begin + frames] for frames in (-8, 8))
    assert rising @ after > 3 * (rising @ before)


def test_drums_hide_little_of_what_is_held() -> None:
    chord = tones([60, 64, 67], 3.0)
    alone, beaten = (matching_features(one).held for one in (chord, chord + drums(0, len(chord), 0.5)))
    assert float((alone[10:30] * beaten[10:30]).sum(axis=1).mean()) > 0.8


def test_silence_has_features_of_nothing() -> None:
    found = matching_features(np.zeros(2 * SAMPLE_RATE_HZ, np.float32))
    assert found.held.shape == (len(found), NUM_BINS) and np.isfinite(found.held).all()
    assert not found.onsets.any()

"""Notes in what is all but silent are none."""

from __future__ import annotations

import numpy as np

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.transcription.pitches.loudness import are_loud, loudness_floor
from tests.sound_makers import timed_notes, tone


def test_hiss_before_the_music_has_no_notes() -> None:
    hiss = 1e-4 * np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
    sound = np.concatenate([hiss, tone(60, 2.0), hiss])
    notes = timed_notes((0.1, 0.9, 72, 60), (0.5, 1.5, 60, 90), (1.2, 2.0, 60, 90), (3.2, 3.9, 72, 60))
    assert are_loud(notes, sound, loudness_floor(sound)).tolist() == [False, True, True, False]


def test_a_soft_passage_is_music() -> None:
    sound = np.concatenate([tone(60, 2.0), np.float32(0.03) * tone(64, 2.0)])  # 30 dB below
    assert are_loud(timed_notes((2.1, 2.9, 64, 60)), sound, loudness_floor(sound)).all()


def test_no_notes_are_none() -> None:
    assert are_loud(timed_notes(), tone(60, 1.0), 0.1).shape == (0,)

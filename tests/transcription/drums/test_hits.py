"""Drum hits of a recording: which drum, when, how loud, and none where there are no drums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.transcription.drums.drum_map import CRASH, DRUMS, HIT, LOW_TOM, RIDE
from pipeline.transcription.drums.features import BANDS
from pipeline.transcription.drums.hits import find_drum_hits, find_peaks, hits_of_power
from pipeline.transcription.training.f1_scores import MatchCounts
from tests.sound_makers import HAT, KICK, SNARE, NoteRows, chorale, render_rows, rock


def starts(hits: NDArray[Any], pitch: int) -> NDArray[np.float64]:
    return hits["start"][hits["pitch"] == pitch]


def assert_rock_beat(hits: NDArray[Any], rows: NoteRows) -> None:
    for pitch in (KICK, SNARE, HAT):
        played = rows[rows[:, 2] == pitch, 0]
        found = starts(hits, pitch)
        counts = MatchCounts()
        counts.add(found, played, 0.05)
        assert counts.recall >= 0.9, (pitch, found)
        assert counts.estimated - counts.matched <= 0.1 * len(played), (pitch, found)


def test_a_rock_beat_comes_back() -> None:
    rows = rock()
    hits = find_drum_hits(render_rows(rows, drums=True))
    assert hits.dtype == HIT
    assert_rock_beat(hits, rows)
    assert (np.diff(hits["start"]) >= 0).all()
    assert hits["velocity"].min() >= 1
    assert hits["velocity"].max() <= 127
    unplayed = np.isin(hits["pitch"], (KICK, SNARE, HAT), invert=True)
    assert unplayed.sum() <= 2


def test_a_rock_beat_comes_back_from_under_a_piano() -> None:
    rows = rock()
    drums, piano = render_rows(rows, drums=True), render_rows(chorale(16), drums=False)
    length = min(len(drums), len(piano))
    assert_rock_beat(find_drum_hits(drums[:length] + piano[:length]), rows)


def test_the_same_beat_is_found_however_loud_the_recording_is() -> None:
    sound = render_rows(rock(2), drums=True)
    loud, soft = find_drum_hits(sound), find_drum_hits(sound * np.float32(0.05))
    assert abs(len(loud) - len(soft)) <= 1


def test_a_piano_chorale_has_no_drums() -> None:
    assert len(find_drum_hits(render_rows(chorale(), drums=False))) == 0


@pytest.mark.parametrize("length", [0, 1, 1000, SAMPLE_RATE_HZ * 3])
def test_silence_has_no_drums(length: int) -> None:
    assert len(find_drum_hits(np.zeros(length, np.float32))) == 0


def test_noise_without_rhythm_gives_no_error() -> None:
    noise = np.random.default_rng(1).standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
    assert find_drum_hits(noise).dtype == HIT


def test_peaks_lie_between_frames_and_a_plateau_is_one() -> None:
    probabilities = np.zeros(40, np.float32)
    probabilities[9:12] = 0.4, 0.9, 0.6
    probabilities[20:22] = 0.7
    probabilities[30] = 0.2
    frames, places = find_peaks(probabilities, 0.5)
    assert frames.tolist() == [10, 20]
    assert 10 < places[0] < 10.5
    assert find_peaks(np.zeros(0, np.float32), 0.5)[0].tolist() == []


def test_a_cymbal_is_crash_or_ride_whichever_is_surer(monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities = np.zeros((6000, len(DRUMS)), np.float32)
    probabilities[100::100, DRUMS.index(LOW_TOM)] = 0.9
    probabilities[100::100, DRUMS.index(CRASH)] = 0.99
    probabilities[102::100, DRUMS.index(RIDE)] = 0.8
    probabilities[150::100, DRUMS.index(RIDE)] = 0.8
    monkeypatch.setattr("pipeline.transcription.drums.network.activations", lambda *_: (probabilities, probabilities))
    hits = hits_of_power(np.ones((6000, BANDS), np.float32))
    assert (len(starts(hits, LOW_TOM)), len(starts(hits, CRASH))) == (59, 59)
    assert np.allclose(starts(hits, RIDE) % 1, 0.5)

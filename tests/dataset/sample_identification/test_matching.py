from dataclasses import replace

import numpy as np
import pytest

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.dataset.sample_identification.loops import BarGrid
from pipeline.dataset.sample_identification.matching import (
    LEAST_CONFIDENCE,
    HeardRecording,
    at_speed,
    by_tempo,
    find_match,
    heard_recording,
    repeated,
)
from tests.dataset.sample_identification.sounds import BEAT_SECONDS, beats_of, record, turntable_song

RATIO = 1.15
BAR = 4 * BEAT_SECONDS


@pytest.fixture(scope="module")
def sample() -> HeardRecording:
    sound = record(0)
    return heard_recording(sound, beats_of(sound), 4)


@pytest.fixture(scope="module")
def song() -> HeardRecording:
    """Bars 4 and 5 of the sample five times after four bars, and four more bars."""
    loop = record(0)[round(4 * BAR * SAMPLE_RATE_HZ) : round(6 * BAR * SAMPLE_RATE_HZ)]
    sound = turntable_song(loop, RATIO, 5, 4)
    return heard_recording(sound, beats_of(sound, BEAT_SECONDS / RATIO), 4)


def test_a_turntable_loop_is_found_with_its_places(sample: HeardRecording, song: HeardRecording) -> None:
    found = find_match(sample, song)
    assert found is not None and found.confidence > LEAST_CONFIDENCE
    assert found.ratio == pytest.approx(RATIO, rel=0.01) and found.is_turntable
    assert found.semitones == pytest.approx(12 * np.log2(RATIO), abs=0.2)
    assert found.loop.start == pytest.approx(4 * BAR, abs=0.15)
    assert found.loop.seconds == pytest.approx(2 * BAR, rel=0.02)
    plays = found.bars_playing(song.grid.lines)
    assert plays[4:14].all() and not plays[:4].any() and not plays[14:18].any()
    turns = found.moments(0.0)
    assert np.diff(turns) == pytest.approx(2 * BAR / RATIO, rel=0.02)
    assert np.min(np.abs(turns - 4 * BAR / RATIO)) < 0.15


def test_another_record_is_not_taken_for_it(song: HeardRecording) -> None:
    sound = record(1)
    found = find_match(heard_recording(sound, beats_of(sound), 4), song)
    assert found is None or found.confidence < LEAST_CONFIDENCE


def test_a_short_sample_goes_round() -> None:
    sound = record(2, 2)
    short = heard_recording(sound, beats_of(sound), 4)
    longer = repeated(short)
    assert longer.seconds == pytest.approx(3 * short.seconds) and len(longer.features) == 3 * len(short.features)
    assert longer.grid.bar_seconds == pytest.approx(BAR, rel=0.02)
    assert repeated(longer) is longer


def test_a_speed_near_the_ratio_of_the_tempi_is_that_ratio() -> None:
    slow, fast = (BarGrid(np.arange(9) * beat, np.arange(3) * 4 * beat) for beat in (0.5, 0.4))
    assert by_tempo(1.24, slow, fast) == pytest.approx(1.25)
    assert by_tempo(0.63, slow, fast) == pytest.approx(0.625), "one of them was heard at twice its tempo"
    assert by_tempo(1.1, slow, fast) == 1.1


def test_features_at_twice_the_speed_are_every_second_one() -> None:
    rows = np.arange(12, dtype=np.float32)[:, None]
    np.testing.assert_allclose(at_speed(rows, 2.0), rows[::2])
    assert len(at_speed(rows, 0.5)) == 24


def test_nothing_is_found_in_a_moment(sample: HeardRecording) -> None:
    sound = record(3, 1)[: SAMPLE_RATE_HZ // 2]
    moment = heard_recording(sound, np.zeros(0), 4)
    assert find_match(sample, moment) is None
    assert replace(moment, seconds=0.5).grid.bar_seconds > 0

import numpy as np
import pytest

from pipeline.dataset.sample_identification.features import FRAME_SECONDS, Matrix
from pipeline.dataset.sample_identification.loops import BarGrid, fit_loop

BAR_FRAMES = 40


def grid(frames: int, bar_frames: float = BAR_FRAMES) -> BarGrid:
    """Bars of four beats over some frames."""
    beats = np.arange(0, frames + 1, bar_frames / 4) * FRAME_SECONDS
    return BarGrid(beats, beats[::4])


def saw_tooth(frames: int, width: int, start: int, period: float, plays: slice) -> Matrix:
    """Chance similarity with a loop in it that goes round in a part of the song."""
    similarity = 0.2 * np.random.default_rng(0).random((frames, width)).astype(np.float32)
    song = np.arange(frames)[plays]
    similarity[song, start + np.rint((song - plays.start) % period).astype(int) % round(period)] += 0.8
    return similarity


@pytest.mark.parametrize("bars", [1, 2, 4])
def test_a_loop_is_found_by_its_saw_tooth(bars: int) -> None:
    period = bars * BAR_FRAMES
    similarity = saw_tooth(640, 400, 120, period, slice(160, 480))
    found = fit_loop(similarity, 1.0, grid(400), grid(640))
    assert found is not None and found.is_of_bars
    assert found.start == pytest.approx(120 * FRAME_SECONDS, abs=0.06)
    assert found.seconds == pytest.approx(period * FRAME_SECONDS, rel=0.01)
    assert (found.phase - 160 * FRAME_SECONDS) % found.period == pytest.approx(0, abs=0.06)
    plays = found.similarity > found.level / 2
    assert plays[170:470].mean() > 0.9 and plays[:150].mean() < 0.1 and plays[490:].mean() < 0.1


def test_a_loop_that_drifts_against_the_beats_is_followed() -> None:
    similarity = saw_tooth(1200, 400, 80, 2 * BAR_FRAMES * 1.006, slice(0, 1200))
    found = fit_loop(similarity, 1.0, grid(400), grid(1200))
    assert found is not None and found.period == pytest.approx(2 * BAR_FRAMES * 1.006 * FRAME_SECONDS, rel=0.001)


def test_moments_of_a_faster_sample_are_those_of_the_sample_itself() -> None:
    similarity = saw_tooth(640, 400, 120, 80, slice(0, 640))
    found = fit_loop(similarity, 1.25, grid(500, 1.25 * BAR_FRAMES), grid(640))
    assert found is not None
    assert (found.start, found.seconds) == pytest.approx((1.25 * 6.0, 1.25 * 4.0), abs=0.08)


def test_what_is_shorter_than_a_window_has_no_loop() -> None:
    assert fit_loop(np.ones((20, 400), np.float32), 1.0, grid(400), grid(20)) is None

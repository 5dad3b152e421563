"""Which loop of a sample a song plays: its beginning, its length, and when it goes round (a comb along the song).

At a known transposition and speed a loop is a saw tooth in the matrix of cross-similarity: from a frame of the sample
on, back again after each period. All beginnings and phases are tried, for periods of whole bars.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.dataset.sample_identification.features import FRAME_SECONDS, Matrix
from pipeline.scores.midi.events import compiled

Floats = NDArray[np.float64]

LOOP_BARS = (0.5, 1.0, 2.0, 4.0, 8.0)
WEIGHTS = {0.5: 0.85, 8.0: 0.93}
"""Of lengths that are rarely used."""
SONG_WEIGHT = 0.9
"""Of lengths in bars of the song, which count where those of the sample were heard wrong."""
LONGER_GAIN = 1.08
"""What a loop of twice the length must explain more: where the sample repeats, the shorter one is meant."""
STRETCH = 0.002 * np.arange(-4, 5)
"""A period may differ so much from that of the beats."""
SHORTEST_SECONDS = 1.0
LEVEL_WINDOW, LEVEL_SHARE, LEVEL_SECONDS = 44, 0.15, 10.0
"""The similarity of what plays is exceeded in windows of so many frames by this share of the song, or these seconds."""
BASELINE = 0.75
"""The similarity that this share of the sample's frames stays below is chance."""
LINE_GAIN, BEAT_GAIN, SONG_LINE_GAIN, NEAR_FRAMES = 0.06, 0.04, 0.05, 2.0
"""Loops that begin with a bar or a beat of the sample, or go round with the song's bars, are likelier."""


@dataclass(frozen=True)
class BarGrid:
    """Beats and bar lines of a recording, in seconds."""

    beats: Floats
    lines: Floats

    @property
    def bar_seconds(self) -> float:
        """Length of most bars."""
        return float(np.median(np.diff(self.lines)))


@dataclass(frozen=True, eq=False)
class LoopFit:
    """A loop at one transposition and speed.

    Attributes
    ----------
    start, seconds
        Where it begins in the sample, and how long it is there.
    phase, period
        A moment of the song at which it begins, and how long it lasts there.
    score
        How much of the song's similarity it explains, a mean over the frames of the song.
    level
        The similarity above chance of what plays.
    contrast
        The score by the deviation of all similarities.
    is_of_bars
        Whether it lasts whole bars of the sample.
    similarity
        Along the song, where the loop plays or would play, float32 `[frames]`; above `level / 2` it plays.
    """

    start: float
    seconds: float
    phase: float
    period: float
    score: float
    level: float
    contrast: float
    is_of_bars: bool
    similarity: Matrix


@dataclass(frozen=True)
class _Period:
    frames: float
    weight: float
    is_of_bars: bool


def fit_loop(similarity: Matrix, speed: float, sample: BarGrid, song: BarGrid) -> LoopFit | None:
    """The loop that explains most of a cross-similarity matrix.

    Parameters
    ----------
    similarity
        `[song frames, sample frames]`, the sample's frames at its speed in the song; what is chance is taken from it.
    speed
        How many times as fast it plays there.
    sample, song
        Their bars.

    Returns
    -------
    The loop; None where one of them is shorter than a window.
    """
    frames, width = similarity.shape
    if min(frames, width) <= LEVEL_WINDOW:
        return None
    excess = similarity
    excess -= np.quantile(similarity, BASELINE, axis=1, keepdims=True).astype(np.float32)
    sums = np.zeros((frames + 1, width + 1), np.float32)
    compiled(_sum_along_diagonals)(np.ascontiguousarray(excess), sums)
    level = _level(sums, frames)
    prior = _start_prior(width, speed, sample)
    best: tuple[float, _Period, int, int] | None = None
    for period in _periods(width, speed, sample, song):
        count = round(period.frames)
        scores = np.zeros((count, width), np.float32)
        compiled(_score_loops)(sums, period.frames, np.float32(level / 2), scores)
        scores *= prior * np.float32(period.weight)
        scores *= _phase_prior(count, period.frames, song)[:, None]
        phase, start = (int(one) for one in np.unravel_index(int(scores.argmax()), scores.shape))
        score = float(scores[phase, start])
        longer = best is not None and period.frames > 1.5 * best[1].frames
        if best is None or score > best[0] * (LONGER_GAIN if longer else 1.0):
            best = (score, period, phase, start)
    if best is None:
        return None
    score, period, phase, start = best
    along = start + np.rint((np.arange(frames) - phase) % period.frames).astype(int)
    played = np.where(along < width, excess[np.arange(frames), np.minimum(along, width - 1)], 0)
    in_sample = FRAME_SECONDS * speed
    return LoopFit(
        start=start * in_sample,
        seconds=period.frames * in_sample,
        phase=phase * FRAME_SECONDS,
        period=period.frames * FRAME_SECONDS,
        score=score,
        level=level,
        contrast=score / max(float(excess.std()), 1e-9),
        is_of_bars=period.is_of_bars,
        similarity=played.astype(np.float32),
    )


def _level(sums: Matrix, frames: int) -> float:
    """The similarity of what plays: of the best diagonal in each window, what a share of the windows exceeds."""
    window = LEVEL_WINDOW
    best = (sums[window:, window:] - sums[:-window, :-window]).max(axis=1) / window
    share = min(LEVEL_SHARE, LEVEL_SECONDS / (frames * FRAME_SECONDS))
    return max(float(np.quantile(best, 1 - share)), 1e-6)


def _periods(width: int, speed: float, sample: BarGrid, song: BarGrid) -> list[_Period]:
    """Lengths to try in frames of the song, shorter ones first."""
    found: list[_Period] = []
    of_sample, of_song = sample.bar_seconds / speed / FRAME_SECONDS, song.bar_seconds / FRAME_SECONDS
    options = [_Period(of_sample * bars, WEIGHTS.get(bars, 1.0), bars >= 1) for bars in LOOP_BARS]
    options += [_Period(of_song * bars, SONG_WEIGHT, False) for bars in (1.0, 2.0, 4.0)]
    for one in options:
        known = any(abs(one.frames / other.frames - 1) < 0.03 for other in found)
        if SHORTEST_SECONDS / FRAME_SECONDS <= one.frames <= width and not known:
            found.append(one)
    found.sort(key=lambda one: one.frames)
    return [_Period(one.frames * (1 + by), one.weight, one.is_of_bars) for one in found for by in STRETCH.tolist()]


def _start_prior(width: int, speed: float, sample: BarGrid) -> Matrix:
    """How likely a loop begins with each frame of the sample, relative, `[width]`."""
    at = np.arange(width)
    gain = 1 + LINE_GAIN * _nearness(at, sample.lines / speed) + BEAT_GAIN * _nearness(at, sample.beats / speed)
    return gain.astype(np.float32)


def _nearness(frames: NDArray[np.int64], seconds: Floats) -> Floats:
    """1 at moments, falling off within some frames around them (Gaussian)."""
    moments = np.sort(seconds) / FRAME_SECONDS
    after = np.clip(np.searchsorted(moments, frames), 1, len(moments) - 1)
    off = np.minimum(np.abs(moments[after] - frames), np.abs(moments[after - 1] - frames))
    near: Floats = np.exp(-((off / NEAR_FRAMES) ** 2))
    return near


def _phase_prior(count: int, period: float, song: BarGrid) -> Matrix:
    """How likely a loop begins with each phase, relative: with as many of the song's bars as can be, `[count]`."""
    off = song.lines[:, None] / FRAME_SECONDS - np.arange(count)
    off = (off + period / 2) % period - period / 2
    near = np.exp(-((off / NEAR_FRAMES) ** 2)).mean(axis=0)
    gain: Matrix = (1 + SONG_LINE_GAIN * near / max(float(near.max()), 1e-9)).astype(np.float32)
    return gain


def _sum_along_diagonals(values: Matrix, sums: Matrix) -> None:
    """Fill `sums` with cumulated sums along diagonals; `numba` compiles this."""
    for row in range(values.shape[0]):
        for column in range(values.shape[1]):
            sums[row + 1, column + 1] = sums[row, column] + values[row, column]


def _score_loops(sums: Matrix, period: float, threshold: np.float32, scores: Matrix) -> None:
    """Fill `scores[phase, start]`: what each turn of a loop explains beyond the threshold; `numba` compiles this."""
    frames, width = sums.shape[0] - 1, sums.shape[1] - 1
    length = round(period)
    starts = width - length + 1
    for phase in range(scores.shape[0]):
        row = scores[phase]
        turn = -1
        begin = phase + round(turn * period)
        while begin < frames:
            low, high = max(begin, 0), min(begin + length, frames)
            if high - low > length // 3:
                last, first = sums[high, high - begin :], sums[low, low - begin :]
                least = threshold * np.float32(high - low)
                for start in range(starts):
                    row[start] += max(last[start] - first[start] - least, np.float32(0))
            turn += 1
            begin = phase + round(turn * period)
    scores /= np.float32(frames)

"""Sample identification (Van Balen, Serra and Haro 2012): which bars of a sample a song plays, moved how, and where."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.dataset.sample_identification.cross_similarity import (
    cross_similarity,
    likely_speed,
    likely_transpositions,
)
from pipeline.dataset.sample_identification.features import (
    BINS_PER_SEMITONE,
    FRAME_SECONDS,
    MatchingFeatures,
    Matrix,
    matching_features,
)
from pipeline.dataset.sample_identification.loops import BarGrid, Floats, LoopFit, fit_loop

TRANSPOSITIONS = 4
"""So many of the likeliest transpositions are looked at closely."""
SHORT_SECONDS, LONG_SECONDS = 12.0, 360.0
"""A sample that is shorter is taken for a loop and repeated to this length; of what is longer the beginning counts."""
TEMPO_RATIOS = (0.25, 0.5, 2 / 3, 0.75, 1.0, 4 / 3, 1.5, 2.0, 4.0)
"""Tempi may have been heard as multiples of the true ones."""
TEMPO_ERROR = 0.015
"""A speed this near to the ratio of two tempi is that ratio."""
TURNTABLE_SEMITONES = 0.17
"""Pitch and speed moved together where their transpositions differ by no more."""
CONFIDENCE_WEIGHTS = (11.6, 6.0, 1.0, -6.8, 5.6)
"""Of a logistic regression: constant, log level, log contrast, runner-up's share of the score, whole bars."""
LEAST_CONFIDENCE = 0.7
USUAL_SECONDS = 75.0
"""The length of the songs that the weights are fitted to."""


@dataclass(frozen=True, eq=False)
class HeardRecording:
    """A recording's features, its bars, and how long it is before it is repeated, in seconds."""

    features: MatchingFeatures
    grid: BarGrid
    seconds: float


@dataclass(frozen=True, eq=False)
class LoopMatch:
    """A loop of a sample found in a song.

    Attributes
    ----------
    loop
        Which, when, and how similar along the song.
    semitones, ratio
        How far up it is moved, and how many times as fast it plays.
    is_turntable
        Whether pitch and speed moved together, as where a record is played faster.
    runner_up
        The score of the next best transposition.
    confidence
        How likely it is no chance, 0 to 1.
    """

    loop: LoopFit
    semitones: float
    ratio: float
    is_turntable: bool
    runner_up: float = 0.0
    confidence: float = 0.0

    def bars_playing(self, lines: Floats) -> NDArray[np.bool_]:
        """In which bars of the song it plays, `[bars]`, given the song's bar lines in seconds."""
        edges = np.clip(np.rint(lines / FRAME_SECONDS).astype(int), 0, len(self.loop.similarity))
        total = np.concatenate([[0.0], np.cumsum(self.loop.similarity, dtype=np.float64)])
        lengths = np.maximum(np.diff(edges), 1)
        plays: NDArray[np.bool_] = (total[edges[1:]] - total[edges[:-1]]) / lengths > self.loop.level / 2
        return plays

    def moments(self, seconds: float) -> Floats:
        """When the song plays a moment of the loop (seconds from its beginning in the sample), turn by turn."""
        first = self.loop.phase + seconds / self.ratio
        last = len(self.loop.similarity) * FRAME_SECONDS
        first -= self.loop.period * np.floor(first / self.loop.period)
        return np.arange(first, last, self.loop.period)


def heard_recording(samples: NDArray[np.float32], beats: Floats, beats_per_bar: int) -> HeardRecording:
    """What is needed of a recording: sound float32 `[samples]` at 44,100 Hz, and its beats, the first a bar line."""
    features = matching_features(samples[: int(LONG_SECONDS * SAMPLE_RATE_HZ)])
    seconds = len(features) * FRAME_SECONDS
    beats = beats if len(beats) > beats_per_bar else np.arange(2 * beats_per_bar) * seconds / beats_per_bar
    return HeardRecording(features, BarGrid(beats, beats[::beats_per_bar]), seconds)


def find_match(sample: HeardRecording, song: HeardRecording) -> LoopMatch | None:
    """The loop of the sample that the song plays most likely; None where one of them is too short to say."""
    own = repeated(sample)
    found: list[LoopMatch] = []
    for one in likely_transpositions(song.features.held, own.features.held, TRANSPOSITIONS):
        speed = likely_speed(song.features.onsets, own.features.onsets, one.bins)
        speed = by_tempo(speed, own.grid, song.grid)
        similarity = cross_similarity(song.features.held, at_speed(own.features.held, speed), one.bins)
        similarity += cross_similarity(song.features.onsets, at_speed(own.features.onsets, speed), one.bins)
        similarity *= np.float32(0.5)
        loop = fit_loop(similarity, speed, own.grid, song.grid)
        if loop is not None:
            found.append(_moved(loop, one.bins / BINS_PER_SEMITONE, speed))
    if not found:
        return None
    found.sort(key=lambda one: -one.loop.score)
    best = found[0]
    if sample is not own:
        start = best.loop.start % sample.seconds
        best = replace(best, loop=replace(best.loop, start=start, seconds=min(best.loop.seconds, sample.seconds)))
    runner_up = found[1].loop.score if len(found) > 1 else 0.0
    logit = float(np.dot(CONFIDENCE_WEIGHTS, confidence_values(best.loop, runner_up)))
    return replace(best, runner_up=runner_up, confidence=1 / (1 + float(np.exp(-logit))))


def confidence_values(loop: LoopFit, runner_up: float) -> tuple[float, ...]:
    """What the confidence is a logistic regression of, `runner_up` being the score of the next best transposition."""
    length = np.sqrt(len(loop.similarity) * FRAME_SECONDS / USUAL_SECONDS)
    return (
        1.0,
        float(np.log(loop.level)),
        float(np.log(max(loop.contrast * length, 1e-6))),
        runner_up / max(loop.score, 1e-9),
        float(loop.is_of_bars),
    )


def repeated(sample: HeardRecording) -> HeardRecording:
    """A short sample over and over, as loops go round; a longer one as it is."""
    if sample.seconds >= SHORT_SECONDS:
        return sample
    turns = int(np.ceil(SHORT_SECONDS / sample.seconds))
    features = MatchingFeatures(*(np.tile(one, (turns, 1)) for one in (sample.features.held, sample.features.onsets)))
    bars = max(round(sample.seconds / sample.grid.bar_seconds), 1)
    lines = np.arange(turns * bars + 1) * sample.seconds / bars
    beats = np.arange(4 * turns * bars + 1) * sample.seconds / bars / 4
    return HeardRecording(features, BarGrid(beats, lines), turns * sample.seconds)


def by_tempo(speed: float, sample: BarGrid, song: BarGrid) -> float:
    """The speed, or the ratio of the tempi (or a simple multiple) where that is all but the same."""
    ratio = float(np.median(np.diff(sample.beats)) / np.median(np.diff(song.beats)))
    near = [ratio * one for one in TEMPO_RATIOS if abs(speed / (ratio * one) - 1) < TEMPO_ERROR]
    return min(near, key=lambda one: abs(one - speed)) if near else speed


def at_speed(rows: Matrix, speed: float) -> Matrix:
    """Features of a sample that plays so many times as fast, interpolated between frames."""
    at = np.arange(int(len(rows) / speed)) * speed
    before = np.minimum(at.astype(int), len(rows) - 2)
    share = (at - before).astype(np.float32)[:, None]
    between: Matrix = rows[before] * (1 - share) + rows[before + 1] * share
    return between


def _moved(loop: LoopFit, semitones: float, speed: float) -> LoopMatch:
    """The match, its transposition made exact: that of its speed where a turntable moved both, else whole semitones."""
    with_speed = 12 * float(np.log2(speed))
    is_turntable = abs(semitones - with_speed) < TURNTABLE_SEMITONES < abs(semitones)
    return LoopMatch(loop, with_speed if is_turntable else float(round(semitones)), speed, is_turntable)

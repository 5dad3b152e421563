"""Loops of a record: stretches of one, two or four bars that close seamlessly, found by score or named by bars."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.audio.decoding import SAMPLE_RATE_HZ
from pipeline.audio.synthesizers import Sound
from pipeline.errors import UserError
from pipeline.songs.flip.attacks import EARLY_SECONDS, attack_near, displacement
from pipeline.songs.flip.loop_features import FRAMES_PER_BEAT, Floats, LoopFeatures, loop_features
from pipeline.songs.flip.record import Record
from pipeline.songs.flip.seam import DownbeatFlux, cut_loop, downbeat_flux, seam_click_db, seam_flux

LENGTHS = (1, 2, 4)
"""Bars of a loop that is found."""
LOWEST_DB = -6.0
"""A loop has at least this much of the mean power of its record."""
LEAST_BAND_SHARE = 0.06
"""At least this part of its power lies between 300 and 5,000 Hz."""
MOST_PERCUSSIVE, LEAST_PERCUSSIVE = 0.5, 0.5
"""The percussive share of a loop, and of a drum break: about .2 is usual without drums, .4 with some, .7 of drums."""
LEAST_SEAM = 0.15
"""The beats that a loop's end and beginning lie between are at least so alike."""
ALIKE = 0.5
"""Loops are alike from this likeness of their bars on."""
LOUDEST_CLICK_DB, MOST_FLUX = -0.5, 1.1
"""The seam of a loop that is found: its click against the loop's own beats, its flux against the record's downbeats."""
LONGER = 0.4
"""How much better a loop is that is twice as long: a song on a single bar, whatever its sound, tires soon."""
SHORTEST_SECONDS = 0.5


@dataclass(frozen=True)
class LoopParts:
    """What speaks for and against a loop.

    Attributes
    ----------
    seam
        How alike the beats are that its end and its beginning lie between, -1 to 1.
    clarity
        How far few pitch classes sound at a time, 0 (all alike) to 1 (one).
    percussive
        The percussive share of its sound.
    recurrence, best_repeat
        How alike the other bars of the record are: the mean of those that are alike at all, and the best place.
    chord_movement
        How much its harmony changes from half bar to half bar, 0 to 1.
    level_db
        Its power against the record's.
    band_share
        The part of its power between 300 and 5,000 Hz.
    seam_click_db, seam_flux
        How loud the seam is against the loop's own beats, and how much changes there against the record's downbeats.
    """

    seam: float
    clarity: float
    percussive: float
    recurrence: float
    best_repeat: float
    chord_movement: float
    level_db: float
    band_share: float
    seam_click_db: float = 0.0
    seam_flux: float = 0.0

    def score(self, num_bars: int, percussive: bool) -> float:
        """How good a loop of so many bars is: as music, or where `percussive` as a drum break."""
        own = 1 - self.percussive
        common = 1.5 * self.seam + 0.5 * self.recurrence + 0.6 * self.best_repeat + LONGER * math.log2(num_bars)
        if percussive:
            return common + 2 * self.percussive
        return (
            common
            + 2.4 * self.clarity * own
            + own
            - 2 * max(0.0, self.percussive - 0.4)
            + 0.8 * min(2 * self.chord_movement, 0.5)
        )


@dataclass(frozen=True)
class Loop:
    """Bars of a record that are played again and again.

    Attributes
    ----------
    first_bar, num_bars
        Which, counted from 0.
    start, end
        Samples of the record's sound: from just before its first attack to as much before what would follow.
    score, parts
        How good it is, and by what.
    """

    first_bar: int
    num_bars: int
    start: int
    end: int
    score: float
    parts: LoopParts

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return (self.end - self.start) / SAMPLE_RATE_HZ


def find_loops(record: Record, percussive: bool = False, count: int = 8) -> list[Loop]:
    """The best loops of a record, best first, no two of which are alike.

    Parameters
    ----------
    record
        Where they are looked for: in all bars that sound from beginning to end.
    percussive
        Whether drum breaks are looked for, instead of what sounds clear.
    count
        How many at most.

    Returns
    -------
    list of Loop
        Fewer than `count`, or none, where the record has no more. Where none of those that sound right closes well, the
        best of them.
    """
    finder = _finder_of(record)
    found: list[Loop] = []
    open_loops: list[Loop] = []
    for first_bar, num_bars in finder.candidates(percussive):
        if any(finder.likeness((first_bar, num_bars), (one.first_bar, one.num_bars)) > ALIKE for one in found):
            continue
        loop = finder.loop(first_bar, num_bars, percussive)
        is_even = (
            percussive or loop.parts.seam_flux <= MOST_FLUX
        )  # drums are struck harder than what a record usually has
        closes = is_even and loop.parts.seam_click_db <= LOUDEST_CLICK_DB
        (found if closes else open_loops).append(loop)
        if len(found) == count:
            break
    return found or open_loops[:1]


def loop_at(record: Record, first_bar: int, num_bars: int) -> Loop:
    """The loop of bars that the user names, `num_bars` from `first_bar` on, counted from 0.

    Raises `UserError` where the record has no such bars.
    """
    whole = record.whole_bars
    if num_bars < 1 or first_bar not in whole or first_bar + num_bars - 1 not in whole:
        named = f"bar {first_bar + 1}" if num_bars == 1 else f"bars {first_bar + 1}-{first_bar + num_bars}"
        raise UserError(f"{record.source} has no {named}: it has bars {whole.start + 1} to {whole.stop}.")
    return _finder_of(record).loop(first_bar, num_bars, percussive=False)


def loop_sound(record: Record, loop: Loop) -> Sound:
    """The sound of a loop, `[end - start, 2]` at `SAMPLE_RATE_HZ`, its seam closed."""
    return cut_loop(record.sound, loop.start, loop.end)


def line_sample(record: Record, beat: int) -> int:
    """The sample at which a loop begins, or a bar of it, whose line is a beat of the record: just before its attack."""
    line = round(float(record.beats.moments(np.array([beat]))[0]) * SAMPLE_RATE_HZ)
    attack = attack_near(record.sound, line)
    return line if attack is None else max(attack - round(EARLY_SECONDS * SAMPLE_RATE_HZ), 0)


@dataclass(frozen=True, eq=False)
class _LoopFinder:
    """A record and what loops are judged by."""

    record: Record
    features: LoopFeatures
    likenesses: Floats
    usual: DownbeatFlux

    def candidates(self, percussive: bool) -> Iterator[tuple[int, int]]:
        """First bar and length of all loops that are loud and full enough, the best first."""
        scored = []
        whole = self.record.whole_bars
        for num_bars in LENGTHS:
            for first_bar in range(whole.start, whole.stop - num_bars + 1):
                parts = self.parts(first_bar, num_bars)
                if _is_fit(parts, percussive) and self._seconds(first_bar, num_bars) >= SHORTEST_SECONDS:
                    scored.append((parts.score(num_bars, percussive), first_bar, num_bars))
        for _, first_bar, num_bars in sorted(scored, key=lambda one: (-one[0], one[1], one[2])):
            yield first_bar, num_bars

    def _seconds(self, first_bar: int, num_bars: int) -> float:
        lines = self.record.bar_seconds
        return float(lines[first_bar + num_bars] - lines[first_bar])

    def loop(self, first_bar: int, num_bars: int, percussive: bool) -> Loop:
        """A loop cut where it begins and closes best."""
        record = self.record
        first_beat, beats = first_bar * record.beats_per_bar, num_bars * record.beats_per_bar
        start = line_sample(record, first_beat)
        length = round(self._seconds(first_bar, num_bars) * SAMPLE_RATE_HZ)
        length += displacement(record.sound, start, start + length)
        end = min(start + length, len(record.sound))
        sound = cut_loop(record.sound, start, end)
        inner = record.beats.moments(first_beat + np.arange(beats)) * SAMPLE_RATE_HZ - start
        parts = self.parts(first_bar, num_bars)
        parts = replace(
            parts,
            seam_click_db=seam_click_db(sound, np.rint(inner).clip(0).astype(np.int64)),
            seam_flux=seam_flux(sound, self.usual.loudest) / max(self.usual.median, 1e-9),
        )
        return Loop(first_bar, num_bars, start, end, parts.score(num_bars, percussive), parts)

    def parts(self, first_bar: int, num_bars: int) -> LoopParts:
        """What speaks for and against a loop, its seam not yet heard."""
        features = self.features
        first, last = first_bar * features.frames_per_bar, (first_bar + num_bars) * features.frames_per_bar
        own = slice(first, last)
        power = features.power[own]
        total = max(float(power.sum()), 1e-30)
        chroma = features.chroma[own]
        entropy = -(chroma * np.log(np.maximum(chroma, 1e-12))).sum(axis=1) / np.log(12)
        repeats = self._repeats(first_bar, num_bars)
        usual = max(float(features.power.sum()) / max(int((features.power > 0).sum()), 1), 1e-30)
        return LoopParts(
            seam=self._seam(first, last),
            clarity=float((power * (1 - entropy) * (chroma.sum(axis=1) > 0)).sum() / total),
            percussive=float(features.percussive[own].sum() / max(float(features.magnitude[own].sum()), 1e-30)),
            recurrence=float(np.maximum(repeats, 0).mean()) if len(repeats) else 0.0,
            best_repeat=float(repeats.max(initial=0.0)),
            chord_movement=_movement(chroma, features.frames_per_bar // 2),
            level_db=float(10 * np.log10(max(float(power.mean()), 1e-30) / usual)),
            band_share=float(features.band_power[own].sum() / total),
        )

    def _seam(self, first: int, last: int) -> float:
        """How alike the beats before and after the beginning are to those before and after the end."""
        frames = np.pad(self.features.frames, ((FRAMES_PER_BEAT, FRAMES_PER_BEAT), (0, 0)))
        begin, end = (frames[place : place + 2 * FRAMES_PER_BEAT] for place in (first, last))
        scale = np.linalg.norm(begin) * np.linalg.norm(end)
        return float((begin * end).sum() / max(float(scale), 1e-12))

    def _repeats(self, first_bar: int, num_bars: int) -> Floats:
        """How alike as many bars from any other bar on are that do not overlap it, `[places]`."""
        bars = len(self.likenesses)
        starts = np.arange(bars - num_bars + 1)
        starts = starts[np.abs(starts - first_bar) >= num_bars]
        steps = np.arange(num_bars)
        return np.asarray(self.likenesses[first_bar + steps, starts[:, None] + steps].mean(axis=1))

    def likeness(self, one: tuple[int, int], other: tuple[int, int]) -> float:
        """How alike two loops sound: the best likeness of the shorter, however it is turned, within the longer."""
        short, long = sorted((one, other), key=lambda loop: loop[1])
        within = self.likenesses[
            short[0] + np.arange(short[1])[:, None], long[0] + np.arange(long[1])
        ]  # [bars of the shorter, bars of the longer]
        steps = np.arange(short[1])
        return max(float(within[steps, (steps + turn) % long[1]].mean()) for turn in range(long[1]))


@lru_cache(maxsize=2)
def _finder_of(record: Record) -> _LoopFinder:
    """What loops of a record are judged by; kept, as one who chooses among its loops asks several times."""
    features = loop_features(record)
    downbeats = np.rint(record.bar_seconds[record.whole_bars.start : record.whole_bars.stop] * SAMPLE_RATE_HZ)
    usual = downbeat_flux(record.sound, downbeats.astype(np.int64))
    return _LoopFinder(record, features, features.bars @ features.bars.T, usual)


def _is_fit(parts: LoopParts, percussive: bool) -> bool:
    """Whether a loop is loud enough, drummed or not as asked for, and if not heard on small loudspeakers."""
    drummed = parts.percussive >= LEAST_PERCUSSIVE if percussive else parts.percussive <= MOST_PERCUSSIVE
    is_heard = parts.level_db >= LOWEST_DB and (percussive or parts.band_share >= LEAST_BAND_SHARE)
    return drummed and is_heard and parts.seam >= LEAST_SEAM


def _movement(chroma: NDArray[np.float64], frames: int) -> float:
    """How much chroma changes from one stretch of `frames` to the next, also from the last to the first, 0 to 1."""
    means = chroma[: len(chroma) // frames * frames].reshape(-1, frames, 12).mean(axis=1)
    means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return float((1 - (means * np.roll(means, 1, axis=0)).sum(axis=1)).mean())

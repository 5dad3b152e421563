"""Timing: contenders measured in turn, medians and ratios of what they needed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pipeline.progress import counter

Name = TypeVar("Name", bound=Hashable)
Lap = TypeVar("Lap")


def interleaved_laps(contenders: Mapping[Name, Callable[[], Lap]], rounds: int, label: str) -> dict[Name, list[Lap]]:
    """What each contender gave in each of `rounds` rounds, one after another within a round, behind a progress bar."""
    laps: dict[Name, list[Lap]] = {name: [] for name in contenders}
    with counter(rounds * len(contenders), f"bench: {label}", "laps") as count:
        for _ in range(rounds):
            for name, lap in contenders.items():
                laps[name].append(lap())
                count(1)
    return laps


def wall_seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds that a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True)
class TimedRepeats:
    """How often some work was done, and what that took.

    `cpu_seconds` is the time that processors spent on it, over all threads: on a busy machine, where the work waits,
    it says what the work itself takes.
    """

    times: int
    seconds: float
    cpu_seconds: float


def repeat(work: Callable[[], object], lap_seconds: float) -> TimedRepeats:
    """Do a piece of work once and again, for at least `lap_seconds`."""
    start, cpu_start, times, passed = time.perf_counter(), time.process_time(), 0, 0.0
    while times == 0 or passed < lap_seconds:
        work()
        times += 1
        passed = time.perf_counter() - start
    return TimedRepeats(times, passed, time.process_time() - cpu_start)


def median(values: Sequence[float]) -> float:
    """The median to four digits: more would be noise."""
    return rounded(statistics.median(values))


def rounded(value: float) -> float:
    """A figure to four digits."""
    return float(f"{value:.4g}")


def ratios_of(rows: dict[str, dict[str, Any]], keys: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """The figures of the first row over those of each other row: `default_to_NAME`, each key with `_ratio` behind."""
    first, *others = rows
    return {
        f"{first}_to_{other}": {f"{key}_ratio": rounded(rows[first][key] / rows[other][key]) for key in keys}
        for other in others
    }


def all_ratios(rows: dict[str, dict[str, Any]], keys: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """The same for each row over each later one."""
    names = list(rows)
    found: dict[str, dict[str, float]] = {}
    for place in range(len(names)):
        found |= ratios_of({name: rows[name] for name in names[place:]}, keys)
    return found

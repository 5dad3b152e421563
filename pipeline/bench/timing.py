"""Contenders that take turns, and medians of what they needed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipeline.progress import counter

Name = TypeVar("Name", bound=Hashable)
Lap = TypeVar("Lap")


def take_turns(turns: Mapping[Name, Callable[[], Lap]], rounds: int, label: str) -> dict[Name, list[Lap]]:
    """What each contender's turn gave in each of `rounds` rounds, behind a progress bar."""
    laps: dict[Name, list[Lap]] = {name: [] for name in turns}
    with counter(rounds * len(turns), f"bench: {label}", "turns") as count:
        for _ in range(rounds):
            for name, turn in turns.items():
                laps[name].append(turn())
                count(1)
    return laps


def seconds_of(work: Callable[[], object]) -> float:
    """Wall-clock seconds that a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Stint:
    """How often some work was done, and what that took.

    `cpu_seconds` is the time that processors spent on it, over all threads: on a busy machine, where the work waits
    for its turn, it says what the work itself takes.
    """

    times: int
    seconds: float
    cpu_seconds: float


def repeat(work: Callable[[], object], lap_seconds: float) -> Stint:
    """Do a piece of work once and again, for at least `lap_seconds`."""
    start, cpu_start, times, passed = time.perf_counter(), time.process_time(), 0, 0.0
    while times == 0 or passed < lap_seconds:
        work()
        times += 1
        passed = time.perf_counter() - start
    return Stint(times, passed, time.process_time() - cpu_start)


def median(values: Sequence[float]) -> float:
    """The median to four digits: more would be noise."""
    return rounded(statistics.median(values))


def rounded(value: float) -> float:
    """A figure to four digits."""
    return float(f"{value:.4g}")

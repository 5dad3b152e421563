"""Progress bars, messages, and Ctrl-C between steps."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Item = TypeVar("Item")


def say(text: str) -> None:
    """Print one line at once, also when the output is a pipe or a progress bar is on the screen."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stdout)
    sys.stdout.flush()


def bar(items: Iterable[Item], total: int | None, label: str, unit: str = "it") -> Iterator[Item]:
    """Iterate with a progress bar that shows the time left: redrawn on a terminal, a line every 15 s in a log."""
    with counter(total, label, unit) as count:
        for item in items:
            yield item
            count(1)


@contextmanager
def counter(total: int | None, label: str, unit: str = "it", start: int = 0) -> Iterator[Callable[[int], object]]:
    """A progress bar that is moved by hand: call what it gives with the number of units done since the last call."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    with tqdm(
        total=total,
        initial=start,
        desc=label,
        unit=f" {unit}",
        mininterval=0.2 if terminal else 15.0,
        dynamic_ncols=terminal,
        ascii=None if terminal else " .#",
        file=sys.stderr,
    ) as meter:
        yield meter.update


class ByteMeter:
    """How much of several downloads is there; its methods may be called from several threads."""

    def __init__(self, meter: Any) -> None:
        from threading import Lock

        self._meter, self._lock = meter, Lock()

    def expect(self, num_bytes: int) -> None:
        """So many bytes more will come."""
        with self._lock:
            self._meter.total += num_bytes

    def came(self, num_bytes: int) -> None:
        """So many bytes are there."""
        with self._lock:
            self._meter.total = max(self._meter.total, self._meter.n + num_bytes)
            self._meter.update(num_bytes)


@contextmanager
def byte_meter(label: str) -> Iterator[ByteMeter]:
    """A progress bar in bytes whose end is learnt on the way."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    with tqdm(
        total=0,
        desc=label,
        unit="B",
        unit_scale=True,
        mininterval=0.2 if terminal else 15.0,
        dynamic_ncols=terminal,
        ascii=None if terminal else " .#",
        file=sys.stderr,
    ) as meter:
        yield ByteMeter(meter)


@contextmanager
def finish_step_first() -> Iterator[Callable[[], bool]]:
    """Hold Ctrl-C and SIGTERM back until the block ends; what it gives says whether one came.

    Long loops ask between two steps, stop there and save; `KeyboardInterrupt` is raised after the block. A second
    Ctrl-C stops at once.
    """
    came = False
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def hold(number: int, frame: object) -> None:
        nonlocal came
        came = True
        for each, handler in before.items():
            signal.signal(each, handler)
        say("Stopping after this step; what is done so far is being saved. Once more to stop at once.")

    for number in before:
        signal.signal(number, hold)
    try:
        yield lambda: came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def counted(number: int, noun: str) -> str:
    """A number and its noun for people: `1 song`, `2 songs`, `1,200 phrases`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Seconds for people: `45 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"

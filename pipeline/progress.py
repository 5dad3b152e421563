"""What a user sees while something long runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def say(text: str) -> None:
    """Print one line at once, also when the output is a pipe or a progress bar is on the screen."""
    from tqdm import tqdm

    tqdm.write(text, file=sys.stdout)
    sys.stdout.flush()


def bar(items: Iterable[Item], total: int | None, label: str, unit: str = "it", start: int = 0) -> Iterator[Item]:
    """Iterate with a progress bar that shows the time left: redrawn on a terminal, a line every 15 s in a log."""
    from tqdm import tqdm

    terminal = sys.stderr.isatty()
    yield from tqdm(
        items,
        total=total,
        initial=start,
        desc=label,
        unit=f" {unit}",
        mininterval=0.2 if terminal else 15.0,
        dynamic_ncols=terminal,
        ascii=None if terminal else " .#",
        file=sys.stderr,
    )


def duration(seconds: float) -> str:
    """Seconds for people: `45 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"

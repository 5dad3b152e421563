"""HTML pages that open by double click: templates, and how times and sizes are written."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.progress import counted, duration


def clock(seconds: float) -> str:
    """`3:07`."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def size(num_bytes: int) -> str:
    """`340 kB`, `12.3 MB`."""
    return f"{num_bytes / 1e6:.1f} MB" if num_bytes >= 1e6 else f"{max(1, round(num_bytes / 1e3))} kB"


def templates(folder: Path) -> Environment:
    """The page templates of a folder: every text is escaped, a name that is not given is an error."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": clock, "counted": counted, "duration": duration, "size": size, "href": quote}
    return environment


def inset(size: tuple[int, int], box: tuple[int, int, int, int]) -> dict[str, float]:
    """Where a roll lies in its picture, as percent from each side: there the playhead moves.

    Parameters
    ----------
    size
        Width and height of the picture in pixels.
    box
        Left, top, right and bottom of the roll.
    """
    width, height = size
    left, top, right, bottom = box
    return {
        "left": 100 * left / width,
        "right": 100 * (1 - right / width),
        "top": 100 * top / height,
        "bottom": 100 * (1 - bottom / height),
    }

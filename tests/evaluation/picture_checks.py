"""What pictures are checked by: their pixels, and whether they follow their data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.image import imread
from numpy.typing import NDArray

from pipeline.drawing.palette import rgb


def pixels(path: Path) -> NDArray[np.int64]:
    return np.asarray(np.round(imread(path)[..., :3] * 255), dtype=np.int64)


def where(image: NDArray[np.int64], colour: str) -> NDArray[np.int64]:
    """Columns of the pixels of a colour."""
    return np.nonzero(np.abs(image - rgb(colour)).max(-1) <= 3)[1]


def same_and_other(folder: Path, draw: Callable[[Path, int], None]) -> None:
    """The same data give the same bytes, others do not."""
    for name, data in (("one", 0), ("again", 0), ("other", 1)):
        draw(folder / f"{name}.png", data)
    one, again, other = ((folder / f"{name}.png").read_bytes() for name in ("one", "again", "other"))
    assert one == again
    assert one != other

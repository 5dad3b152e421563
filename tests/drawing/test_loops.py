"""The picture of a record's loops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.image import imread

from pipeline.drawing.loops import LEFT, RIGHT, WIDTH, LoopMark, draw_loops
from pipeline.drawing.palette import rgb, track_colour

RATE_HZ = 16000
NOISE = (0.1 * np.random.default_rng(0).standard_normal(10 * RATE_HZ)).astype(np.float32)


def columns_of(path: Path, number: int) -> tuple[float, float]:
    """From where to where the bracket of a loop goes, as shares of the width."""
    pixels = np.rint(imread(path)[..., :3] * 255).astype(np.uint8)
    coloured = np.flatnonzero((pixels == rgb(track_colour(number - 1))).all(axis=2).any(axis=0))
    width = WIDTH - LEFT - RIGHT
    return (coloured[0] - LEFT) / width, (coloured[-1] + 1 - LEFT) / width


def test_loops_are_marked_where_they_are_also_where_they_overlap(tmp_path: Path) -> None:
    marks = [LoopMark(1, 2.0, 4.0), LoopMark(2, 3.0, 7.0)]
    draw_loops(tmp_path / "a.png", "Loops", NOISE, RATE_HZ, np.arange(6) * 2.0, marks)
    for mark in marks:
        assert np.allclose(columns_of(tmp_path / "a.png", mark.number), (mark.start / 10, mark.end / 10), atol=0.003)


def test_the_same_record_gives_the_same_bytes_and_long_ones_more_rows(tmp_path: Path) -> None:
    for name in ("a", "b"):
        draw_loops(tmp_path / f"{name}.png", "Loops", NOISE, RATE_HZ, np.arange(6) * 2.0, [])
    draw_loops(
        tmp_path / "long.png", "Loops", np.tile(NOISE, 9), RATE_HZ, np.arange(46) * 2.0, [LoopMark(1, 39.0, 41.0)]
    )
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert imread(tmp_path / "long.png").shape[0] > 2 * imread(tmp_path / "a.png").shape[0]

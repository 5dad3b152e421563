from pathlib import Path

import numpy as np
from matplotlib.image import imread

from pipeline.drawing.palette import rgb
from pipeline.drawing.sample_matches import HEIGHT, LEFT, PLAYS, RIGHT, WIDTH, draw_sample_match


def bright_columns(path: Path) -> np.ndarray:
    """The share of the song, from its beginning, at which columns are bright."""
    pixels = np.rint(imread(path)[:, :, :3] * 255).astype(int)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    columns = np.flatnonzero((pixels == rgb(PLAYS)).all(axis=2).sum(axis=0) > HEIGHT / 4)
    return (columns - LEFT) / (WIDTH - LEFT - RIGHT)


def test_the_picture_is_bright_where_the_sample_plays(tmp_path: Path) -> None:
    curve = [0.0] * 40 + [1.0] * 20 + [0.1] * 40
    lines = np.arange(0, 41, 2.0).tolist()
    draw_sample_match(tmp_path / "a.png", curve, 0.5, 40.0, lines, is_sure=True)
    bright = bright_columns(tmp_path / "a.png")
    assert 0.38 < bright.min() < 0.42 and 0.58 < bright.max() < 0.62
    draw_sample_match(tmp_path / "b.png", curve, 0.5, 40.0, lines, is_sure=False)
    assert not len(bright_columns(tmp_path / "b.png"))

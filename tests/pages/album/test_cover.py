"""The cover: made of the music, and readable whatever the title is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gan.spec import RollSpec, Track
from pipeline.drawing.palette import rgb
from pipeline.pages.album.cover import SIZE, draw_cover, theme_of
from tests.drawing.pictures import SPEC, a_phrase, pixels, silence


def test_the_cover_follows_the_music(tmp_path: Path) -> None:
    covers: dict[str, bytes] = {}
    for name, seed, song in (("one", 1, 1), ("again", 1, 1), ("other", 1, 2), ("colours", 2, 1)):
        draw_cover(tmp_path / f"{name}.png", [a_phrase(song)], "Salt on the Window", "AlbumGAN", seed)
        covers[name] = (tmp_path / f"{name}.png").read_bytes()
    assert covers["one"] == covers["again"]
    assert len(set(covers.values())) == 3
    image = pixels(tmp_path / "one.png")
    assert image.shape == (SIZE, SIZE, 3)
    assert image.std() > 20


@pytest.mark.parametrize(
    "title", ["X", "One Two Three Four Five Six Seven Eight Nine Ten " * 2, "$a_1$ 雨 \\n", "W" * 80]
)
def test_any_title_fits_the_cover(title: str, tmp_path: Path) -> None:
    draw_cover(tmp_path / "cover.png", [a_phrase(1)], title, "Nobody", 1)
    image = pixels(tmp_path / "cover.png").astype(int)
    edge = image[: SIZE // 3, -40:]
    assert (edge == edge[0, 0]).all(), "no letter touches the right edge"


@pytest.mark.parametrize("spec", [SPEC, RollSpec((Track("Drums", is_drum=True),))], ids=["voices", "drums"])
def test_silence_has_a_cover_of_even_threads(spec: RollSpec, tmp_path: Path) -> None:
    planes = silence(spec)
    draw_cover(tmp_path / "cover.png", [planes], "", "", 1)
    theme, dark = theme_of([planes], 1)
    assert not dark
    is_paper = (pixels(tmp_path / "cover.png") == rgb(theme.paper)).all(-1)
    assert is_paper[:, 0].any() and not is_paper.all(axis=1).all(), "threads on paper"
    crossed = is_paper.sum(1)
    assert np.ptp(crossed[crossed < SIZE]) < SIZE / 20, "each lies level"

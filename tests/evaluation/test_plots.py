"""Pictures of the yardstick: what they count, that they follow their data, and that anything missing is fine."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from numpy.typing import NDArray

from gan.metrics.distances import histogram_overlap
from pipeline.drawing.palette import TRACK_COLOURS, rgb
from pipeline.evaluation.plot_style import LOOKS
from pipeline.evaluation.plots import (
    FIGURES_BOX,
    PANEL_SIZE,
    PANEL_TOP,
    FigureRow,
    Panel,
    _distances,
    draw_distributions,
    draw_figures,
    histograms,
    overlap,
)
from pipeline.evaluation.ranking import Curve, Estimate, RankedRun
from pipeline.pages.ranking import RANKING_BOX, _apart, draw_learning_of_runs, draw_ranking

RANDOM = np.random.default_rng(0)
PANELS = [
    Panel(f"track {number} onsets", {key: RANDOM.normal(place, 1, 200) for place, key in enumerate(LOOKS)})
    for number in range(7)
]
ROWS = [
    FigureRow("empty bars", "Bass", {"test": Estimate(0.2, 0.18, 0.22), "generated": Estimate(0.4, 0.35, 0.45)}, 0.1),
    FigureRow("empty bars", "Piano", {"test": Estimate(0.2), "generated": Estimate(0.1), "random": Estimate(9.0)}, 0.1),
    FigureRow("scale", "", {"test": Estimate(0.9, 0.8, 1.0), "training": Estimate(0.9)}, 0.05),
]
CURVE = Curve([1.0, 2.0, 3.0], [0.3, 0.6, 0.5], kept=1)
RUNS = [
    RankedRun("sweep/1", 2, Estimate(0.5, 0.4, 0.6), Estimate(0.4, 0.3, 0.5), curve=CURVE),
    RankedRun("sweep/0", 1, Estimate(0.8, 0.7, 0.9), Estimate(0.7), curve=Curve([1.0], [0.7])),
    RankedRun("a folder $x_1$", 3, Estimate(None), Estimate(None)),
]


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


def test_distributions_are_small_multiples(tmp_path: Path) -> None:
    draw_distributions(tmp_path / "seven.png", PANELS, "title")
    height, width, _ = pixels(tmp_path / "seven.png").shape
    assert width == 6 * PANEL_SIZE[0] + 32
    assert height == PANEL_TOP + 2 * PANEL_SIZE[1] + 8, "the seventh panel starts a second row"
    same_and_other(tmp_path, lambda path, which: draw_distributions(path, PANELS[which : which + 1], "title"))


def test_the_number_of_a_panel_is_the_overlap_of_the_yardstick() -> None:
    generated, test = RANDOM.gamma(2, 3, 512).astype(np.float32), RANDOM.gamma(3, 2, 355).astype(np.float32)
    with_gaps = np.concatenate([generated, [np.nan]]).astype(np.float32)
    _, shares = histograms(Panel("length", {"test": test, "generated": with_gaps, "random": test + 100}))
    assert overlap(shares) == pytest.approx(histogram_overlap(torch.from_numpy(with_gaps), torch.from_numpy(test)))
    assert shares["random"][-1] == 1, "values beyond the grid fall into the end bin"


@pytest.mark.parametrize("sets", [{}, {"test": [], "generated": [math.nan]}, {"test": [1.0]}, {"generated": [2, 2, 2]}])
def test_panels_without_values_are_drawn_and_have_no_overlap(sets: dict[str, list[float]], tmp_path: Path) -> None:
    panel = Panel("$x_1$ \\n", sets)
    assert overlap(histograms(panel)[1]) is None
    draw_distributions(tmp_path / "x.png", [panel], "")
    assert pixels(tmp_path / "x.png").std() > 1


def test_distances_count_the_spread_of_the_test_songs() -> None:
    assert _distances(ROWS[0])["generated"] == pytest.approx((2.0, 1.5, 2.5))
    assert _distances(ROWS[1])["generated"][0] == pytest.approx(-1.0)
    never = FigureRow("x", "", {"test": Estimate(0.0), "training": Estimate(0.0), "random": Estimate(0.1)}, 0.0)
    assert _distances(never)["training"][0] == 0
    assert _distances(never)["random"][0] == math.inf
    assert _distances(FigureRow("x", "", {"generated": Estimate(1.0)}, 1.0)) == {}


def test_a_dot_lies_on_the_side_where_the_figure_is(tmp_path: Path) -> None:
    left, top, right = FIGURES_BOX
    middle = (left + right) / 2
    sides = []
    for number in (0, 1):
        draw_figures(tmp_path / "row.png", ROWS[number : number + 1], "title")
        field = pixels(tmp_path / "row.png")[top + 1 : -36, left:right]
        sides.append(float(where(field, LOOKS["generated"].colour).mean() + left - middle))
    assert sides[0] > 0 > sides[1], "more empty bars than the test songs, and fewer"
    same_and_other(tmp_path, lambda path, which: draw_figures(path, ROWS[which:], "title"))


@pytest.mark.parametrize("rows", [[], [FigureRow("x" * 60, "y" * 60, {}, math.nan)], ROWS * 20], ids=len)
def test_any_number_of_figures_is_drawn(rows: list[FigureRow], tmp_path: Path) -> None:
    draw_figures(tmp_path / "figures.png", rows, "title " * 10)
    assert pixels(tmp_path / "figures.png").std() > 1


def test_a_better_run_lies_further_right(tmp_path: Path) -> None:
    left, top, right = RANKING_BOX
    draw_ranking(tmp_path / "ranking.png", RUNS, "title")
    image = pixels(tmp_path / "ranking.png")
    rows = [image[top + 34 * row : top + 34 * (row + 1), left:right] for row in range(3)]
    first, second = (float(where(row, LOOKS["generated"].colour).mean()) for row in rows[:2])
    assert first > second + 100
    assert not len(where(rows[2], LOOKS["generated"].colour)), "a run without a figure has no mark"
    same_and_other(tmp_path, lambda path, which: draw_ranking(path, RUNS[which:], "title"))


def test_learning_curves_of_many_runs_fade_after_the_twelfth(tmp_path: Path) -> None:
    many = [RankedRun(f"sweep/{n}", n + 1, Estimate(0.5), Estimate(0.5), curve=CURVE) for n in range(14)]
    shapes = set()
    for name, runs in (("few", RUNS), ("many", many), ("none", [])):
        draw_learning_of_runs(tmp_path / f"{name}.png", runs, "title", floor=0.9)
        shapes.add(pixels(tmp_path / f"{name}.png").shape)
    assert len(shapes) == 1
    few = pixels(tmp_path / "few.png")
    assert len(where(few, TRACK_COLOURS[0]))
    assert len(where(few, TRACK_COLOURS[1]))
    same_and_other(tmp_path, lambda path, which: draw_learning_of_runs(path, RUNS[which:], "title"))


def test_names_beside_curves_never_touch() -> None:
    placed = _apart([100, 101, 99, 300, 480], least=20, room=480)
    assert sorted(placed) == pytest.approx([99, 119, 139, 300, 480])
    assert placed[2] < placed[0] < placed[1], "the order of the curves is kept"
    assert np.diff(sorted(_apart([470.0] * 5, least=20, room=480))).min() >= 20

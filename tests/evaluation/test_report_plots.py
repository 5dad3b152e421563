"""Pictures of the evaluator: what they count, that they follow their data, and that anything missing is fine."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.metrics.distances import histogram_overlap
from pipeline.evaluation.plot_style import PLOT_STYLES
from pipeline.evaluation.ranking import Estimate
from pipeline.evaluation.report_plots import (
    FIGURES_BOX,
    PANEL_SIZE,
    PANEL_TOP,
    FeaturePanel,
    FigureRow,
    _distances,
    draw_accompaniments,
    draw_densities,
    draw_distributions,
    draw_figures,
    panel_histograms,
    panel_overlap,
    row_name,
)
from tests.evaluation.conftest import Accompanied, Controlled
from tests.evaluation.generators import SPEC
from tests.evaluation.picture_checks import pixels, same_and_other, where

RANDOM = np.random.default_rng(0)
PANELS = [
    FeaturePanel(f"track {number} onsets", {key: RANDOM.normal(place, 1, 200) for place, key in enumerate(PLOT_STYLES)})
    for number in range(7)
]
ROWS = [
    FigureRow("empty bars", "Bass", {"test": Estimate(0.2, 0.18, 0.22), "generated": Estimate(0.4, 0.35, 0.45)}, 0.1),
    FigureRow("empty bars", "Piano", {"test": Estimate(0.2), "generated": Estimate(0.1), "random": Estimate(9.0)}, 0.1),
    FigureRow("scale", "", {"test": Estimate(0.9, 0.8, 1.0), "training": Estimate(0.9)}, 0.05),
]


def test_distributions_are_small_multiples(tmp_path: Path) -> None:
    draw_distributions(tmp_path / "seven.png", PANELS, "title")
    height, width, _ = pixels(tmp_path / "seven.png").shape
    assert width == 6 * PANEL_SIZE[0] + 32
    assert height == PANEL_TOP + 2 * PANEL_SIZE[1] + 8, "the seventh panel starts a second row"
    same_and_other(tmp_path, lambda path, which: draw_distributions(path, PANELS[which : which + 1], "title"))


def test_the_number_of_a_panel_is_the_overlap_of_the_evaluator() -> None:
    random = np.random.default_rng(1)
    generated, test = random.gamma(2, 3, 512).astype(np.float32), random.gamma(3, 2, 355).astype(np.float32)
    with_gaps = np.concatenate([generated, [np.nan]]).astype(np.float32)
    _, shares = panel_histograms(FeaturePanel("length", {"test": test, "generated": with_gaps, "random": test + 100}))
    expected = histogram_overlap(torch.from_numpy(with_gaps), torch.from_numpy(test))
    assert panel_overlap(shares) == pytest.approx(expected)
    assert shares["random"][-1] == 1, "values beyond the grid fall into the end bin"


@pytest.mark.parametrize("sets", [{}, {"test": [], "generated": [math.nan]}, {"test": [1.0]}, {"generated": [2, 2, 2]}])
def test_panels_without_values_are_drawn_and_have_no_overlap(sets: dict[str, list[float]], tmp_path: Path) -> None:
    panel = FeaturePanel("$x_1$ \\n", sets)
    assert panel_overlap(panel_histograms(panel)[1]) is None
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
        sides.append(float(where(field, PLOT_STYLES["generated"].colour).mean() + left - middle))
    assert sides[0] > 0 > sides[1], "more empty bars than the test songs, and fewer"
    same_and_other(tmp_path, lambda path, which: draw_figures(path, ROWS[which:], "title"))


@pytest.mark.parametrize("rows", [[], [FigureRow("x" * 60, "y" * 60, {}, math.nan)], ROWS * 20], ids=len)
def test_any_number_of_figures_is_drawn(rows: list[FigureRow], tmp_path: Path) -> None:
    draw_figures(tmp_path / "figures.png", rows, "title " * 10)
    assert pixels(tmp_path / "figures.png").std() > 1


def test_rows_of_a_picture_name_what_the_family_does_not() -> None:
    assert row_name("empty_bars/Piano", "empty bars") == "Piano"
    assert row_name("in_best_scale/Piano", "scale") == "in best scale, Piano"
    assert row_name("repetition_any", "repetition") == "repetition any"
    assert row_name("groove", "groove") == ""


def test_pictures_of_requests_show_what_was_generated(
    accompanied: Accompanied, controlled: Controlled, tmp_path: Path
) -> None:
    for name in ("responsive", "indifferent"):
        draw_accompaniments(tmp_path / f"pair-{name}.png", accompanied[name][0], SPEC, "mine")
        draw_densities(tmp_path / f"density-{name}.png", controlled[name][0], SPEC, "mine")
    for kind in ("pair", "density"):
        images = [pixels(tmp_path / f"{kind}-{name}.png") for name in ("responsive", "indifferent")]
        assert images[0].shape == images[1].shape
        assert (images[0] != images[1]).any()

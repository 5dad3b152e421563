"""Learning curves: every figure has its panel, what was asked of other text and real songs is drawn beside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.drawing.learning_curves import LANGUAGE_SIZE, draw_language_model_curves, draw_learning_curves
from pipeline.drawing.palette import TRACK_COLOURS, rgb
from tests.drawing.pictures import pixels

RECORDS: list[Mapping[str, Any]] = [
    {
        "step": step,
        "seconds": step * 0.1,
        "generator_loss": 2.0 - step / 1000,
        "discriminator_loss": 1.0,
        "overlap": step / 1000,
        "rates": {"Soprano": 3.0, "Bass": float("nan")},
        "warnings": ["x"],
    }
    for step in range(25, 1000, 25)
]


def test_learning_curves_show_figures_and_the_data(tmp_path: Path) -> None:
    draw_learning_curves(tmp_path / "without.png", RECORDS, {})
    draw_learning_curves(tmp_path / "with.png", RECORDS, {"overlap": 0.9})
    without, with_data = pixels(tmp_path / "without.png"), pixels(tmp_path / "with.png")
    assert without.shape == with_data.shape == (300, 3 * 480 + 40, 3)
    changed = (without != with_data).any(-1)
    assert changed[:, :500].any(), "a reference line in the overlap's panel"
    assert not changed[60:, 540:].any(), "and in no other"
    fewer = [{key: value for key, value in record.items() if key != "overlap"} for record in RECORDS]
    draw_learning_curves(tmp_path / "fewer.png", fewer, {})
    assert pixels(tmp_path / "fewer.png").shape == (300, 2 * 480 + 40, 3)


@pytest.mark.parametrize("records", [[], [{"step": 25}], [{"step": 25, "loss": 1.0}], [{"loss": float("inf")}]])
def test_learning_curves_of_almost_nothing(records: list[Mapping[str, Any]], tmp_path: Path) -> None:
    draw_learning_curves(tmp_path / "learning.png", records, {"loss": 1.0})
    image = pixels(tmp_path / "learning.png")
    assert image.shape == (300, 480 + 40, 3)
    assert (image[10:40, :200].max(-1) > 150).any(), "what there is to say stands above"


def test_a_language_model_sinks_towards_the_line_of_another(tmp_path: Path) -> None:
    records = [{"step": step, "training_bits": 3 - step / 100, "validation_bits": 3.1 - step / 100} for step in (0, 99)]
    draw_language_model_curves(tmp_path / "learning.png", records, {"trigram": 2.5})
    draw_language_model_curves(tmp_path / "alone.png", records, {})
    image, alone = pixels(tmp_path / "learning.png"), pixels(tmp_path / "alone.png")
    assert image.shape == alone.shape == (LANGUAGE_SIZE[1], LANGUAGE_SIZE[0], 3)
    for index in (0, 1):
        rows, columns = np.nonzero((np.abs(image.astype(int) - rgb(TRACK_COLOURS[index])).max(-1) < 12)[60:400, :780])
        assert rows[columns.argmin()] < rows[columns.argmax()], "bits fall from left to right"
        assert np.ptp(columns) > 600
    named = (image[:, 785:] != alone[:, 785:]).any(-1)
    assert named.any(), "the other is named beside its line"

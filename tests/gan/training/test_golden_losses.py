"""Ten steps of the small trainer against losses that were written down once (`golden_losses.json`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trainer_makers import make_trainer, train

GOLDEN = json.loads((Path(__file__).parent / "golden_losses.json").read_text())
TOLERANCE = {"rel": 0.01, "abs": 2e-3}
"""Another processor rounds otherwise, which grows in ten steps."""


@pytest.mark.parametrize("shared_gradient", [True, False])
def test_the_losses_of_ten_steps_are_as_written_down(shared_gradient: bool) -> None:
    lines = train(make_trainer(shared_gradient=shared_gradient, max_transposition=2), steps=10)
    assert len(lines) == len(GOLDEN) == 10
    for line, golden in zip(lines, GOLDEN, strict=True):
        assert {name: line[name] for name in golden} == pytest.approx(golden, **TOLERANCE)

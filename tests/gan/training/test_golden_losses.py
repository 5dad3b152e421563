"""Ten steps of the small trainer against losses that were written down once (`golden_losses.json`)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.trainer_makers import make_trainer, train

GOLDEN = json.loads((Path(__file__).parent / "golden_losses.json").read_text())
TOLERANCE = {"rel": 0.01, "abs": 2e-3}
"""Another processor rounds otherwise, which grows in ten steps."""


def test_the_losses_of_ten_steps_are_as_written_down() -> None:
    """Three of likelihood alone, then with the discriminator."""
    lines = train(make_trainer(max_transposition=2), steps=10)
    assert len(lines) == len(GOLDEN) == 10
    for line, golden in zip(lines, GOLDEN, strict=True):
        assert {name: line[name] for name in golden} == pytest.approx(golden, **TOLERANCE)

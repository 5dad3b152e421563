"""Stems that are taken away: none is clipped, and beside each other they are as loud as in the mix."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.audio.synthesizers import Sound
from pipeline.studio.server.downloads import LOUDEST, within_full_scale


def stem(peak: float) -> Sound:
    return np.full((8, 2), peak, np.float32)


def test_stems_over_full_scale_are_all_made_as_much_softer() -> None:
    found = within_full_scale({"Drums": stem(-1.5), "Bass": stem(0.5)})
    assert found["Drums"].min() == pytest.approx(-LOUDEST)
    assert found["Bass"].max() / -found["Drums"].min() == pytest.approx(1 / 3)


def test_stems_within_full_scale_stay_as_they_are() -> None:
    stems = {"Drums": stem(1.0), "Bass": stem(0.5)}
    assert within_full_scale(stems) is stems
    assert within_full_scale({}) == {}

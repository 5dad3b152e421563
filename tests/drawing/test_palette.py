"""Colours of tracks differ for all eyes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.drawing.palette import SURFACE, TRACK_COLOURS, rgb


def seen_by(kind: str, colour: str) -> NDArray[np.float64]:
    """Linear RGB as protanopes or deuteranopes see it (Machado, Oliveira and Fernandes 2009, severity 1)."""
    matrices = {
        "all": np.eye(3),
        "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    }
    return np.clip(np.asarray(matrices[kind]) @ (rgb(colour) / 255.0) ** 2.2, 0, 1)


@pytest.mark.parametrize("kind", ["all", "protan", "deutan"])
def test_tracks_stay_apart_for_colour_blind_eyes(kind: str) -> None:
    seen = [seen_by(kind, colour) ** (1 / 2.2) for colour in (*TRACK_COLOURS[:6], SURFACE)]
    for one, other in itertools.combinations(range(len(seen)), 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 0.2, (one, other)

"""Rolls to draw, and the pixels of pictures, for the tests of what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.image import imread
from numpy.typing import NDArray

from gan.spec import HOLD, ONSET, RollSpec, Track
from pipeline.drawing.palette import SURFACE, rgb
from pipeline.scores.notes import Planes

SPEC = RollSpec((Track("Soprano"), Track("Bass")), num_pitches=48, lowest_pitch=36)
BAND = RollSpec((Track("Drums", is_drum=True), Track("Piano")), num_pitches=48, lowest_pitch=36)
Pixels = NDArray[np.uint8]


def silence(spec: RollSpec = SPEC, bars: int = 4) -> Planes:
    return np.zeros((2, spec.num_tracks, bars, spec.steps_per_bar, spec.num_pitches), dtype=bool)


def add(planes: Planes, track: int, pitch: int, bar: int, step: int, length: int) -> None:
    """One note of a MIDI pitch."""
    flat = planes.reshape(*planes.shape[:2], -1, planes.shape[-1])
    start = bar * planes.shape[3] + step
    flat[ONSET, track, start, pitch - 36] = True
    flat[HOLD, track, start + 1 : start + length, pitch - 36] = True


def pixels(path: Path) -> Pixels:
    return np.asarray(np.round(imread(path)[..., :3] * 255), dtype=np.uint8)


def near(image: Pixels, colour: str) -> NDArray[np.bool_]:
    """Where the image has the hue of a track: its body, darker than its pure colour."""
    body = rgb(colour) * 0.82 + rgb(SURFACE) * 0.18
    return np.asarray(np.abs(image - body).max(-1) <= 2)


def a_phrase(seed: int) -> Planes:
    random = np.random.default_rng(seed)
    planes = silence()
    for track, low in ((0, 60), (1, 40)):
        for beat in range(16):
            add(planes, track, low + int(random.integers(12)), beat // 4, beat % 4 * 4, 4)
    return planes

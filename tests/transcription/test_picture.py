"""The picture of a transcription."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.drawing.palette import rgb, track_colour
from pipeline.scores.chords.symbols import read_progression
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.picture import (
    CHORD_LINE,
    LEFT,
    RIGHT,
    ROW_SECONDS,
    WIDTH,
    doubtful_seconds,
    draw_transcription,
)
from tests.sound_makers import melody, timed_hits, timed_notes, transcribed


def test_notes_and_hits_begin_where_they_are_played(tmp_path: Path) -> None:
    notes = timed_notes((0.4, 0.9, 60, 90), (5.0, 5.4, 64, 90), (0.4, 1.4, 40, 90))
    beats = Beats(0.4 + 0.5 * np.arange(12), 4)
    transcription = transcribed(notes, timed_hits((10.0, 36)), beats, "Piano", 12.0)
    draw_transcription(tmp_path / "a.png", melody([60, 64]), transcription, "mine")
    pixels = np.rint(255 * matplotlib.image.imread(tmp_path / "a.png")[60:, LEFT:, :3])
    assert pixels.shape[1] == WIDTH - LEFT
    for index, played in ((0, [10.0]), (1, [0.4]), (2, [0.4, 5.0])):  # drums, bass, piano
        columns = np.flatnonzero((pixels == rgb(track_colour(index))).all(axis=-1).any(axis=0))
        begins = columns[np.diff(columns, prepend=-9) > 1] / (WIDTH - LEFT - RIGHT) * ROW_SECONDS
        np.testing.assert_allclose(begins, played, atol=0.02)


def red_beside_blue(path: Path) -> NDArray[np.float64]:
    """How much more red than blue the columns of a picture's rows have, on average."""
    pixels = 255 * matplotlib.image.imread(path)[64:, LEFT : WIDTH - RIGHT, :3]
    return np.asarray((pixels[..., 0] - pixels[..., 2]).mean(axis=0), float)


def test_bars_that_were_heard_badly_are_shaded_and_chords_have_a_line_above(tmp_path: Path) -> None:
    notes = timed_notes((0.5, 0.9, 60, 90), (5.0, 5.4, 64, 90))
    beats = Beats(0.5 + 0.5 * np.arange(17), 4)
    plain = transcribed(notes, timed_hits(), beats, "Piano", 12.0)
    badly = replace(plain, confidence=np.array([0.9, 0.49, 0.5]))
    assert doubtful_seconds(plain) == [] and doubtful_seconds(badly) == [(2.5, 4.5)]
    for name, one in (("plain", plain), ("badly", badly)):
        draw_transcription(tmp_path / name, melody([60, 64]), one, "mine")
    shaded = np.flatnonzero(np.abs(red_beside_blue(tmp_path / "badly") - red_beside_blue(tmp_path / "plain")) > 5)
    seconds = shaded / (WIDTH - LEFT - RIGHT) * ROW_SECONDS
    assert (seconds[0], seconds[-1]) == (pytest.approx(2.5, abs=0.02), pytest.approx(4.5, abs=0.02))
    assert np.diff(shaded).max() <= 2, "but for the lines of beats"
    named = replace(badly, chords=read_progression("Am F C"), chord_confidence=np.ones(6))
    draw_transcription(tmp_path / "named", melody([60, 64]), named, "mine")
    heights = [len(matplotlib.image.imread(tmp_path / name)) for name in ("badly", "named")]
    assert heights[1] == heights[0] + CHORD_LINE

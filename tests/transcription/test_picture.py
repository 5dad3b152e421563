"""The picture of a transcription."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np

from pipeline.drawing.palette import rgb, track_colour
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.picture import LEFT, RIGHT, ROW_SECONDS, WIDTH, draw_transcription
from pipeline.transcription.transcriber import on_beats
from tests.sound_makers import melody, timed_hits, timed_notes


def test_notes_and_hits_begin_where_they_are_played(tmp_path: Path) -> None:
    notes = timed_notes((0.4, 0.9, 60, 90), (5.0, 5.4, 64, 90), (0.4, 1.4, 40, 90))
    beats = Beats(0.4 + 0.5 * np.arange(12), 4)
    transcription = on_beats(notes, timed_hits((10.0, 36)), beats, "Piano", 12.0)
    draw_transcription(tmp_path / "a.png", melody([60, 64]), transcription, "mine")
    pixels = np.rint(255 * matplotlib.image.imread(tmp_path / "a.png")[60:, LEFT:, :3])
    assert pixels.shape[1] == WIDTH - LEFT
    for index, played in ((0, [10.0]), (1, [0.4]), (2, [0.4, 5.0])):  # drums, bass, piano
        columns = np.flatnonzero((pixels == rgb(track_colour(index))).all(axis=-1).any(axis=0))
        begins = columns[np.diff(columns, prepend=-9) > 1] / (WIDTH - LEFT - RIGHT) * ROW_SECONDS
        np.testing.assert_allclose(begins, played, atol=0.02)

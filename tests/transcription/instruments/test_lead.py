"""The path of the tune: near rather than far, and silent where nothing leads."""

from __future__ import annotations

import numpy as np

from pipeline.transcription.instruments.lead import melody_path, melody_segments


def posterior(rows: list[tuple[int, int, int, float]], steps: int = 40) -> np.ndarray[tuple[int, int], np.dtype]:
    found = np.full((steps, 88), 0.01, np.float32)
    for first, past, pitch, value in rows:
        found[first:past, pitch] = value
    return found


def test_one_flicker_an_octave_above_does_not_lead_the_tune_away() -> None:
    path = melody_path(posterior([(0, 20, 40, 0.7), (8, 9, 52, 0.9)]))
    assert path[:20].tolist() == [40] * 20


def test_a_lasting_note_elsewhere_is_followed() -> None:
    path = melody_path(posterior([(0, 10, 40, 0.8), (10, 20, 52, 0.9)]))
    assert path[:20].tolist() == [40] * 10 + [52] * 10


def test_nothing_leads_where_nothing_is_likely() -> None:
    path = melody_path(posterior([(0, 10, 40, 0.8), (30, 40, 43, 0.8)]))
    assert set(path[10:30]) == {-1}
    assert melody_segments(path).tolist() == [[0, 10, 40], [30, 40, 43]]


def test_no_steps_have_no_path() -> None:
    assert melody_segments(melody_path(np.zeros((0, 88), np.float32))).shape == (0, 3)

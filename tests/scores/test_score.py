import pytest

from pipeline.scores.score import Metre, Score
from tests.music_makers import part


def test_mean_tempo_weighs_tempos_by_time() -> None:

    piece = Score("x", (part([(0, 8, 60)]),), (Metre(0, 4, 4),), ((0.0, 60.0), (4.0, 120.0)))
    assert piece.mean_bpm == pytest.approx(8 / (4 / 60 + 4 / 120))

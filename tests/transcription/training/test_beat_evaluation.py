"""Scores of beats and bars that were found."""

from __future__ import annotations

import pytest

from pipeline.errors import UserError
from pipeline.transcription.beats.grid import Beats
from pipeline.transcription.training.beat_evaluation import LEAST_BARS_F1, main, score_beats, summary
from tests.transcription.training.pieces import piece


def test_the_true_beats_are_right_in_everything() -> None:
    known = piece()
    scores = score_beats(Beats(known.beats, 4), known)
    assert (scores.beats_f1, scores.bars_f1, scores.is_metre_right) == (1, 1, True)
    assert scores.is_tempo_right and scores.is_octave_of_tempo
    assert "bars right in 100.0% of 1" in summary("all", [scores])


def test_every_second_beat_is_an_octave_off_and_its_bars_are_wrong() -> None:
    known = piece()
    scores = score_beats(Beats(known.beats[::2], 4), known)
    assert scores.ratio == pytest.approx(0.5)
    assert scores.is_octave_of_tempo and not scores.is_tempo_right
    assert scores.beats_f1 == pytest.approx(2 / 3, abs=0.02)
    assert scores.bars_f1 is not None and scores.bars_f1 < LEAST_BARS_F1


def test_bars_that_begin_a_beat_late_are_wrong_and_unknown_ones_are_not_counted() -> None:
    known = piece()
    assert score_beats(Beats(known.beats[1:], 4), known).bars_f1 == 0
    blind = type(known)(known.notes, known.hits, known.beats, 4, True, False)
    assert score_beats(Beats(known.beats, 4), blind).bars_f1 is None


def test_a_folder_that_is_none_gets_one_sentence() -> None:
    with pytest.raises(UserError, match="nowhere is no folder"):
        main(["--midi", "nowhere", "--soundfont", "x.sf2"])

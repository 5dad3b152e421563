"""Features of windows and of phrases, as a musician counts them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.evaluation.note_features.lines import FeatureMatrix, TrackTraits, read_lines
from pipeline.evaluation.note_features.phrases import phrase_features
from pipeline.evaluation.note_features.windows import window_features
from tests.evaluation.note_features.phrases import BASS, LEAD, SPEC, Note, quarters, roll

VOICES = TrackTraits((False, False), (0, 1), ((0, 2),))
CHORDS = TrackTraits((True, False), (1,), ((0, 2),))


def column(matrix: FeatureMatrix, name: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return matrix.values[:, matrix.names.index(name)]


def of_windows(notes: list[Note], traits: TrackTraits = VOICES) -> FeatureMatrix:
    return window_features(read_lines(roll(notes)[None], SPEC), traits)


def of_phrases(notes: list[Note], traits: TrackTraits = VOICES) -> FeatureMatrix:
    return phrase_features(read_lines(roll(notes)[None], SPEC), traits)


def test_a_window_lies_around_each_beat_but_the_first() -> None:
    matrix = of_windows(quarters(LEAD, [60, 62, 64, 60]) + quarters(BASS, [48, 48, 48, 36]))
    assert len(matrix.values) == 7
    assert column(matrix, "Lead move")[:3].tolist() == [2, 2, -4]
    assert column(matrix, "Lead pitch class")[:3].tolist() == [2, 4, 0]
    assert column(matrix, "Lead-Bass interval")[:3].tolist() == [14, 16, 24]
    assert column(matrix, "Lead begins on the beat").tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert np.isnan(column(matrix, "Lead move")[3:]).all(), "a silent track has no moves"
    assert column(matrix, "beat of the bar").tolist() == [1, 2, 3, 0, 1, 2, 3]


def test_drums_are_read_as_onset_patterns() -> None:
    matrix = of_windows([(0, 4, 1, 36), (0, 6, 1, 36), (0, 7, 1, 38)])
    assert column(matrix, "Drums pattern")[0] == 0b1011
    assert column(matrix, "Drums 36 pattern")[0] == 0b1010
    assert column(matrix, "Drums 38 pattern")[0] == 0b0001
    assert column(matrix, "Drums 36 pattern of the beat before")[1] == 0b1010


def test_chord_tracks_have_a_bottom_line_and_clashes_of_a_semitone() -> None:
    matrix = of_windows([(LEAD, 4, 4, 60), (LEAD, 4, 4, 64), (BASS, 4, 4, 53)], CHORDS)
    assert column(matrix, "Lead span")[0] == 4
    assert column(matrix, "Lead notes at the beat")[0] == 2
    assert column(matrix, "Lead-Bass semitones")[0] == 1, "E against F"
    assert column(matrix, "pitch classes")[0] == 3


def test_shares_of_moves_are_of_the_moves() -> None:
    matrix = of_phrases(quarters(LEAD, [60, 62, 62, 71, 64]))
    assert column(matrix, "Lead moves by a tone")[0] == pytest.approx(1 / 4)
    assert column(matrix, "Lead repeated notes")[0] == pytest.approx(1 / 4)
    assert column(matrix, "Lead moves by a sixth or seventh")[0] == pytest.approx(1 / 4)
    assert column(matrix, "Lead two leaps running")[0] == pytest.approx(1 / 4)
    assert column(matrix, "Lead beats")[0] == 1, "a beat from onset to onset"
    assert column(matrix, "Lead range")[0] == 11
    assert column(matrix, "Bass repeated notes")[0] == 0, "a silent track has none"


def test_parallel_fifths_are_seen_where_both_lines_move() -> None:
    fifths = quarters(LEAD, [67, 69, 69, 71]) + quarters(BASS, [60, 62, 62, 67])
    assert column(of_phrases(fifths), "Lead-Bass parallels")[0] == 1
    assert column(of_phrases(fifths), "Lead-Bass crossed")[0] == 0

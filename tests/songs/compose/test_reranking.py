"""Reranking: silence where the data has none, and the mode of a phrase."""

from __future__ import annotations

import numpy as np

from gan.spec import RollSpec, Track
from gan.statistics import DataStatistics
from pipeline.scores.keys import Key
from pipeline.scores.notes import make_notes, roll_from_notes
from pipeline.songs.compose.reranking import count_silences, mode_fit


def test_phrases_with_a_silent_track_count_as_faulty_where_the_data_has_none() -> None:
    others = set(DataStatistics.__dataclass_fields__) - {"num_phrases", "empty_bars"}
    statistics = DataStatistics(num_phrases=1, empty_bars=[0.0, 0.5], **{name: [] for name in others})
    planes = np.zeros((3, 2, 2, 4, 16, 84), bool)
    planes[0] = True
    planes[1, 0, 0, :3] = True  # the last bar of the first track is silent
    assert count_silences(planes, statistics).tolist() == [0, 1, 5]


def test_the_mode_is_told_by_the_notes() -> None:
    spec = RollSpec((Track("Piano"),))
    rolls = []
    for pitches in ((60, 64, 67, 60), (57, 60, 64, 57)):
        notes = make_notes(0, np.array(pitches), np.arange(4) * 16, 16)
        rolls.append(roll_from_notes(notes, spec, 4))
    fits = mode_fit(np.stack(rolls), Key(0, False), spec)
    assert fits[0] > 0 > fits[1]
    assert np.allclose(mode_fit(np.stack(rolls), Key(9, True), spec), -fits)

"""Musical tells: events are counted where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.evaluation.note_features.lines import TrackTraits, read_lines
from pipeline.evaluation.note_features.tells import tells_of
from tests.evaluation.note_features.phrases import BASS, LEAD, SPEC, Note, quarters, roll

VOICES = TrackTraits((False, False), (0, 1), ((),))


def means(notes: list[Note]) -> dict[str, float]:
    events = tells_of(read_lines(roll(notes)[None], SPEC), VOICES)
    return {key: float(np.nanmean(one)) if not np.isnan(one).all() else float("nan") for key, one in events.items()}


def test_leaps_are_wider_than_a_fifth_and_steps_no_wider_than_a_tone() -> None:
    found = means(quarters(LEAD, [60, 62, 69, 69, 61]))
    assert found["leaps/Lead"] == pytest.approx(1 / 3), "of three moves to another pitch one is a sixth"
    assert found["steps/Lead"] == pytest.approx(1 / 3)
    assert found["repeated notes/Lead"] == pytest.approx(1 / 4)
    assert np.isnan(found["leaps/Bass"]), "a silent track has no moves"


def test_parallels_are_counted_of_fifths_and_octaves_that_move_on() -> None:
    found = means(quarters(LEAD, [67, 69, 71, 67]) + quarters(BASS, [48, 50, 55, 55]))
    assert found["parallel fifths"] == pytest.approx(1 / 2), "G over C to A over D, and that one to B over G"
    assert np.isnan(found["parallel octaves"])
    assert means(quarters(LEAD, [60, 62]) + quarters(BASS, [48, 50]))["parallel octaves"] == 1


def test_voices_cross_double_and_clash() -> None:
    found = means(quarters(LEAD, [60, 50, 60, 64]) + quarters(BASS, [48, 55, 60, 53]))
    assert found["crossings/Lead-Bass"] == pytest.approx(1 / 4)
    assert found["unisons"] == pytest.approx(1 / 4)
    assert found["octaves"] == pytest.approx(1 / 4)
    assert found["semitone clashes"] == pytest.approx(1 / 4), "E over F"
    assert found["chords of two pitch classes"] == pytest.approx(1 / 2)


def test_a_first_note_of_a_single_step_is_a_stray() -> None:
    assert means([(LEAD, 0, 1, 60), (LEAD, 1, 4, 71)])["stray first notes/Lead"] == 1
    assert means([(LEAD, 0, 4, 60), (LEAD, 4, 4, 71)])["stray first notes/Lead"] == 0


def test_bars_that_return_and_tracks_that_play() -> None:
    found = means(quarters(LEAD, [60, 62, 64, 65] * 2) + quarters(BASS, [48]))
    assert found["bars alike, next/Lead"] == pytest.approx(1)
    assert found["tracks playing"] == pytest.approx(1.5)
    assert "bars alike, two apart/Lead" not in found, "of phrases of two bars"

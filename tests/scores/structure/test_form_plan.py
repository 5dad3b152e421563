"""Plans of named forms."""

from __future__ import annotations

import numpy as np

from pipeline.scores.structure.form_plan import plan_of_named_form
from pipeline.scores.structure.song_plan import NEW
from tests.songs.compose.test_sections import SPEC

RATES = np.array([12.0, 6.0, 4.0, 0.0])
SECTIONS = [("intro", 4), ("verse", 8), ("chorus", 4), ("verse", 8), ("outro", 4)]


def test_sections_of_one_role_return_note_for_note_and_others_are_new() -> None:
    plan = plan_of_named_form(SECTIONS, RATES, np.array([0.0, 0.5, 0.0, 1.0]), SPEC)
    assert plan.num_bars == 28
    assert plan.labels == (0, 1, 2, 1, 3)
    assert plan.exact[:3, 16:24].all()
    assert plan.source[1, 4] == NEW


def test_tracks_play_as_densely_as_in_the_data_and_never_where_the_data_has_none() -> None:
    plan = plan_of_named_form(SECTIONS, RATES, np.array([0.0, 0.5, 0.0, 1.0]), SPEC)
    assert plan.density[1, 6] == 12, "six notes a bar with half of the bars silent"
    assert not plan.playing[3].any()
    assert not plan.playing[0, :4].any(), "an intro has no drums"

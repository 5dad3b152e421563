"""Copies of training phrases are found in any key, and distinct phrases are counted."""

import pytest
import torch

from gan.metrics import copying
from gan.metrics.copying import copied_share, nearest_phrases, num_distinct
from tests.gan.metrics.phrase_makers import BASS, DRUMS, LEAD, SPEC, octaves, roll


def test_a_transposed_copy_is_found_with_its_shift(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(copying, "CELLS_AT_ONCE", 8 * SPEC.num_tracks * SPEC.num_steps * SPEC.num_pitches)
    training = octaves(30, 0)
    generated = roll((DRUMS, 0, 1, 36), (LEAD, 0, 4, 70), (LEAD, 8, 4, 65), (BASS, 0, 8, 41))
    training[21] = roll((DRUMS, 0, 1, 36), (LEAD, 0, 1, 67), (LEAD, 8, 1, 62), (BASS, 0, 8, 38))
    found = nearest_phrases(generated, training, SPEC)
    assert found.similarity.item() == 1.0, "lengths don't count"
    assert found.index.item() == 21
    assert found.shift.item() == -3


def test_drums_are_not_transposed_and_notes_that_leave_the_roll_are_lost():
    training = roll((DRUMS, 0, 1, 38), (LEAD, 0, 4, 62))
    assert nearest_phrases(
        roll((DRUMS, 0, 1, 36), (LEAD, 0, 4, 60)), training, SPEC
    ).similarity.item() == pytest.approx(1 / 3)
    low = roll((LEAD, 0, 4, 36), (LEAD, 4, 4, 60))  # a third down, the first leaves the roll
    found = nearest_phrases(low, roll((LEAD, 4, 4, 56)), SPEC)
    assert (found.similarity.item(), found.shift.item()) == (0.5, -4)


def test_a_silent_phrase_copies_nothing_and_nothing_cannot_be_copied():
    assert nearest_phrases(roll(), octaves(3, 0), SPEC).similarity.item() == 0.0
    with pytest.raises(ValueError, match="no training phrases"):
        nearest_phrases(roll(), octaves(3, 0)[:0], SPEC)


def test_copying_is_measured_beside_real_songs():
    held_out = torch.linspace(0, 1, 101)
    assert copied_share(held_out, held_out) == pytest.approx(0.05, abs=0.01)
    assert copied_share(torch.ones(4), held_out) == 1.0


def test_distinct_phrases_are_counted_by_every_cell():
    one, other = roll((LEAD, 0, 4, 60)), roll((LEAD, 0, 5, 60))
    assert num_distinct(torch.cat([one, other, one, roll()]), SPEC) == 3

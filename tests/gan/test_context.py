"""Context: masks, the seams of given and made notes."""

import pytest
import torch

from gan.conditions import DENSITY
from gan.context import (
    Context,
    StreamContext,
    conditions_of_context,
    inpaint_streams,
)
from gan.rolls import STREAM_ONSET, STREAM_SOUNDING, to_streams
from gan.spec import ONSET
from tests.gan.trio import LAYOUT, SPEC, mask_of, music


def test_a_note_cut_by_the_mask_begins_there_unless_what_is_made_leads_up_to_it() -> None:
    rolls = music()[:1]
    streams = to_streams(rolls, (0, 0, 0), SPEC.num_pitches)
    mask = mask_of((2, 1), count=1)  # the bass note of bar 1 rings on into bar 2
    pitch = int(rolls[0, ONSET, 2, 0, 12].nonzero())
    silent = inpaint_streams(torch.zeros_like(streams), StreamContext(streams, mask), SPEC)
    assert silent[0, 16, 2, STREAM_ONSET, pitch] == 1
    assert silent[0, 16, 2, STREAM_SOUNDING, pitch] == 1
    led = inpaint_streams(streams.clone(), StreamContext(streams, mask), SPEC)
    assert torch.equal(led, streams)


def test_conditions_of_a_context_are_those_of_its_whole_tracks() -> None:
    conditions = conditions_of_context(Context(music(6), mask_of((1, 0), (1, 1), (1, 2), (1, 3), (2, 0))), SPEC)
    row = conditions[0]
    assert row[LAYOUT.attribute(DENSITY)].isnan().tolist() == [True, False, True], "one bar of the bass says little"
    assert row[1] == 4.0
    assert row[LAYOUT.rhythm].sum() == pytest.approx(1.0)
    assert row[LAYOUT.rhythm][4] == 0.0, "the drums do not count"
    assert row[-3:].isnan().all()

"""RollSpec: beats that are quarter notes, and dotted ones in compound metres."""

from __future__ import annotations

import pytest

from gan.spec import RollSpec, Track

TRACKS = (Track("Drums", is_drum=True), Track("Lead"))


@pytest.mark.parametrize(
    ("beats", "metre", "quarters", "steps"), [(2, "6/8", 3.0, 12), (3, "9/8", 4.5, 18), (4, "12/8", 6.0, 24)]
)
def test_compound_metres_have_dotted_beats(beats: int, metre: str, quarters: float, steps: int) -> None:
    spec = RollSpec(TRACKS, beats_per_bar=beats, steps_per_beat=6, is_compound=True)
    assert (spec.metre, spec.quarters_per_bar, spec.steps_per_bar) == (metre, quarters, steps)
    assert (spec.steps_per_quarter, spec.eighths_per_beat) == (4, 3)
    assert RollSpec.from_dict(spec.to_dict()) == spec


def test_simple_metres_have_quarter_note_beats_and_are_written_as_before() -> None:
    spec = RollSpec(TRACKS, beats_per_bar=3)
    assert (spec.metre, spec.quarters_per_bar, spec.steps_per_quarter, spec.eighths_per_beat) == ("3/4", 3.0, 4, 2)
    assert "is_compound" not in spec.to_dict() and RollSpec.from_dict(spec.to_dict()) == spec


def test_dotted_beats_have_steps_in_threes() -> None:
    with pytest.raises(ValueError, match="steps_per_beat must be a multiple of 3 in 6/8"):
        RollSpec(TRACKS, beats_per_bar=2, steps_per_beat=4, is_compound=True)

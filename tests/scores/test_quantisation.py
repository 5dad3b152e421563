import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.spec import RollSpec, Track
from pipeline.config import compose
from pipeline.errors import UnusableError, UserError
from pipeline.scores.notes import notes_from_roll, roll_from_notes
from pipeline.scores.quantisation import BarSpan, merge_metres, quantise, usable_spans
from pipeline.scores.score import Metre, Score
from pipeline.scores.tracks import AssignedPart, assign
from pipeline.settings.data import beats_of, roll_spec
from tests.music_makers import BAND, SPEC, Row, part, score, tune

WHOLE = BarSpan(0.0, 8, 0)


def steps(rows: list[Row], spec: RollSpec = SPEC, stretch: BarSpan = WHOLE, track: int = 1) -> list[tuple[int, ...]]:
    notes = quantise([AssignedPart(track, 0, part(rows).events)], stretch, spec)
    return [(int(one["onset"]), int(one["length"]), int(one["pitch"])) for one in notes]


def stretches(one: Score, trust_metre: bool = True) -> list[BarSpan]:
    return usable_spans(one, SPEC, trust_metre)


def reason(one: Score) -> str:
    with pytest.raises(UnusableError) as caught:
        stretches(one)
    return str(caught.value)


def test_onsets_fall_on_the_exact_step() -> None:
    assert steps([(0, 1, 60), (1.25, 0.25, 62), (3.5, 0.5, 64), (7.75, 4, 65)]) == [
        (0, 4, 60),
        (5, 1, 62),
        (14, 2, 64),
        (31, 16, 65),
    ]


def test_slightly_early_and_late_notes_go_to_the_nearest_step() -> None:
    assert steps([(-0.1, 1.1, 60), (0.95, 0.5, 62), (2.1, 0.9, 64)]) == [(0, 4, 60), (4, 2, 62), (8, 4, 64)]


def test_a_note_lasts_a_step_at_least() -> None:
    assert steps([(1.0, 0.0, 60), (2.0, 0.01, 62)]) == [(4, 1, 60), (8, 1, 62)]


def test_repeated_notes_stay_separate_on_the_grid() -> None:
    assert steps([(0, 1, 60), (1, 1, 60), (2, 0.98, 60), (3, 1, 60)]) == [(4 * i, 4, 60) for i in range(4)]


def test_drum_hits_last_one_step() -> None:
    assert steps([(0, 2, 36), (1, 1, 38)], track=0) == [(0, 1, 36), (4, 1, 38)]


def test_triplets_are_exact_at_twelve_steps_a_beat() -> None:
    fine = RollSpec(SPEC.tracks, steps_per_beat=12)
    thirds = [(i / 3, 1 / 3, 60 + i) for i in range(12)]
    assert steps(thirds, fine) == [(4 * i, 4, 60 + i) for i in range(12)]


@given(st.lists(st.tuples(st.integers(0, 127), st.integers(1, 40), st.integers(30, 100)), max_size=30))
def test_what_is_on_the_grid_stays_what_it_is(rows: list[tuple[int, int, int]]) -> None:
    notes = quantise(
        [AssignedPart(1, 0, part([(on / 4, length / 4, pitch) for on, length, pitch in rows]).events)], WHOLE, SPEC
    )
    again = notes_from_roll(roll_from_notes(notes, SPEC, WHOLE.bars), SPEC.lowest_pitch)
    assert np.array_equal(notes, again)
    assert {(on, pitch) for on, _, pitch in rows} == {(int(one["onset"]), int(one["pitch"])) for one in notes}


def test_bars_start_after_the_pickup() -> None:
    rows: list[Row] = [(0, 1, 67), *[(1 + onset, length, pitch) for onset, length, pitch in tune(1, bars=5)]]
    (found,) = stretches(score(part(rows), metres=[Metre(1.0, 4, 4)]))
    assert found == BarSpan(1.0, 5, 0)
    assert steps(rows, stretch=found)[0] == (0, 4, rows[1][2])


def test_a_last_incomplete_bar_counts_whole() -> None:
    assert stretches(score(part([(0, 1, 60), (16, 1, 60)]))) == [BarSpan(0.0, 5, 0)]


@pytest.mark.parametrize(("numerator", "denominator"), [(3, 4), (6, 8), (5, 4), (2, 4), (12, 8)])
def test_other_metres_are_rejected_with_their_name(numerator: int, denominator: int) -> None:
    piece = score(part(tune(1)), metres=[Metre(0.0, numerator, denominator)])
    assert reason(piece) == f"not 4/4 (is {numerator}/{denominator})"


def test_six_eight_is_not_three_four() -> None:
    waltz = RollSpec(SPEC.tracks, beats_per_bar=3)
    with pytest.raises(UnusableError, match=r"not 3/4 \(is 6/8\)"):
        usable_spans(score(part(tune(1)), metres=[Metre(0.0, 6, 8)]), waltz, True)
    changing = [Metre(0.0, 3, 4), Metre(12.0, 6, 8)]
    assert usable_spans(score(part(tune(1)), metres=changing), waltz, True) == [BarSpan(0.0, 4, 0)]


def test_cut_time_has_bars_of_four_quarters() -> None:
    assert stretches(score(part(tune(1)), metres=[Metre(0.0, 2, 2)])) == [BarSpan(0.0, 8, 0)]


def test_a_metre_that_is_not_trusted_is_not_looked_at() -> None:
    piece = score(part(tune(1)), metres=[Metre(0.0, 1, 4)])
    assert reason(piece) == "not 4/4 (is 1/4)"
    assert stretches(piece, trust_metre=False)[0].bars >= 7


def test_only_the_stretches_in_four_are_used() -> None:
    metres = [Metre(0.0, 4, 4), Metre(16.0, 3, 4), Metre(22.0, 4, 4)]
    found = stretches(score(part([(0, 42, 60)]), metres=metres))
    assert found == [BarSpan(0.0, 4, 0), BarSpan(22.0, 5, 6)]


def test_a_repeated_time_signature_changes_nothing() -> None:
    assert merge_metres((Metre(0.0, 4, 4), Metre(8.0, 4, 4), Metre(12.0, 2, 2))) == (Metre(0.0, 4, 4),)
    assert len(merge_metres((Metre(0.0, 4, 4), Metre(6.0, 4, 4)))) == 2


def test_too_short_and_too_long_are_explained() -> None:
    assert reason(score(part([(0, 12, 60)]))) == "too short: 3 bars"
    assert reason(score(part([(0, 1, 60), (2**28 / 480, 1, 60)]))) == "too long: 139,810 bars"


def test_a_spec_of_three_beats_takes_three_four() -> None:
    waltz = RollSpec((Track("Piano"),), beats_per_bar=3)
    piece = score(part([(0, 24, 60)]), metres=[Metre(0.0, 3, 4)])
    assert usable_spans(piece, waltz, trust_metre=True) == [BarSpan(0.0, 8, 0)]
    with pytest.raises(UnusableError, match=r"not 3/4 \(is 4/4\)"):
        usable_spans(score(part([(0, 24, 60)])), waltz, trust_metre=True)


@pytest.mark.parametrize("metre", ["6/8", "5", "7/9", "4/4/4", "0/4", "13/4", "common", ""])
def test_metres_that_are_not_counted_in_quarter_notes_are_refused_in_a_sentence(metre: str) -> None:
    with pytest.raises(UserError, match=r"^data\.metre must count its bars in quarter notes, from 2/4 to 12/4, not"):
        beats_of(metre)


def test_the_metre_of_the_settings_is_that_of_the_rolls() -> None:
    config = compose("data.metre=3/4")
    assert roll_spec(config.roll, config.tracks, config.data.metre).beats_per_bar == 3
    with pytest.raises(UserError, match="not 6/8"):
        compose("data.metre=6/8")


def test_two_parts_of_one_family_make_one_track() -> None:
    piece = score(part([(0, 1, 60)], program=0), part([(0, 2, 60), (1, 1, 67)], program=4))
    notes = quantise(assign(piece, BAND), WHOLE, SPEC)
    assert [(int(one["track"]), int(one["pitch"]), int(one["length"])) for one in notes] == [(1, 60, 8), (1, 67, 4)]

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.spec import RollSpec, Track
from pipeline.config import compose
from pipeline.errors import UnusableError, UserError
from pipeline.scores.notes import notes_from_roll, roll_from_notes
from pipeline.scores.quantisation import BarSpan, mend_metre, merge_metres, quantise, usable_spans
from pipeline.scores.score import Metre, Score
from pipeline.scores.tracks import AssignedPart, assign
from pipeline.settings.data import roll_spec
from pipeline.settings.metre import read_metre
from tests.music_makers import BAND, JIG, SPEC, Row, accompanied, part, score, tune

WHOLE = BarSpan(0.0, 8, 0)


def in_metre(name: str) -> Metre:
    numerator, denominator = name.split("/")
    return Metre(0.0, int(numerator), int(denominator))


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


@pytest.mark.parametrize(
    ("metre", "advice"),
    [
        ("3/4", "data.metre=3/4 takes such music"),
        ("6/8", "data.metre=6/8 takes such music"),
        ("12/8", "data.metre=12/8 takes such music"),
        ("5/4", "data.metre=5/4 takes such music"),
        ("3/2", "data.metre=6/4 takes such music"),
        ("2/4", "data.pair_bars=true takes two bars as one"),
        ("3/8", "data.metre=6/8 data.pair_bars=true takes two bars as one"),
        ("7/8", "data.metre=7/4 data.pair_bars=true takes two bars as one"),
        ("1/4", "such bars say nothing: data.trust_metre=false estimates those of 4/4"),
        ("12/16", "no setting takes such bars"),
    ],
)
def test_music_in_another_metre_is_told_which_setting_takes_it(metre: str, advice: str) -> None:
    piece = score(part(tune(1)), metres=[in_metre(metre)])
    assert reason(piece) == f"is in {metre}; {advice}"
    words = [word for word in advice.split() if word.startswith("data.")]
    if not words:
        return
    config = compose(*words)  # the advice is one that works
    spec = roll_spec(config.roll, BAND, config.data.metre)
    assert usable_spans(piece, spec, config.data.trust_metre, config.data.pair_bars)


def test_six_eight_is_not_three_four() -> None:
    waltz = RollSpec(SPEC.tracks, beats_per_bar=3)
    with pytest.raises(UnusableError, match=r"is in 6/8; data\.metre=6/8 takes such music"):
        usable_spans(score(part(tune(1)), metres=[Metre(0.0, 6, 8)]), waltz, True)
    with pytest.raises(UnusableError, match=r"is in 3/4; data\.metre=3/4 takes such music"):
        usable_spans(score(part(tune(1)), metres=[Metre(0.0, 3, 4)]), JIG, True)
    changing = [Metre(0.0, 3, 4), Metre(12.0, 6, 8)]
    assert usable_spans(score(part(tune(1)), metres=changing), waltz, True) == [BarSpan(0.0, 4, 0)]
    assert usable_spans(score(part(tune(1)), metres=changing), JIG, True) == [BarSpan(12.0, 7, 4)]


def test_six_eight_has_two_beats_of_six_sixteenths() -> None:
    assert (JIG.steps_per_bar, JIG.metre, JIG.quarters_per_bar) == (12, "6/8", 3.0)
    rows: list[Row] = [(eighth / 2, 0.5, 60 + eighth) for eighth in range(6)] + [(3.0, 1.5, 72), (4.75, 0.25, 74)]
    assert steps(rows, JIG) == [*[(2 * n, 2, 60 + n) for n in range(6)], (12, 6, 72), (19, 1, 74)]


def test_twelve_eight_is_four_dotted_beats_and_two_bars_of_six_eight() -> None:
    blues = RollSpec(SPEC.tracks, beats_per_bar=4, steps_per_beat=6, is_compound=True)
    piece = score(part([(0, 48, 60)]), metres=[Metre(0.0, 12, 8)])
    assert usable_spans(piece, blues, True) == [BarSpan(0.0, 8, 0)]
    assert usable_spans(piece, JIG, True) == [BarSpan(0.0, 16, 0)]


@pytest.mark.parametrize("metre", ["8/4", "4/2"])
def test_a_bar_of_eight_quarters_is_two_of_four(metre: str) -> None:
    assert stretches(score(part([(0, 48, 60)]), metres=[in_metre(metre)])) == [BarSpan(0.0, 12, 0)]


def test_a_long_bar_among_bars_of_four_is_no_two_of_them() -> None:
    metres = [Metre(0.0, 4, 4), Metre(24.0, 8, 4), Metre(40.0, 4, 4)]
    assert stretches(score(part([(0, 64, 60)]), metres=metres)) == [BarSpan(0.0, 6, 0), BarSpan(40.0, 6, 8)]


def test_four_four_is_no_two_four() -> None:
    polka = RollSpec(SPEC.tracks, beats_per_bar=2)
    with pytest.raises(UnusableError, match=r"is in 4/4; data\.metre=4/4 takes such music"):
        usable_spans(score(part([(0, 48, 60)])), polka, True)


def halved(shift: float = 0.0) -> Score:
    """Four quarters a bar, written in 2/4: chords change every other bar, first after `shift` quarter notes."""
    return score(*map(part, accompanied(shift)), metres=[Metre(0.0, 2, 4), Metre(2.0, 2, 4), Metre(4.0, 2, 4)])


def test_two_bars_of_two_four_are_one_of_four_four_where_asked() -> None:
    assert usable_spans(halved(), SPEC, True, pair_bars=True) == [BarSpan(0.0, 8, 0)]
    assert reason(halved()).startswith("is in 2/4; data.pair_bars=true")


def test_pairs_begin_on_the_second_bar_where_the_harmony_changes_there() -> None:
    assert usable_spans(halved(2.0), SPEC, True, pair_bars=True) == [BarSpan(2.0, 8, 0)]


def test_a_single_short_bar_between_others_is_no_pair() -> None:
    metres = [Metre(0.0, 4, 4), Metre(16.0, 2, 4), Metre(18.0, 4, 4)]
    found = usable_spans(score(part([(0, 42, 60)]), metres=metres), SPEC, True, pair_bars=True)
    assert found == [BarSpan(0.0, 4, 0), BarSpan(18.0, 6, 4)]
    pair = [Metre(0.0, 4, 4), Metre(16.0, 2, 4), Metre(20.0, 4, 4)]
    assert usable_spans(score(part([(0, 40, 60)]), metres=pair), SPEC, True, pair_bars=True) == [BarSpan(0.0, 10, 0)]


def test_three_eight_is_paired_to_six_eight_and_not_to_three_four() -> None:
    piece = score(part([(0, 24, 60)]), metres=[Metre(0.0, 3, 8)])
    assert usable_spans(piece, JIG, True, pair_bars=True) == [BarSpan(0.0, 8, 0)]
    waltz = RollSpec(SPEC.tracks, beats_per_bar=3)
    with pytest.raises(UnusableError, match=r"is in 3/8; data\.metre=6/8 data\.pair_bars=true takes two bars as one"):
        usable_spans(piece, waltz, True, pair_bars=True)


def test_cut_time_has_bars_of_four_quarters() -> None:
    assert stretches(score(part(tune(1)), metres=[Metre(0.0, 2, 2)])) == [BarSpan(0.0, 8, 0)]


def test_a_metre_that_is_not_trusted_is_not_looked_at() -> None:
    piece = score(part(tune(1)), metres=[Metre(0.0, 1, 4)])
    assert reason(piece).startswith("is in 1/4;")
    assert stretches(piece, trust_metre=False)[0].bars >= 7


def test_only_the_stretches_in_four_are_used() -> None:
    metres = [Metre(0.0, 4, 4), Metre(16.0, 3, 4), Metre(22.0, 4, 4)]
    found = stretches(score(part([(0, 42, 60)]), metres=metres))
    assert found == [BarSpan(0.0, 4, 0), BarSpan(22.0, 5, 6)]


def test_a_repeated_time_signature_changes_nothing() -> None:
    assert merge_metres((Metre(0.0, 4, 4), Metre(8.0, 4, 4), Metre(12.0, 2, 2))) == (Metre(0.0, 4, 4),)
    assert len(merge_metres((Metre(0.0, 4, 4), Metre(6.0, 4, 4)))) == 2


def test_too_short_and_too_long_are_explained() -> None:
    assert reason(score(part([(0, 12, 60)]))) == "too short: 3 bars, and phrases have 4 (roll.bars)"
    assert reason(score(part([(0, 2, 60)]), metres=[Metre(0.0, 3, 4)])) == (
        "too short: 1 bar of 3/4, and phrases have 4 (roll.bars)"
    )
    assert reason(score(part([(0, 1, 60), (2**28 / 480, 1, 60)]))) == "too long: 139,810 bars"


def test_a_metre_that_keeps_changing_is_explained() -> None:
    metres = [one for n in range(6) for one in (Metre(15.0 * n, 4, 4), Metre(15.0 * n + 12, 3, 4))]
    assert reason(score(part([(0, 90, 60)]), metres=metres)) == (
        "no 4 bars of 4/4 in a row (3 at most, roll.bars is 4)"
    )


def test_a_spec_of_three_beats_takes_three_four() -> None:
    waltz = RollSpec((Track("Piano"),), beats_per_bar=3)
    piece = score(part([(0, 24, 60)]), metres=[Metre(0.0, 3, 4)])
    assert usable_spans(piece, waltz, trust_metre=True) == [BarSpan(0.0, 8, 0)]
    with pytest.raises(UnusableError, match=r"is in 4/4; data\.metre=4/4 takes such music"):
        usable_spans(score(part([(0, 24, 60)])), waltz, trust_metre=True)


@pytest.mark.parametrize("metre", ["5", "7/9", "4/4/4", "0/4", "4/0", "13/4", "common", "", "1/4", "15/8"])
def test_metres_that_can_not_be_asked_for_are_refused_in_a_sentence(metre: str) -> None:
    with pytest.raises(UserError, match=r"^data\.metre must be one of 2/4 to 12/4, 6/8, 9/8 and 12/8, not [^;]*\.$"):
        read_metre(metre)


@pytest.mark.parametrize(
    ("metre", "instead"),
    [
        ("2/2", r"data\.metre=4/4"),
        ("3/2", r"data\.metre=6/4"),
        ("3/8", r"data\.metre=6/8 data\.pair_bars=true"),
        ("7/8", r"data\.metre=7/4 data\.pair_bars=true"),
    ],
)
def test_a_metre_that_counts_as_another_is_answered_with_it(metre: str, instead: str) -> None:
    with pytest.raises(UserError, match=rf"not {metre}; music in {metre} is taken by {instead}\.$"):
        compose(f"data.metre={metre}")


def test_the_metre_of_the_settings_is_that_of_the_rolls() -> None:
    def spec(*words: str) -> RollSpec:
        config = compose(*words)
        return roll_spec(config.roll, config.tracks, config.data.metre)

    assert (spec("data.metre=3/4").beats_per_bar, spec("data.metre=3/4").steps_per_beat) == (3, 4)
    for metre, beats in (("6/8", 2), ("9/8", 3), ("12/8", 4)):
        found = spec(f"data.metre={metre}")
        assert (found.beats_per_bar, found.steps_per_beat, found.is_compound, found.metre) == (beats, 6, True, metre)
    assert spec("data.metre=6/8", "roll.steps_per_beat=12").steps_per_quarter == 8
    with pytest.raises(UserError, match=r"roll\.steps_per_beat must be a multiple of 3 in 6/8.*not 4"):
        compose("data.metre=6/8", "roll.steps_per_beat=4")


@pytest.mark.parametrize("late", [0.01, -0.01, 0.05])
def test_a_metre_a_little_off_the_bar_line_begins_on_it(late: float) -> None:
    metres = [Metre(0.0, 4, 4), Metre(8 + late, 4, 4), Metre(24 + late, 3, 4), Metre(36.0, 4, 4)]
    assert merge_metres(tuple(metres)) == (Metre(0.0, 4, 4), Metre(24.0, 3, 4), Metre(36.0, 4, 4))
    at_first = (Metre(0.0, 4, 4), Metre(0.01, 3, 4))
    assert merge_metres(at_first) == (Metre(0.0, 3, 4),)


def test_bars_of_one_beat_say_nothing_and_bar_lines_are_estimated_with_a_remark() -> None:
    rows = accompanied(2.0)
    found = mend_metre(score(*map(part, rows), metres=[Metre(0.0, 4, 4), Metre(0.1, 1, 4)]), SPEC)
    assert found.metres == (Metre(2.0, 4, 4),)
    assert found.remarks == ("bar lines of 4/4 are estimated (the header says 1/4)",)
    counted_in = score(*map(part, rows), metres=[Metre(0.0, 1, 4), Metre(1.0, 4, 4)])
    assert mend_metre(counted_in, SPEC) is counted_in, "a bar that counts in is one"
    assert mend_metre(score(part(rows[0]), metres=[Metre(0.0, 1, 4)]), JIG).remarks == ()


def test_two_parts_of_one_family_make_one_track() -> None:
    piece = score(part([(0, 1, 60)], program=0), part([(0, 2, 60), (1, 1, 67)], program=4))
    notes = quantise(assign(piece, BAND), WHOLE, SPEC)
    assert [(int(one["track"]), int(one["pitch"]), int(one["length"])) for one in notes] == [(1, 60, 8), (1, 67, 4)]

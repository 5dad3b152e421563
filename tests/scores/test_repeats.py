"""The order in which written measures are played."""

from __future__ import annotations

import pytest

from pipeline.scores.repeats import MeasureMarks, playing_order

PLAIN = MeasureMarks()
OPEN = MeasureMarks(begins_repeat=True)
CLOSE = MeasureMarks(times=2)


def ending(*numbers: int, times: int = 0) -> MeasureMarks:
    return MeasureMarks(endings=frozenset(numbers), times=times)


def played(*marks: MeasureMarks) -> str:
    """The measures as letters, in the order of playing."""
    return "".join(chr(ord("a") + index) for index in playing_order(marks))


def test_music_without_signs_is_played_as_written() -> None:
    assert played(PLAIN, PLAIN, PLAIN) == "abc"
    assert playing_order([]) == []


def test_repeats_go_back_to_their_sign_to_the_repeat_before_or_to_the_beginning() -> None:
    assert played(PLAIN, CLOSE, PLAIN, CLOSE, PLAIN) == "ababcdcde"
    assert played(PLAIN, OPEN, CLOSE, PLAIN) == "abcbcd"
    assert played(MeasureMarks(begins_repeat=True, times=2), PLAIN) == "aab"


def test_a_passage_is_played_as_often_as_its_sign_says() -> None:
    assert played(PLAIN, OPEN, MeasureMarks(times=4)) == "abcbcbcbc"
    assert played(PLAIN, MeasureMarks(times=1)) == "ab"


def test_each_ending_is_played_at_its_times() -> None:
    assert played(OPEN, ending(1, times=2), ending(2), PLAIN) == "abacd"
    assert played(PLAIN, ending(1), ending(1, times=2), ending(2), ending(2, times=2), PLAIN) == "abcadef"
    assert played(OPEN, ending(1, 2, times=2), ending(3), PLAIN) == "ababacd"
    assert played(OPEN, ending(1, times=2), ending(2, times=2), ending(3)) == "abacad"
    first_and_second = (OPEN, ending(1, times=2), ending(2))
    assert played(*first_and_second, *first_and_second) == "abacdedf"


def test_a_passage_may_begin_under_the_last_ending_of_another() -> None:
    second = MeasureMarks(begins_repeat=True, endings=frozenset({2}))
    assert played(OPEN, ending(1, times=2), second, CLOSE, PLAIN) == "abacdcde"


def test_a_lone_first_ending_is_passed_over_at_the_second_time() -> None:
    assert played(OPEN, PLAIN, ending(1, times=2), PLAIN) == "abcabd"
    assert played(OPEN, PLAIN, ending(1, times=2)) == "abcab"
    assert played(OPEN, ending(1, 2, times=2)) == "abab"


def test_repeats_within_repeats() -> None:
    assert played(OPEN, OPEN, CLOSE, CLOSE, PLAIN) == "abcbcdabcbcde"


def test_da_capo_al_fine_leaves_repeats_out_and_takes_the_last_ending() -> None:
    fine = MeasureMarks(fine=True, endings=frozenset({2}))
    da_capo = MeasureMarks(da_capo=True)
    assert played(OPEN, ending(1, times=2), fine, PLAIN, da_capo) == "abacdeac"
    minuet = (OPEN, MeasureMarks(times=2, fine=True), OPEN, MeasureMarks(times=2, da_capo=True))
    assert played(*minuet) == "ababcdcdab"
    again = (OPEN, MeasureMarks(times=2, fine=True, repeats_after_jump=True), da_capo)
    assert played(*again) == "ababcabab"


def test_another_movement_follows_a_minuet_da_capo() -> None:
    minuet = (OPEN, MeasureMarks(times=2, fine=True), MeasureMarks(da_capo=True))
    assert played(*minuet, OPEN, CLOSE) == "ababcabdede"
    assert played(PLAIN, MeasureMarks(da_capo=True), PLAIN) == "abc"


def test_dal_segno_al_coda() -> None:
    segno, to_coda = MeasureMarks(segno="1"), MeasureMarks(to_coda="1")
    back, coda = MeasureMarks(dal_segno="1"), MeasureMarks(coda="1")
    assert played(PLAIN, segno, to_coda, PLAIN, back, coda, PLAIN) == "abcdebcfg"
    repeated_coda = MeasureMarks(coda="1", begins_repeat=True, times=2)
    assert played(PLAIN, segno, to_coda, back, repeated_coda, PLAIN) == "abcdbceef"


def test_two_signs_and_two_codas_are_told_apart() -> None:
    first = (MeasureMarks(segno="1"), MeasureMarks(to_coda="1"), MeasureMarks(dal_segno="1"))
    second = (MeasureMarks(coda="1", segno="2"), MeasureMarks(to_coda="2"), MeasureMarks(dal_segno="2"))
    assert played(*first, *second, MeasureMarks(coda="2")) == "abcabdefdeg"


def test_a_jump_in_a_repeated_passage_waits_for_its_last_time() -> None:
    assert played(MeasureMarks(fine=True), OPEN, MeasureMarks(da_capo=True), CLOSE)[:7] == "abcdbca"
    assert played(OPEN, ending(1, times=2), MeasureMarks(endings=frozenset({2}), da_capo=True)) == "abacac"


def test_a_jump_to_a_sign_that_is_not_there_is_not_made() -> None:
    assert played(PLAIN, MeasureMarks(dal_segno="1"), PLAIN) == "abc"
    assert played(PLAIN, MeasureMarks(fine=True), PLAIN) == "abc"


def test_signs_that_leave_measures_out_or_have_no_end_are_refused() -> None:
    with pytest.raises(ValueError, match="bar 2 would never be played"):
        playing_order([PLAIN, ending(3), PLAIN])
    with pytest.raises(ValueError, match="more than 2000 bars"):
        playing_order([MeasureMarks(times=99999)])

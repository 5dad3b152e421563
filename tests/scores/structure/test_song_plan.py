"""Plans of songs: what returns, who plays, and that they can be kept."""

from __future__ import annotations

import numpy as np

from gan.spec import RollSpec, Track
from pipeline.scores.structure.song_plan import NEW, agreement, pack_plans, plan_of_song, unpack_plans
from tests.plan_makers import assert_equal_plans, notes_of_letters, plan_of_letters

DUO = RollSpec((Track("Drums", True), Track("Piano")), num_pitches=60, lowest_pitch=36)


def test_bars_return_as_they_were_or_varied_or_not_at_all() -> None:
    plan = plan_of_letters({"Drums": "AAAA....", "Piano": "ABACABaD"}, DUO)
    assert plan.exact.tolist() == [
        [False, True, True, True, False, False, False, False],
        [False, False, True, False, True, True, False, False],
    ]
    assert np.flatnonzero(plan.varied[1]).tolist() == [6]
    assert plan.kept[1, 6] == 0b0111, "the last beat is new"
    assert plan.source[1].tolist()[:4] == [NEW, NEW, 0, NEW] and plan.source[1, 5] == 1
    assert plan.playing[0].tolist() == [True] * 4 + [False] * 4
    assert plan.density[1].tolist() == [4] * 8


def test_a_bar_that_was_heard_with_a_wrong_note_returns_as_it_was() -> None:
    rows = {"Drums": "AAAA....", "Piano": "ABCDabcE"}
    plan = plan_of_letters(rows, DUO, heard=True)
    assert plan.source[1].tolist() == [NEW, NEW, NEW, NEW, 0, 1, 2, NEW]
    assert plan.exact[1].tolist() == [False] * 4 + [True] * 3 + [False] and not plan.varied.any()
    assert plan.exact[0].tolist() == [False, True, True, True] + [False] * 4
    written = plan_of_letters(rows, DUO)
    assert written.source[1].tolist() == plan.source[1].tolist() and not written.exact[1].any()
    assert np.array_equal(written.density, plan.density) and np.array_equal(written.playing, plan.playing)


def test_short_gaps_of_what_is_heard_are_no_rests_and_single_bars_no_part() -> None:
    rows = {"Drums": "A.A...AA....A...", "Piano": "ABCDEFGHABCDEFGH"}
    plan = plan_of_letters(rows, DUO, heard=True)
    assert "".join("-#"[int(plays)] for plays in plan.playing[0]) == "########--------", "the bar alone is misheard"
    assert (plan.density[0] > 0).tolist() == plan.playing[0].tolist()
    assert plan.source[0, 12] == NEW
    written = plan_of_letters(rows, DUO)
    assert written.playing[0].tolist() == [letter != "." for letter in rows["Drums"]]


def test_tracks_that_return_together_return_from_one_bar() -> None:
    plan = plan_of_letters({"Drums": "AAAAA", "Piano": "ABCDB"}, DUO)
    assert plan.source[:, 4].tolist() == [1, 1]
    assert plan.first_equals()[:, 4].tolist() == [0, 1]


def test_sections_that_return_have_one_label() -> None:
    plan = plan_of_letters({"Piano": "ABCDEFGHABCDIJKLEFGh"}, DUO, (0, 4, 8, 12, 16))
    assert plan.labels == (0, 1, 0, 2, 1)
    assert plan.section_bars[-1] == (16, 20)


def test_a_chord_that_is_held_over_a_bar_line_sounds_there() -> None:
    held = plan_of_letters({"Piano": "AB"}, DUO)
    assert held.playing[1].all()
    notes = np.array([(1, 60, 0, 40)], dtype=[(name, np.int32) for name in ("track", "pitch", "onset", "length")])
    plan = plan_of_song(notes, 4, DUO)
    assert plan.playing[1].tolist() == [True, True, True, False]
    assert plan.density[1].tolist() == [1, 0, 0, 0]


def test_plans_are_kept_in_a_few_arrays() -> None:
    plans = [plan_of_letters({"Piano": letters}, DUO) for letters in ("ABAB", "ABCDEFGHABCD", "A")]
    for plan, again in zip(plans, unpack_plans(pack_plans(plans)), strict=True):
        assert_equal_plans(plan, again)
    assert unpack_plans(pack_plans([])) == []


def test_plans_agree_where_the_same_bars_return() -> None:
    plan = plan_of_letters({"Drums": "AAAA", "Piano": "ABAB"}, DUO)
    other = plan_of_letters({"Drums": "CCCC", "Piano": "EFEG"}, DUO)
    assert agreement(plan, other).tolist() == [1, 1, 1, 0.5]
    assert agreement(plan, plan_of_letters({"Drums": "CCC.", "Piano": "EFE"}, DUO)).tolist() == [1, 1, 1, 0]


def test_bars_that_sound_alike_return_in_all_tracks_with_who_is_mostly_heard() -> None:
    """The bars 0, 2 and 4 sound alike: the drums are heard in one of them, the piano, misheard each time, in all."""
    rows = {"Drums": "AA......", "Piano": "ABCDEFGH"}
    chords = np.zeros((16, 3), np.int8)
    chords[:, 0] = np.repeat((0, 5, 0, 7, 2, 9, 9, 9), 2)
    sounds_like = np.array([NEW, NEW, 0, NEW, 2, NEW, NEW, NEW])
    plan = plan_of_song(notes_of_letters(rows, DUO), 8, DUO, chords=chords, heard=True, sounds_like=sounds_like)
    assert plan.source[1].tolist() == [NEW, NEW, 0, NEW, 2, NEW, NEW, NEW]
    assert plan.exact[1].tolist() == [False, False, True, False, True, False, False, False]
    assert plan.first_equals()[1, 4] == 0
    assert np.flatnonzero(plan.playing[0]).tolist() == [1]
    assert plan.chords[::2, 0].tolist() == [0, 5, 0, 7, 0, 9, 9, 9]
    assert plan.density[1, 0] == plan.density[1, 2] == plan.density[1, 4]

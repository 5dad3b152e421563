"""A model of plans: plans of a wanted length, joined from those of songs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gan.chords import QUALITY
from gan.spec import RollSpec, Track
from pipeline.scores.chords.symbols import UNKNOWN, print_progression, read_progression
from pipeline.scores.structure.song_plan import NEW, SongPlan
from pipeline.songs.plan_model import (
    MIN_PLANS,
    PlanModel,
    arrange,
    chord_distance,
    fit_plan,
    join_plans,
    letters_of,
    name_sections,
    spans_of,
)
from tests.plan_makers import assert_equal_plans, plan_of_letters

DUO = RollSpec((Track("Drums", True), Track("Piano")), num_pitches=60, lowest_pitch=36)
SONG = plan_of_letters(
    {"Drums": "....AAAAAAAAAAAAAAAA....", "Piano": "ABCDEFGHIJKLEFGHIJKLABCM"}, DUO, (0, 4, 8, 12, 16, 20)
)
"""Intro, verse, chorus, verse, chorus, and the intro again with another end."""
OTHER = plan_of_letters({"Drums": "AAAAAAAABBBBAAAA", "Piano": "ABABCDCDEFGHABAB"}, DUO, (0, 4, 8, 12))


@cache
def songs() -> list[SongPlan]:
    """Plans of twelve songs of different length."""
    random = np.random.default_rng(0)
    plans = []
    for number in range(12):
        groups = random.choice(["ABCD", "EFGH", "IJKL", "ABAB"], 4 + number % 5)
        piano = "".join(groups)
        drums = "".join("AAAA" if random.random() < 0.7 else "...." for _ in groups)
        plans.append(plan_of_letters({"Drums": drums, "Piano": piano}, DUO, tuple(range(0, len(piano), 4))))
    return plans


def check(plan: SongPlan) -> None:
    """Raise where a plan contradicts itself."""
    returns = plan.source != NEW
    assert np.all(plan.source < np.arange(plan.num_bars)), "bars return from earlier ones"
    assert np.all(plan.playing[returns]), "a bar that rests returns from nowhere"
    tracks, bars = np.nonzero(returns)
    assert np.all(plan.playing[tracks, plan.source[tracks, bars]]), "nor does one return from a rest"
    assert plan.starts[0] == 0 and list(plan.starts) == sorted(set(plan.starts)) and plan.starts[-1] < plan.num_bars
    assert len(plan.labels) == len(plan.starts)


def test_a_plan_arranged_as_it_is_stays_as_it_is() -> None:
    for plan in (SONG, OTHER):
        again = arrange(plan, spans_of(plan))
        assert np.array_equal(plan.first_equals(), again.first_equals())
        assert (plan.starts, plan.labels) == (again.starts, again.labels)


def test_what_returned_from_a_section_that_is_left_out_is_new_once() -> None:
    spans = spans_of(SONG)
    short = arrange(SONG, [spans[0], *spans[3:]])
    assert letters_of(SONG) == "ABCBCA" and letters_of(short) == "ABCA"
    assert (short.source[1, 4:12] == NEW).all(), "the first verse and chorus are gone"
    assert short.exact[0, 5:12].all() and short.exact[1, 12:15].all()
    twice = arrange(SONG, [*spans, *spans])
    assert twice.exact[:, 24:][SONG.playing].all()


def test_songs_that_are_joined_go_on_as_the_second_with_the_music_of_the_first() -> None:
    plan = join_plans(SONG, 12, OTHER, 8)
    check(plan)
    assert plan.num_bars == 20 and plan.starts == (0, 4, 8, 12, 16)
    assert np.array_equal(plan.playing[:, :12], SONG.playing[:, :12])
    assert np.array_equal(plan.playing[:, 12:], OTHER.playing[:, 8:])
    assert plan.labels[4] in plan.labels[:3], "the theme that returns in the second is one of the first"
    assert plan.exact[1, 16:].all()
    assert_equal_plans(join_plans(SONG, 12, SONG, 12), join_plans(SONG, 12, SONG, 12))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), least=st.integers(4, 70), room=st.integers(0, 30))
def test_plans_are_as_long_as_they_should_be(seed: int, least: int, room: int) -> None:
    plan = PlanModel(songs()).draw(least, least + room, 0.2, np.random.default_rng(seed))
    check(plan)
    assert least <= plan.num_bars <= least + room


def test_strophes_are_repeated_a_little_varied() -> None:
    random = np.random.default_rng(1)
    exact, varied = (fit_plan(OTHER, 30, 40, share, random) for share in (0.0, 0.3))
    assert exact.num_bars == varied.num_bars == 32
    assert exact.exact[:, 16:].all() and 0 < (~varied.exact[:, 16:]).mean() < 0.6


def test_drawn_plans_differ_and_return_as_much_as_those_of_the_songs() -> None:
    plans = songs()
    assert len(plans) >= MIN_PLANS
    random = np.random.default_rng(3)
    drawn = [PlanModel(plans).draw(16, 32, 0.15, random) for _ in range(40)]
    shapes = {(plan.playing.tobytes(), plan.source.tobytes()) for plan in drawn}
    assert len(shapes) > 2 * len(plans), "most are no song's own"
    share = [np.mean([plan.exact.sum() / plan.playing.sum() for plan in group]) for group in (plans, drawn)]
    assert share[1] == pytest.approx(share[0], abs=0.1)


def over(plan: SongPlan, progression: str, is_minor: bool = False) -> SongPlan:
    """The plan over a progression, repeated to its end."""
    chords = read_progression(progression)
    return replace(plan, chords=np.resize(chords, (2 * plan.num_bars, chords.shape[1])), is_minor=is_minor)


def test_chords_go_with_their_bars() -> None:
    song, other = over(SONG, "C F G C"), over(OTHER, "Am Dm E Am", is_minor=True)
    assert print_progression(arrange(song, [(20, 24, 0), (5, 7, 1)]).chords) == "C | F | G | C | F | G"
    joined = join_plans(song, 4, other, 12)
    assert print_progression(joined.chords) == "C | F | G | C | Am | Dm | E | Am"
    assert not joined.is_minor, "the mode is that of the first"


def test_songs_are_drawn_in_their_mode_and_joined_where_chords_are_alike() -> None:
    major, minor = [over(plan, "C F G C") for plan in songs()], [over(plan, "Am Dm E Am", True) for plan in songs()]
    both = [plan for pair in zip(major, minor, strict=True) for plan in pair]
    random = np.random.default_rng(0)
    drawn = [PlanModel(both).draw(16, 32, 0.0, random, is_minor=True) for _ in range(20)]
    assert all(plan.is_minor for plan in drawn)
    pure = [set(print_progression(plan.chords).split(" | ")) == {"Am", "Dm", "E"} for plan in drawn]
    assert np.mean(pure) > 0.9, "a join goes on over the chords of before"
    strange = PlanModel(major).draw(16, 32, 0.0, random, is_minor=True)
    assert (strange.chords[:, QUALITY] == UNKNOWN).all(), "no song is in minor: chords are left open"


def test_a_song_begins_as_one_of_its_style() -> None:
    plans = [over(plan, f"{'CDEFGA'[number % 6]}") for number, plan in enumerate(songs())]
    styles = [number % 3 - 1 for number in range(12)]
    random = np.random.default_rng(0)
    for style in (0, 1):
        firsts = {
            print_progression(PlanModel(plans, styles).draw(16, 32, 0.0, random, style=style).chords[:2])
            for _ in range(12)
        }
        assert firsts <= {
            print_progression(plans[number].chords[:2]) for number in range(12) if styles[number] == style
        }
    assert PlanModel(plans, styles).draw(16, 32, 0.0, random, is_minor=True, style=7).num_bars >= 16, "never heard of"


def test_progressions_are_alike_by_the_chords_that_they_have() -> None:
    one, same, other, none = map(read_progression, ("C F G C", "C | G F | C", "Am Dm", "N.C."))
    assert 0 < chord_distance(one, same) < 0.2 < chord_distance(one, read_progression("C Am"))
    assert chord_distance(one, one) == pytest.approx(0)
    assert chord_distance(one, other) == 1
    assert chord_distance(one, none) == 0, "of nothing nothing is unlike"


def test_sections_are_named_by_what_returns_and_where() -> None:
    names = [section.name for section in name_sections(SONG)]
    assert sorted(names[1:5]) == ["chorus 1", "chorus 2", "verse 1", "verse 2"]
    lone = plan_of_letters({"Piano": "ABCDEFGHEFGHIJKL"}, DUO, (0, 4, 8, 12))
    assert [section.name for section in name_sections(lone)] == ["intro", "verse 1", "verse 2", "outro"]
    strophe = plan_of_letters({"Piano": "ABCDEFGH"}, DUO, (0, 4))
    assert [section.role for section in name_sections(strophe)] == ["verse", "verse"]

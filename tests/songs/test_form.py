"""Song forms: as long as requested, with sections that return."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gan.spec import RollSpec, Track
from pipeline.errors import UserError
from pipeline.songs.form import FORMS, FormSection, choose_form, count_phrases, numbered, pick_form, song_seconds

SPEC = RollSpec((Track("Piano"),))


def test_there_are_at_least_four_forms_and_songs_take_them_in_turn() -> None:
    assert len(FORMS) >= 4
    assert [pick_form(None, number) for number in range(1, len(FORMS) + 2)] == [*FORMS, next(iter(FORMS))]
    assert pick_form("rondo", 1) == "rondo"
    with pytest.raises(UserError, match="sonata"):
        pick_form("sonata", 1)


@given(
    name=st.sampled_from(sorted(FORMS)),
    tempo=st.floats(50, 200),
    low=st.floats(40, 90),
    room=st.floats(60, 150),
    share=st.floats(0, 1),
)
def test_lengths_lie_in_the_bounds_for_every_tempo(
    name: str, tempo: float, low: float, room: float, share: float
) -> None:
    sections, played = choose_form(name, tempo, SPEC, (low, low + room), 1.7, share, True)
    seconds = song_seconds(count_phrases(sections) * SPEC.bars, played, SPEC)
    assert played == tempo
    assert low <= seconds <= low + room - song_seconds(1.7, tempo, SPEC)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_section_returns_in_a_song_of_two_minutes(name: str) -> None:
    sections, _ = choose_form(name, 100, SPEC, (60, 180), 1.7, 0.5, True)
    roles = [section.role for section in sections]
    assert len(set(roles)) >= 2
    assert max(roles.count(role) for role in roles) >= 2


def test_the_song_has_its_intro_bridge_and_outro() -> None:
    sections, _ = choose_form("song", 120, SPEC, (60, 180), 1.7, 0.4, True)
    roles = [section.role for section in sections]
    assert roles[0] == "intro" and roles[-1] == "outro"
    assert roles[-4:-1] == ["chorus", "bridge", "chorus"]


def test_sections_that_return_are_numbered() -> None:
    sections = numbered(
        (FormSection("verse", "verse", 2), FormSection("bridge", "bridge", 1), FormSection("verse", "verse", 2))
    )
    assert [section.name for section in sections] == ["verse 1", "bridge", "verse 2"]
    assert [section.role for section in sections] == ["verse", "bridge", "verse"]


def test_a_drawn_tempo_bends_to_narrow_bounds_but_a_given_one_does_not() -> None:
    with pytest.raises(UserError, match="min_seconds"):
        choose_form("song", 60, SPEC, (70, 79), 1.7, 0.5, True)
    sections, tempo = choose_form("song", 60, SPEC, (70, 79), 1.7, 0.5, False)
    assert 53 < tempo < 67
    assert 70 <= song_seconds(count_phrases(sections) * SPEC.bars, tempo, SPEC) <= 79


@pytest.mark.parametrize("bounds", [(0, 10), (100, 60)])
def test_bounds_that_make_no_sense_are_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(UserError, match="min_seconds"):
        choose_form("song", 100, SPEC, bounds, 1.7, 0.5, False)

"""Lyrics around lines that a person took: these stay, and the stage is made again when they change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.lyrics.editor.completion import complete_lyric, lines_of_lyric, retitled, taken_words
from pipeline.lyrics.editor.session import Session, SessionLine, SessionSong
from pipeline.lyrics.song.plan import LinePlan, LyricPlan, SectionPlan
from tests.lyrics.editor.test_editor import PLAN, writer

MINE = SessionLine("chorus", 1, 2, "Nobody Sings", "person", 4)


def test_taken_lines_stay_and_the_model_writes_the_others() -> None:
    lyric = complete_lyric(writer(), 1, PLAN, SessionSong(lines=[MINE]))
    verse, chorus, again = lyric.sections
    assert chorus.lines[1] == "Nobody Sings" and chorus.authors == ("model", "person") and again == chorus
    assert len(verse.lines) == 2 and all(verse.lines)


def test_without_taken_lines_it_is_the_models() -> None:
    assert complete_lyric(writer(), 1, PLAN, None) == writer().write(1, PLAN)


def test_a_whole_lyric_that_was_kept_comes_back_word_for_word() -> None:
    lyric = writer().write(1, PLAN)
    lines = lines_of_lyric({"sections": [vars(section) for section in lyric.sections]}, english=True)
    assert [line.position for line in lines] == [("verse", 1, 1), ("verse", 1, 2), ("chorus", 1, 1), ("chorus", 1, 2)]
    again = complete_lyric(writer(seed=2), 1, PLAN, SessionSong(lines=lines))
    assert [section.lines for section in again.sections] == [section.lines for section in lyric.sections]


def test_where_the_plan_changed_the_persons_lines_stay_and_the_models_if_they_fit() -> None:
    long = SessionLine("verse", 1, 1, "one two three four five six seven eight", "model", 8)
    short = LyricPlan("AABB", (SectionPlan("verse", (LinePlan(4, None, 1), LinePlan(4, 0))), *PLAN.sections[1:]))
    song = SessionSong(lines=[long, MINE])
    assert complete_lyric(writer(), 1, PLAN, song).sections[0].lines[0] == long.text
    lyric = complete_lyric(writer(), 1, short, song)
    assert lyric.sections[0].lines[0] != long.text and lyric.sections[1].lines[1] == MINE.text
    assert song.lines == [long, MINE], "the session is left as it is"


def test_titles_of_a_person_stay() -> None:
    lyric = writer().write(1, PLAN)
    session = Session(Path("session.json"), songs={1: SessionSong(title="Mine")})
    assert [one.title for one in retitled([lyric, replace(lyric, number=2)], session)] == ["Mine", lyric.title]


def test_taken_words_are_an_input_that_changes_with_them_alone() -> None:
    session = Session(Path("session.json"), songs={1: SessionSong(lines=[MINE])})
    before = taken_words(session)
    session.songs[1].num_redraws, session.songs[1].done = 4, True
    assert taken_words(session) == before != {}
    session.songs[1].title = "Mine"
    assert taken_words(session) != before
    assert taken_words(Session(Path("session.json"), songs={1: SessionSong(num_redraws=2)})) == {}

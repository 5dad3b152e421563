"""Lines are planned by the melody, by the syllables that are asked for, or by the song's own metre."""

from dataclasses import replace
from functools import cache

import pytest

from gan.spec import RollSpec, Track
from pipeline.lyrics.song.line_sampling import strong_beats
from pipeline.lyrics.song.plan import LyricPlan, SectionPlan, lines_for_bars, lyric_form, plan_lyric, rhyme_partner
from pipeline.settings.lyrics import LyricsSettings
from pipeline.songs.form import FORMS
from pipeline.songs.song import Section
from tests.song_makers import song_of

SPEC = RollSpec((Track("Flute"), Track("Bass")))


@cache
def defaults():
    return LyricsSettings()


def settings(**changes):
    return replace(defaults(), seed=1, **changes)


def melody(onsets_of_a_bar, bars, sections):
    """A song whose flute has these notes in every bar, each as long as the time to the next one."""
    lengths = [after - at for at, after in zip(onsets_of_a_bar, [*onsets_of_a_bar[1:], 16], strict=True)]
    notes = [
        (0, 72, 16 * bar + at, length)
        for bar in range(bars)
        for at, length in zip(onsets_of_a_bar, lengths, strict=True)
    ]
    table, first = [], 0
    for role, count in sections:
        table.append(Section(role, role, first, count))
        first += count
    return song_of(notes, SPEC, bars, programs=(73, 33), pans=(0.0, 0.0), volumes=(1.0, 1.0), sections=tuple(table))


def sizes(plan):
    return [[line.syllables for line in section.lines] for section in plan.sections]


def test_a_line_has_a_syllable_for_each_note_of_its_two_bars():
    song = melody((0, 4, 8), 12, [("intro", 4), ("verse", 4), ("chorus", 4)])
    plan = plan_lyric(settings(), 1, song, "Flute")
    assert [(section.kind, section.index) for section in plan.sections] == [("verse", 1), ("chorus", 2)]
    assert sizes(plan) == [[6, 6], [6, 6]]
    beats = plan.sections[0].lines[0].beats
    assert beats == (1.0, 0.6, 0.8, 1.0, 0.6, 0.8)
    assert strong_beats(beats) == [True, False, False, True, False, True]


def test_many_notes_make_more_lines_and_few_make_fewer():
    crowded = melody(range(0, 16, 2), 8, [("verse", 8)])
    assert sizes(plan_lyric(settings(), 1, crowded, "Flute")) == [[8] * 8]
    sparse = melody((0, 8), 8, [("verse", 8)])
    assert sizes(plan_lyric(settings(), 1, sparse, "Flute")) == [[8, 8]]


def test_a_chorus_is_planned_once_by_its_first_place():
    song = melody((0, 4, 8), 20, [("chorus", 8), ("verse", 4), ("chorus", 8)])
    plan = plan_lyric(settings(), 1, song, "Flute")
    assert plan.sections[0].lines == plan.sections[2].lines
    assert [section.kind for section in plan.written] == ["chorus", "verse"]
    assert [plan.source(place) for place in range(3)] == [0, 1, 0]


def test_a_short_chorus_is_the_beginning_of_the_long_one():
    plan = plan_lyric(settings(), 1, melody((0, 4, 8), 12, [("chorus", 4), ("chorus", 8)]), "Flute")
    short, long = plan.sections
    assert len(short.lines) == 2 and len(long.lines) == 4
    assert plan.written[0].lines == long.lines


def test_syllables_that_are_asked_for_are_read_again_from_their_start():
    asked = settings(syllables=[8, 6, 7])
    assert sizes(plan_lyric(asked, 1))[0] == [8, 6, 7, 8]
    song = melody((0, 4, 8), 8, [("verse", 8)])
    assert sizes(plan_lyric(asked, 1, song, "Flute")) == [[8, 6, 7, 8]]


def test_without_music_lines_that_rhyme_are_as_long_as_one_another():
    for number in range(1, 20):
        for section in plan_lyric(settings(), number).sections:
            for line in section.lines:
                assert line.rhymes_with is None or section.lines[line.rhymes_with].syllables == line.syllables


@pytest.mark.parametrize(
    ("scheme", "partners", "later"),
    [
        ("AABB", [None, 0, None, 2], [1, 0, 1, 0]),
        ("ABCB", [None, None, None, 1], [0, 1, 0, 0]),
        ("AAAA", [None, 0, 1, 2], [3, 2, 1, 0]),
        ("free", [None] * 4, [0] * 4),
    ],
)
def test_schemes_say_which_lines_rhyme(scheme, partners, later):
    lines = plan_lyric(settings(scheme=scheme), 1).sections[0].lines
    assert [line.rhymes_with for line in lines] == partners
    assert [line.rhymes_later for line in lines] == later


def test_songs_choose_their_scheme_and_two_lines_rhyme():
    plans = [plan_lyric(settings(), number, melody((0, 4, 8), 4, [("verse", 4)]), "Flute") for number in range(1, 12)]
    assert {plan.scheme for plan in plans} == {"ABAB", "AABB"}
    assert {plan.sections[0].lines[1].rhymes_with for plan in plans} == {0}


def test_music_without_sung_sections_has_words_to_read():
    plan = plan_lyric(settings(), 1, melody((0, 8), 4, [("intro", 4)]), "Flute")
    assert {section.index for section in plan.sections} == {None}


def test_silence_is_planned_for_too():
    song = song_of([(1, 36, 0, 4)], SPEC, 8, programs=(73, 33), pans=(0.0, 0.0), volumes=(1.0, 1.0))
    assert all(4 <= size <= 12 for section in sizes(plan_lyric(settings(), 1, song, None)) for size in section)
    assert LyricPlan("free", (SectionPlan("verse", ()),)).written == (SectionPlan("verse", ()),)


def test_rhyme_partners_are_earlier_lines_of_the_same_four():
    assert [rhyme_partner("ABAB", place) for place in range(6)] == [None, None, 0, 1, None, None]
    assert [rhyme_partner("AABB", place) for place in range(6)] == [None, 0, None, 2, None, 4]
    assert [rhyme_partner("ABCB", place) for place in range(4)] == [None, None, None, 1]
    assert [rhyme_partner("AAA", place) for place in range(4)] == [None, 0, 1, None]
    assert [rhyme_partner("free", place) for place in range(4)] == [None] * 4


def test_two_bars_make_a_line_where_somebody_sings():
    assert [lines_for_bars("verse", bars) for bars in (1, 4, 8, 64)] == [2, 2, 4, 8]
    assert lines_for_bars("intro", 8) == lines_for_bars("solo", 8) == 0


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_the_music_has_a_chorus_that_comes_back(name):
    cycle = [*FORMS[name].opening, *FORMS[name].cycle, *FORMS[name].cycle]
    kinds = [kind for kind, lines in lyric_form([(part.role, 4 * part.num_phrases) for part in cycle]) if lines]
    assert kinds.count("chorus") >= 2
    assert "verse" in kinds


def test_a_bridge_that_returns_is_the_chorus_but_not_beside_one():
    assert lyric_form([("verse", 8), ("bridge", 4), ("verse", 8), ("bridge", 4)])[1] == ("chorus", 2)
    assert lyric_form([("chorus", 8), ("bridge", 4), ("chorus", 8), ("bridge", 4)])[1] == ("bridge", 2)
    assert lyric_form([("intro", 4), ("verse", 8)]) == (("intro", 0), ("verse", 4))


def test_sections_that_no_lyric_knows_are_sung_as_verses():
    assert lyric_form([("accompanied", 40), ("made", 4)]) == (("verse", 8), ("verse", 2))

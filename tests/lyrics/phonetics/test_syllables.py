"""How words sound, how they rhyme, and the syllables they are sung in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.lyrics.phonetics.syllables import is_english, split_word, syllables_of, words_of_line

GERMAN = ["Am Brunnen vor dem Tore, da steht ein Lindenbaum", "Ich träumt in seinem Schatten so manchen süßen Traum"]


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("wonderful", "won der ful"),
        ("walking", "walk ing"),
        ("running", "run ning"),
        ("singing", "sing ing"),
        ("finger", "fin ger"),
        ("never", "nev er"),
        ("over", "o ver"),
        ("every", "ev ery"),
        ("hopeful", "hope ful"),
        ("nation", "na tion"),
        ("little", "lit tle"),
        ("mother", "moth er"),
        ("rhythm", "rhy thm"),
        ("playing", "play ing"),
        ("wanted", "want ed"),
        ("twenty-four", "twen ty- four"),
        ("(Tonight!)", "(To night!)"),
        ("world's", "world's"),
    ],
)
def test_words_part_where_singers_part_them(word: str, parts: str) -> None:
    assert list(split_word(word)[0]) == parts.split(" ")


def test_a_line_has_stresses_and_places_in_words() -> None:
    found = syllables_of("It's wonderful — tonight, 1984 !")
    assert [one.text for one in found] == ["It's", "won", "der", "ful —", "to", "night,", "1984 !"]
    assert [one.position for one in found] == ["single", "begin", "middle", "end", "begin", "end", "single"]
    assert [one.stress for one in found] == [0, 1, 0, 0, 0, 1, 0]
    assert [one.word for one in found] == [0, 1, 1, 1, 2, 2, 3]


def test_other_languages_go_by_their_vowels() -> None:
    assert not is_english(GERMAN) and is_english(["Wonderful people are dancing tonight"])
    rare = ["outfrowned unwhipt"]
    assert is_english([*["where hath thou been tonight"] * 20, *rare]), "running words count, not different ones"
    assert [len(syllables_of(line, english=False)) for line in GERMAN] == [13, 13]
    assert split_word("Corazón", False) == (("Co", "ra", "zón"), (0, 0, 1))
    assert len(split_word("María", False)[0]) == 3 and len(split_word("gracias", False)[0]) == 2
    assert len(split_word("привет", False)[0]) == 2 and len(split_word("雨が", False)[0]) == 2


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.booleans())
def test_syllables_spell_the_line(line: str, english: bool) -> None:
    found = syllables_of(line, english)
    words = words_of_line(line)
    spelt = ["".join(one.text for one in found if one.word == number) for number in range(len(words))]
    assert spelt == words
    assert all(one.text for one in found)
    if any(map(str.isalnum, line)):
        assert " ".join(words).split() == line.split()

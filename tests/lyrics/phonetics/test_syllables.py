"""How words sound, how they rhyme, and the syllables they are sung in."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.lyrics.phonetics.dictionary_building import learn, read_dictionary
from pipeline.lyrics.phonetics.letter_to_sound import Letters
from pipeline.lyrics.phonetics.pronunciation import decoded, dictionary, num_syllables, pronunciations, sounds_of
from pipeline.lyrics.phonetics.rhyme import rhyme_key, rhymes
from pipeline.lyrics.phonetics.syllables import is_english, split_word, syllables_of, words_of

GERMAN = ["Am Brunnen vor dem Tore, da steht ein Lindenbaum", "Ich träumt in seinem Schatten so manchen süßen Traum"]


def test_the_dictionary_knows_words_and_their_endings() -> None:
    assert len(dictionary()) > 120_000
    assert pronunciations("Wonderful") == (("W", "AH1", "N", "D", "ER0", "F", "AH0", "L"),)
    assert pronunciations("the")[0] == ("DH", "AH0")
    assert pronunciations("walkin'")[0] == ("W", "AO1", "K", "IH0", "N")
    assert pronunciations("chalice's")[0][-2:] == ("AH0", "Z")
    assert pronunciations("blorbing") == ()


def test_every_word_of_letters_has_sounds_and_one_main_stress() -> None:
    for word in ("blorbing", "zzyx", "Café", "snarfle's"):
        assert sum(sound.endswith("1") for sound in sounds_of(word)) == 1
    assert sounds_of("fire") == ("F", "AY1", "R")
    assert sounds_of("1984") == sounds_of("") == ()


def test_unknown_words_rhyme_by_their_letters() -> None:
    assert "blight" in dictionary() and "snight" not in dictionary()
    assert rhymes("snight", "light") and rhymes("fire", "liar") and rhymes("blorbing", "absorbing")
    assert not rhymes("though", "tough")
    assert rhyme_key("twenty-four") == rhyme_key("four")
    assert rhyme_key("мир") and rhyme_key("雨")


@pytest.mark.slow
def test_letters_learnt_from_some_words_read_others(tmp_path) -> None:  # type: ignore[no-untyped-def]
    sample = [word for word in dictionary() if zlib.crc32(word.encode()) % 40 == 0]
    hidden = [word for word in sample if zlib.crc32(word.encode()) % 7 == 0]
    learnt = learn({word: dictionary()[word].split(" ")[0] for word in sample if word not in set(hidden)})
    learnt.save(tmp_path / "letters.xz")
    again = Letters.load(tmp_path / "letters.xz")
    assert again.rules == learnt.rules
    right = 0
    for word in hidden:
        count = num_syllables(decoded("".join(again.read(word))))
        right += count in {num_syllables(phones) for phones in pronunciations(word)}
    assert right > 0.8 * len(hidden) > 200


def test_a_dictionary_file_is_read_without_its_comments() -> None:
    words = read_dictionary("at AE1 T\nat(2) AH0 T # weak\na.m. EY2 EH1 M\n")
    assert list(words) == ["at"] and len(words["at"]) == 2


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
    words = words_of(line)
    spelt = ["".join(one.text for one in found if one.word == number) for number in range(len(words))]
    assert spelt == words
    assert all(one.text for one in found)
    if any(map(str.isalnum, line)):
        assert " ".join(words).split() == line.split()

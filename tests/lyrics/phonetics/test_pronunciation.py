"""How words sound, by the dictionary and by their letters."""

from __future__ import annotations

from pipeline.lyrics.phonetics.pronunciation import dictionary, pronunciations, sounds_of


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

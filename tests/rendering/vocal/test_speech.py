"""What espeak-ng is told to say."""

from __future__ import annotations

from pipeline.lyrics.phonetics.pronunciation import sounds_of
from pipeline.rendering.vocal.speech import espeak_names, utterance


def test_words_are_told_by_their_sounds_in_english_only() -> None:
    assert espeak_names(sounds_of("warm")) == "w'O@m" and espeak_names(sounds_of("sorry")) == "s'A:ri"
    assert utterance(["The", "river,"], [1, 2], "en-us+f2") == "[[D@ r'Iv3]]"
    assert utterance(["higher", "up"], [3, 1], "en-us") == "higher [['Vp]]", "counted otherwise than in the dictionary"
    assert utterance(["Der", "Fluss"], [1, 1], "de") == "Der Fluss"

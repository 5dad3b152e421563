"""Letter-to-sound rules learnt from a dictionary."""

from __future__ import annotations

import zlib

import pytest

from pipeline.lyrics.phonetics.dictionary_building import learn_letter_to_sound, read_dictionary
from pipeline.lyrics.phonetics.letter_to_sound import LetterToSound
from pipeline.lyrics.phonetics.pronunciation import decoded, dictionary, num_syllables, pronunciations


@pytest.mark.slow
def test_letters_learnt_from_some_words_read_others(tmp_path) -> None:  # type: ignore[no-untyped-def]
    sample = [word for word in dictionary() if zlib.crc32(word.encode()) % 40 == 0]
    hidden = [word for word in sample if zlib.crc32(word.encode()) % 7 == 0]
    learnt = learn_letter_to_sound(
        {word: dictionary()[word].split(" ")[0] for word in sample if word not in set(hidden)}
    )
    learnt.save(tmp_path / "letters.xz")
    again = LetterToSound.load(tmp_path / "letters.xz")
    assert again.rules == learnt.rules
    right = 0
    for word in hidden:
        count = num_syllables(decoded("".join(again.read(word))))
        right += count in {num_syllables(phones) for phones in pronunciations(word)}
    assert right > 0.8 * len(hidden) > 200


def test_a_dictionary_file_is_read_without_its_comments() -> None:
    words = read_dictionary("at AE1 T\nat(2) AH0 T # weak\na.m. EY2 EH1 M\n")
    assert list(words) == ["at"] and len(words["at"]) == 2

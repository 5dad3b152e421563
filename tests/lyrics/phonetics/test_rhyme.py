"""Words rhyme by how they sound."""

import pytest
import torch

from pipeline.lyrics.phonetics.pronunciation import dictionary
from pipeline.lyrics.phonetics.rhyme import rhyme_key, rhymes

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("night", "white", True),
        ("rain", "lane", True),
        ("come", "some", True),
        ("love", "above", True),
        ("two", "blue", True),
        ("walking", "talking", True),
        ("walking", "thing", False),
        ("day", "away", True),
        ("rolled", "gold", True),
        ("tide", "side", True),
        ("sea", "free", True),
        ("town", "own", False),
        ("home", "come", False),
        ("stone", "done", False),
        ("night", "night", False),
        ("salt", "sea", False),
    ],
)
def test_rhymes(first, second, together):
    assert rhymes(first, second) is together
    assert rhyme_key(first.upper()) == rhyme_key(first)


def test_unknown_words_rhyme_by_their_letters() -> None:
    assert "blight" in dictionary() and "snight" not in dictionary()
    assert rhymes("snight", "light") and rhymes("fire", "liar") and rhymes("blorbing", "absorbing")
    assert not rhymes("though", "tough")
    assert rhyme_key("twenty-four") == rhyme_key("four")
    assert rhyme_key("мир") and rhyme_key("雨")

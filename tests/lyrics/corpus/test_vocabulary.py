"""Characters and subwords spell what they are given."""

import torch

from pipeline.lyrics.corpus.vocabulary import Subwords, vocabulary_from
from tests.lyrics.language_model.models import WORDS, texts

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


def test_characters_of_training_are_known_and_others_are_not():
    letters = texts().vocabulary
    assert letters.symbols[0] == "\ufffd"
    assert letters.encode("s\u00e9\U0001f600").tolist() == [letters.symbols.index("s"), 0, 0]
    assert letters.decode(letters.encode("sea")) == "sea"


def test_subwords_spell_every_text_and_their_widths_are_its_length():
    lines = [f"the {first} and the {second}" for first in WORDS for second in WORDS]
    pieces = Subwords.of(["\x02" + "\n".join(lines)], 300)
    for text in ("\x02the night and the salt\nthe  sea", "a \u00e9 \u2603 of it"):
        tokens = pieces.encode(text)
        assert pieces.decode(tokens) == text
        assert pieces.widths[tokens].sum() == len(text)
    assert len(pieces.encode(lines[0])) < len(lines[0]) / 2
    again = vocabulary_from(pieces.state())
    assert again.encode(lines[5]).tolist() == pieces.encode(lines[5]).tolist()

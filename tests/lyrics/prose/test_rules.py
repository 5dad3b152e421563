"""Words to avoid are not longer ones that hold them."""

import pytest
import torch

from pipeline.lyrics.prose.rules import AvoidedWords

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        *((text, True) for text in ("an art ", "Art.", "art's ", "art-", "(art)", "art' ")),
        *((text, False) for text in ("art", "artist ", "heart ", "art'", "art't ", "art2 ")),
    ],
)
def test_a_word_is_over_where_no_letter_follows(text, hit):
    assert AvoidedWords(["art"]).is_over(text[:-1], text[-1], 0) == hit

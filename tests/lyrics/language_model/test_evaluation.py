"""Bits a character against values worked out by hand."""

import pytest
import torch

from pipeline.lyrics.corpus.encoded_texts import TextSplit
from pipeline.lyrics.corpus.vocabulary import Characters
from pipeline.lyrics.language_model.evaluation import bits_per_character
from pipeline.lyrics.language_model.training import LanguageModelTrainer, build_model
from tests.lyrics.language_model.models import settings, texts, trained

torch.set_num_threads(1)  # two that wait for each other make these small tensors many times slower


def test_bits_of_a_known_distribution():
    model = build_model(4, settings())
    with torch.no_grad():
        model.table.zero_()
        model.bias.copy_(torch.tensor([0.5, 0.25, 0.125, 0.125]).log())
    letters = Characters("?abc")

    def bits(*documents):
        return bits_per_character(model, TextSplit.of(documents, letters), letters)

    # after the first character: a, b, c and an unknown one cost 2, 3, 3 and 1 bits
    assert bits("aabcx") == pytest.approx((2 + 3 + 3 + 1) / 4, abs=1e-5)
    assert bits("aaa", "cbbbb") == pytest.approx((2 * 2 + 4 * 3) / 6, abs=1e-5)


def test_bits_do_not_depend_on_how_documents_are_batched():
    trainer = trained(LanguageModelTrainer(texts(), settings()), 12)
    side = trainer.texts.training
    together, alone = (bits_per_character(trainer.model, side, trainer.vocabulary, batch=size) for size in (5, 1))
    assert together == pytest.approx(alone, abs=1e-5)
